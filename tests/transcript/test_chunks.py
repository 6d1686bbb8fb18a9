"""Feeding a transcript in any pieces gives the same final spans as feeding it whole."""

from collections import defaultdict
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ccship.observations import Observation
from ccship.state import State
from conftest import FIXTURES, SHARED
from faults.case import conversation
from helpers import KeepingSink, observe, ship_to
from lines import Lines, tool

SESSIONS = sorted(path for path in (FIXTURES / "claude").rglob("*.jsonl") if not path.name.startswith("agent-"))
REAL = sorted((SHARED / "corpus").glob("*.jsonl")) + sorted(
    (SHARED / "transcripts").rglob("projects/*/*-*-*-*-*.jsonl")
)


def in_pieces(transcript: Path, folder: Path, cuts: Iterable[int]) -> list[Observation]:
    """Everything that is sent when the file grows cut by cut, and is shipped each time."""
    copy = folder / transcript.name
    copy.unlink(missing_ok=True)
    content = transcript.read_bytes()
    sink = KeepingSink()
    with State(None, "test") as state, copy.open("ab") as file:
        written = 0
        for cut in [*sorted(cuts), len(content)]:
            file.write(content[written:cut])
            file.flush()
            written = max(written, cut)
            report = ship_to(sink, [copy], state)
            assert report.ok
    return sink.sent


def check(transcript: Path, folder: Path, cuts: Iterable[int]) -> None:
    whole = {observation.span_id: observation for observation in in_pieces(transcript, folder, [])}
    pieces = in_pieces(transcript, folder, cuts)
    assert {observation.span_id: observation for observation in pieces} == whole
    fixed = defaultdict(set)
    sent = defaultdict(list)
    for observation in pieces:
        fixed[observation.span_id].add((observation.trace.trace_id, observation.type, observation.start_ns))
        sent[observation.span_id].append(observation)
    assert all(len(keys) == 1 for keys in fixed.values()), "a span was sent under two start times"
    assert all(a != b for times in sent.values() for a, b in pairwise(times)), "sent twice, unchanged"


@pytest.mark.parametrize("transcript", SESSIONS, ids=lambda path: path.stem[:8])
@settings(max_examples=25)
@given(data=st.data())
def test_any_split_gives_what_the_whole_gives(
    transcript: Path, data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Cut anywhere, in the middle of lines and characters, and shipped after each piece."""
    size = transcript.stat().st_size
    cuts = data.draw(st.lists(st.integers(0, size), max_size=12))
    check(transcript, tmp_path_factory.mktemp("pieces"), cuts)


@pytest.mark.parametrize("transcript", SESSIONS, ids=lambda path: path.stem[:8])
def test_line_by_line_gives_what_the_whole_gives(transcript: Path, tmp_path: Path) -> None:
    """A hook after every line."""
    content = transcript.read_bytes()
    check(transcript, tmp_path, [n + 1 for n, byte in enumerate(content) if byte == ord("\n")])


def test_a_line_that_came_turns_too_late_is_taken_by_its_own_turn_only(tmp_path: Path) -> None:
    """A tool holds the first turn open while others end; a line of its response is flushed behind two of them."""
    lines = Lines().prompt("one").assistant("m1", tool("t1")).prompt("two").assistant("m2", "b")
    lines.prompt("three").assistant("m1", "late").result("t1").assistant("m3", "c")
    for n in range(4, 8):
        lines.prompt(str(n)).assistant(f"m{n}", "ok")
    content = lines.write(tmp_path / "source" / "s1.jsonl").read_bytes()
    check(tmp_path / "source" / "s1.jsonl", tmp_path, [n + 1 for n, byte in enumerate(content) if byte == ord("\n")])


@pytest.mark.slow
def test_byte_by_byte_gives_what_the_whole_gives(tmp_path: Path) -> None:
    """The smallest session of the fixtures."""
    smallest = min(SESSIONS, key=lambda path: path.stat().st_size)
    check(smallest, tmp_path, range(smallest.stat().st_size))


def test_a_turn_byte_by_byte_gives_what_the_whole_gives(tmp_path: Path) -> None:
    """A prompt, a tool and an answer."""
    transcript = conversation(1).write(tmp_path / "source" / "s1.jsonl")
    check(transcript, tmp_path, range(transcript.stat().st_size))


@pytest.mark.skipif(not REAL, reason="other people's sessions are not beside this checkout")
@pytest.mark.parametrize(
    "transcript",
    [pytest.param(path, id=path.stem[:12], marks=[pytest.mark.slow] * bool(n % 8)) for n, path in enumerate(REAL)],
)
def test_a_real_session_in_forty_pieces_gives_what_the_whole_gives(transcript: Path, tmp_path: Path) -> None:
    """Cut at primes of lines and in the middle of them, by its own size."""
    size = transcript.stat().st_size
    check(transcript, tmp_path, [size * k // 41 for k in range(1, 41)])


def test_a_file_that_was_empty_for_a_while_is_read_from_its_start(tmp_path: Path) -> None:
    """Its cursor is of no use any more, even if the same bytes come back."""
    path = tmp_path / "t.jsonl"
    content = b"".join(f"{line}\n".encode() for line in conversation(6).lines)
    sink = KeepingSink()
    with State(tmp_path / "state", "here") as state:
        for written in (content, b"", content):
            path.write_bytes(written)
            ship_to(sink, [path], state)
    assert sink.latest == {observation.span_id: observation for observation in observe(path)}
