"""What became of the lines of a transcript: every one is shipped, pending, dead-lettered or ignored.

Pure: counts in, counts out. `turn` counts lines whose spans were accepted; the other kinds are named as they are
shown. `drift:...` and `lower_bound:...` say something of lines that are counted already.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal, Self, TypeAlias

from ccship.identity import span_id_of
from ccship.transcript.exchange import Exchange
from ccship.transcript.records import Record

Fate: TypeAlias = Literal["shipped", "unwanted", "ignored:copied", "ignored:duplicate", "ignored:no_turn"]
"""Of a turn: shipped from this transcript; not asked for; a copy; there already; nothing that makes a turn."""

_REMARKS = ("drift:", "lower_bound:")


@dataclass(slots=True)
class Books:
    """How many lines became what; `ignored` by type."""

    shipped: int = 0
    pending: int = 0
    dead_lettered: int = 0
    ignored: Counter[str] = field(default_factory=Counter)

    @classmethod
    def of(cls, counts: Mapping[str, int]) -> Self:
        """The books that counts of lines come to."""
        kinds = {kind: count for kind, count in counts.items() if count and not kind.startswith(_REMARKS)}
        shipped, pending, dead = (kinds.pop(kind, 0) for kind in ("turn", "pending", "dead_lettered"))
        return cls(shipped, pending, dead, Counter({kind.removeprefix("ignored:"): kinds[kind] for kind in kinds}))

    @property
    def records(self) -> int:
        """All of them."""
        return self.shipped + self.pending + self.dead_lettered + self.ignored.total()

    def add(self, other: Self) -> None:
        """Take in the books of another transcript."""
        self.shipped += other.shipped
        self.pending += other.pending
        self.dead_lettered += other.dead_lettered
        self.ignored += other.ignored


def line_count(counts: Mapping[str, int]) -> int:
    """How many lines there are."""
    return sum(count for kind, count in counts.items() if not kind.startswith(_REMARKS))


def shares(counts: Mapping[str, int], fate: Fate, dead: int) -> Counter[str]:
    """The lines of a turn by what became of them; `dead` of them are in spans that the server refused."""
    parts = Counter(counts)
    if fate != "shipped":
        parts[fate] += parts.pop("turn", 0)
    elif dead:
        parts["turn"] -= dead
        parts["dead_lettered"] += dead
    return parts


def unassigned(counts: Mapping[str, int]) -> Counter[str]:
    """Lines behind the last turn; those that could be part of one are nobody's until the next turn begins."""
    return shares(counts, "ignored:no_turn", 0)


def lost(exchange: Exchange, trace_id: str, dead: Collection[str]) -> int:
    """How many lines of an exchange are in no span but those of the ids `dead`."""
    return len({id(line) for line in _lines_of(exchange, trace_id, dead)}) if dead else 0


def _lines_of(exchange: Exchange, trace_id: str, spans: Collection[str]) -> Iterator[Record]:
    """The lines that spans were built from: those of a call, the result of a tool, what opened a turn, an event's."""
    if span_id_of(trace_id, "turn", "") in spans:
        yield exchange.opening
    for call in exchange.calls.values():
        if span_id_of(trace_id, "llm", call.message_id) in spans:
            yield from call.lines
    for tool in exchange.tools.values():
        if tool.result and span_id_of(trace_id, "tool", tool.tool_use_id) in spans:
            yield tool.result
    for event in exchange.events:
        if span_id_of(trace_id, "event", event.key) in spans:
            yield event.record
    for sidechain in exchange.sidechains:
        yield from _lines_of(sidechain, trace_id, spans)
