"""Reads complete lines of a growing file from an offset, one at a time.

An unfinished last line is left for later, with one exception: a last line without newline that is a whole JSON object
(tools that copy transcripts strip the newline). It cannot grow: no prefix of an object is an object.
"""

import hashlib
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import BinaryIO

from ccship.transcript.direct import parse_directly
from ccship.transcript.limits import MAX_LINE_BYTES
from ccship.transcript.notes import SessionNotes
from ccship.transcript.parse import parse_line, parse_unusual
from ccship.transcript.records import BadRecord, Parsed, Record, SessionNote
from ccship.transcript.turns import Entry

_SKIP_BYTES = 1024 * 1024
"""Bytes read at once of a skipped line."""

_FINGERPRINT_BYTES = 4096
"""Bytes before the cursor, enough to contain a uuid. Many lines end in the same 64 bytes (usage, version)."""


@dataclass(frozen=True, slots=True)
class Position:
    """An `offset` in bytes, and the file's identity at that time."""

    offset: int
    device: int
    inode: int
    fingerprint: bytes


def position_at(file: BinaryIO, offset: int) -> Position:
    """Return the position of an offset in an open file."""
    status = os.fstat(file.fileno())
    return Position(offset, status.st_dev, status.st_ino, _fingerprint(file, offset))


def resume_offset(file: BinaryIO, position: Position | None) -> int:
    """Return the offset at which to resume; 0 if the file was replaced, truncated or rewritten."""
    if position is None:
        return 0
    status = os.fstat(file.fileno())
    same_file = (status.st_dev, status.st_ino) == (position.device, position.inode)
    if not same_file or status.st_size < position.offset:
        return 0
    return position.offset if _fingerprint(file, position.offset) == position.fingerprint else 0


def entries(file: BinaryIO, offset: int) -> Iterator[Entry]:
    """Yield an entry for each complete line from `offset` on."""
    file.seek(offset)
    for size, line in lines(file):
        start, offset = offset, offset + size
        if line is None:
            yield Entry(start, offset, BadRecord(f"a line of more than {MAX_LINE_BYTES} bytes"))
        elif not line.endswith(b"\n"):
            yield from _unterminated(start, line)
        elif parsed := parse_directly(line):
            yield Entry(start, offset, parsed)
        else:
            yield from _placed(parse_unusual(line), start, offset)


def lines(file: BinaryIO) -> Iterator[tuple[int, bytes | None]]:
    """Yield each line from the current position on with its size in bytes; None for a line that is too long."""
    while line := file.readline(MAX_LINE_BYTES):
        if line.endswith(b"\n") or len(line) < MAX_LINE_BYTES:
            yield len(line), line
        else:
            size = len(line)
            del line  # free it before the next one is read
            yield size + _skip_line(file), None


def notes_at(file: BinaryIO, offsets: Iterable[int]) -> SessionNotes:
    """Read the session notes at offsets; other lines there are ignored."""
    notes = SessionNotes()
    for offset in sorted(offsets):
        for entry in islice(entries(file, offset), 1):
            if isinstance(entry.parsed, SessionNote):
                notes = notes.with_note(entry.parsed, offset)
    return notes


def records_at(file: BinaryIO, offsets: Mapping[str, int], end: int) -> dict[str, Record]:
    """Read records again, by the beginnings of their uuids.

    `offsets`: from where on to look for each, up to `end`; a missing one is left out.
    """
    found: dict[str, Record] = {}
    for uuid, offset in offsets.items():
        for entry in entries(file, offset):
            if entry.start >= end:
                break
            if isinstance(entry.parsed, Record) and (entry.parsed.uuid or "").startswith(uuid):
                found[uuid] = entry.parsed
                break
    return found


def _placed(parsed: list[tuple[int, Parsed]], start: int, end: int) -> Iterator[Entry]:
    """Add offsets to records; the last record of a line includes the newline."""
    for n, (at, record) in enumerate(parsed):
        is_last = n == len(parsed) - 1
        yield Entry(start + at, end if is_last else start + parsed[n + 1][0], record)


def _unterminated(start: int, line: bytes) -> Iterator[Entry]:
    parsed = parse_line(line)
    if not any(isinstance(record, BadRecord) for _, record in parsed):
        yield from _placed(parsed, start, start + len(line))


def _skip_line(file: BinaryIO) -> int:
    skipped = 0
    while piece := file.readline(_SKIP_BYTES):
        skipped += len(piece)
        if piece.endswith(b"\n"):
            break
    return skipped


def _fingerprint(file: BinaryIO, offset: int) -> bytes:
    start = max(0, offset - _FINGERPRINT_BYTES)
    here = file.tell()  # the caller may be reading this file
    file.seek(start)
    digest = hashlib.blake2b(file.read(offset - start), digest_size=8).digest()
    file.seek(here)
    return digest
