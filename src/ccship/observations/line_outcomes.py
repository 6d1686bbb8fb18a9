"""Outcomes of transcript lines: each is shipped, pending, dead-lettered, ignored, bad or unknown.

Pure. A remark adds to the outcome of a line and is not an outcome itself. The state and reports contain outcomes as
text keys (`key_of`, `outcome_of`); the turn builder counts lines under the keys of their kinds (`LineKind`).
"""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Self, TypeAlias, assert_never

from ccship.observations.identity import span_id_of
from ccship.transcript.exchange import Exchange
from ccship.transcript.line_kinds import LineKind
from ccship.transcript.records import Record


@dataclass(frozen=True, slots=True)
class Shipped:
    """The spans of its turn were accepted; before delivery: the line is part of a turn."""


@dataclass(frozen=True, slots=True)
class Pending:
    """Its turn is not shipped yet."""


@dataclass(frozen=True, slots=True)
class DeadLettered:
    """The server refused its span permanently."""


@dataclass(frozen=True, slots=True)
class Ignored:
    """Nothing to ship. `reason`: its type, or why its turn is not shipped."""

    reason: str


@dataclass(frozen=True, slots=True)
class Bad:
    """The line is unreadable."""


@dataclass(frozen=True, slots=True)
class Unknown:
    """The type is unknown to ccship. `version`: the client that wrote it."""

    version: str
    type: str


@dataclass(frozen=True, slots=True)
class Drift:
    """Remark: a field has an unexpected shape."""

    version: str
    field: str


@dataclass(frozen=True, slots=True)
class LowerBound:
    """Remark: the final usage of its call was never written."""

    version: str


NotShipped: TypeAlias = Ignored | Bad | Unknown
LineOutcome: TypeAlias = Shipped | Pending | DeadLettered | NotShipped
TurnOutcome: TypeAlias = Shipped | Pending | Ignored
Remark: TypeAlias = Drift | LowerBound
Outcomes: TypeAlias = "Counter[LineOutcome | Remark]"
"""The number of lines by outcome and remark."""

SHIPPED, PENDING, DEAD_LETTERED, BAD = Shipped(), Pending(), DeadLettered(), Bad()

COPIED = Ignored("copied")
"""The turn belongs to another session."""

DUPLICATE = Ignored("duplicate")
"""The same file contains the turn already."""

NO_TURN = Ignored("no_turn")
"""The line belongs to no turn that can be shipped."""


def key_of(outcome: LineOutcome | Remark) -> str:  # noqa: PLR0911 - one for each
    """Return the key of an outcome or a remark. Released versions stored these keys: never change one."""
    match outcome:
        case Shipped():
            return LineKind.TURN.value
        case Pending():
            return LineKind.PENDING.value
        case DeadLettered():
            return LineKind.DEAD_LETTERED.value
        case Ignored(reason):
            return LineKind.IGNORED.key(reason)
        case Bad():
            return LineKind.BAD.value
        case Unknown(version, type_):
            return LineKind.UNKNOWN.key(version, type_)
        case Drift(version, field_):
            return LineKind.DRIFT.key(version, field_)
        case LowerBound(version):
            return LineKind.LOWER_BOUND.key(version)
        case _:
            assert_never(outcome)


@lru_cache(maxsize=1024)
def outcome_of(key: str) -> LineOutcome | Remark:
    """Return the outcome or remark of a key.

    Raises:
        ValueError: The key is unknown.
    """
    kind, _, details = key.partition(":")
    outcome = _outcome(LineKind(kind), details)
    if key_of(outcome) != key:
        raise ValueError(f"not a key of line counts: {key!r}")
    return outcome


def _outcome(kind: LineKind, details: str) -> LineOutcome | Remark:  # noqa: PLR0911 - one for each
    version, _, rest = details.partition(":")
    match kind:
        case LineKind.TURN:
            return SHIPPED
        case LineKind.PENDING:
            return PENDING
        case LineKind.DEAD_LETTERED:
            return DEAD_LETTERED
        case LineKind.IGNORED:
            return Ignored(details)
        case LineKind.BAD:
            return BAD
        case LineKind.UNKNOWN:
            return Unknown(version, rest)
        case LineKind.DRIFT:
            return Drift(version, rest)
        case LineKind.LOWER_BOUND:
            return LowerBound(details)
        case _:
            assert_never(kind)


def outcomes_in(counts: Mapping[str, int]) -> Outcomes:
    """Convert counts by key to counts by outcome, in the same order.

    Raises:
        ValueError: A key is unknown.
    """
    return Counter({outcome_of(key): count for key, count in counts.items()})


def by_key(outcomes: Mapping[LineOutcome | Remark, int]) -> dict[str, int]:
    """Convert counts by outcome to counts by key, in the same order."""
    return {key_of(outcome): count for outcome, count in outcomes.items()}


def label_of(outcome: NotShipped) -> str:
    """Return the displayed name of an ignored line: its type or reason."""
    match outcome:
        case Ignored(reason):
            return reason
        case Bad() | Unknown():
            return key_of(outcome)
        case _:
            assert_never(outcome)


@dataclass(slots=True)
class RecordCounts:
    """Numbers of a transcript's records by outcome."""

    shipped: int = 0
    pending: int = 0
    dead_lettered: int = 0
    ignored: Counter[NotShipped] = field(default_factory=Counter)

    @classmethod
    def of(cls, counts: Mapping[LineOutcome | Remark, int]) -> Self:
        """Sum counts by outcome, without the remarks."""
        total = cls()
        for outcome, count in counts.items():
            match outcome:
                case Shipped():
                    total.shipped += count
                case Pending():
                    total.pending += count
                case DeadLettered():
                    total.dead_lettered += count
                case Ignored() | Bad() | Unknown():
                    if count:
                        total.ignored[outcome] += count
                case Drift() | LowerBound():
                    pass  # a remark on a line that is counted
                case _:
                    assert_never(outcome)
        return total

    @property
    def records(self) -> int:
        """The total."""
        return self.shipped + self.pending + self.dead_lettered + self.ignored.total()

    @property
    def unknown(self) -> Counter[Unknown]:
        """Records of unknown types."""
        return Counter({outcome: count for outcome, count in self.ignored.items() if isinstance(outcome, Unknown)})

    @property
    def ignored_by_label(self) -> Counter[str]:
        """Ignored records by displayed name."""
        labels: Counter[str] = Counter()
        for outcome, count in self.ignored.items():
            labels[label_of(outcome)] += count
        return labels

    def add(self, other: Self) -> None:
        """Add the counts of another transcript."""
        self.shipped += other.shipped
        self.pending += other.pending
        self.dead_lettered += other.dead_lettered
        self.ignored += other.ignored


def line_count(counts: Mapping[str, int]) -> int:
    """Return the number of lines; `counts`: lines by kind."""
    return RecordCounts.of(outcomes_in(counts)).records


def outcomes_of(counts: Mapping[str, int], outcome: TurnOutcome, dead: int) -> Outcomes:
    """Count the lines of a turn by outcome.

    `counts`: its lines by kind. `outcome`: the turn's outcome. `dead`: how many lines are in refused spans.
    """
    found = outcomes_in(counts)
    match outcome:
        case Shipped():
            if dead:
                found[SHIPPED] -= dead
                found[DEAD_LETTERED] += dead
        case Pending():
            return Counter({PENDING: line_count(counts)})
        case Ignored():
            found[outcome] += found.pop(SHIPPED, 0)
        case _:
            assert_never(outcome)
    return found


def lost(exchange: Exchange, trace_id: str, dead: Collection[str], with_events: str | None = None) -> int:
    """Count the lines of an exchange that are only in spans with the ids `dead`.

    `with_events`: the id of the span that contains the events, if they are not spans of their own.
    """
    return len({id(line) for line in _lines_of(exchange, trace_id, dead, with_events)}) if dead else 0


def _lines_of(
    exchange: Exchange, trace_id: str, spans: Collection[str], with_events: str | None = None
) -> Iterator[Record]:
    """Yield the lines from which spans were built: of calls, tool results, the opening and events."""
    if span_id_of(trace_id, "turn", "") in spans:
        yield exchange.opening
    for call in exchange.calls.values():
        if span_id_of(trace_id, "llm", call.message_id) in spans:
            yield from call.lines
    for tool in exchange.tools.values():
        if tool.result and span_id_of(trace_id, "tool", tool.tool_use_id) in spans:
            yield tool.result
    for event in (*exchange.folded, *exchange.events):
        if with_events in spans or span_id_of(trace_id, "event", event.key) in spans:
            yield event.record
    for sidechain in exchange.sidechains:
        yield from _lines_of(sidechain, trace_id, spans)
