"""One pass over a main transcript: how far it has come, and what became of the lines that it read.

Owns the counts of a pass until they are entered into the state; never decides anything.
"""

from collections import Counter
from pathlib import Path

from ccship.outbox import Outbox
from ccship.shares import unassigned
from ccship.state import Launch, TranscriptState
from ccship.transcript.discover import Originals
from ccship.transcript.records import Record
from ccship.transcript.turns import Entry, TurnBuilder


class MainRun:
    """What one pass over a main transcript works with."""

    def __init__(self, launches: dict[str, Launch]) -> None:
        self.launches = launches
        self.end_ns = 0
        self.end = 0
        self.seen: set[str] = set()
        self.pending = 0
        self.open: Counter[str] = Counter()
        self.known: TranscriptState
        self.outbox: Outbox
        self.originals: Originals

    def begin(self, known: TranscriptState, outbox: Outbox) -> None:
        """The file is open: this is what is known of it."""
        self.known = known
        self.end = known.seen
        self.outbox = outbox
        self.originals = Originals(Path(known.path))

    def close_books(self, builder: TurnBuilder) -> None:
        """Say what became of all lines that were read; until then, those behind the cursor count as unread."""
        self.known.open = self.open + unassigned(builder.unassigned()) + Counter(pending=self.pending)
        self.known.seen = self.end

    def see(self, entry: Entry) -> None:
        """Keep track of how far the transcript has come, in bytes and in time."""
        self.end = entry.end
        if isinstance(entry.parsed, Record):
            self.end_ns = max(self.end_ns, entry.parsed.time_ns or 0)
