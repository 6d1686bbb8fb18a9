"""A read-only copy of the state, with the lines that were written since.

A copy shows the state of an older version as it is: nothing is created, upgraded or set aside.
"""

import os
import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from ccship.errors import StateError
from ccship.observations.line_outcomes import PENDING, RecordCounts
from ccship.state.database import copy_store
from ccship.state.rows import Checkpoint, DeadLetter, load_dead_letter, load_transcript
from ccship.transcript.files import open_transcript
from ccship.transcript.tail import entries, resume_offset


@dataclass(frozen=True, slots=True)
class Account:
    """The transcripts and dead letters of one destination. `retry_at`: no attempt before (seconds since the epoch)."""

    destination: str
    retry_at: float | None
    transcripts: tuple[Checkpoint, ...]
    dead_letters: tuple[DeadLetter, ...]


def accounts(folder: Path) -> list[Account]:
    """Return the accounts in a state folder; none if there is no state.

    Raises:
        StateError: The state cannot be read, or a newer version wrote it.
    """
    path = folder / "state.db"
    if not path.exists():
        return []
    try:
        with closing(copy_store(path)) as db:
            return list(_accounts(db))
    except sqlite3.OperationalError as error:
        raise StateError(f"{path} cannot be used: {error}: run again") from error
    except (sqlite3.Error, TypeError, ValueError, LookupError) as error:
        raise StateError(f"{path} cannot be read ({error}): the next run renames it and starts a new one") from error


def record_counts(checkpoint: Checkpoint) -> RecordCounts:
    """Return the current counts of a transcript; lines after the last pass are pending."""
    counts, start = checkpoint.counts + checkpoint.open, checkpoint.seen
    path = Path(checkpoint.path)
    try:
        with open_transcript(path) as file:
            cursor = checkpoint.position.offset if checkpoint.position else 0
            if resume_offset(file, checkpoint.position) != cursor or os.fstat(file.fileno()).st_size < start:
                counts, start = Counter(), 0  # another file: the next run reads it from its beginning
            counts[PENDING] += sum(1 for _ in entries(file, start))
    except OSError:
        pass  # doctor reports it
    return RecordCounts.of(counts)


def _accounts(db: sqlite3.Connection) -> Iterator[Account]:
    for key, name, retry_at in db.execute("SELECT id, name, retry_at FROM destinations").fetchall():
        transcripts = db.execute("SELECT * FROM transcripts WHERE destination = ? ORDER BY path", (key,))
        letters = db.execute("SELECT * FROM dead_letters WHERE destination = ? ORDER BY at", (key,))
        yield Account(
            name,
            retry_at,
            tuple(map(load_transcript, transcripts)),
            tuple(map(load_dead_letter, letters)),
        )
