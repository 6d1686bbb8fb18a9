"""Subagents whose launch is not in their session's transcript: they wait while it may come, and are never lost."""

import json
import os
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from ccship.observations import Observation
from ccship.pipeline.plan import Options
from ccship.pipeline.planner import OVER_AFTER_S
from ccship.pipeline.ship import Shipper
from ccship.privacy import UNFILTERED
from ccship.state import State
from ccship.transcript.discover import Session, sessions_at
from helpers import KeepingSink, run_ccship, ship_to
from lines import BEGAN, Lines, tool
from loopback import LoopbackLangfuse


def now() -> float:
    """In seconds since the beginning of all synthetic transcripts."""
    return (datetime.now(UTC) - BEGAN).total_seconds()


def killed(folder: Path, ago_s: float = 10) -> Path:
    """A session that was killed so long ago: its subagent had begun, its launch was not written down."""
    lines, agent = Lines(session="s1"), Lines(session="s1")
    lines.seconds = now() - ago_s - 60
    agent.seconds = now() - ago_s - 1
    agent.user("explore", isSidechain=True, uuid="a").assistant("m9", "found", uuid="b")
    agent.write(folder / "s1/subagents/agent-a1.jsonl")
    return lines.prompt("go").assistant("m1", "done").write(folder / "s1.jsonl")


def another(folder: Path, *, ago_s: float) -> Path:
    """A session of the same folder that began so long ago."""
    lines = Lines(session="s2")
    lines.seconds = now() - ago_s
    return lines.prompt("next").assistant("m2", "done").write(folder / "s2.jsonl")


def launch(transcript: Path, prompt: str | None = None) -> None:
    """What a resume may still bring."""
    lines = Lines(session="s1")
    lines.lines = transcript.read_text().splitlines()
    lines.seconds = now()
    if prompt:
        lines.prompt(prompt)
    lines.assistant("m3", tool("t1", "Agent", prompt="explore")).result("t1", toolUseResult={"agentId": "a1"})
    lines.write(transcript)


def agents(observations: list[Observation]) -> list[Observation]:
    return [observation for observation in observations if observation.name.startswith("Agent: ")]


def test_an_orphan_whose_records_name_no_session_is_part_of_that_of_its_folder(tmp_path: Path) -> None:
    """Langfuse would show it as a session of its own."""
    session = killed(tmp_path, OVER_AFTER_S + 60)
    agent = tmp_path / "s1/subagents/agent-a1.jsonl"
    agent.write_text(agent.read_text().replace('"sessionId": "s1", ', ""))
    sink = KeepingSink()
    ship_to(sink, [session])
    assert {observation.trace.session_id for observation in agents(sink.sent)} == {"s1"}


OVER: dict[str, tuple[Callable[[Path], object], bool]] = {
    "it goes on": (killed, False),
    "nothing was written for longer than an hour": (lambda folder: killed(folder, OVER_AFTER_S + 60), True),
    "another session began since": (lambda folder: (killed(folder, 60), another(folder, ago_s=30)), True),
    "another session began before": (lambda folder: (killed(folder), another(folder, ago_s=600)), False),
}


@pytest.mark.parametrize(("write", "is_over"), OVER.values(), ids=OVER.keys())
def test_a_subagent_without_a_launch_is_sent_once_its_session_is_over(
    tmp_path: Path, write: Callable[[Path], object], *, is_over: bool
) -> None:
    """As a trace of its own."""
    write(tmp_path)
    sink = KeepingSink()
    report = ship_to(sink, [tmp_path / "s1.jsonl"])
    assert [agent.parent_span_id for agent in agents(sink.sent)] == [None] * is_over
    assert report.turns["waiting"] == (not is_over)


@pytest.mark.skipif(os.name != "posix", reason="links to themselves are made with POSIX calls")
def test_a_transcript_that_cannot_be_read_may_hold_the_launch(tmp_path: Path) -> None:
    """The subagent waits for it, however old it is."""
    transcript = killed(tmp_path, OVER_AFTER_S + 60)
    transcript.unlink()
    transcript.symlink_to(transcript)
    sink = KeepingSink()
    with State(None, "test") as state:
        shipper = Shipper(sink, state, policy=UNFILTERED)
        shipper.ship([Session("s1", transcript, (tmp_path / "s1/subagents/agent-a1.jsonl",))])
    assert (agents(sink.sent), shipper.report.turns["waiting"]) == ([], 1)


def test_a_launch_that_comes_later_doubles_nothing(tmp_path: Path) -> None:
    """A resume may bring it; the subagent stays where it was sent to."""
    transcript = killed(tmp_path, OVER_AFTER_S + 60)
    sink = KeepingSink()
    with State(None, "test") as state:
        ship_to(sink, [transcript], state)
        (orphan,) = agents(sink.sent)
        launch(transcript)
        agent = transcript.with_name("s1") / "subagents/agent-a1.jsonl"
        agent.write_text(agent.read_text().replace("found", "found more"))
        ship_to(sink, [transcript], state)
    assert {(sent.span_id, sent.trace.trace_id) for sent in agents(sink.sent)} == {
        (orphan.span_id, orphan.trace.trace_id)
    }
    calls = {observation.span_id for observation in sink.sent if observation.type == "generation"}
    assert len(calls) == 3


@pytest.mark.parametrize("prompt", [None, "again"])
def test_a_forked_orphan_and_a_late_launch_share_no_call(tmp_path: Path, prompt: str | None) -> None:
    """A forked subagent repeats the call that launched it: it keeps that call, the turn keeps its prompt."""
    transcript = killed(tmp_path, OVER_AFTER_S + 60)
    fork = Lines(session="s1")
    fork.seconds = now() - OVER_AFTER_S - 60
    fork.assistant("m3", tool("t1", "Agent", prompt="explore"), uuid="x").result("t1", uuid="y")
    fork.user("do it", uuid="z").assistant("m9", "found", uuid="w").write(tmp_path / "s1/subagents/agent-a1.jsonl")
    sink = KeepingSink()
    with State(None, "test") as state:
        ship_to(sink, [transcript], state)
        launch(transcript, prompt)
        ship_to(sink, [transcript], state)
    latest = [observation for observation in sink.latest.values() if observation.type == "generation"]
    assert len(latest) == 3  # m1, m3, m9
    turns = [observation.input for observation in sink.latest.values() if observation.name == "claude_turn"]
    assert turns == (["go", prompt] if prompt else ["go"])


def test_the_end_of_a_session_is_the_hooks_to_tell(tmp_path: Path) -> None:
    """SessionEnd: nothing will come any more."""
    sink = KeepingSink()
    with State(None, "test") as state:
        shipper = Shipper(sink, state, Options(has_ended=True), policy=UNFILTERED)
        shipper.ship(sessions_at([killed(tmp_path)]))
    assert len(agents(sink.sent)) == 1


@pytest.fixture
def environ(langfuse: LoopbackLangfuse, tmp_path: Path) -> dict[str, str]:
    """The environment of somebody whose sessions are traced."""
    return {
        **langfuse.environ,
        "CLAUDE_CONFIG_DIR": str(tmp_path / "claude"),
        "TRACE_TO_LANGFUSE": "true",
        "CC_LANGFUSE_FOREGROUND": "true",
    }


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """The folder of a project's sessions."""
    return tmp_path / "claude/projects/-home-dev-demo"


def hook(transcript: Path, event: str, environ: dict[str, str]) -> None:
    document = {"session_id": transcript.stem, "transcript_path": str(transcript), "hook_event_name": event}
    assert run_ccship("hook", stdin=json.dumps(document).encode(), environ=environ).returncode == 0


def subagents(langfuse: LoopbackLangfuse) -> int:
    return len({span.key for span in langfuse.accepted if span.name.startswith("Agent: ")})


def status(environ: dict[str, str]) -> tuple[bool, list[int]]:
    document: dict[str, Any] = json.loads(run_ccship("status", "--json", environ=environ).stdout)
    return document["complete"], [destination["records"]["pending"] for destination in document["destinations"]]


def test_it_is_pending_until_the_session_ends(
    langfuse: LoopbackLangfuse, environ: dict[str, str], project: Path
) -> None:
    """In `status` and `verify`."""
    transcript = killed(project)
    hook(transcript, "Stop", environ)
    assert (subagents(langfuse), status(environ)) == (0, (False, [2]))
    verified = json.loads(run_ccship("verify", "--json", environ=environ).stdout)
    assert (verified["missing"], verified["waiting"]) == (0, 1)
    hook(transcript, "SessionEnd", environ)
    assert (subagents(langfuse), status(environ)) == (1, (True, [0]))


def test_any_event_of_any_session_looks_again(
    langfuse: LoopbackLangfuse, environ: dict[str, str], project: Path
) -> None:
    """Until the subagent was sent, its session is one that is behind."""
    earlier = another(project, ago_s=10_000)
    hook(earlier, "Stop", environ)
    hook(killed(project), "Stop", environ)
    assert subagents(langfuse) == 0
    killed(project, OVER_AFTER_S + 60)  # as if so much time had passed
    hook(earlier, "Stop", environ)
    assert (subagents(langfuse), status(environ)) == (1, (True, [0]))


@pytest.mark.parametrize("event", ["SessionStart", "Stop"])
def test_a_killed_session_is_caught_up_with_when_another_begins(
    event: str, langfuse: LoopbackLangfuse, environ: dict[str, str], project: Path
) -> None:
    """No hook told of the subagent: the session was killed after its launch."""
    transcript = killed(project, ago_s=60)
    agent = project / "s1/subagents/agent-a1.jsonl"
    hidden = agent.rename(project / "hidden")
    hook(transcript, "Stop", environ)
    hidden.rename(agent)
    assert status(environ) == (False, [2])
    hook(another(project, ago_s=30), event, environ)
    assert (subagents(langfuse), status(environ)) == (1, (True, [0]))


def test_a_killed_session_that_nobody_shipped_is_left_alone(
    langfuse: LoopbackLangfuse, environ: dict[str, str], project: Path
) -> None:
    """Without a hook of its own nobody consented to send it."""
    killed(project, ago_s=60)
    hook(another(project, ago_s=30), "Stop", environ)
    assert subagents(langfuse) == 0


def test_subagents_of_days_ago_are_for_a_backfill(
    langfuse: LoopbackLangfuse, environ: dict[str, str], project: Path
) -> None:
    """A session that begins does not look through all history."""
    transcript = killed(project, ago_s=60)
    agent = project / "s1/subagents/agent-a1.jsonl"
    hidden = agent.rename(project / "hidden")
    hook(transcript, "Stop", environ)
    hidden.rename(agent)
    days_ago = time.time() - 2 * 86_400
    os.utime(agent, (days_ago, days_ago))
    hook(another(project, ago_s=30), "Stop", environ)
    assert subagents(langfuse) == 0
    assert run_ccship("backfill", environ=environ).returncode == 0
    assert (subagents(langfuse), status(environ)) == (1, (True, [0]))
