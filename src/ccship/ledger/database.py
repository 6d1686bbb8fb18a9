"""Opens the ledger's SQLite file: makes it private, creates or upgrades it, sets it aside if it is damaged.

`PRAGMA user_version` is the version of a file. To change the tables, append a migration to `MIGRATIONS`; never edit a
released one. No table contains conversation text.
"""

import os
import sqlite3
import time
from contextlib import closing, suppress
from functools import cache
from pathlib import Path

from ccship.errors import StateDamaged, StateError, StateTooNew

_BUSY_SECONDS = 30
"""Transactions take milliseconds; the limit is for a stalled disk."""

_PRAGMAS = {
    "synchronous": "NORMAL",  # a power failure may lose the last rows: they are read again
    "cache_size": -32_000,  # KiB: a first reading writes to all pages again and again
    "wal_autocheckpoint": 10_000,  # pages, see above
}

_FIRST = (
    "CREATE TABLE names (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE)",
    """
CREATE TABLE files (
    id INTEGER PRIMARY KEY, path TEXT NOT NULL UNIQUE, session INTEGER NOT NULL, project INTEGER NOT NULL,
    agent INTEGER, began TEXT NOT NULL, directory TEXT, device INTEGER NOT NULL, inode INTEGER NOT NULL,
    size INTEGER NOT NULL, changed_ns INTEGER NOT NULL, offset INTEGER NOT NULL, fingerprint BLOB NOT NULL,
    carry BLOB NOT NULL
)""",
    """
CREATE TABLE calls (
    key INTEGER NOT NULL, file INTEGER NOT NULL, time INTEGER, session INTEGER NOT NULL, turn INTEGER,
    branch INTEGER NOT NULL, skill INTEGER NOT NULL, model INTEGER NOT NULL, fast INTEGER NOT NULL,
    final INTEGER NOT NULL, inline INTEGER NOT NULL, input INTEGER NOT NULL, output INTEGER NOT NULL,
    cache_read INTEGER NOT NULL, cache_write_5m INTEGER NOT NULL, cache_write_1h INTEGER NOT NULL,
    reads TEXT, miss TEXT, advice BLOB, lasted INTEGER,
    PRIMARY KEY (key, file)
) WITHOUT ROWID""",
    "CREATE INDEX calls_by_time ON calls (time)",
    """
CREATE TABLE turns (
    file INTEGER NOT NULL, start INTEGER NOT NULL, key INTEGER NOT NULL, time INTEGER, trigger TEXT NOT NULL,
    tools TEXT, signals TEXT,
    PRIMARY KEY (file, start)
) WITHOUT ROWID""",
    """
CREATE TABLE milestones (
    file INTEGER NOT NULL, time INTEGER NOT NULL, session INTEGER NOT NULL, kind TEXT NOT NULL, value TEXT NOT NULL,
    PRIMARY KEY (file, time, session, kind, value)
) WITHOUT ROWID""",
    "CREATE TABLE forgotten (key INTEGER PRIMARY KEY)",
)
"""Version 1. A row of `calls` is what one transcript contains of a call: copies are merged when the ledger is read."""

MIGRATIONS = (_FIRST,)
"""The statements that turn version n into version n + 1."""

VERSION = len(MIGRATIONS)

_SHAPE = "SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY name"
_BESIDE = ("", "-wal", "-shm")
"""Suffixes of the files of a database in WAL mode."""


def open_ledger(path: Path) -> sqlite3.Connection:
    """Open and upgrade a ledger; create one if there is none.

    Raises:
        StateTooNew: A newer version wrote it; it is left alone.
        StateDamaged: It was damaged and has been set aside.
        StateError: It cannot be used now.
    """
    try:
        return _open(path)
    except sqlite3.OperationalError as error:
        raise StateError(f"{path} cannot be used: {error}") from error
    except sqlite3.DatabaseError as error:
        raise set_aside(path) from error


def new_ledger() -> sqlite3.Connection:
    """Return an empty ledger in memory."""
    db = sqlite3.connect(":memory:", isolation_level=None)
    _upgrade(db, Path("memory"))
    return db


def set_aside(path: Path) -> StateDamaged:
    """Rename a damaged ledger, to keep it for inspection; return the error to raise."""
    name = f"{path.name}.corrupt-{time.time_ns()}"
    for suffix in _BESIDE:
        with suppress(FileNotFoundError):
            Path(f"{path}{suffix}").rename(path.with_name(f"{name}{suffix}"))
    return StateDamaged(f"{path} was damaged: renamed it to {name}")


def _open(path: Path) -> sqlite3.Connection:
    try:  # with mode 600: SQLite would make it readable for all
        os.close(os.open(path, os.O_CREAT | os.O_RDWR | getattr(os, "O_NOFOLLOW", 0), 0o600))
    except OSError as error:
        raise StateError(f"{path} cannot be opened ({error.strerror}): set CC_LANGFUSE_STATE_DIR") from error
    db = sqlite3.connect(path, timeout=_BUSY_SECONDS, isolation_level=None)
    try:
        if not _checked_version(db, path):
            _use_wal(db)
        for name, value in _PRAGMAS.items():
            db.execute(f"PRAGMA {name} = {value}")
        _upgrade(db, path)
    except BaseException:
        db.close()
        raise
    return db


def _use_wal(db: sqlite3.Connection) -> None:
    """Change the journal mode. SQLite does not wait if another process does the same."""
    end = time.monotonic() + _BUSY_SECONDS
    while True:
        try:
            db.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError:
            if time.monotonic() > end:
                raise
            time.sleep(0.01)
        else:
            return


def _upgrade(db: sqlite3.Connection, path: Path) -> None:
    while (version := _checked_version(db, path)) != VERSION:
        db.execute("BEGIN IMMEDIATE")  # or two processes would migrate it at the same time
        try:
            if _checked_version(db, path) == version:
                _migrate(db, version)
            db.execute("COMMIT")
        except BaseException:
            db.execute("ROLLBACK")
            raise
    _check_shape(db, VERSION)


def _migrate(db: sqlite3.Connection, version: int) -> None:
    _check_shape(db, version)
    for statement in MIGRATIONS[version]:
        db.execute(statement)
    db.execute(f"PRAGMA user_version = {version + 1}")


def _checked_version(db: sqlite3.Connection, path: Path) -> int:
    version = int(db.execute("PRAGMA user_version").fetchone()[0])
    if version > VERSION:
        raise StateTooNew(
            f"{path} was written by a newer ccship (version {version}, this ccship reads up to {VERSION}):"
            " update ccship"
        )
    return version


def _check_shape(db: sqlite3.Connection, version: int) -> None:
    if version < 0 or db.execute(_SHAPE).fetchall() != _shape(version):
        raise sqlite3.DatabaseError("it is not a ledger")


@cache
def _shape(version: int) -> list[tuple[str, str]]:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as db:
        for statement in (each for migration in MIGRATIONS[:version] for each in migration):
            db.execute(statement)
        return db.execute(_SHAPE).fetchall()
