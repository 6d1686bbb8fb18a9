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
from faults.quick import QuickCase
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
    "8 the last line has no end": fewer,
    "12 cut inside a character": fewer,
    "14 unknown types and shapes": equal,
    "15 a line of 64 MB, deep nesting, a number of a million digits": more,
    "16 missing parents": equal,
    "16 every line twice": equal,
    "22 two records on one line": equal,
}


@pytest.mark.parametrize("name", AGAINST_CLEAN)
def test_damage_gives_no_span_another_key(quick: QuickCase, name: str) -> None:
    """Outcome A: what an undisturbed run sends, less what was cut off, plus what was added; the books balance."""
    clean = quick.expected
    DAMAGE[name](quick)
    quick.hook()
    assert AGAINST_CLEAN[name](quick.server.keys, clean)
    assert len({span_id for _, span_id, _, _ in quick.server.keys}) == len(quick.server.keys)
    assert counted(quick) == passed(quick) > 0


def test_unknown_and_broken_lines_are_counted_by_kind(quick: QuickCase) -> None:
    """14: three that are no record, one of an unknown type, one of an unknown shape."""
    DAMAGE["14 unknown types and shapes"](quick)
    quick.hook()
    assert counts(quick) == {
        "turn": 9,
        "bad": 3,
        "unknown::hologram": 1,
        "drift::assistant.message": 1,
    }


def test_a_line_that_never_ends_is_pending_and_nothing_waits_for_it(quick: QuickCase) -> None:
    """11: its writer died; it stays beyond the cursor, and later hooks send nothing."""
    cut_last_line(quick)
    quick.hook()
    quick.server.clear()
    quick.hook()
    assert quick.server.requests == []
    assert quick.offset() < quick.transcript.read_bytes().rindex(b"\n") < quick.transcript.stat().st_size - 1
    assert list((quick.state / "requests").iterdir()) == []


@pytest.mark.parametrize("name", [name for name in CHANGES if not name.startswith("21")])
def test_a_changed_file_is_known_to_be_another(quick: QuickCase, name: str) -> None:
    """17, 18, 19: outcome R: the cursor does not hold any more, and the next one is that of the new content."""
    quick.hook()
    CHANGES[name](quick)
    assert resumes_at(quick) == 0
    quick.hook()
    conversation(8).write(quick.transcript)
    quick.hook()
    assert resumes_at(quick) == quick.offset() > 0


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
def test_a_transcript_at_another_place_has_no_other_keys(quick: QuickCase, move: Callable[[Case], None]) -> None:
    """21: settled turns are not sent again, open ones under the keys they had."""
    quick.hook()
    first = quick.server.keys
    before = quick.transcript
    move(quick)
    assert quick.transcript != before
    quick.server.clear()
    quick.hook()
    assert quick.server.keys < first


BLOCKING: dict[str, Callable[[Path], Path]] = {
    "a subagent's": lambda main: main.with_suffix("") / "subagents" / "agent-x.jsonl",
    "a subagent's, in the old place": lambda main: main.with_name("agent-x.jsonl"),
    "a neighbour's": lambda main: main.with_name("neighbour.jsonl"),
    "the one it was forked from": lambda main: main.with_name("origin.jsonl"),
    "what is told of a subagent": lambda main: main.with_suffix("") / "subagents" / f"agent-{LATE}.meta.json",
}


@pytest.mark.parametrize("place", BLOCKING.values(), ids=BLOCKING.keys())
def test_a_pipe_in_a_files_place_holds_up_nobody(quick: QuickCase, place: Callable[[Path], Path]) -> None:
    """24: a pipe without a writer would be waited for, for ever and with the session locked."""
    lines = Lines(session=SESSION).prompt("go", session_id="origin")
    lines.assistant("m1", tool("t9", "Agent", prompt="explore"), session_id="origin")
    lines.result("t9", toolUseResult={"agentId": LATE}, session_id="origin").write(quick.transcript)
    subagents = quick.transcript.with_suffix("") / "subagents"
    Lines(session=SESSION).user("explore").assistant("m3", "found").write(subagents / f"agent-{LATE}.jsonl")
    os.mkfifo(place(quick.transcript))
    quick.hook(first="import signal; signal.alarm(10)")
    assert {span.name for span in quick.server.accepted} >= {"claude_turn", "Agent: subagent"}
    assert list((quick.state / "requests").iterdir()) == []


UNREADABLE: dict[str, Callable[[Path], object]] = {
    "a directory": lambda path: path.mkdir(),
    "a pipe": os.mkfifo,
    "a link to nowhere": lambda path: path.symlink_to("/nowhere/at/all"),
    "a link to itself": lambda path: path.symlink_to(path),
}


@pytest.mark.parametrize("put", UNREADABLE.values(), ids=UNREADABLE.keys())
def test_an_unreadable_subagent_is_named_and_the_rest_goes_on(quick: QuickCase, put: Callable[[Path], object]) -> None:
    """24: its session is shipped without it."""
    agent = quick.transcript.with_suffix("") / "subagents" / "agent-x.jsonl"
    agent.parent.mkdir(parents=True)
    put(agent)
    quick.hook()
    assert quick.server.keys == quick.expected
    assert f"{agent} cannot be read" in quick.log()


def test_a_subagent_deleted_while_its_session_is_shipped_stops_nothing(case: Case) -> None:
    """46: the main transcript has been read, its subagent's is gone before it is its turn."""
    expected = case.expected
    agent = case.transcript.with_suffix("") / "subagents" / "agent-x.jsonl"
    Lines(session=SESSION).user("explore").assistant("m3", "found").write(agent)
    case.server.script = [Reply(delay_s=0.5, keep=True)]
    process = case.start()
    case.server.wait_for_requests(1)
    agent.unlink()
    assert process.wait(60) == 0
    assert case.server.keys == expected
    case.check_all_arrives()


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
