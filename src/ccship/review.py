"""Finds the turns of sessions that are worth reading, with their signals and cost. Sends and writes nothing.

Reads one session at a time and keeps only what it returns.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from ccship.config import Config
from ccship.errors import ConfigError
from ccship.observations import Observation, Parent, TraceSettings, costs_of, trace_of
from ccship.observations.identity import span_id_of
from ccship.pipeline.plan import Options, Window
from ccship.pipeline.ship import Shipper
from ccship.privacy import UNFILTERED
from ccship.privacy.encoding import Encoded
from ccship.signals.model import Memory, Signals
from ccship.signals.stream import Evaluated, evaluate
from ccship.sinks import Delivery
from ccship.sinks.collecting import RehearsalSink
from ccship.state import State
from ccship.state.parents import Ranges, parent_at, stored_parents
from ccship.transcript.discover import Session, changed_ns, cwd_of
from ccship.transcript.files import open_transcript, printable
from ccship.transcript.tail import entries
from ccship.transcript.turns import TurnBuilder


@dataclass(slots=True)
class Cost:
    """The cost of a turn in USD. `unpriced`: models without a price, whose calls it excludes."""

    usd: float = 0.0
    unpriced: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Reviewed:
    """A turn that is worth reading. `sent_to`: its destination; None if its project has no keys or is never sent.

    `parent`: the span of another program that contains it.
    """

    session_id: str
    number: int
    start_ns: int
    cwd: str | None
    trace_id: str
    signals: Signals
    sent_to: Config | None
    parent: Parent | None = None
    cost: Cost = field(default_factory=Cost)

    @property
    def sent_id(self) -> str:
        """The id of the trace in Langfuse that contains it."""
        return self.parent.trace_id if self.parent else self.trace_id

    @property
    def path(self) -> str:
        """The path of its page in a Langfuse project."""
        root = span_id_of(self.trace_id, "turn", "")
        return f"traces/{self.sent_id}" + (f"?observation={root}" if self.parent else "")


@dataclass(slots=True)
class Review:
    """The result. `turns`: those worth reading, the newest first. `sessions`: how many have turns in the window.

    `problems`: files that could not be read, and destinations with invalid settings.
    """

    turns: list[Reviewed] = field(default_factory=list)
    sessions: int = 0
    problems: list[str] = field(default_factory=list)
    _traces: set[str] = field(default_factory=set)

    @property
    def read(self) -> int:
        """How many turns were looked at; copies count once."""
        return len(self._traces)

    def note(self, trace_id: str) -> None:
        """Count a turn."""
        self._traces.add(trace_id)


class _CostSink(RehearsalSink):
    """Sums the cost of each trace and keeps no span."""

    def __init__(self) -> None:
        self.costs: defaultdict[str, Cost] = defaultdict(Cost)

    def deliver(self, spans: Sequence[Encoded]) -> Delivery:
        """Accept a batch."""
        for span in spans:
            self._add(span.observation)
        return super().deliver(spans)

    def _add(self, observation: Observation) -> None:
        cost = self.costs[observation.trace.trace_id]
        if observation.type == "generation":
            details = costs_of(observation)
            if details is None:
                cost.unpriced.add(observation.model or "no name")
            else:
                cost.usd += details["total"]


def review(sessions: Iterable[Session], settings: Config, window: Window) -> Review:
    """Return the turns of sessions that began in a window and are worth reading.

    A turn that a fork or a resume copied belongs to its original session.
    """
    found = Review()
    parents = stored_parents(settings.state_dir)
    state = State(None, "review")  # in memory; shared, so that each turn has one owner
    for session in sessions:
        # a file that was not written to since contains no later turn
        if window.since and all(changed_ns(path) < window.since.timestamp() * 1e9 for path in session.paths):
            continue
        try:
            turns = list(_worth_reading(session, settings, window, found, parents))
        except OSError as error:
            found.problems.append(f"{printable(session.paths[0])} cannot be read: {error.strerror}")
            continue
        if turns:
            found.turns += _with_cost(turns, session, settings, state, window, found)
    found.turns.sort(key=lambda turn: turn.start_ns, reverse=True)
    return found


def signals_at(path: Path) -> Iterator[Evaluated]:
    """Yield the turns of a transcript with their signals.

    Raises:
        OSError: It cannot be read or is not a transcript; `strerror` is the reason.
    """
    with open_transcript(path) as file:
        yield from evaluate(entries(file, 0), TurnBuilder(), Memory())


def trace_id_of(evaluated: Evaluated, session: Session, trace_settings: TraceSettings) -> str:
    """Return the trace id of a turn."""
    turn = evaluated.turn
    return trace_of(turn, turn.exchange.session_id or session.session_id, trace_settings).trace_id


def _worth_reading(
    session: Session, settings: Config, window: Window, found: Review, parents: Mapping[str, Ranges]
) -> Iterator[Reviewed]:
    if session.main is None:
        return
    sent = _destination(session, settings, found)
    ranges = parents.get(session.session_id, ())
    has_turns = False
    for evaluated in signals_at(session.main):
        exchange, signals = evaluated.turn.exchange, evaluated.signals
        if not window.contains(exchange.start_ns):
            continue
        has_turns = True
        trace_id = trace_id_of(evaluated, session, (sent or settings).trace_settings)
        found.note(trace_id)
        if signals.needs_review:
            yield Reviewed(
                session.session_id,
                evaluated.turn.number,
                exchange.start_ns or 0,
                exchange.opening.cwd,
                trace_id,
                signals,
                sent if sent and sent.can_send else None,
                parent_at(ranges, evaluated.turn.opened),
            )
    found.sessions += has_turns


def _destination(session: Session, settings: Config, found: Review) -> Config | None:
    try:
        return settings.for_project(cwd_of(session))
    except ConfigError as error:
        if str(error) not in found.problems:
            found.problems.append(str(error))
        return None


def _with_cost(
    turns: list[Reviewed], session: Session, settings: Config, state: State, window: Window, found: Review
) -> Iterator[Reviewed]:
    """Yield the turns that the session owns, with the cost of their subagents included."""
    sent = _destination(session, settings, found)
    sink = _CostSink()
    shipper = Shipper(sink, state, Options((sent or settings).trace_settings, window), policy=UNFILTERED)
    found.problems += shipper.ship([session]).problems
    for turn in turns:
        if turn.trace_id in sink.costs:
            yield replace(turn, cost=sink.costs[turn.trace_id])
