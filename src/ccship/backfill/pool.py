"""A pool of processes that ship parts at the same time.

Assigns parts to idle processes. If a process is killed, the next run ships the parts that it did not finish.
"""

import multiprocessing
import signal
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection, wait
from typing import Any

from ccship.backfill.partition import Part
from ccship.backfill.runner import Runner, RunOptions
from ccship.errors import CcshipError, keep_steps
from ccship.pipeline.report import Report
from ccship.sinks import Sink

_BYTES_PER_PROCESS = 16 * 1024 * 1024
"""Bytes of transcripts that justify a further process: one ships about this much while another starts."""

_MAX_JOBS = 4
"""The default limit: all processes share one server and one disk."""

_STEP_BYTES = 1024 * 1024
"""A process reports its progress at least this many bytes at a time."""

_TICK_S = 0.2

_KILLED = "a process was killed; delivered turns are recorded, rerun to resume"


def jobs_for(size: int, cores: int) -> int:
    """Return the number of processes that is fastest for `size` bytes of transcripts."""
    return max(1, min(cores, _MAX_JOBS, size // _BYTES_PER_PROCESS))


def ship_parts(
    parts: Sequence[Part],
    options: RunOptions,
    *,
    jobs: int = 1,
    sink: Sink | None = None,
    progress: Callable[[int], None] = lambda _: None,
    enough: Callable[[], bool] = lambda: False,
) -> Report:
    """Ship all parts. After a failure, skip the other parts of that destination: they would fail too.

    Args:
        parts: The sessions to ship.
        options: The options for all parts.
        jobs: The number of processes; 1 ships in this process.
        sink: Receives everything instead of the destinations; needs one job.
        progress: Called with the number of bytes done since the last call.
        enough: Called repeatedly; True stops the run between two turns.

    Raises:
        CcshipError: the state cannot be used, or a process was killed.
    """
    queue = _Queue(parts)
    if jobs > 1 and parts:
        _ship_in_pool(queue, options, min(jobs, len(parts)), progress, enough)
        return queue.report
    with Runner(options, sink=sink, progress=progress, enough=enough) as runner:
        while not queue.report.stopped and (part := queue.next()):
            queue.done(part, runner.ship(part))
    return queue.report


class _Queue:
    """The remaining parts, and the report of the others."""

    def __init__(self, parts: Iterable[Part]) -> None:
        self._left = deque(parts)
        self._failed: set[str] = set()
        self.report = Report()

    def next(self) -> Part | None:
        while self._left:
            part = self._left.popleft()
            if part.settings.destination not in self._failed:
                return part
        return None

    def done(self, part: Part, report: Report) -> None:
        if report.failure is not None and part.settings.destination in self._failed:
            report.failure = None  # report a destination's failure once
        elif report.failure is not None:
            self._failed.add(part.settings.destination)
        self.report.add(report)
        self.report.destinations.setdefault(part.settings.name, Report()).add(report)


def _ship_in_pool(
    queue: _Queue, options: RunOptions, jobs: int, progress: Callable[[int], None], enough: Callable[[], bool]
) -> None:
    with _pool(options, jobs) as pool:
        busy: dict[Connection, Part] = {}
        idle = list(pool.connections)
        while True:
            while idle and not pool.stop.value and (part := queue.next()):
                end = idle.pop()
                _send(end, part)
                busy[end] = part
            if not busy:
                queue.report.stopped = queue.report.stopped or bool(pool.stop.value)
                return
            ready = wait(list(busy), _TICK_S)
            for end in [end for end in busy if end in ready]:
                message = _receive(end)
                if isinstance(message, Report):
                    queue.done(busy.pop(end), message)
                    idle.append(end)
                else:
                    progress(message)
            pool.stop.value = enough()


def _send(end: Any, part: Part | None) -> None:
    try:
        end.send(part)
    except (BrokenPipeError, ConnectionResetError):
        raise CcshipError(_KILLED) from None


def _receive(end: Any) -> Any:
    try:
        message = end.recv()
    except (EOFError, ConnectionResetError):  # ConnectionResetError: killed before it read its part
        raise CcshipError(_KILLED) from None
    if isinstance(message, BaseException):
        raise message
    return message


@dataclass(frozen=True, slots=True)
class _Pool:
    connections: list[Connection]
    stop: Any


@contextmanager
def _pool(options: RunOptions, jobs: int) -> Iterator[_Pool]:
    """Start processes that wait for parts. They exit with this block, or are terminated if it raises."""
    # spawn, because the SDK in this process may have started threads
    context = multiprocessing.get_context("spawn")
    stop = context.RawValue("b", 0)
    pairs = [context.Pipe() for _ in range(jobs)]
    processes = [context.Process(target=_work, args=(end, options, stop), daemon=True) for _, end in pairs]
    with _blocked_interrupts():
        for process, (_, end) in zip(processes, pairs, strict=True):
            process.start()
            end.close()
    try:
        yield _Pool([own_end for own_end, _ in pairs], stop)
        for own_end, _ in pairs:
            _send(own_end, None)
    except BaseException:
        for process in processes:
            process.terminate()
        raise
    finally:
        for process in processes:
            process.join()


@contextmanager
def _blocked_interrupts() -> Iterator[None]:
    """Block ^C while processes start: it reaches them too, before they can ignore it."""
    if sys.platform == "win32":
        yield
        return
    resource_tracker.ensure_running()  # if it started later, it would unblock ^C
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _work(end: Any, options: RunOptions, stop: Any) -> None:
    """Ship parts until the parent sends None. Runs in a process of the pool; ignores ^C, the parent stops it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    unreported = 0

    def progress(done: int) -> None:
        nonlocal unreported
        unreported += done
        if unreported >= _STEP_BYTES:
            end.send(unreported)
            unreported = 0

    try:
        with Runner(options, progress=progress, enough=lambda: bool(stop.value)) as runner:
            while (part := end.recv()) is not None:
                end.send(runner.ship(part))
    except (EOFError, BrokenPipeError):
        return  # the parent is gone
    except Exception as error:  # noqa: BLE001 - the parent raises it
        keep_steps(error)
        end.send(error)
