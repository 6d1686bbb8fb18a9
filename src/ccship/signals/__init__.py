"""Signals: what in a turn points at something that went wrong, from the transcript alone.

Pure: no clock, environment, randomness or files. One pass over a turn, and a bounded `Memory` of the turns before it.
Signals contain numbers, booleans and names from closed lists, never text of the conversation. `docs/signals.md` has the
definitions, and how often each was right.
"""
