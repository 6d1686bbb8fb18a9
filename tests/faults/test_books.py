"""What damaged and changed transcripts come to, beside an undisturbed run: rows 8 to 24 and 46, and the books."""

import os
import sqlite3
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import orjson
import pytest

from ccship.state import State
from ccship.transcript.tail import entries, resume_offset
from faults.case import SESSION, Case, Key, conversation
from faults.test_transcripts import CHANGES, DAMAGE, cut_last_line
from lines import Lines, tool
from loopback import Reply

LATE = "late"


def equal(found: set[Key], clean: set[Key]) -> bool:
    return found == clean


def fewer(found: set[Key], clean: set[Key]) -> bool:
    return found < clean


def more(found: set[Key], clean: set[Key]) -> bool:
    return found > clean


AGAINST_CLEAN: dict[str, Callable[[set[Key], set[Key]], bool]] = {
    "the last line has no end": fewer,
    "cut inside a character": fewer,
    "unknown types and shapes": equal,
    "a line of 64 MB, deep nesting, a number of a million digits": more,
    "missing parents": equal,
    "every line twice": equal,
    "two records on one line": equal,
}


@pytest.mark.parametrize("name", AGAINST_CLEAN)
def test_damage_gives_no_span_another_key(case: Case, name: str) -> None:
    """Accepted: what an undisturbed run sends, less what was cut off, plus what was added; the books balance."""
    clean = case.expected
    DAMAGE[name](case)
    case.hook()
    assert AGAINST_CLEAN[name](case.server.keys, clean)
    assert len({span_id for _, span_id, _, _ in case.server.keys}) == len(case.server.keys)
    assert counted(case) == passed(case) > 0


def test_unknown_and_broken_lines_are_counted_by_kind(case: Case) -> None:
    """Three that are no record, one of an unknown type, one of an unknown shape."""
    DAMAGE["unknown types and shapes"](case)
    case.hook()
    assert counts(case) == {
        "turn": 9,
        "bad": 3,
        "unknown::hologram": 1,
        "drift::assistant.message": 1,
    }


def test_a_line_that_never_ends_is_pending_and_nothing_waits_for_it(case: Case) -> None:
    """Its writer died; it stays beyond the cursor, and later hooks send nothing."""
    cut_last_line(case)
    case.hook()
    case.server.clear()
    case.hook()
    assert case.server.requests == []
    assert case.offset() < case.transcript.read_bytes().rindex(b"\n") < case.transcript.stat().st_size - 1
    assert list((case.state / "requests").iterdir()) == []


THE_SAME = ("renamed and renamed back", "deleted and written again")
"""Changes after which the file is what it was."""


@pytest.mark.parametrize("name", [name for name in CHANGES if name not in THE_SAME])
def test_a_changed_file_is_known_to_be_another(case: Case, name: str) -> None:
    """Sent again under the same ids: the cursor does not hold any more, and the next one is that of the new content."""
    case.hook()
    CHANGES[name](case)
    assert resumes_at(case) == 0
    case.hook()
    conversation(8).write(case.transcript)
    case.hook()
    assert resumes_at(case) == case.offset() > 0


def move_project(case: Case) -> None:
    folder = case.transcript.parent.rename(case.transcript.parent.with_name("-moved"))
    case.transcript = folder / case.transcript.name


def link_hard(case: Case) -> None:
    folder = case.transcript.parent.with_name("-linked")
    folder.mkdir()
    (folder / case.transcript.name).hardlink_to(case.transcript)
    case.transcript = folder / case.transcript.name


MOVES = {"renamed with its folder": move_project, "a second hard link": link_hard}


@pytest.mark.parametrize("move", MOVES.values(), ids=MOVES.keys())
def test_a_transcript_at_another_place_has_no_other_keys(case: Case, move: Callable[[Case], None]) -> None:
    """Settled turns are not sent again, open ones under the keys they had."""
    case.hook()
    first = case.server.keys
    before = case.transcript
    move(case)
    assert case.transcript != before
    case.server.clear()
    case.hook()
    assert case.server.keys < first


BLOCKING: dict[str, Callable[[Path], Path]] = {
    "a subagent's": lambda main: main.with_suffix("") / "subagents" / "agent-x.jsonl",
    "a subagent's, in the old place": lambda main: main.with_name("agent-x.jsonl"),
    "a neighbour's": lambda main: main.with_name("neighbour.jsonl"),
    "the one it was forked from": lambda main: main.with_name("origin.jsonl"),
    "what is told of a subagent": lambda main: main.with_suffix("") / "subagents" / f"agent-{LATE}.meta.json",
}


@pytest.mark.parametrize("place", BLOCKING.values(), ids=BLOCKING.keys())
def test_a_pipe_in_a_files_place_holds_up_nobody(case: Case, place: Callable[[Path], Path]) -> None:
    """A pipe without a writer would be waited for, for ever and with the session locked."""
    lines = Lines(session=SESSION).prompt("go", session_id="origin")
    lines.assistant("m1", tool("t9", "Agent", prompt="explore"), session_id="origin")
    lines.result("t9", toolUseResult={"agentId": LATE}, session_id="origin").write(case.transcript)
    subagents = case.transcript.with_suffix("") / "subagents"
    Lines(session=SESSION).user("explore").assistant("m3", "found").write(subagents / f"agent-{LATE}.jsonl")
    os.mkfifo(place(case.transcript))
    case.hook(first="import signal; signal.alarm(10)")
    assert {span.name for span in case.server.accepted} >= {"claude_turn", "Agent: subagent"}
    assert list((case.state / "requests").iterdir()) == []


UNREADABLE: dict[str, Callable[[Path], object]] = {
    "a directory": lambda path: path.mkdir(),
    "a pipe": os.mkfifo,
    "a link to nowhere": lambda path: path.symlink_to("/nowhere/at/all"),
    "a link to itself": lambda path: path.symlink_to(path),
}


@pytest.mark.parametrize("put", UNREADABLE.values(), ids=UNREADABLE.keys())
def test_an_unreadable_subagent_is_named_and_the_rest_goes_on(case: Case, put: Callable[[Path], object]) -> None:
    """Its session is shipped without it."""
    agent = case.transcript.with_suffix("") / "subagents" / "agent-x.jsonl"
    agent.parent.mkdir(parents=True)
    put(agent)
    case.hook()
    assert case.server.keys == case.expected
    assert f"{agent} cannot be read" in case.log()


def test_a_subagent_deleted_while_its_session_is_shipped_stops_nothing(case: Case) -> None:
    """Both have been read; the server has not answered yet."""
    agent = case.transcript.with_suffix("") / "subagents" / "agent-x.jsonl"
    Lines(session=SESSION).user("explore").assistant("m3", "found").write(agent)
    expected = case.expected
    case.server.script = [Reply(delay_s=0.5, keep=True)]
    process = case.start()
    case.server.wait_for_requests(1)
    agent.unlink()
    assert process.wait(60) == 0
    assert case.server.keys == expected
    assert list((case.state / "requests").glob("*.json")) == []


def counts(case: Case) -> Counter[str]:
    """What the state has counted before the cursor."""
    with sqlite3.connect(case.state / "state.db") as db:
        (text,) = db.execute("SELECT counts FROM transcripts").fetchone()
    return Counter(orjson.loads(text))


def counted(case: Case) -> int:
    """How many records the state accounts for; `drift` is said of records that are counted already."""
    return sum(count for kind, count in counts(case).items() if not kind.startswith("drift:"))


def passed(case: Case) -> int:
    """How many records stand before the cursor."""
    with case.transcript.open("rb") as file:
        return sum(1 for entry in entries(file, 0) if entry.end <= case.offset())


def resumes_at(case: Case) -> int:
    """Where the next hook would go on reading."""
    with State(case.state, f"{case.server.url} {case.server.public_key}") as state, case.transcript.open("rb") as file:
        return resume_offset(file, state.transcript(case.transcript, SESSION).position)
