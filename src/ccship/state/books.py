"""What the state says of every transcript, and what has been written since: for those who only want to know.

Reads only: it makes no folder and no file, mends nothing and sets nothing aside.
"""

import os
import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from ccship.errors import StateError
from ccship.shares import Books
from ccship.state import SCHEMA_VERSION
from ccship.state.rows import TranscriptState, load_transcript
from ccship.transcript.tail import entries, resume_offset


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A span that the server refused for good; `at` in seconds since the epoch."""

    trace_id: str
    span_id: str
    name: str
    transcript: str
    reason: str
    at: float


@dataclass(frozen=True, slots=True)
class Account:
    """One destination: its transcripts, its dead letters, and until when it is left alone (seconds since the epoch)."""

    destination: str
    retry_at: float | None
    failures: int
    transcripts: tuple[TranscriptState, ...]
    dead_letters: tuple[DeadLetter, ...]


def accounts(folder: Path) -> list[Account]:
    """What stands in the state of a folder; nothing where there is none yet.

    Raises:
        StateError: the state cannot be read, or was written by a newer program.
    """
    path = folder / "state.db"
    if not path.exists():
        return []
    try:
        with closing(sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True)) as db:
            if db.execute("PRAGMA user_version").fetchone()[0] > SCHEMA_VERSION:
                raise StateError(f"{path} was written by a newer ccship: update this one (nothing was touched)")
            return list(_accounts(db))
    except (sqlite3.Error, TypeError, ValueError) as error:
        raise StateError(f"{path} cannot be read ({error}): the next run sets it aside and begins anew") from error


def books_of(known: TranscriptState) -> Books:
    """The books of a transcript as it is on disk now; what was written since the last look is pending."""
    counts, start = known.counts + known.open, known.seen
    path = Path(known.path)
    if not path.is_file():
        return Books.of(counts)
    try:
        with path.open("rb") as file:
            cursor = known.position.offset if known.position else 0
            if resume_offset(file, known.position) != cursor or os.fstat(file.fileno()).st_size < start:
                counts, start = Counter(), 0  # another file: it will be read from its beginning
            counts["pending"] += sum(1 for _ in entries(file, start))
    except OSError:
        pass  # doctor names it
    return Books.of(counts)


def _accounts(db: sqlite3.Connection) -> Iterator[Account]:
    for key, name, retry_at, failures in db.execute("SELECT id, name, retry_at, failures FROM destinations").fetchall():
        rows = db.execute(
            "SELECT path, session, offset, device, inode, fingerprint, carry, counts, open, seen, spans, link,"
            " shipped_at, last_error FROM transcripts WHERE destination = ? ORDER BY path",
            (key,),
        )
        letters = db.execute(
            "SELECT trace_id, span_id, name, transcript, reason, at FROM dead_letters"
            " WHERE destination = ? ORDER BY at",
            (key,),
        )
        yield Account(
            name,
            retry_at,
            failures,
            tuple(load_transcript(TranscriptState(path, session), tuple(rest)) for path, session, *rest in rows),
            tuple(DeadLetter(*row) for row in letters),
        )
