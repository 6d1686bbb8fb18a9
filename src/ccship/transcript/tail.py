"""Complete lines of a growing file, from an offset.

Reads only; holds one line at a time. A line still being written waits, with one exception: a last line that is one
whole JSON object although its newline is missing (tools that copy transcripts strip it) cannot grow any more, because
no beginning of an object is itself an object.
"""

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from ccship.transcript.parse import parse_line
from ccship.transcript.records import BadRecord, Parsed
from ccship.transcript.turns import Entry

MAX_LINE_BYTES = 16 * 1024 * 1024
"""Longer lines are skipped as bad records, without being held; the longest ever seen had 2.1 MB."""

_FINGERPRINT_BYTES = 4096
"""Before the cursor: enough to hold a uuid. The last 64 bytes of a line are those of many others (usage, version)."""


@dataclass(frozen=True, slots=True)
class Position:
    """How far a file was read: `offset` in bytes, and what tells that it is still the same file."""

    offset: int
    device: int
    inode: int
    fingerprint: bytes


def position_at(file: BinaryIO, offset: int) -> Position:
    """The position of an offset in an open file."""
    status = os.fstat(file.fileno())
    return Position(offset, status.st_dev, status.st_ino, _fingerprint(file, offset))


def resume_offset(file: BinaryIO, position: Position | None) -> int:
    """Where to go on reading; 0 when the file was replaced, truncated or rewritten since."""
    if position is None:
        return 0
    status = os.fstat(file.fileno())
    same_file = (status.st_dev, status.st_ino) == (position.device, position.inode)
    if not same_file or status.st_size < position.offset:
        return 0
    return position.offset if _fingerprint(file, position.offset) == position.fingerprint else 0


def entries(file: BinaryIO, offset: int) -> Iterator[Entry]:
    """What each complete line from `offset` on gives."""
    file.seek(offset)
    while line := file.readline(MAX_LINE_BYTES):
        start, offset = offset, offset + len(line)
        if not line.endswith(b"\n"):
            if len(line) < MAX_LINE_BYTES:
                yield from _unterminated(start, line)
                return
            offset += _skip_line(file)
            yield Entry(start, offset, BadRecord(f"a line of more than {MAX_LINE_BYTES} bytes"))
            continue
        yield from _placed(parse_line(line), start, offset)


def _placed(parsed: list[tuple[int, Parsed]], start: int, end: int) -> Iterator[Entry]:
    """Records with the bytes they stand on; the last one's include the newline."""
    if len(parsed) == 1:
        yield Entry(start + parsed[0][0], end, parsed[0][1])
        return
    for n, (at, record) in enumerate(parsed):
        is_last = n == len(parsed) - 1
        yield Entry(start + at, end if is_last else start + parsed[n + 1][0], record)


def _unterminated(start: int, line: bytes) -> Iterator[Entry]:
    parsed = parse_line(line)
    if not any(isinstance(record, BadRecord) for _, record in parsed):
        yield from _placed(parsed, start, start + len(line))


def _skip_line(file: BinaryIO) -> int:
    skipped = 0
    while piece := file.readline(MAX_LINE_BYTES):
        skipped += len(piece)
        if piece.endswith(b"\n"):
            break
    return skipped


def _fingerprint(file: BinaryIO, offset: int) -> bytes:
    start = max(0, offset - _FINGERPRINT_BYTES)
    here = file.tell()  # somebody may be reading on
    file.seek(start)
    digest = hashlib.blake2b(file.read(offset - start), digest_size=8).digest()
    file.seek(here)
    return digest
