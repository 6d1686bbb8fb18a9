"""Ships parts one after the other, in this process."""

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from types import TracebackType
from typing import Literal, Self, TypeAlias

from ccship.backfill.partition import Part
from ccship.config import Config
from ccship.pipeline.git import Repositories
from ccship.pipeline.plan import Options, Window
from ccship.pipeline.report import Report
from ccship.pipeline.ship import Shipper
from ccship.signals.scores import SignalsMode
from ccship.sinks import Sink
from ccship.sinks.collecting import RehearsalSink
from ccship.sinks.server_prices import ServerPrices
from ccship.sinks.servers import sink_of
from ccship.state import State

StateMode: TypeAlias = Literal["kept", "copied", "none"]
"""The state of a run: the stored one, a copy in memory, or an empty one in memory."""


@dataclass(frozen=True, slots=True)
class RunOptions:
    """The options that apply to all parts. `limit`: stop after this many turns. `signals_only`: send scores only."""

    window: Window = field(default_factory=Window)
    resend: bool = False
    state_mode: StateMode = "kept"
    limit: int | None = None
    signals_only: bool = False


class Runner:
    """Ships parts with one sink and one state per destination. Use as a context manager.

    `sink` receives everything. Without it, spans go to the servers of the destinations, or nowhere if the state is not
    the stored one. `progress` is called with bytes done; `enough` between turns, and True stops the run.
    """

    def __init__(
        self,
        options: RunOptions,
        *,
        sink: Sink | None = None,
        progress: Callable[[int], None] = lambda _: None,
        enough: Callable[[], bool] = lambda: False,
    ) -> None:
        self._options = options
        self._sink = sink
        self._is_rehearsal = sink is None and options.state_mode != "kept"
        self._progress = progress
        self._enough = enough
        self._turns = 0
        self._sinks: dict[str, Sink] = {}
        self._states: dict[tuple[str, bool], State] = {}
        self._prices: dict[str, ServerPrices] = {}
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._stack.__exit__(kind, error, traceback)

    def ship(self, part: Part) -> Report:
        """Ship a part until its end, a failure, the limit, or `enough`."""
        sink, state = self._destination(part.settings)
        prices = self._prices_of(part.settings)
        reported = 0

        def progress(done: int) -> None:
            nonlocal reported
            reported += done
            self._progress(done)

        shipper = Shipper(
            sink, state,
            Options(
                part.settings.trace_settings, self._options.window, self._options.resend,
                server_prices=prices or (lambda _: True), signals=self._signals_of(part.settings),
                signals_only=self._options.signals_only,
                folds_events=part.settings.kind == "otlp" and self._sink is None,
            ),
            policy=part.settings.policy, repositories=None if self._is_rehearsal else Repositories(),
            progress=progress, enough=lambda: self._should_stop(shipper.report),
        )  # fmt: skip
        report = shipper.ship(part.sessions)
        if prices and report.unpriced:
            prices.remember_unpriced(report.unpriced)
        self._turns += report.begun
        self._progress(max(0, part.size - reported))  # bytes that were skipped, because they were shipped before
        return report

    def _should_stop(self, report: Report) -> bool:
        limit = self._options.limit
        return self._enough() or (limit is not None and self._turns + report.begun >= limit)

    def _destination(self, settings: Config) -> tuple[Sink, State]:
        """Return the sink and state of a server and key; the sink is shared: the SDK has one client per key.

        The workers of a destination that is also a further one have other locks for those sessions, as has its state.
        """
        kept = settings.destination, settings.also and self._options.state_mode == "kept"
        if kept not in self._states:
            self._states[kept] = self._stack.enter_context(self._state_of(settings))
        if settings.destination not in self._sinks:
            self._sinks[settings.destination] = self._sink or self._sink_of(settings, self._states[kept])
        return self._sinks[settings.destination], self._states[kept]

    def _signals_of(self, settings: Config) -> SignalsMode:
        """Return which scores are sent; none to a file."""
        return "off" if self._sink is not None else settings.signals

    def _prices_of(self, settings: Config) -> ServerPrices | None:
        """Return the prices of the destination's server; None if nothing is sent to it."""
        if self._sink is not None or self._options.state_mode != "kept":
            return None
        return self._prices.setdefault(settings.destination, ServerPrices(settings))

    def _state_of(self, settings: Config) -> State:
        if self._options.state_mode == "none":
            return State(None, settings.destination).take_parents(settings.state_dir)
        rehearse = self._options.state_mode == "copied"
        return State(settings.state_dir, settings.destination, rehearse=rehearse, lock_id=settings.lock_id)

    def _sink_of(self, settings: Config, state: State) -> Sink:
        if self._is_rehearsal:
            return RehearsalSink()
        sink = sink_of(settings, state.dead_names())
        self._stack.callback(sink.close)
        return sink
