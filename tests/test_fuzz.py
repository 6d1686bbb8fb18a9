"""Whatever is done to a transcript, it gives turns and bad records, never an exception (R7)."""

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ccship.observations import Labels, encode, observe_turn
from ccship.transcript.tail import entries
from ccship.transcript.turns import Entry, Turn, TurnBuilder, read_subagent
from conftest import FIXTURES

SMALL = sorted((FIXTURES / "claude").rglob("*.jsonl"), key=lambda path: path.stat().st_size)[:12]


class File(BytesIO):
    """Bytes that are read like a file."""


def all_entries(content: bytes) -> list[Entry]:
    return list(entries(File(content), 0))


def turns_of(found: list[Entry]) -> Iterator[Turn]:
    builder = TurnBuilder()
    for entry in found:
        yield from builder.feed(entry)
    yield from builder.open


def work_through(content: bytes) -> None:
    """Everything from bytes to what would be serialised; each line is accounted for."""
    found = all_entries(content)
    builder = TurnBuilder()
    turns = [turn for entry in found for turn in builder.feed(entry)] + builder.open
    for turn in turns:
        for observation in observe_turn(turn, "s", Labels()):
            assert observation.end_ns >= observation.start_ns
            encode(observation)
    read_subagent(found)


@given(st.binary(max_size=2000))
def test_any_bytes_give_turns_or_bad_records(content: bytes) -> None:
    """No file is too broken."""
    work_through(content)


@pytest.mark.parametrize("transcript", SMALL, ids=lambda path: path.stem[:14])
@given(data=st.data())
def test_a_mutated_transcript_gives_turns_or_bad_records(transcript: Path, data: st.DataObject) -> None:
    """Lines lost, doubled, moved, cut; bytes flipped; values swapped for others."""
    lines = transcript.read_bytes().splitlines(keepends=True)
    kept = data.draw(st.lists(st.sampled_from(lines), max_size=30))
    content = bytearray(b"".join(kept))
    for _ in range(data.draw(st.integers(0, 6)) if content else 0):
        at = data.draw(st.integers(0, len(content) - 1))
        replacement = data.draw(st.sampled_from([b"", b"null", b"[]", b"{}", b'"', b"7", b"\n", b"\xff", b"\0"]))
        content[at : at + data.draw(st.integers(0, 9))] = replacement
        if not content:
            break
    work_through(bytes(content))


@given(st.lists(st.sampled_from([line for path in SMALL for line in path.read_bytes().splitlines()]), max_size=40))
def test_every_line_is_counted_once(lines: list[bytes]) -> None:
    """The books balance: in turns, ignored, unknown or bad."""
    found = all_entries(b"\n".join(lines))
    builder = TurnBuilder()
    turns = [turn for entry in found for turn in builder.feed(entry)] + builder.open
    counted = sum(
        count
        for counts in [*(turn.counts for turn in turns), builder.unassigned()]
        for kind, count in counts.items()
        if not kind.startswith("drift:")
    )
    assert counted == len(found)
