"""Opens the SQLite file: makes it private, upgrades it, copies it, sets it aside if damaged.

Uses nothing of its tables except to check that ccship wrote them.
"""

import os
import sqlite3
import time
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

from ccship.errors import StateError
from ccship.state.migrations import upgrade

_BUSY_SECONDS = 30
"""Commits of other workers take milliseconds; the limit is for a stalled disk."""

_PAGE_BYTES = 32768
"""For new files: SQLite's default holds four rows of transcripts and wastes a fifth."""

_NONSENSE = """
SELECT 1 FROM destinations
    WHERE typeof(retry_at) NOT IN ('null', 'real') OR typeof(failures) <> 'integer'
UNION ALL SELECT 1 FROM launches WHERE NOT json_valid(trace)
"""


def open_store(path: Path) -> sqlite3.Connection:
    """Open and upgrade a store; create one if there is none, or after setting aside a damaged one.

    Raises:
        StateTooNew: A newer version wrote it.
        StateError: It cannot be used now.
    """
    _make_private(path)
    try:
        return _open(path)
    except sqlite3.OperationalError as error:
        raise StateError(f"{path} cannot be used: {error}") from error
    except sqlite3.DatabaseError:
        # Not a database any more. Ids do not depend on it, so an empty store sends nothing under other ids.
        set_aside(path)
        _make_private(path)
        return _open(path)


def copy_store(path: Path) -> sqlite3.Connection:
    """Return an upgraded copy in memory; the file keeps its version.

    SQLite writes to the file only to roll back an interrupted transaction.

    Raises:
        StateTooNew: A newer version wrote it.
        sqlite3.OperationalError: It cannot be read now.
        sqlite3.DatabaseError: It is damaged.
    """
    copy = sqlite3.connect(":memory:", isolation_level=None)
    try:
        with closing(_connect(f"file:{quote(str(path))}?mode=rw")) as stored:
            stored.execute("BEGIN")
            stored.execute("PRAGMA user_version")  # takes the lock: `backup` would wait for it without limit
            stored.backup(copy)
        _prepare(copy, path)
    except BaseException:
        copy.close()
        raise
    return copy


def new_store() -> sqlite3.Connection:
    """Return an empty store in memory."""
    db = sqlite3.connect(":memory:", isolation_level=None)
    _prepare(db, Path("memory"))
    return db


def set_aside(path: Path) -> Path:
    """Rename a damaged store, to keep it for inspection."""
    return path.rename(path.with_name(f"{path.name}.corrupt-{time.time_ns()}"))


def _make_private(path: Path) -> None:
    """Create the file with mode 600: SQLite would make it readable for all."""
    try:
        os.close(os.open(path, os.O_CREAT | os.O_RDWR | getattr(os, "O_NOFOLLOW", 0), 0o600))
    except OSError as error:
        raise StateError(f"{path} cannot be opened ({error.strerror}): set CC_LANGFUSE_STATE_DIR") from error


def _open(path: Path) -> sqlite3.Connection:
    db = _connect(str(path))
    try:
        _prepare(db, path)
    except BaseException:
        db.close()
        raise
    return db


def _connect(address: str) -> sqlite3.Connection:
    db = sqlite3.connect(address, timeout=_BUSY_SECONDS, isolation_level=None, uri=address.startswith("file:"))
    db.execute(f"PRAGMA page_size = {_PAGE_BYTES}")
    return db


def _prepare(db: sqlite3.Connection, path: Path) -> None:
    upgrade(db, path)
    if db.execute(_NONSENSE).fetchone():
        raise sqlite3.DatabaseError("it contains values that ccship does not write")
    db.row_factory = sqlite3.Row
