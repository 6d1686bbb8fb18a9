"""Counts the LLM calls of transcripts, each once over all files.

Reads blocks of a fixed size, in several processes if there is much to read. Keeps calls in memory, but no text.
"""

import os
import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import msgspec

from ccship.transcript.files import foreign_format, printable, project_folder_name, session_folder_of, unreadable
from ccship.transcript.limits import MAX_LINE_BYTES
from ccship.usage.calls import MARK, Call, calls_on, merge, with_advisors

BLOCK_BYTES = 4 * 1024 * 1024
"""Size of a block: fits a processor's cache. Longer transcripts are split, so that processes can share them."""

_BATCH_BYTES = 16 * 1024 * 1024
"""Size of the batch that a process gets at a time."""

_PROCESS_BYTES = 32 * 1024 * 1024
"""Bytes that justify a further process: reading them takes about as long as starting it."""

_HEAD_BYTES = 64 * 1024
_TIMESTAMP = re.compile(rb'"timestamp":\s*"([^"]+)"')
_DIRECTORY = re.compile(rb'"cwd":\s*"((?:[^"\\]|\\.)+)"')


class Block(msgspec.Struct, frozen=True, array_like=True, order=True):
    """Bytes `[start, end)` of a transcript; a line belongs to the block in which it begins.

    `session`, `project`: from the file's path. Lines of a subagent's transcript beside the session's name the session.
    """

    path: str
    start: int
    end: int
    session: str
    project: str


class Counted(msgspec.Struct, array_like=True):
    """The calls of a block. `began`: its first timestamp. `directory`: the project's working directory, if found."""

    block: Block
    calls: list[Call] = []
    began: str = ""
    directory: str | None = None
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class Count:
    """All calls; the working directory by project, where known; the files that could not be read."""

    calls: list[Call]
    directories: dict[str, str]
    problems: list[str]


def count(paths: Iterable[Path], processes: int | None = None) -> Count:
    """Count the calls of transcripts. `processes`: the maximum; default: the number of processors."""
    problems: list[str] = []
    counted = _count_all(list(_batches(paths, problems)), processes or _processors())
    began = {block.block.path: block.began for block in counted if block.block.start == 0}
    # a copied call belongs to the transcript that began first
    counted.sort(key=lambda block: (began[block.block.path], block.block))
    calls: dict[str, Call] = {}
    directories: dict[str, str] = {}
    for block in counted:
        merge(calls, block.calls)
        if block.directory:
            directories.setdefault(block.block.project, block.directory)
    problems += dict.fromkeys(block.problem for block in counted if block.problem)
    return Count(list(with_advisors(calls.values())), directories, problems)


def _count_all(batches: list[list[Block]], processes: int) -> list[Counted]:
    size = sum(block.end - block.start for batch in batches for block in batch)
    processes = min(processes, size // _PROCESS_BYTES, len(batches))
    if processes < 2:  # noqa: PLR2004 - one is this process
        return [block for batch in batches for block in _decode(count_batch(batch))]
    from concurrent.futures import ProcessPoolExecutor  # noqa: PLC0415 - small folders need none
    from multiprocessing import get_context  # noqa: PLC0415 - see above

    # a forked process has all modules loaded; only Linux forks safely here
    context = get_context("fork" if sys.platform == "linux" else None)
    with ProcessPoolExecutor(processes, mp_context=context) as pool:
        return [block for batch in pool.map(count_batch, batches) for block in _decode(batch)]


def count_batch(batch: list[Block]) -> bytes:
    """Return the calls of some blocks as a MessagePack list of `Counted`, ten times as fast as pickle."""
    buffer = bytearray(BLOCK_BYTES + 1)
    return msgspec.msgpack.encode([_count_block(block, buffer) for block in batch])


_decode = msgspec.msgpack.Decoder(list[Counted]).decode


def _count_block(block: Block, buffer: bytearray) -> Counted:
    try:
        with open(block.path, "rb") as file:  # noqa: PTH123 - avoids building a Path per block
            calls = calls_on(lines_of(file, block, buffer), block.session, block.project)
    except OSError as error:
        return Counted(block, problem=f"{block.path} cannot be read: {error.strerror}")
    except Exception as error:  # noqa: BLE001 - an error in one file must not stop the others
        from ccship.crash import write_report  # noqa: PLC0415 - rarely needed

        report = write_report(error)
        problem = f"skipped {block.path} because of a bug ({type(error).__name__}): please report {report}"
        return Counted(block, problem=problem)
    if block.start:
        return Counted(block, calls)
    head = bytes(buffer[: min(block.end, _HEAD_BYTES)])
    if reason := foreign_format(head):
        return Counted(block, problem=f"{block.path} cannot be read: {reason}")
    began = _TIMESTAMP.search(head)
    return Counted(block, calls, began[1].decode("utf-8", "replace") if began else "", _directory(head, block.project))


def lines_of(file: BinaryIO, block: Block, buffer: bytearray) -> Iterator[memoryview]:
    """Yield the lines of a block that contain `MARK`. Each is a view of `buffer`: use it before the next."""
    with memoryview(buffer) as view:
        before = min(block.start, 1)  # one byte more shows whether a line begins at `start`
        file.seek(block.start - before)
        filled = file.readinto(view[: block.end - block.start + before])  # type: ignore[attr-defined]
        start = buffer.find(b"\n", 0, filled) + 1 if before else 0
        if before and not start:
            return  # the block is inside a long line
        stop = buffer.rfind(b"\n", 0, filled) + 1
        at = buffer.find(MARK, start, stop)
        while at >= 0:
            end = buffer.find(b"\n", at, stop)
            yield view[buffer.rfind(b"\n", 0, at) + 1 : end]
            at = buffer.find(MARK, end, stop)
        last = bytes(view[max(start, stop) : filled])
    if last:
        last += file.readline(MAX_LINE_BYTES - len(last))
        if MARK in last and len(last) < MAX_LINE_BYTES:
            yield memoryview(last)


def _batches(paths: Iterable[Path], problems: list[str]) -> Iterator[list[Block]]:
    batch: list[Block] = []
    size = 0
    for block in (block for path in paths for block in _blocks(path, problems)):
        batch.append(block)
        size += block.end - block.start
        if size >= _BATCH_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _blocks(path: Path, problems: list[str]) -> Iterator[Block]:
    if reason := unreadable(path):  # such as a pipe, which would block
        problems.append(f"{printable(path)} cannot be read: {reason}")
        return
    try:
        size = path.stat().st_size
    except OSError:
        return  # deleted since it was listed
    folder = session_folder_of(path)
    session, project = (folder.name, folder.parent.name) if folder else (path.stem, path.parent.name)
    for start in range(0, size, BLOCK_BYTES):
        yield Block(str(path), start, min(start + BLOCK_BYTES, size), session, project)


def _directory(head: bytes, project: str) -> str | None:
    """Return the working directory that gave the project's folder its name, if the head of a transcript contains it."""
    for found in _DIRECTORY.finditer(head):
        directory = found[1].decode("utf-8", "replace").replace("\\\\", "\\")
        if project_folder_name(directory) == project:
            return directory
    return None


def _processors() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
