"""Complete lines of a growing file, and the cursor that remembers where it was."""

from collections.abc import Callable
from pathlib import Path

import pytest

from ccship.transcript import tail
from ccship.transcript.records import BadRecord, User
from ccship.transcript.tail import Position, entries, position_at, resume_offset


def line(uuid: str) -> bytes:
    return b'{"type":"user","uuid":"%s"}\n' % uuid.encode()


def read(path: Path, offset: int = 0) -> list[str | None]:
    with path.open("rb") as file:
        return [entry.parsed.uuid if isinstance(entry.parsed, User) else "bad" for entry in entries(file, offset)]


def position_of(path: Path) -> Position:
    with path.open("rb") as file:
        return position_at(file, path.stat().st_size)


def replace(path: Path) -> None:
    other = path.with_suffix(".new")
    other.write_bytes(path.read_bytes())
    other.replace(path)


def test_half_a_line_waits(tmp_path: Path) -> None:
    """It is read, once, when its other half is there."""
    path = tmp_path / "t.jsonl"
    path.write_bytes(line("a") + line("b")[:9])
    assert read(path) == ["a"]
    path.write_bytes(line("a") + line("b"))
    assert read(path, len(line("a"))) == ["b"]


def test_a_whole_record_without_newline_is_read(tmp_path: Path) -> None:
    """Tools that copy transcripts strip the last newline; no beginning of an object is an object."""
    path = tmp_path / "t.jsonl"
    path.write_bytes(line("a") + line("b").rstrip())
    assert read(path) == ["a", "b"]


def test_a_character_cut_in_half_waits(tmp_path: Path) -> None:
    """Writers flush bytes, not characters."""
    path = tmp_path / "t.jsonl"
    path.write_bytes(line("a") + '{"type":"user","uuid":"é'.encode()[:-1])
    assert read(path) == ["a"]


def test_a_line_too_long_to_hold_is_bad_and_its_neighbours_are_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Memory is bounded by the longest line that is accepted."""
    monkeypatch.setattr(tail, "MAX_LINE_BYTES", 100)
    path = tmp_path / "t.jsonl"
    path.write_bytes(line("a") + line("x" * 1000) + line("b"))
    assert read(path) == ["a", "bad", "b"]
    with path.open("rb") as file:
        long = list(entries(file, 0))[1]
    assert isinstance(long.parsed, BadRecord)
    assert long.end - long.start == len(line("x" * 1000))


CHANGES: dict[str, tuple[Callable[[Path], object], bool]] = {
    "nothing": (lambda _: None, True),
    "lines are added": (lambda path: path.write_bytes(path.read_bytes() + line("c")), True),
    "truncated": (lambda path: path.write_bytes(line("a")), False),
    "emptied": (lambda path: path.write_bytes(b""), False),
    "rewritten, longer": (lambda path: path.write_bytes(line("x") * 9), False),
    "replaced by another file": (replace, False),
}


@pytest.mark.parametrize(("change", "resumes"), CHANGES.values(), ids=CHANGES.keys())
def test_reading_goes_on_only_in_the_same_file(
    tmp_path: Path, change: Callable[[Path], object], *, resumes: bool
) -> None:
    """In any other it starts again at 0; the ids are the same anyway."""
    path = tmp_path / "t.jsonl"
    path.write_bytes(line("a") + line("b"))
    position = position_of(path)
    change(path)
    with path.open("rb") as file:
        assert resume_offset(file, position) == (position.offset if resumes else 0)


def test_asking_for_a_position_does_not_disturb_the_reader(tmp_path: Path) -> None:
    """Positions are taken while lines are read."""
    path = tmp_path / "t.jsonl"
    path.write_bytes(b"".join(map(line, "abc")))
    with path.open("rb") as file:
        seen = [position_at(file, entry.start).offset for entry in entries(file, 0)]
    assert seen == [0, len(line("a")), 2 * len(line("a"))]


def test_a_file_whose_lines_end_alike_is_another_when_their_uuids_differ(tmp_path: Path) -> None:
    """The ends of lines (usage, version, branch) are those of many others."""
    end = b'"usage":{"input_tokens":1,"output_tokens":10},"version":"2.1.329","gitBranch":"main","cwd":"/home/dev"}\n'
    path = tmp_path / "t.jsonl"
    path.write_bytes(b'{"uuid":"a",' + end)
    position = position_of(path)
    path.write_bytes(b'{"uuid":"b",' + end)
    with path.open("rb") as file:
        assert resume_offset(file, position) == 0
