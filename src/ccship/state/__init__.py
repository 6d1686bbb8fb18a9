"""What was shipped and how far: one SQLite file, private to its user.

Owns cursors, shipped turns, dead letters and locks. Never holds conversation text: ids, paths, counts, hashes.

A cursor passes a turn only after the server accepted all its spans (or they are dead letters). For turns that may
still change, the hashes of what was accepted are kept, so that a second look sends nothing twice.
"""

import os
import random
import sqlite3
import stat
import time
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from hashlib import blake2b
from pathlib import Path
from types import TracebackType
from typing import Self

import orjson
from filelock import FileLock, Timeout

from ccship.errors import StateDamaged, StateError
from ccship.state.rows import (
    Launch,
    Link,
    Owner,
    TranscriptState,
    compact,
    load_trace,
    load_transcript,
    pack_session,
    pack_spans,
    unpack_session,
)

__all__ = ["Launch", "Link", "Owner", "State", "TranscriptState", "private"]

SCHEMA_VERSION = 1
_BUSY_SECONDS = 30
"""Commits of other workers take milliseconds; this is for a disk that stalls."""

_LONGEST_BACKOFF_S = 60.0
_MAX_WAIT_S = 3600.0
"""What a server may ask for at most."""

_SCHEMA = """
CREATE TABLE destinations (
    id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, retry_at REAL, failures INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE transcripts (
    id INTEGER PRIMARY KEY, destination INTEGER NOT NULL, path TEXT NOT NULL, session TEXT NOT NULL,
    offset INTEGER NOT NULL DEFAULT 0, device INTEGER, inode INTEGER, fingerprint BLOB,
    carry TEXT, counts TEXT, open TEXT, seen INTEGER NOT NULL DEFAULT 0, spans BLOB, link TEXT,
    shipped_at REAL, last_error TEXT,
    UNIQUE (destination, path)
);
CREATE TABLE turns (
    destination INTEGER NOT NULL, uuid BLOB NOT NULL, session TEXT NOT NULL, settled INTEGER NOT NULL,
    PRIMARY KEY (destination, uuid)
) WITHOUT ROWID;
CREATE TABLE launches (
    destination INTEGER NOT NULL, session TEXT NOT NULL, tool_use_id TEXT NOT NULL,
    message_id TEXT NOT NULL, agent_id TEXT, agent_type TEXT, prompt BLOB NOT NULL, trace TEXT NOT NULL,
    PRIMARY KEY (destination, session, tool_use_id)
) WITHOUT ROWID;
CREATE TABLE dead_letters (
    destination INTEGER NOT NULL, trace_id TEXT NOT NULL, span_id TEXT NOT NULL, name TEXT NOT NULL,
    transcript TEXT NOT NULL, reason TEXT NOT NULL, at REAL NOT NULL,
    PRIMARY KEY (destination, trace_id, span_id)
) WITHOUT ROWID;
"""

_SHAPE = "SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY name"

_NONSENSE = """
SELECT 1 FROM destinations
    WHERE typeof(retry_at) NOT IN ('null', 'real') OR typeof(failures) <> 'integer'
UNION ALL SELECT 1 FROM launches WHERE NOT json_valid(trace)
"""


class State:
    """The state of one destination. Use as a context manager."""

    def __init__(self, folder: Path | None, destination: str, *, rehearse: bool = False) -> None:
        """Open the state in `folder`; None stands for an empty one.

        An empty state lives in memory, and so does one to `rehearse` with: it begins as a copy of what is in the
        folder, and is gone with the run.
        """
        self._folder = None if rehearse else folder
        path = folder / "state.db" if folder else None
        if self._folder is not None:
            self._db = _open(private(self._folder) / "state.db")
        else:
            self._db = sqlite3.connect(":memory:", isolation_level=None)
            if path is not None and path.exists():
                with closing(_open(path)) as stored:
                    stored.backup(self._db)
            else:
                self._db.executescript(_SCHEMA)
        self._db.execute("INSERT OR IGNORE INTO destinations (name) VALUES (?)", (destination,))
        row = self._db.execute("SELECT id FROM destinations WHERE name = ?", (destination,)).fetchone()
        self._destination: int = row[0]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._db.close()
        if self._folder is not None and type(error) is sqlite3.DatabaseError:
            # A broken page is seen only when it is read: looking at all of them first would take longer every day.
            aside = _set_aside(self._folder / "state.db")
            raise StateDamaged(f"the state was damaged and is set aside as {aside}: run again, ids stay") from error

    @contextmanager
    def lock(self, session_id: str, *, wait_s: float = -1) -> Iterator[bool]:
        """Own a session for a while; gives False when another process still does after `wait_s` (-1: no limit).

        The kernel releases the lock when its holder dies. Lock files stay: removing one would let two processes
        lock two different files of the same name.
        """
        if self._folder is None:
            yield True
            return
        folder = private(self._folder / "locks")
        lock = FileLock(folder / blake2b(session_id.encode(), digest_size=16).hexdigest(), mode=0o600)
        try:
            lock.acquire(timeout=wait_s)
        except Timeout:
            yield False
            return
        try:
            yield True
        finally:
            lock.release()

    def postponed_s(self) -> float:
        """Seconds until this destination is to be tried again; 0 when nothing is in the way."""
        row = self._db.execute("SELECT retry_at FROM destinations WHERE id = ?", (self._destination,)).fetchone()
        wait_s = float(row[0]) - time.time() if row and row[0] else 0.0
        # no wait is longer: the clock was wrong then or was set back since
        return wait_s if 0.0 < wait_s <= _MAX_WAIT_S else 0.0

    def postpone(self, retry_after_s: float | None) -> float:
        """The destination failed: wait longer each time, or as long as it asked; returns the seconds to wait."""
        with self.transaction():
            (failures,) = self._db.execute(
                "SELECT failures FROM destinations WHERE id = ?", (self._destination,)
            ).fetchone()
            backoff_s = min(_LONGEST_BACKOFF_S, 2.0 ** min(failures, 10)) * random.uniform(0.5, 1.0)  # noqa: S311
            wait_s: float = min(max(backoff_s, retry_after_s or 0.0), _MAX_WAIT_S)
            self._db.execute(
                "UPDATE destinations SET failures = failures + 1, retry_at = ? WHERE id = ?",
                (time.time() + wait_s, self._destination),
            )
        return wait_s

    def resume(self) -> None:
        """The destination works again."""
        self._db.execute(
            "UPDATE destinations SET failures = 0, retry_at = NULL WHERE id = ? AND failures > 0", (self._destination,)
        )

    def transcript(self, path: Path, session: str) -> TranscriptState:
        """What is known of a transcript; a new, empty state for one never seen."""
        row = self._db.execute(
            "SELECT offset, device, inode, fingerprint, carry, counts, open, seen, spans, link, shipped_at, last_error"
            " FROM transcripts WHERE destination = ? AND path = ?",
            (self._destination, _real(path)),
        ).fetchone()
        try:
            return load_transcript(TranscriptState(_real(path), session), row)
        except (TypeError, ValueError, LookupError):
            # somebody else wrote this row: begin with that transcript again, under the same ids
            return TranscriptState(_real(path), session)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing; the write lock is taken at once, so that no reader is promoted into a conflict."""
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    def save(self, known: TranscriptState) -> None:
        """Remember what is known of a transcript."""
        position = known.position
        self._db.execute(
            "INSERT INTO transcripts (destination, path, session, offset, device, inode, fingerprint, carry, counts,"
            " open, seen, spans, link, shipped_at, last_error) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
            " ON CONFLICT (destination, path) DO UPDATE SET session = excluded.session, offset = excluded.offset,"
            " device = excluded.device, inode = excluded.inode, fingerprint = excluded.fingerprint,"
            " carry = excluded.carry, counts = excluded.counts, open = excluded.open, seen = excluded.seen,"
            " spans = excluded.spans, link = excluded.link, shipped_at = excluded.shipped_at,"
            " last_error = excluded.last_error",
            (
                self._destination,
                known.path,
                known.session,
                position.offset if position else 0,
                position.device if position else None,
                position.inode if position else None,
                position.fingerprint if position else None,
                orjson.dumps(known.carry),
                orjson.dumps(known.counts),
                orjson.dumps(known.open),
                known.seen,
                pack_spans(known.spans),
                orjson.dumps(known.link) if known.link else None,
                known.shipped_at,
                known.last_error,
            ),
        )

    def owner(self, turn_uuid: str) -> Owner | None:
        """Where a turn was shipped from; None when it was not."""
        row = self._db.execute(
            "SELECT session, settled FROM turns WHERE destination = ? AND uuid = ?",
            (self._destination, compact(turn_uuid)),
        ).fetchone()
        return Owner(unpack_session(row[0]), bool(row[1])) if row else None

    def own(self, turn_uuid: str, session: str, *, settled: bool) -> None:
        """Remember that a turn was shipped, and from where."""
        self._db.execute(
            "INSERT INTO turns (destination, uuid, session, settled) VALUES (?, ?, ?, ?)"
            " ON CONFLICT (destination, uuid) DO UPDATE SET settled = max(settled, excluded.settled)",
            (self._destination, compact(turn_uuid), pack_session(session), settled),
        )

    def launches(self, session: str) -> list[Launch]:
        """Tool calls of a session whose subagents have not been seen yet."""
        rows = self._db.execute(
            "SELECT tool_use_id, trace, message_id, agent_id, agent_type, prompt FROM launches"
            " WHERE destination = ? AND session = ?",
            (self._destination, session),
        )
        return [Launch(tool_use_id, load_trace(trace), *rest) for tool_use_id, trace, *rest in rows]

    def keep_launches(self, session: str, launches: Iterable[Launch]) -> None:
        """Replace the launches of a session by those that still wait for their subagent."""
        rows = [
            (
                self._destination,
                session,
                it.tool_use_id,
                it.message_id,
                it.agent_id,
                it.agent_type,
                it.prompt,
                orjson.dumps(it.trace),
            )
            for it in launches
        ]
        with self.transaction():
            self._db.execute("DELETE FROM launches WHERE destination = ? AND session = ?", (self._destination, session))
            self._db.executemany(
                "INSERT INTO launches (destination, session, tool_use_id, message_id, agent_id, agent_type, prompt,"
                " trace) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                rows,
            )

    def bury(self, trace_id: str, span_id: str, name: str, transcript: str, reason: str) -> None:
        """Remember a span that the server will never take, and why."""
        self._db.execute(
            "INSERT OR REPLACE INTO dead_letters (destination, trace_id, span_id, name, transcript, reason, at)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            (self._destination, trace_id, span_id, name, transcript, reason, time.time()),
        )

    def dead_spans(self, transcript: str) -> set[str]:
        """The ids of a transcript's spans that are dead letters."""
        rows = self._db.execute(
            "SELECT span_id FROM dead_letters WHERE destination = ? AND transcript = ?", (self._destination, transcript)
        )
        return {span_id for (span_id,) in rows}

    def revive(self, trace_id: str, span_id: str) -> None:
        """A dead letter was sent again, and accepted."""
        self._db.execute(
            "DELETE FROM dead_letters WHERE destination = ? AND trace_id = ? AND span_id = ?",
            (self._destination, trace_id, span_id),
        )

    def dead_letters(self) -> list[tuple[str, str, str]]:
        """(trace id, span id, reason) of every dead letter."""
        rows = self._db.execute(
            "SELECT trace_id, span_id, reason FROM dead_letters WHERE destination = ? ORDER BY at", (self._destination,)
        )
        return list(rows)


def private(folder: Path) -> Path:
    """The folder, made if need be, readable by its owner alone.

    Raises:
        StateError: it cannot be made, or others could put something in its place.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        status = folder.lstat()
    except OSError as error:
        raise StateError(
            f"the state folder {folder} cannot be made ({error.strerror}): set CC_LANGFUSE_STATE_DIR"
        ) from error
    if stat.S_ISLNK(status.st_mode):
        raise StateError(f"{folder} is a link: ccship writes only where nobody else can point it to")
    if hasattr(os, "geteuid") and (status.st_mode & 0o022 or status.st_uid != os.geteuid()):
        raise StateError(f"{folder} can be changed by others: chmod 700 it, or set CC_LANGFUSE_STATE_DIR")
    return folder


def _open(path: Path) -> sqlite3.Connection:
    _make_private(path)
    try:
        return _connect(path)
    except sqlite3.DatabaseError as error:
        if isinstance(error, sqlite3.OperationalError):
            raise StateError(f"{path} cannot be used: {error}") from error
        # Not a database any more. Ids do not depend on it, so starting anew sends nothing under other ids.
        _set_aside(path)
        _make_private(path)
        return _connect(path)


def _make_private(path: Path) -> None:
    """SQLite would make the file for everybody to read."""
    try:
        os.close(os.open(path, os.O_CREAT | os.O_RDWR | getattr(os, "O_NOFOLLOW", 0), 0o600))
    except OSError as error:
        raise StateError(f"{path} cannot be opened ({error.strerror}): set CC_LANGFUSE_STATE_DIR") from error


def _set_aside(path: Path) -> Path:
    return path.rename(path.with_name(f"{path.name}.corrupt-{time.time_ns()}"))


def _connect(path: Path) -> sqlite3.Connection:
    db = sqlite3.connect(path, timeout=_BUSY_SECONDS, isolation_level=None)
    db.execute("BEGIN IMMEDIATE")  # two processes may come first at once
    version = db.execute("PRAGMA user_version").fetchone()[0]
    if version > SCHEMA_VERSION:
        db.close()
        raise StateError(f"{path} was written by a newer ccship: update this one (nothing was touched)")
    if version == 0:
        for statement in filter(str.strip, _SCHEMA.split(";")):
            db.execute(statement)
        db.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
    db.execute("COMMIT")
    _check(db)
    return db


def _check(db: sqlite3.Connection) -> None:
    """Look for what nobody else would have written.

    Raises:
        sqlite3.DatabaseError: this is no state of ours any more.
    """
    with closing(sqlite3.connect(":memory:")) as fresh:
        fresh.executescript(_SCHEMA)
        expected = fresh.execute(_SHAPE).fetchall()
    if db.execute(_SHAPE).fetchall() != expected or db.execute(_NONSENSE).fetchone():
        db.close()
        raise sqlite3.DatabaseError("not a state of ours")


def _real(path: Path) -> str:
    return os.path.realpath(path)
