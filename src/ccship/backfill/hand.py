"""Ships lots, one after the other, in this process."""

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from types import TracebackType
from typing import Literal, Self, TypeAlias

from ccship.backfill.lots import Lot
from ccship.config import Config
from ccship.outbox import Report
from ccship.ship import Shipper, Window
from ccship.sinks import Sink
from ccship.sinks.rehearsal import RehearsalSink
from ccship.state import State

Books: TypeAlias = Literal["kept", "copied", "none"]
"""What is shipped is remembered; or the run has a copy of what is known; or it knows nothing and remembers nothing."""


@dataclass(frozen=True, slots=True)
class Orders:
    """What holds for all lots. `limit`: leave off once so many turns were sent."""

    window: Window = field(default_factory=Window)
    resend: bool = False
    books: Books = "kept"
    limit: int | None = None


class Hand:
    """Keeps a sink and a state for every destination that it has met. Use as a context manager.

    `sink`: where everything goes; without it to the destinations' servers, or nowhere if nothing is remembered.
    `progress` takes bytes that are done; `enough` is asked between two turns whether to leave off.
    """

    def __init__(
        self,
        orders: Orders,
        *,
        sink: Sink | None = None,
        progress: Callable[[int], None] = lambda _: None,
        enough: Callable[[], bool] = lambda: False,
    ) -> None:
        self._orders = orders
        self._sink = sink
        self._progress = progress
        self._enough = enough
        self._turns = 0
        self._open: dict[str, tuple[Sink, State]] = {}
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._stack.__exit__(kind, error, traceback)

    def ship(self, lot: Lot) -> Report:
        """Ship a lot, until its end, a failure, or enough."""
        sink, state = self._destination(lot.settings)
        told = 0

        def progress(done: int) -> None:
            nonlocal told
            told += done
            self._progress(done)

        shipper = Shipper(
            sink, state, lot.settings.labels, policy=lot.settings.policy, window=self._orders.window,
            resend=self._orders.resend, progress=progress, enough=lambda: self._leave_off(shipper.report),
        )  # fmt: skip
        report = shipper.report
        for session in lot.sessions:
            if report.failure is not None or report.stopped:
                break
            shipper.ship(session)
            report.stopped = report.stopped or self._leave_off(report)
        self._turns += report.begun
        self._progress(max(0, lot.size - told))  # what had been shipped before
        return report

    def _leave_off(self, report: Report) -> bool:
        limit = self._orders.limit
        return self._enough() or (limit is not None and self._turns + report.begun >= limit)

    def _destination(self, settings: Config) -> tuple[Sink, State]:
        """One of each for a server and key, whatever else the settings say: the SDK has no more."""
        if settings.destination not in self._open:
            state = self._stack.enter_context(self._state_of(settings))
            self._open[settings.destination] = self._sink or self._sink_of(settings), state
        return self._open[settings.destination]

    def _state_of(self, settings: Config) -> State:
        if self._orders.books == "none":
            return State(None, settings.destination)
        return State(settings.state_dir, settings.destination, rehearse=self._orders.books == "copied")

    def _sink_of(self, settings: Config) -> Sink:
        if self._orders.books != "kept":
            return RehearsalSink()
        from ccship.sinks.langfuse import LangfuseSink  # noqa: PLC0415 - the SDK takes a second to load

        sink = LangfuseSink(settings)
        self._stack.callback(sink.close)
        return sink
