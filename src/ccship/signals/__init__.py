"""Signals: what in a turn points at something that went wrong, from the transcript alone.

Pure: no clock, environment, randomness or files. One pass over a turn, and a bounded `Memory` of the turns before it.
Signals contain numbers, booleans and names from closed lists, never text of the conversation. `docs/signals.md` has the
definitions, and how often each was right.
"""

from ccship.signals.evaluate import signals_of
from ccship.signals.model import (
    LATE,
    NUMBERS,
    REASONS,
    SIGNALS,
    Mark,
    Memory,
    PromptPlace,
    Reason,
    SignalName,
    Signals,
    StoredMemory,
)
from ccship.signals.prompts import recalled
from ccship.signals.stream import Evaluated, evaluate

__all__ = [
    "LATE",
    "NUMBERS",
    "REASONS",
    "SIGNALS",
    "Evaluated",
    "Mark",
    "Memory",
    "PromptPlace",
    "Reason",
    "SignalName",
    "Signals",
    "StoredMemory",
    "evaluate",
    "recalled",
    "signals_of",
]
