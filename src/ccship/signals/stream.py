"""Computes the signals of all turns of a session while its entries are read.

A turn's signals are final when it settles, with what the next turn contains at that moment. That moment depends on the
transcript alone, so the values are the same however a session is read: at once, or in pieces with the memory carried
on.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import zip_longest

from ccship.signals.evaluate import signals_of
from ccship.signals.model import Memory, Signals
from ccship.transcript.turns import Entry, Turn, TurnBuilder


@dataclass(frozen=True, slots=True)
class Evaluated:
    """A turn with its signals. `memory`: after it. `is_settled`: no later line changes them."""

    turn: Turn
    signals: Signals
    memory: Memory
    is_settled: bool


def evaluate(entries: Iterable[Entry], builder: TurnBuilder, memory: Memory) -> Iterator[Evaluated]:
    """Yield the turns that are sent, in order, with their signals: first the settled ones, then the open ones.

    Args:
        entries: The entries from the builder's cursor on.
        builder: Builds the turns.
        memory: The memory at the cursor.
    """
    for entry in entries:
        for turn in builder.feed(entry):
            if turn.is_shippable:
                signals, memory = signals_of(turn, first_sent(builder.open), memory)
                yield Evaluated(turn, signals, memory, is_settled=True)
    turns = [turn for turn in builder.open if turn.is_shippable]
    for turn, following in zip_longest(turns, turns[1:]):
        signals, memory = signals_of(turn, following, memory)
        yield Evaluated(turn, signals, memory, is_settled=False)


def first_sent(turns: Iterable[Turn]) -> Turn | None:
    """Return the first of some turns that is sent."""
    return next((turn for turn in turns if turn.is_shippable), None)
