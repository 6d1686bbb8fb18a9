"""Finds the parents of the turns of one transcript: the spans of other programs to which they are attached."""

from pathlib import Path

from ccship.observations import Parent
from ccship.state import State
from ccship.state.parents import Ranges, parent_at
from ccship.transcript.discover import offset_of
from ccship.transcript.turns import Turn


class Parents:
    """The parents of the turns in the transcript at `path`. Those of a copied turn are in its original session."""

    def __init__(self, state: State, path: Path, session: str) -> None:
        self._state = state
        self._path = path
        self._session = session
        self._ranges: dict[str, Ranges] = {}

    def of(self, turn: Turn) -> Parent | None:
        """Return the parent of a turn; None as a rule."""
        origin = turn.exchange.origin(self._session) or self._session
        if origin not in self._ranges:
            self._ranges[origin] = self._state.parents(origin)
        ranges = self._ranges[origin]
        if not ranges or origin == self._session:
            return parent_at(ranges, turn.opened)
        offset = offset_of(turn.uuid, self._path.with_name(f"{Path(origin).name}.jsonl"))
        return parent_at(ranges, ranges[0].start if offset is None else offset)
