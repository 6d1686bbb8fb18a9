"""Files of transcripts -> LLM calls, each counted once over all of them.

Reads in blocks of a fixed size, in several processes where there is enough to read; holds the calls, never the text.
"""

import os
import re
import stat
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import msgspec

from ccship.transcript.files import project_folder_name, session_folder_of
from ccship.usage_report.calls import MARK, Call, calls_on, merge, with_advisors

BLOCK_BYTES = 4 * 1024 * 1024
"""Read at once: fits a processor's cache. A longer transcript is several blocks, so that processes can share it."""

MAX_LINE_BYTES = 16 * 1024 * 1024
"""Longer lines are skipped, as everywhere (`transcript.tail`)."""

_BATCH_BYTES = 16 * 1024 * 1024
"""What a process is given at a time."""

_PROCESS_BYTES = 32 * 1024 * 1024
"""Starting a process takes about as long as reading this much."""

_HEAD_BYTES = 64 * 1024
_TIMESTAMP = re.compile(rb'"timestamp":\s*"([^"]+)"')
_DIRECTORY = re.compile(rb'"cwd":\s*"((?:[^"\\]|\\.)+)"')


class Block(msgspec.Struct, frozen=True, array_like=True, order=True):
    """Bytes `[start, end)` of a transcript; a line belongs to the block that it begins in.

    `session`, `project`: what the file's path tells of them; flat transcripts of subagents name theirs in their lines.
    """

    path: str
    start: int
    end: int
    session: str
    project: str


class Counted(msgspec.Struct, array_like=True):
    """The calls of a block. `began`: the first time it names; `directory`: that of the project, where it is named."""

    block: Block
    calls: list[Call] = []
    began: str = ""
    directory: str | None = None
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class Count:
    """All calls; the working directory of each project, where it is known; what could not be read."""

    calls: list[Call]
    directories: dict[str, str]
    problems: list[str]


def count(paths: Iterable[Path], processes: int | None = None) -> Count:
    """Count the calls of transcripts. `processes`: at most so many; by default as many as there are processors."""
    counted = _count_all(list(_batches(paths)), processes or _processors())
    began = {it.block.path: it.began for it in counted if it.block.start == 0}
    # a call that was copied belongs to the transcript that began first
    counted.sort(key=lambda it: (began[it.block.path], it.block))
    calls: dict[str, Call] = {}
    directories: dict[str, str] = {}
    for it in counted:
        merge(calls, it.calls)
        if it.directory:
            directories.setdefault(it.block.project, it.directory)
    problems = list(dict.fromkeys(it.problem for it in counted if it.problem))
    return Count(list(with_advisors(calls.values())), directories, problems)


def _count_all(batches: list[list[Block]], processes: int) -> list[Counted]:
    size = sum(block.end - block.start for batch in batches for block in batch)
    processes = min(processes, size // _PROCESS_BYTES, len(batches))
    if processes < 2:  # noqa: PLR2004 - one is this one
        return [it for batch in batches for it in _decode(count_batch(batch))]
    from concurrent.futures import ProcessPoolExecutor  # noqa: PLC0415 - small folders need none
    from multiprocessing import get_context  # noqa: PLC0415 - see above

    # a fork has everything loaded; on other systems it is not safe
    context = get_context("fork" if sys.platform == "linux" else None)
    with ProcessPoolExecutor(processes, mp_context=context) as pool:
        return [it for batch in pool.map(count_batch, batches) for it in _decode(batch)]


def count_batch(batch: list[Block]) -> bytes:
    """The calls of some blocks, as a list of `Counted` in MessagePack: a tenth of the time that pickle takes."""
    buffer = bytearray(BLOCK_BYTES + 1)
    return msgspec.msgpack.encode([_count_block(block, buffer) for block in batch])


_decode = msgspec.msgpack.Decoder(list[Counted]).decode


def _count_block(block: Block, buffer: bytearray) -> Counted:
    try:
        with open(block.path, "rb") as file:  # noqa: PTH123 - a Path would be built for each block
            calls = calls_on(lines_of(file, block, buffer), block.session, block.project)
    except OSError as error:
        return Counted(block, problem=f"{block.path} cannot be read: {error.strerror}")
    if block.start:
        return Counted(block, calls)
    head = bytes(buffer[: min(block.end, _HEAD_BYTES)])
    began = _TIMESTAMP.search(head)
    return Counted(block, calls, began[1].decode() if began else "", _directory(head, block.project))


def lines_of(file: BinaryIO, block: Block, buffer: bytearray) -> Iterator[memoryview]:
    """The lines of a block that may count tokens, each to be used before the next is asked for."""
    with memoryview(buffer) as view:
        before = min(block.start, 1)  # a byte more tells whether a line begins with the block
        file.seek(block.start - before)
        filled = file.readinto(view[: block.end - block.start + before])  # type: ignore[attr-defined]
        start = buffer.find(b"\n", 0, filled) + 1 if before else 0
        if before and not start:
            return  # the middle of a long line
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


def _batches(paths: Iterable[Path]) -> Iterator[list[Block]]:
    batch: list[Block] = []
    size = 0
    for block in (block for path in paths for block in _blocks(path)):
        batch.append(block)
        size += block.end - block.start
        if size >= _BATCH_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _blocks(path: Path) -> Iterator[Block]:
    try:
        status = path.stat()
    except OSError:
        status = None  # gone since it was listed
    size = status.st_size if status and stat.S_ISREG(status.st_mode) else 0  # a pipe would never end
    folder = session_folder_of(path)
    session, project = (folder.name, folder.parent.name) if folder else (path.stem, path.parent.name)
    for start in range(0, size, BLOCK_BYTES):
        yield Block(str(path), start, min(start + BLOCK_BYTES, size), session, project)


def _directory(head: bytes, project: str) -> str | None:
    """The working directory that the project's folder is named after, if the head of a transcript names it."""
    for found in _DIRECTORY.finditer(head):
        directory = found[1].decode("utf-8", "replace").replace("\\\\", "\\")
        if project_folder_name(directory) == project:
            return directory
    return None


def _processors() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
