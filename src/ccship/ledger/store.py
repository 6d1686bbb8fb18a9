"""The ledger: catches up with transcripts, and stores one row for each call and transcript that contains it.

What is stored about a transcript depends on its content alone, so neither the order of reading nor other processes
that write at the same time can change the result. Copies of a call are merged when the ledger is read (`groups`).
"""

import json
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from hashlib import blake2b
from pathlib import Path

import msgspec

from ccship.errors import StateError
from ccship.ledger.calls import Advice, Call, Tokens, continued
from ccship.ledger.database import new_ledger, open_ledger
from ccship.ledger.reader import Cursor, Reading, Transcript, changed, decode_carry, read_all
from ccship.storage import private

FILE_NAME = "ledger.db"

_TRIES = 5
"""How often a transcript is read again because another process entered it at the same time."""

_FEW = 100
"""Transcripts below which only their rows are read: the worker catches up with one session."""

_CURSOR = "device, inode, size, changed_ns, offset, fingerprint, carry, began, directory"
_CALL = (
    "key, file, time, session, turn, branch, skill, model, fast, final, inline, input, output, cache_read,"
    " cache_write_5m, cache_write_1h, reads, miss, advice, lasted"
)
_PLACES = ", ".join("?" * len(_CALL.split(",")))

_encode_advice = msgspec.msgpack.encode
_decode_advice = msgspec.msgpack.Decoder(tuple[tuple[str, ...], tuple[Advice, ...]]).decode


class Ledger:
    """An open ledger. `db` is for the modules of this package. Close it after use.

    Raises:
        StateTooNew: A newer version wrote it; it is left alone.
        StateError: It cannot be used now.
    """

    def __init__(self, path: Path | None) -> None:
        if path is not None:
            private(path.parent)
        self.path = path
        self.db = new_ledger() if path is None else open_ledger(path)
        self._names: dict[str, int] = {}
        self._forgotten: set[int] | None = None

    def close(self) -> None:
        """Close the file."""
        self.db.close()

    def catch_up(self, paths: Iterable[Path], processes: int | None = None) -> list[str]:
        """Enter what is new in transcripts; return what could not be read.

        Raises:
            StateError: The ledger cannot be written now.
            sqlite3.DatabaseError: It is damaged.
        """
        waiting = list(paths)
        problems: list[str] = []
        for _ in range(_TRIES):
            waiting = self._enter_changed(waiting, problems, processes)
            if not waiting:
                break
        return problems

    def read_again(self, paths: Iterable[Path]) -> None:
        """Mark transcripts so that the next `catch_up` reads them from the beginning."""
        with self.writing():
            self.db.executemany("UPDATE files SET inode = -1 WHERE path = ?", ((str(path),) for path in paths))

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Write in one transaction."""
        self._names.clear()  # another process may have deleted some
        self._forgotten = None
        try:
            self.db.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as error:
            raise StateError(f"{self.path} cannot be written: {error}") from error
        try:
            yield
        except BaseException:
            self.db.execute("ROLLBACK")
            raise
        self.db.execute("COMMIT")

    def _enter_changed(self, paths: list[Path], problems: list[str], processes: int | None) -> list[Path]:
        """Enter the changed ones of some transcripts; return those that another process has changed meanwhile."""
        cursors = self._cursors(paths)
        transcripts: list[Transcript] = []
        for path in paths:
            match changed(path, cursors.get(str(path))):
                case Transcript() as transcript:
                    transcripts.append(transcript)
                case str(problem):
                    problems.append(problem)
        missed: list[Path] = []
        for batch in read_all(transcripts, processes):
            problems += (reading.problem for reading in batch if reading.problem is not None)
            with self.writing():  # one transaction for many transcripts: each writes to most pages
                missed += (Path(reading.transcript.path) for reading in batch if not self._enter(reading))
        return missed

    def _cursors(self, paths: list[Path]) -> dict[str, Cursor]:
        chosen = [_text(str(path)) for path in paths] if len(paths) < _FEW else []
        where = f"WHERE path IN ({', '.join('?' * len(chosen))})" if chosen else ""
        rows = self.db.execute(f"SELECT path, {_CURSOR} FROM files {where}", chosen)  # noqa: S608
        return {path: Cursor(*cursor) for path, *cursor in rows}

    def _enter(self, reading: Reading) -> bool:
        """Enter a reading. Return False if another process has entered this transcript since the reading began."""
        if reading.problem is not None:
            return True
        transcript = reading.transcript
        row = self.db.execute(f"SELECT id, {_CURSOR} FROM files WHERE path = ?", (transcript.path,)).fetchone()  # noqa: S608
        if (Cursor(*row[1:]) if row else None) != transcript.cursor:
            return False
        file = self._enter_file(reading, row and row[0])
        if row and reading.is_anew:
            for table in ("calls", "turns", "milestones"):
                self.db.execute(f"DELETE FROM {table} WHERE file = ?", (file,))  # noqa: S608
        self._enter_calls(reading, file)
        self._enter_turns(reading, file)
        forgotten = self._keys_forgotten()
        self.db.executemany(
            "INSERT OR IGNORE INTO milestones VALUES (?, ?, ?, ?, ?)",
            (
                (file, each.time_ms, self._id(each.session), each.kind, each.value)
                for each in reading.milestones
                if not forgotten or milestone_key(each.session, each.time_ms, each.kind, each.value) not in forgotten
            ),
        )
        return True

    def _keys_forgotten(self) -> set[int]:
        """Return the keys of what the user has removed; read once in a transaction."""
        if self._forgotten is None:
            self._forgotten = {row[0] for row in self.db.execute("SELECT key FROM forgotten")}
        return self._forgotten

    def _enter_file(self, reading: Reading, file: int | None) -> int:
        assert reading.cursor is not None  # noqa: S101 - there is no problem
        transcript, cursor = reading.transcript, msgspec.structs.astuple(reading.cursor)
        agent = self._id(reading.agent) if transcript.is_agent else None
        row = (file, transcript.path, self._id(transcript.session), self._id(transcript.project), agent, *cursor)
        places = ", ".join("?" * len(row))
        done = self.db.execute(
            f"INSERT OR REPLACE INTO files (id, path, session, project, agent, {_CURSOR}) VALUES ({places})",  # noqa: S608
            row,
        )
        return file or int(done.lastrowid or 0)

    def _enter_calls(self, reading: Reading, file: int) -> None:
        forgotten = self._keys_forgotten()
        calls = {key: call for call in reading.calls if (key := key_of(call.key)) not in forgotten}
        if not reading.is_anew:
            calls = {key: self._joined(key, file, call) for key, call in calls.items()}
        self.db.executemany(
            f"INSERT OR REPLACE INTO calls ({_CALL}) VALUES ({_PLACES})",  # noqa: S608
            (self._row(key, file, call) for key, call in calls.items()),
        )

    def _joined(self, key: int, file: int, call: Call) -> Call:
        """Return a call with what the transcript contains of it before the cursor."""
        row = self.db.execute(f"{SELECT_CALLS} WHERE c.key = ? AND c.file = ?", (key, file)).fetchone()
        return continued(call_of(row), call) if row else call

    def _enter_turns(self, reading: Reading, file: int) -> None:
        earlier = None if reading.is_anew else reading.transcript.cursor
        if earlier is not None and (turn := decode_carry(earlier.carry).turn) is not None:
            # the reading begins with this turn again, unless it became part of the next one
            self.db.execute("DELETE FROM turns WHERE file = ? AND start = ?", (file, turn.start))
        self.db.executemany(
            "INSERT INTO turns VALUES (?, ?, ?, ?, ?, ?, ?)",
            (
                (file, turn.start, key, turn.time_ms, turn.trigger, _json(turn.tools), _json(turn.signals))
                for turn in reading.turns
                if (key := key_of(turn.key or f"{file} {turn.start}")) not in self._keys_forgotten()
            ),
        )

    def _row(self, key: int, file: int, call: Call) -> tuple[object, ...]:
        advice = _encode_advice((call.advisor_ids, call.advice)) if call.advisor_ids or call.advice else None
        names = (call.branch, call.skill, call.model)
        return (
            key,
            file,
            call.time_ms,
            self._id(call.session),
            call.turn,
            *map(self._id, names),
            call.fast,
            call.is_final,
            call.is_inline,
            *msgspec.structs.astuple(call.tokens),
            _json(call.reads),
            call.miss or None,
            advice,
            None if call.time_ms is None or call.end_ms is None else call.end_ms - call.time_ms,
        )

    def _id(self, name: str) -> int:
        found = self._names.get(name)
        if found is None:
            stored = _text(name)
            self.db.execute("INSERT OR IGNORE INTO names (name) VALUES (?)", (stored,))
            found = int(self.db.execute("SELECT id FROM names WHERE name = ?", (stored,)).fetchone()[0])
            self._names[name] = found
        return found


SELECT_CALLS = """
SELECT c.key, c.time, s.name, m.name, c.fast, c.final, c.input, c.output, c.cache_read, c.cache_write_5m,
    c.cache_write_1h, c.advice, c.turn, b.name, k.name, c.inline, c.reads, c.miss, c.time + c.lasted
FROM calls c JOIN names s ON s.id = c.session JOIN names m ON m.id = c.model JOIN names b ON b.id = c.branch
    JOIN names k ON k.id = c.skill"""
"""The columns of `call_of`."""


def call_of(row: tuple[object, ...]) -> Call:
    """Return a row of `SELECT_CALLS` as a call. Its key is the number in the ledger."""
    key, time_ms, session, model, fast, final, *rest = row
    tokens, (advice, turn, branch, skill, inline, reads, miss, end_ms) = rest[:5], rest[5:]
    advisors = _decode_advice(advice) if advice else ((), ())  # type: ignore[arg-type]
    facts = (turn, branch, skill, bool(inline), json.loads(str(reads)) if reads else {}, miss or "", end_ms)
    return Call(str(key), time_ms, session, model, bool(fast), bool(final), Tokens(*tokens), *advisors, *facts)  # type: ignore[arg-type]


def key_of(identity: str) -> int:
    """Return the key of a call (by `message.id`) or turn (by uuid): 63 bits of a hash."""
    digest = blake2b(identity.encode("utf-8", "replace"), digest_size=8).digest()
    return int.from_bytes(digest) >> 1


def milestone_key(session: str, time_ms: int, kind: str, value: str) -> int:
    """Return the key of a commit, pull request or compaction, by which it can be forgotten."""
    return key_of(f"{kind} {session} {time_ms} {value}")


def _text(name: str) -> str:
    """Return a name that SQLite can store: paths and transcripts can contain halves of characters."""
    return name.encode("utf-8", "replace").decode()


def _json(value: object) -> str | None:
    return msgspec.json.encode(value, order="deterministic").decode() if value else None
