"""The state: delivered turns and the cursor of each transcript, in one private SQLite file.

Contains cursors, delivered turns, dead letters, claims and launches as ids, paths, counts and hashes; no conversation
text. A cursor passes a turn only after the server accepted all its spans, or they are dead letters. The hashes of
delivered spans of open turns are stored, so that the next run does not send them again.
"""

import os
import random
import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, replace
from pathlib import Path
from types import TracebackType
from typing import Self

from ccship.errors import StateDamaged, StateError
from ccship.hook import lock_name
from ccship.state.advance import advanced
from ccship.state.database import copy_store, new_store, open_store, set_aside
from ccship.state.parents import Ranges, RunEvent, changed_by, load_ranges, put_range, stored_parents
from ccship.state.rows import (
    Checkpoint,
    Claim,
    DeadLetter,
    Owner,
    launch_row,
    load_launch,
    load_transcript,
    old_key,
    session_key,
    short_key,
    transcript_row,
)
from ccship.storage import private
from ccship.transcript.files import printable
from ccship.unit import BatchOutcome, Launch, Link, Open, UnitOutcome

__all__ = ["Checkpoint", "Claim", "DeadLetter", "Launch", "Link", "Owner", "State"]

_LONGEST_BACKOFF_S = 60.0
_MAX_WAIT_S = 3600.0
"""The longest wait that a server can request."""


class State:
    """The state of one destination, a context manager."""

    def __init__(
        self,
        folder: Path | None,
        destination: str,
        *,
        rehearse: bool = False,
        lock_id: Callable[[str], str] = lambda session_id: session_id,
    ) -> None:
        """Open the state in `folder`; None for an empty state in memory.

        `rehearse`: work on a copy in memory and leave the folder unchanged. `lock_id`: what `lock` locks for a session.
        """
        self._lock_id = lock_id
        self._folder = None if rehearse else folder
        if folder is None:
            self._db = new_store()
        elif rehearse:
            self._db = _rehearsed(folder / "state.db")
        else:
            self._db = open_store(private(folder) / "state.db")
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
            # A damaged page is found only when it is read: checking all pages first would take longer every day.
            aside = set_aside(self._folder / "state.db")
            raise StateDamaged(
                f"the state was damaged and was renamed to {aside}: run again, ids stay the same"
            ) from error
        if self._folder is not None and isinstance(error, sqlite3.OperationalError):
            # another process has the lock, or the disk is full: not a bug, nothing is lost
            raise StateError(f"{self._folder / 'state.db'} cannot be used: {error}: run again") from error

    @contextmanager
    def lock(self, session_id: str, *, wait_s: float = -1) -> Iterator[bool]:
        """Lock a session; yield False if another process still has the lock after `wait_s` (-1: no limit).

        The kernel releases the lock when its holder dies. Lock files are not removed: two processes could then lock two
        different files with the same name.
        """
        if self._folder is None:
            yield True
            return
        from filelock import FileLock, Timeout  # noqa: PLC0415 - the worker inherits its lock as a rule

        lock = FileLock(private(self._folder / "locks") / lock_name(self._lock_id(session_id)), mode=0o600)
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
        """Seconds until the next attempt at this destination; 0 for now."""
        row = self._db.execute("SELECT retry_at FROM destinations WHERE id = ?", (self._destination,)).fetchone()
        wait_s = float(row[0]) - time.time() if row and row[0] else 0.0
        # a longer wait means that the clock was wrong or was set back
        return wait_s if 0.0 < wait_s <= _MAX_WAIT_S else 0.0

    def postpone(self, retry_after_s: float | None) -> float:
        """Record a failure of the destination and return the seconds to wait: `retry_after_s`, or longer each time."""
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
        """Record that the destination works again."""
        self._db.execute(
            "UPDATE destinations SET failures = 0, retry_at = NULL WHERE id = ? AND failures > 0", (self._destination,)
        )

    def transcript(self, path: Path, session: str) -> Checkpoint:
        """Return the checkpoint of a transcript; an empty one if it is new."""
        row = self._db.execute(
            "SELECT * FROM transcripts WHERE destination = ? AND path = ?", (self._destination, _real(path))
        ).fetchone()
        # another program wrote the row: read the transcript again from its beginning, under the same ids
        with suppress(TypeError, ValueError, LookupError):
            if row is not None:
                return replace(load_transcript(row), session=session)
        return Checkpoint(_real(path), session)

    def parents(self, session: str) -> Ranges:
        """Return the parents of a session's turns, by the offset from which on they apply."""
        return load_ranges(self._db, session)

    def record_event(self, transcript: Path, event: RunEvent) -> None:
        """Store the parent that the turns of a run have. Call it before they are shipped."""
        session = printable(transcript.stem)
        if event.parent is None and not self.parents(session):
            return
        with self.transaction():
            (shipped,) = self._db.execute(
                "SELECT max(seen) FROM transcripts WHERE path = ?", (_real(transcript),)
            ).fetchone()
            size = transcript.stat().st_size if transcript.exists() else 0
            if found := changed_by(self.parents(session), event, shipped or 0, size):
                put_range(self._db, session, found)

    def take_parents(self, folder: Path) -> Self:
        """Take over the parents in another state folder, into a state in memory."""
        for session, ranges in stored_parents(folder).items():
            for found in ranges:
                put_range(self._db, session, found)
        return self

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Run a transaction. It takes the write lock at once: upgrading a read lock could fail with a conflict."""
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    def commit(self, delivered: BatchOutcome) -> None:
        """Store the outcomes of a batch in one transaction. Nothing else changes a checkpoint."""
        error = str(delivered.failure) if delivered.failure is not None else None
        known: dict[str, Checkpoint] = {}
        dead: dict[str, set[str]] = {}
        with self.transaction():
            for outcome in delivered.outcomes:
                unit = outcome.unit
                if unit.path not in known:
                    known[unit.path] = self.transcript(Path(unit.path), unit.session)
                    dead[unit.path] = self.dead_spans(unit.path)
                self._enter(outcome, dead[unit.path])
                known[unit.path] = advanced(known[unit.path], outcome, dead[unit.path], time.time())
            for transcript in known.values():
                self.save(replace(transcript, last_error=error))

    def _enter(self, outcome: UnitOutcome, dead: set[str]) -> None:
        """Store dead letters, owners, claims and launches of an outcome."""
        unit = outcome.unit
        for span in outcome.accepted:
            if span.span_id in dead:
                dead.discard(span.span_id)
                self.remove_dead_letter(span.observation.trace.trace_id, span.span_id)
        for span, reason in outcome.rejected:
            dead.add(span.span_id)
            self.add_dead_letter(
                span.observation.trace.trace_id, span.span_id, span.observation.name, unit.path, reason
            )
        for score in outcome.scored:
            if score.id in dead:
                dead.discard(score.id)
                self.remove_dead_letter(score.trace_id, score.id)
        for score, reason in outcome.rejected_scores:
            dead.add(score.id)
            self.add_dead_letter(score.trace_id, score.id, score.name, unit.path, reason)
        if not outcome.arrived:
            return
        if unit.owns is not None and unit.hashes:
            self.own(unit.owns, unit.session, settled=not isinstance(unit.step, Open), calls=unit.claims)
        self.keep_launches(unit.session, unit.launches)
        if unit.launched is not None:
            self._db.execute(
                "DELETE FROM launches WHERE destination = ? AND session = ? AND tool_use_id = ?",
                (self._destination, unit.session, unit.launched),
            )

    def save(self, known: Checkpoint) -> None:
        """Store a checkpoint."""
        self._insert("transcripts", transcript_row(known), key="path")

    def owner(self, turn_uuid: str) -> Owner | None:
        """Return the session that shipped a turn; None if none did."""
        row = self._db.execute(
            "SELECT session, settled FROM turns WHERE destination = ? AND uuid IN (?, ?) ORDER BY settled DESC",
            (self._destination, short_key(turn_uuid), old_key(turn_uuid)),
        ).fetchone()
        return Owner(session_key(row[0]), bool(row[1])) if row else None

    def own(self, turn_uuid: str, session: str, *, settled: bool, calls: tuple[str, int] | None = None) -> None:
        """Store the session that shipped a turn. `calls`: the id of its first call, and `Claim.until_s`."""
        key = short_key(turn_uuid)
        self._shorten(turn_uuid, key)
        self._db.execute(
            "INSERT INTO turns (destination, uuid, session, settled) VALUES (?, ?, ?, ?)"
            " ON CONFLICT (destination, uuid) DO UPDATE SET settled = max(settled, excluded.settled)",
            (self._destination, key, short_key(session), settled),
        )
        if calls is not None:
            self._db.execute(
                "INSERT INTO calls (destination, call, turn, until_s) VALUES (?, ?, ?, ?)"
                " ON CONFLICT (destination, call) DO UPDATE SET until_s = max(until_s, excluded.until_s)",
                (self._destination, short_key(calls[0]), key, calls[1]),
            )

    def _shorten(self, turn_uuid: str, key: bytes) -> None:
        """Replace the keys in a row of version 0.1.0 by today's shorter ones."""
        where = "destination = ? AND uuid = ?"
        old = self._destination, old_key(turn_uuid)
        if row := self._db.execute(f"SELECT session FROM turns WHERE {where}", old).fetchone():  # noqa: S608
            self._db.execute(
                f"UPDATE turns SET uuid = ?, session = ? WHERE {where}",  # noqa: S608
                (key, session_key(row["session"]), *old),
            )

    def claim(self, message_id: str) -> Claim | None:
        """Return the turn whose first call this is, if it is shipped."""
        row = self._db.execute(
            "SELECT calls.turn, turns.session, calls.until_s FROM calls JOIN turns"
            " ON turns.destination = calls.destination AND turns.uuid = calls.turn"
            " WHERE calls.destination = ? AND calls.call = ?",
            (self._destination, short_key(message_id)),
        ).fetchone()
        return Claim(*row) if row else None

    def launches(self, session: str) -> list[Launch]:
        """Return the launches of a session whose subagents have not been read yet."""
        rows = self._db.execute(
            "SELECT * FROM launches WHERE destination = ? AND session = ?", (self._destination, session)
        )
        return [load_launch(row) for row in rows]

    def keep_launches(self, session: str, launches: Iterable[Launch]) -> None:
        """Store launches without a subagent so far."""
        for launch in launches:
            self._insert("launches", {"session": session, **launch_row(launch)}, key="session, tool_use_id")

    def add_dead_letter(self, trace_id: str, span_id: str, name: str, transcript: str, reason: str) -> None:
        """Store a dead letter."""
        letter = DeadLetter(trace_id, span_id, name, transcript, reason, time.time())
        self._insert("dead_letters", asdict(letter), key="trace_id, span_id")

    def dead_spans(self, transcript: str) -> set[str]:
        """Return the span ids of a transcript's dead letters."""
        rows = self._db.execute(
            "SELECT span_id FROM dead_letters WHERE destination = ? AND transcript = ?", (self._destination, transcript)
        )
        return {span_id for (span_id,) in rows}

    def dead_names(self) -> frozenset[str]:
        """Return the names of observations that are dead letters."""
        rows = self._db.execute("SELECT DISTINCT name FROM dead_letters WHERE destination = ?", (self._destination,))
        return frozenset(name for (name,) in rows)

    def remove_dead_letter(self, trace_id: str, span_id: str) -> None:
        """Remove a dead letter whose span was accepted."""
        self._db.execute(
            "DELETE FROM dead_letters WHERE destination = ? AND trace_id = ? AND span_id = ?",
            (self._destination, trace_id, span_id),
        )

    def dead_letters(self) -> list[tuple[str, str, str]]:
        """Return (trace id, span id, reason) of every dead letter."""
        rows = self._db.execute(
            "SELECT trace_id, span_id, reason FROM dead_letters WHERE destination = ? ORDER BY at", (self._destination,)
        )
        return [tuple(row) for row in rows]

    def _insert(self, table: str, row: Mapping[str, object], key: str | None = None) -> None:
        """Insert a row of this destination, or update the one with the same `key`. All names must be column names."""
        names, values = ", ".join(row), ", ".join(f":{name}" for name in row)
        changes = ", ".join(f"{name} = excluded.{name}" for name in row)
        self._db.execute(
            f"INSERT INTO {table} (destination, {names}) VALUES (:destination, {values})"  # noqa: S608
            + (f" ON CONFLICT (destination, {key}) DO UPDATE SET {changes}" if key else ""),
            {"destination": self._destination, **row},
        )


def _rehearsed(path: Path) -> sqlite3.Connection:
    """Return a copy of the store; an empty one if there is none or the next run would set it aside."""
    try:
        return copy_store(path) if path.exists() else new_store()
    except sqlite3.OperationalError as error:
        raise StateError(f"{path} cannot be used: {error}") from error
    except sqlite3.DatabaseError:
        return new_store()


def _real(path: Path) -> str:
    return os.path.realpath(path)
