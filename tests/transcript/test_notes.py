"""Notes about the session: titles, pull requests, and types that no version has named yet."""

from pathlib import Path
from typing import Any

import pytest

from ccship.state import State
from helpers import KeepingSink, ship_to
from lines import Lines, tool
from observed import Observe, named, roots


def test_unknown_types_and_fields_are_counted_by_version_and_stop_nothing(tmp_path: Path) -> None:
    """So that the drift of a new client can be seen."""
    lines = Lines("9.9.9").prompt("go").plain("thought-bubble").assistant("m1", "ok", effort={"level": 11})
    sink = KeepingSink()
    report = ship_to(sink, [lines.write(tmp_path / "s1.jsonl")])
    assert report.lines["unknown:9.9.9:thought-bubble"] == 1
    assert report.lines["drift:9.9.9:assistant.effort"] == 1
    assert len(named(sink.sent, "LLM call")) == 1


def test_a_title_is_metadata_of_the_turns_that_follow(seen: Observe) -> None:
    """The person's own wins, and the last of each kind; the line is written again and again."""
    lines = Lines().prompt("go").assistant("m1", "ok").plain("ai-title", aiTitle="First").plain("ai-title", aiTitle="B")
    lines.prompt("more").assistant("m2", "ok").plain("custom-title", customTitle="Mine").plain("ai-title", aiTitle="C")
    observations = seen(lines.prompt("last").assistant("m3", "ok"))
    assert [root.metadata.get("session_title") for root in roots(observations)] == [None, "B", "Mine"]


def test_a_pull_request_is_metadata_and_a_tag_of_its_turn_and_those_that_follow(seen: Observe) -> None:
    """The line is written when the tool that made it returns."""
    url = "https://github.com/o/r/pull/{}"
    lines = Lines().prompt("go").assistant("m1", "ok").prompt("open it").assistant("m2", tool("t1"))
    lines.plain("pr-link", prNumber=7, prUrl=url.format(7), prRepository="o/r").result("t1").assistant("m3", "done")
    lines.prompt("and another").assistant("m4", tool("t2"))
    lines.plain("pr-link", prNumber=9, prUrl=url.format(9)).result("t2").prompt("more").assistant("m5", "ok")
    found = roots(seen(lines))
    assert [root.metadata.get("pr_url") for root in found] == [None, url.format(7), url.format(9), url.format(9)]
    tags = [[tag for tag in root.trace.tags if tag.startswith("pr:")] for root in found]
    assert tags == [[], ["pr:7"], ["pr:7", "pr:9"], ["pr:9"]]


@pytest.mark.parametrize("note", [{"customTitle": 5}, {"customTitle": None}, {"prNumber": "x"}, {}])
def test_a_note_of_another_shape_is_ignored(seen: Observe, note: dict[str, Any]) -> None:
    """As all bookkeeping was."""
    lines = Lines().plain("custom-title", **note).plain("pr-link", **note).prompt("go").assistant("m1", "ok")
    (root,) = roots(seen(lines))
    assert {"session_title", "pr_url"}.isdisjoint(root.metadata)


def test_a_reader_that_resumes_knows_the_title_from_before_its_cursor(tmp_path: Path) -> None:
    """Without a word of it in the state."""
    lines = Lines().plain("ai-title", aiTitle="Fix the parser").plain("pr-link", prNumber=7, prUrl="https://h/7")
    for n in range(5):
        lines.prompt(f"go {n}").assistant(f"m{n}", "ok")
    folder = tmp_path / "state"
    transcript = tmp_path / "s1.jsonl"
    with State(folder, "test") as state:
        ship_to(KeepingSink(), [lines.write(transcript)], state)
    assert b"parser" not in (folder / "state.db").read_bytes()
    sink = KeepingSink()
    with State(folder, "test") as state:
        known = state.transcript(transcript, "s1")
        assert known.position is not None
        assert known.position.offset > 0
        ship_to(sink, [lines.prompt("last").assistant("m9", "ok").write(transcript)], state)
    assert [root.metadata.get("session_title") for root in roots(sink.sent)] == ["Fix the parser"]
    assert "pr:7" in roots(sink.sent)[0].trace.tags
