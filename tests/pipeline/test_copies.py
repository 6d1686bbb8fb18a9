"""History that a client writes again under new uuids: the same calls and times, counted once."""

import json
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest

from ccship.backfill.partition import parts_of
from ccship.config import load
from ccship.config.routing import by_destination
from ccship.observations import Observation
from ccship.observations.line_outcomes import COPIED, DUPLICATE, SHIPPED
from ccship.state import State
from ccship.transcript.discover import sessions_at
from helpers import KeepingSink, observe, ship_to
from lines import Lines, tool


def original(turns: int = 3, session: str = "s1") -> Lines:
    """Turns of two calls with a tool between them; the output tokens of a call are unlike those of all others."""
    lines = Lines("2.1.11", session)
    for n in range(turns):
        call, done = (usage(100 * n + output) for output in (1, 2))
        lines.prompt(f"prompt {n}").assistant(f"m{n}a", tool(f"t{n}", command="ls"), usage=call).result(f"t{n}")
        lines.assistant(f"m{n}b", f"answer {n}", usage=done)
    return lines


def usage(output: int) -> dict[str, int]:
    return {"output_tokens": output}


def rewrite(lines: Lines, count: int | None = None, session: str | None = None) -> list[str]:
    """The first lines of a transcript as 2.1.14 writes them when it resumes a session of 2.1.11."""
    written = []
    for line in map(json.loads, lines.lines[:count]):
        line |= {"uuid": f"again-{line['uuid']}", "version": "2.1.14", "sessionId": session or line["sessionId"]}
        line["parentUuid"] = line["parentUuid"] and f"again-{line['parentUuid']}"
        written.append(json.dumps(line))
    return written


def goes_on(lines: Lines, name: str = "new", output: int = 999) -> Lines:
    """A turn of its own behind what was copied."""
    lines.seconds += 60
    return lines.prompt(name).assistant(f"m-{name}", "done", usage=usage(output))


def outputs(observations: list[Observation]) -> list[int]:
    """The output tokens of each call that was sent, however often it was."""
    calls = {observation.span_id: observation for observation in observations if observation.type == "generation"}
    return sorted((call.usage_details or {})["output"] for call in calls.values())


def prompts(observations: list[Observation]) -> list[Any]:
    latest = {observation.span_id: observation for observation in observations}
    return sorted(observation.input for observation in latest.values() if observation.parent_span_id is None)


@pytest.mark.parametrize("turns", [1, 2, 3, 10])
def test_history_written_again_in_one_file_is_counted_once(turns: int, tmp_path: Path) -> None:
    """However many of the old turns may still change when they are repeated."""
    lines = original(turns)
    lines.lines += rewrite(lines)
    sink = KeepingSink()
    report = ship_to(sink, [goes_on(lines).write(tmp_path / "s1.jsonl")])
    assert outputs(sink.sent) == [*(100 * n + output for n in range(turns) for output in (1, 2)), 999]
    assert prompts(sink.sent) == ["new", *(f"prompt {n}" for n in range(turns))]
    assert report.turns["copied"] == 0  # of another session


@pytest.mark.parametrize("turns", [1, 2, 4])
def test_it_is_counted_once_however_the_file_grows(turns: int, tmp_path: Path) -> None:
    """Shipped after every line, as by hooks; a copied prompt alone may be shown until its copied answer is there."""
    lines = original(turns)
    lines.lines += rewrite(lines)
    whole = goes_on(lines).lines
    expected = [*(100 * n + output for n in range(turns) for output in (1, 2)), 999]
    for cut in range(1, len(whole)):
        sink = KeepingSink()
        with State(None, "test") as state:
            for lines.lines in (whole[:cut], whole):
                ship_to(sink, [lines.write(tmp_path / "s1.jsonl")], state)
        assert outputs(sink.sent) == expected


@pytest.mark.parametrize("order", list(permutations(("s1", "s2", "s3"))), ids="-".join)
@pytest.mark.parametrize("keeps_session", [True, False])
def test_files_in_any_order_give_each_call_once(order: tuple[str, ...], tmp_path: Path, *, keeps_session: bool) -> None:
    """A session resumed into a new file, and that one again; each goes on by itself."""
    first = original()
    second, third = Lines(session="s2"), Lines(session="s3")
    second.lines = rewrite(first, session=None if keeps_session else "s2")
    second.seconds = first.seconds
    goes_on(second, "second", 998)
    third.lines = rewrite(second, session=None if keeps_session else "s3")
    third.seconds = second.seconds
    goes_on(third, "third", 999)
    goes_on(first, "first", 997)
    paths = {lines.session: lines.write(tmp_path / f"{lines.session}.jsonl") for lines in (first, second, third)}
    sink = KeepingSink()
    with State(None, "test") as state:
        for name in (*order, *order):
            ship_to(sink, [paths[name]], state)
    assert outputs(sink.sent) == [1, 2, 101, 102, 201, 202, 997, 998, 999]
    assert prompts(sink.sent) == ["first", "prompt 0", "prompt 1", "prompt 2", "second", "third"]


@pytest.mark.parametrize("is_settled", [True, False])
@pytest.mark.parametrize("same_file", [True, False])
def test_what_is_added_to_a_copied_turn_is_its_own(tmp_path: Path, *, same_file: bool, is_settled: bool) -> None:
    """A session that was killed in the middle of a turn: the calls before that are left out, the others are sent."""
    lines = original(1).add("system", subtype="compact_boundary").assistant("m0c", "compacted", usage=usage(3))
    again = lines if same_file else Lines(session="s2")
    copied = rewrite(lines)
    if same_file and is_settled:
        for n in range(2):
            goes_on(lines, f"more {n}", 500 + n)
    path = lines.write(tmp_path / "s1.jsonl")
    sink = KeepingSink()
    with State(None, "test") as state:
        ship_to(sink, [path], state)
        sink.sent.clear()
        again.lines += copied
        again.seconds += 60
        again.assistant("m-added", "added", usage=usage(999)).prompt("new").assistant("m-new", "x", usage=usage(1000))
        path = again.write(tmp_path / f"{again.session}.jsonl")
        ship_to(sink, [path], state)
        ship_to(sink, [path], state)
    assert outputs(sink.sent) == [999, 1000]
    (added,) = (
        observation for observation in sink.latest.values() if (observation.usage_details or {}).get("output") == 999
    )
    assert added.input is None
    assert [observation.type for observation in sink.sent] == ["agent", "generation"] * 2


def test_a_copy_of_a_copied_turn_that_went_on_is_left_out_too(tmp_path: Path) -> None:
    """Its first calls belong to one turn, the next to another."""
    lines = original(1)
    for n in range(3):
        lines.lines += [line.replace("again-", f"again-{n}-") for line in rewrite(lines)]
        lines.seconds += 60
        lines.assistant(f"m-{n}", "more", usage=usage(990 + n))
    assert outputs(observe(lines.write(tmp_path / "s1.jsonl"))) == [1, 2, 990, 991, 992]


def test_a_copy_that_names_its_original_leaves_the_turn_to_it(tmp_path: Path) -> None:
    """As for copies with the old uuids: who owns a turn is the same whoever is shipped first."""
    first = original()
    second = Lines(session="s2")
    second.lines = rewrite(first)
    second.seconds = first.seconds
    first.write(tmp_path / "s1.jsonl")
    assert prompts(observe(goes_on(second).write(tmp_path / "s2.jsonl"))) == ["new"]


def test_the_books_of_copies_balance(tmp_path: Path) -> None:
    """Lines of a copy are ignored: as a duplicate in the same session, as copied from another."""
    first = original()
    second = Lines(session="s2")
    second.lines = rewrite(first, session="s2")
    second.seconds = first.seconds
    first.lines += rewrite(first)
    paths = [goes_on(lines, lines.session).write(tmp_path / f"{lines.session}.jsonl") for lines in (first, second)]
    with State(None, "test") as state:
        report = ship_to(KeepingSink(), paths, state)
        counts = [known.counts + known.open for path in paths for known in [state.transcript(path, path.stem)]]
    assert counts == [{SHIPPED: 14, DUPLICATE: 12}, {SHIPPED: 2, COPIED: 12}]
    assert report.turns["copied"] == 3


def test_a_late_line_of_a_response_stays_with_its_turn(tmp_path: Path) -> None:
    """Flushed after the next prompt, it is new; only a line that is there already is a copy."""
    lines = Lines().prompt("one").assistant("m1", "a", usage=usage(5)).prompt("two")
    lines.assistant("m1", "b", usage=usage(6))
    observations = observe(lines.write(tmp_path / "s1.jsonl"))
    assert outputs(observations) == [6]
    assert prompts(observations) == ["one", "two"]


def test_a_prompt_that_nobody_answered_is_sent_once(tmp_path: Path) -> None:
    """It has no call to be known by, but its time and its text."""
    lines = original(1).prompt("unanswered")
    lines.lines += rewrite(lines)
    lines.seconds += 60
    sink = KeepingSink()
    ship_to(sink, [goes_on(lines).write(tmp_path / "s1.jsonl")])
    assert prompts(sink.sent) == ["new", "prompt 0", "unanswered"]


def test_sessions_that_share_calls_stay_together(tmp_path: Path) -> None:
    """Two processes that ship an original and its copy at the same time would both send it."""
    first, second, alone = original(), Lines(session="s2"), goes_on(Lines(session="s3"))
    second.lines = rewrite(first, session="s2")
    paths = [lines.write(tmp_path / f"{lines.session}.jsonl") for lines in (first, second, alone)]
    destinations, _ = by_destination(load({}), sessions_at(paths))
    lots = [{session.session_id for session in lot.sessions} for lot in parts_of(destinations, 2)]
    assert sorted(map(sorted, lots)) == [["s1", "s2"], ["s3"]]
