"""Several processes that ship lots at the same time.

Owns which lot is shipped when, and by whom. A process that dies takes nothing with it: what it had not finished is
still there, for the next run.
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

from ccship.backfill.hand import Hand, Orders
from ccship.backfill.lots import Lot
from ccship.errors import CcshipError, keep_steps
from ccship.outbox import Report
from ccship.sinks import Sink

_ENOUGH_FOR_ONE = 16 * 1024 * 1024
"""Bytes that one process has done before another one has started."""

_MOST_JOBS = 4
"""Unless somebody asks for more: they share one server and one disk."""

_STEP_BYTES = 1024 * 1024
"""A process tells of its progress in steps of this."""

_TICK_S = 0.2

_ENDED = "a process was ended from outside; what had arrived is remembered, run it again"


def jobs_for(size: int, cores: int) -> int:
    """How many processes pay for themselves, for so many bytes of transcripts."""
    return max(1, min(cores, _MOST_JOBS, size // _ENOUGH_FOR_ONE))


def ship_lots(
    lots: Sequence[Lot],
    orders: Orders,
    *,
    jobs: int = 1,
    sink: Sink | None = None,
    progress: Callable[[int], None] = lambda _: None,
    enough: Callable[[], bool] = lambda: False,
) -> Report:
    """Ship all lots; after a failure none of the same destination is begun, for it would meet it too.

    Args:
        lots: What is to be shipped.
        orders: How.
        jobs: How many processes; 1 is this one.
        sink: Where everything goes; this process only.
        progress: Is told of bytes that are done.
        enough: Is asked now and then whether to leave off.

    Raises:
        CcshipError: the state cannot be used, or a process was ended from outside.
    """
    queue = _Queue(lots)
    if jobs > 1 and lots:
        _share(queue, orders, min(jobs, len(lots)), progress, enough)
        return queue.report
    with Hand(orders, sink=sink, progress=progress, enough=enough) as hand:
        while not queue.report.stopped and (lot := queue.next()):
            queue.done(lot, hand.ship(lot))
    return queue.report


class _Queue:
    """The lots that are left, and what became of the others."""

    def __init__(self, lots: Iterable[Lot]) -> None:
        self._left = deque(lots)
        self._failed: set[str] = set()
        self.report = Report()

    def next(self) -> Lot | None:
        while self._left:
            lot = self._left.popleft()
            if lot.settings.destination not in self._failed:
                return lot
        return None

    def done(self, lot: Lot, report: Report) -> None:
        if report.failure is not None and lot.settings.destination in self._failed:
            report.failure = None  # it is told of once
        elif report.failure is not None:
            self._failed.add(lot.settings.destination)
        self.report.add(report)


def _share(
    queue: _Queue, orders: Orders, jobs: int, progress: Callable[[int], None], enough: Callable[[], bool]
) -> None:
    with _crew(orders, jobs) as crew:
        busy: dict[Connection, Lot] = {}
        idle = list(crew.ends)
        while True:
            while idle and not crew.halt.value and (lot := queue.next()):
                end = idle.pop()
                _send(end, lot)
                busy[end] = lot
            if not busy:
                queue.report.stopped = queue.report.stopped or bool(crew.halt.value)
                return
            ready = wait(list(busy), _TICK_S)
            for end in [it for it in busy if it in ready]:
                message = _receive(end)
                if isinstance(message, Report):
                    queue.done(busy.pop(end), message)
                    idle.append(end)
                else:
                    progress(message)
            crew.halt.value = enough()


def _send(end: Any, lot: Lot | None) -> None:
    try:
        end.send(lot)
    except (BrokenPipeError, ConnectionResetError):
        raise CcshipError(_ENDED) from None


def _receive(end: Any) -> Any:
    try:
        message = end.recv()
    except (EOFError, ConnectionResetError):  # the latter, when it had not read its lot yet
        raise CcshipError(_ENDED) from None
    if isinstance(message, BaseException):
        raise message
    return message


@dataclass(frozen=True, slots=True)
class _Crew:
    ends: list[Connection]
    halt: Any


@contextmanager
def _crew(orders: Orders, jobs: int) -> Iterator[_Crew]:
    """Processes that wait for lots; they end with this block, at once if it ends in an error."""
    # spawned, not forked: the SDK of this process may have threads
    context = multiprocessing.get_context("spawn")
    halt = context.RawValue("b", 0)
    pairs = [context.Pipe() for _ in range(jobs)]
    processes = [context.Process(target=_work, args=(end, orders, halt), daemon=True) for _, end in pairs]
    with _unheard_interrupts():
        for process, (_, end) in zip(processes, pairs, strict=True):
            process.start()
            end.close()
    try:
        yield _Crew([ours for ours, _ in pairs], halt)
        for ours, _ in pairs:
            _send(ours, None)
    except BaseException:
        for process in processes:
            process.terminate()
        raise
    finally:
        for process in processes:
            process.join()


@contextmanager
def _unheard_interrupts() -> Iterator[None]:
    """A ^C reaches processes that are started in here too, and before they can say that they leave it to us."""
    if sys.platform == "win32":
        yield
        return
    resource_tracker.ensure_running()  # started later, it would let ^C through again
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _work(end: Any, orders: Orders, halt: Any) -> None:
    """What a process does: ^C reaches it too, but it is its parent who says when to leave off."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    waiting = 0

    def progress(done: int) -> None:
        nonlocal waiting
        waiting += done
        if waiting >= _STEP_BYTES:
            end.send(waiting)
            waiting = 0

    try:
        with Hand(orders, progress=progress, enough=lambda: bool(halt.value)) as hand:
            while (lot := end.recv()) is not None:
                end.send(hand.ship(lot))
    except (EOFError, BrokenPipeError):
        return  # nobody waits for it any more
    except Exception as error:  # noqa: BLE001 - the parent tells of it
        keep_steps(error)
        end.send(error)
