"""Reads transcripts from their cursors on, in several processes if there is much to read.

Keeps the rows of a transcript in memory, but no text. Writes nothing.
"""

import hashlib
import os
import re
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

import msgspec

from ccship.ledger.calls import Call, time_ms_of
from ccship.ledger.lines import USED_TYPES, is_whole
from ccship.ledger.names import stored_name
from ccship.ledger.scan import Carry, Milestone, Scan, Turn
from ccship.transcript.files import (
    foreign_format,
    open_transcript,
    printable,
    project_folder_name,
    session_folder_of,
    unreadable,
)
from ccship.transcript.limits import MAX_LINE_BYTES

BLOCK_BYTES = 4 * 1024 * 1024
"""Bytes read at once: fits a processor's cache."""

_BATCH_BYTES = 16 * 1024 * 1024
"""Size of the batch that a process gets at a time."""

_PROCESS_BYTES = 32 * 1024 * 1024
"""Bytes that justify a further process: reading them takes about as long as starting it."""

_SKIP_BYTES = 1024 * 1024
_HEAD_BYTES = 64 * 1024
_FINGERPRINT_BYTES = 4096
_FRESH_NS = 2 * 10**9
"""A file that changed so shortly before it was read may change again without a new time of change."""

_BOOKKEEPING = b'{"type":"'
"""How lines without a place in the conversation begin: the others have fields before their type."""

_NEEDED = tuple(b'{"type":"%s"' % name.encode() for name in sorted(USED_TYPES))
_USAGE = b'put_tokens"'
"""Common to `input_tokens` and `output_tokens`. A line that lost its newline may contain a call further on."""

_TIMESTAMP = re.compile(rb'"timestamp":\s*"([^"]+)"')
_DIRECTORY = re.compile(rb'"cwd":\s*"((?:[^"\\]|\\.)+)"')


class Cursor(msgspec.Struct, frozen=True, array_like=True):
    """How far a transcript was read, and the file's identity at that time.

    `changed_ns`: its time of change, 0 if a later change may have the same. `fingerprint`: of the bytes before
    `offset`. `carry`: a `Carry` as MessagePack. `began`: the first timestamp. `directory`: the working directory that
    gave the project's folder its name, if found.
    """

    device: int
    inode: int
    size: int
    changed_ns: int
    offset: int
    fingerprint: bytes
    carry: bytes
    began: str = ""
    directory: str | None = None


class Transcript(msgspec.Struct, frozen=True, array_like=True):
    """A transcript to read. `session`, `project`: from its path. `cursor`: where an earlier reading ended."""

    path: str
    session: str
    project: str
    is_agent: bool
    size: int
    cursor: Cursor | None = None


class Reading(msgspec.Struct, array_like=True):
    """What a transcript contains after its cursor, or as a whole if the file was replaced (`is_anew`)."""

    transcript: Transcript
    cursor: Cursor | None = None
    is_anew: bool = True
    calls: list[Call] = []
    turns: list[Turn] = []
    milestones: list[Milestone] = []
    agent: str = ""
    problem: str | None = None


def changed(path: Path, cursor: Cursor | None) -> Transcript | str | None:
    """Return a transcript that changed after its cursor; None if it did not, or a problem."""
    if reason := unreadable(path):  # such as a pipe, which would block
        return f"{printable(path)} cannot be read: {reason}"
    try:
        status = os.stat(path)  # noqa: PTH116 - Path.stat takes three times as long, for thousands of files
    except OSError:
        return None  # deleted since it was listed
    if cursor is not None and cursor.changed_ns and _identity(status) == _identity_of(cursor):
        return None
    folder = session_folder_of(path)
    session, project = (folder.name, folder.parent.name) if folder else (path.stem, path.parent.name)
    is_agent = folder is not None or path.name.startswith("agent-")
    return Transcript(str(path), session, project, is_agent, status.st_size, cursor)


def read_all(transcripts: Sequence[Transcript], processes: int | None = None) -> Iterator[list[Reading]]:
    """Read transcripts in batches. `processes`: the maximum; default: the number of processors."""
    batches = list(_batches(transcripts))
    size = sum(map(_unread, transcripts))
    processes = min(processes or _processors(), size // _PROCESS_BYTES, len(batches))
    if processes < 2:  # noqa: PLR2004 - one is this process
        buffer = bytearray(BLOCK_BYTES)
        yield from ([read(transcript, buffer) for transcript in batch] for batch in batches)
        return
    from concurrent.futures import ProcessPoolExecutor  # noqa: PLC0415 - small folders need none
    from multiprocessing import get_context  # noqa: PLC0415 - see above

    # a forked process has all modules loaded; only Linux forks safely here
    context = get_context("fork" if sys.platform == "linux" else None)
    with ProcessPoolExecutor(processes, mp_context=context) as pool:
        yield from map(_decode, pool.map(read_batch, batches))


def read_batch(batch: list[Transcript]) -> bytes:
    """Return the readings of some transcripts as a MessagePack list, ten times as fast as pickle."""
    buffer = bytearray(BLOCK_BYTES)
    return msgspec.msgpack.encode([read(transcript, buffer) for transcript in batch])


_decode = msgspec.msgpack.Decoder(list[Reading]).decode
decode_carry = msgspec.msgpack.Decoder(Carry).decode


def read(transcript: Transcript, buffer: bytearray) -> Reading:
    """Read a transcript from its cursor on."""
    path = transcript.path
    try:
        with open(path, "rb", buffering=0) as file:  # noqa: PTH123 - avoids building a Path
            return _read(transcript, file, buffer)
    except OSError as error:
        return Reading(transcript, problem=f"{path} cannot be read: {error.strerror}")
    except Exception as error:  # noqa: BLE001 - an error in one file must not stop the others
        from ccship.crash import write_report  # noqa: PLC0415 - rarely needed

        report = write_report(error)
        problem = f"skipped {path} because of a bug ({type(error).__name__}): please report {report}"
        return Reading(transcript, problem=problem)


def read_lines(file: BinaryIO, offset: int, scan: Scan, buffer: bytearray) -> int:
    """Add the lines from an offset on to a scan; return where the next reading begins.

    An unfinished last line is left for later unless it is one complete JSON object. A line that is too long is skipped.
    """
    with memoryview(buffer) as view:
        while True:
            file.seek(offset)
            filled = file.readinto(view)  # type: ignore[attr-defined]
            start = 0
            while (end := buffer.find(b"\n", start, filled)) >= 0:
                if not buffer.startswith(_BOOKKEEPING, start) or _is_needed(buffer, start, end):
                    scan.add(view[start:end], offset + start)
                start = end + 1
            if filled < len(buffer):
                last = bytes(view[start:filled])
                return _add_last(scan, last, offset + start)
            offset += start
            if not start and (after := _add_long(file, offset, scan)) is not None:
                if after == offset:
                    return offset
                offset = after


def _read(transcript: Transcript, file: BinaryIO, buffer: bytearray) -> Reading:
    status = os.fstat(file.fileno())
    head = os.pread(file.fileno(), _HEAD_BYTES, 0)
    if reason := foreign_format(head):
        return Reading(transcript, problem=f"{transcript.path} cannot be read: {reason}")
    earlier = _resumable(file, status, transcript.cursor)
    carry = decode_carry(earlier.carry) if earlier else None
    scan = Scan(transcript.session, is_agent=transcript.is_agent, carry=carry)
    offset = read_lines(file, earlier.offset if earlier else 0, scan, buffer)
    is_fresh = status.st_mtime_ns > time.time_ns() - _FRESH_NS
    cursor = Cursor(
        status.st_dev,
        status.st_ino,
        status.st_size,
        0 if is_fresh else status.st_mtime_ns,
        offset,
        _fingerprint(file, offset),
        msgspec.msgpack.encode(scan.carry, order="deterministic"),
        _began(head),
        _directory(head, transcript.project),
    )
    agent = _agent_type(transcript.path) if transcript.is_agent else ""
    return Reading(transcript, cursor, earlier is None, scan.calls, scan.turns, scan.milestones, agent)


def _resumable(file: BinaryIO, status: os.stat_result, cursor: Cursor | None) -> Cursor | None:
    """Return the cursor if the file has only grown since; None if it was replaced, truncated or rewritten."""
    if cursor is None or (status.st_dev, status.st_ino) != (cursor.device, cursor.inode):
        return None
    if status.st_size < cursor.offset or status.st_size == cursor.size:
        return None  # a file of the same size that changed was rewritten
    return cursor if _fingerprint(file, cursor.offset) == cursor.fingerprint else None


def _is_needed(buffer: bytearray, start: int, end: int) -> bool:
    """Return whether a line may contain what the ledger needs, without decoding it: a fifth of all bytes does not."""
    return buffer.startswith(_NEEDED, start, end) or buffer.find(_USAGE, start, end) >= 0


def _add_last(scan: Scan, last: bytes, start: int) -> int:
    if not is_whole(last):
        return start
    scan.add(last, start)
    return start + len(last)


def _add_long(file: BinaryIO, start: int, scan: Scan) -> int:
    """Add a line that is longer than a block; return its end, or its start if it has none yet."""
    with os.fdopen(os.dup(file.fileno()), "rb") as buffered:
        buffered.seek(start)
        line = buffered.readline(MAX_LINE_BYTES)
        if line.endswith(b"\n"):
            scan.add(line[:-1], start)
            return start + len(line)
        if len(line) < MAX_LINE_BYTES:
            return _add_last(scan, line, start)
        size = len(line)
        while piece := buffered.readline(_SKIP_BYTES):
            size += len(piece)
            if piece.endswith(b"\n"):
                return start + size
    return start


def _fingerprint(file: BinaryIO, offset: int) -> bytes:
    start = max(0, offset - _FINGERPRINT_BYTES)
    return hashlib.blake2b(os.pread(file.fileno(), offset - start, start), digest_size=8).digest()


def _began(head: bytes) -> str:
    found = _TIMESTAMP.search(head)
    text = found[1].decode("utf-8", "replace") if found else ""
    return "" if time_ms_of(text) is None else text


def _directory(head: bytes, project: str) -> str | None:
    """Return the working directory that gave the project's folder its name, if the head of a transcript contains it."""
    for found in _DIRECTORY.finditer(head):
        directory = found[1].decode("utf-8", "replace").replace("\\\\", "\\")
        if project_folder_name(directory) == project:
            return stored_name(directory)
    return None


class _Meta(msgspec.Struct):
    agent_type: str = msgspec.field(default="", name="agentType")


def _agent_type(path: str) -> str:
    """Return the type of a subagent from the file beside its transcript; empty if unknown."""
    try:
        with open_transcript(Path(path).with_suffix(".meta.json")) as file:  # not a pipe, which would block
            return stored_name(msgspec.json.decode(file.read(MAX_LINE_BYTES), type=_Meta).agent_type)
    except (OSError, ValueError, msgspec.MsgspecError):
        return ""


def _batches(transcripts: Iterable[Transcript]) -> Iterator[list[Transcript]]:
    batch: list[Transcript] = []
    size = 0
    for transcript in sorted(transcripts, key=_unread, reverse=True):
        batch.append(transcript)
        size += _unread(transcript)
        if size >= _BATCH_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _unread(transcript: Transcript) -> int:
    return max(transcript.size - (transcript.cursor.offset if transcript.cursor else 0), 0)


def _identity(status: os.stat_result) -> tuple[int, int, int, int]:
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns


def _identity_of(cursor: Cursor) -> tuple[int, int, int, int]:
    return cursor.device, cursor.inode, cursor.size, cursor.changed_ns


def _processors() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
