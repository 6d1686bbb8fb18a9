"""The versions of the store and the migrations between them.

`PRAGMA user_version` is the version of a file; an empty file has version 0. To change the store, append a migration to
`MIGRATIONS`; never edit a released one. A new store is an empty file that goes through all migrations, so it is the
same as an upgraded one. The JSON in columns is part of the version, except new fields that may be missing. For each
release, `tests/record_state.py` records a store that it wrote.
"""

import sqlite3
from contextlib import closing
from functools import cache
from pathlib import Path

from ccship.errors import StateTooNew

_FIRST = (
    """
CREATE TABLE destinations (
    id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, retry_at REAL, failures INTEGER NOT NULL DEFAULT 0
)""",
    """
CREATE TABLE transcripts (
    id INTEGER PRIMARY KEY, destination INTEGER NOT NULL, path TEXT NOT NULL, session TEXT NOT NULL,
    offset INTEGER NOT NULL DEFAULT 0, device INTEGER, inode INTEGER, fingerprint BLOB,
    carry TEXT, counts TEXT, open TEXT, seen INTEGER NOT NULL DEFAULT 0, spans BLOB, link TEXT,
    shipped_at REAL, last_error TEXT,
    UNIQUE (destination, path)
)""",
    """
CREATE TABLE turns (
    destination INTEGER NOT NULL, uuid BLOB NOT NULL, session TEXT NOT NULL, settled INTEGER NOT NULL,
    PRIMARY KEY (destination, uuid)
) WITHOUT ROWID""",
    """
CREATE TABLE launches (
    destination INTEGER NOT NULL, session TEXT NOT NULL, tool_use_id TEXT NOT NULL,
    message_id TEXT NOT NULL, agent_id TEXT, agent_type TEXT, prompt BLOB NOT NULL, trace TEXT NOT NULL,
    PRIMARY KEY (destination, session, tool_use_id)
) WITHOUT ROWID""",
    """
CREATE TABLE dead_letters (
    destination INTEGER NOT NULL, trace_id TEXT NOT NULL, span_id TEXT NOT NULL, name TEXT NOT NULL,
    transcript TEXT NOT NULL, reason TEXT NOT NULL, at REAL NOT NULL,
    PRIMARY KEY (destination, trace_id, span_id)
) WITHOUT ROWID""",
)
"""Version 1 (0.1.0)."""

_OWN_COLUMNS = (
    "ALTER TABLE transcripts ADD COLUMN hashes INTEGER NOT NULL DEFAULT 1",
    "ALTER TABLE transcripts ADD COLUMN volatile TEXT",
    # carry was written as a BLOB, which some versions of SQLite take for JSON of another encoding
    """
UPDATE transcripts SET
    hashes = coalesce(json_extract(CAST(carry AS TEXT), '$.hashes'), 1),
    volatile = json_extract(CAST(carry AS TEXT), '$.volatile'),
    carry = json_remove(CAST(carry AS TEXT), '$.hashes', '$.volatile')
WHERE json_valid(CAST(carry AS TEXT))""",
)
"""Version 2: columns for the version of the hashes and for volatile facts."""

_CALLS = (
    """
CREATE TABLE calls (
    destination INTEGER NOT NULL, call BLOB NOT NULL, turn BLOB NOT NULL, until_s INTEGER NOT NULL,
    PRIMARY KEY (destination, call)
) WITHOUT ROWID""",
)
"""Version 3: the first LLM call of a turn, to recognise history that is written again."""

_RESUME_STATE = (
    "ALTER TABLE transcripts RENAME COLUMN carry TO resume_state",
    """
UPDATE transcripts SET resume_state = json_set(
    json_remove(resume_state, '$.strays'), '$.late_records', json_extract(resume_state, '$.strays')
)
WHERE typeof(resume_state) = 'text' AND json_valid(resume_state) AND json_type(resume_state, '$.strays') = 'object'""",
)
"""Version 4: the resume state and its late records have the names that the code uses."""

_SIGNALS = (
    "ALTER TABLE transcripts ADD COLUMN memory BLOB",
    "ALTER TABLE transcripts ADD COLUMN scored_from INTEGER",
    "ALTER TABLE transcripts ADD COLUMN unscored_from INTEGER",
)
"""Version 5: what signals remember of the turns before the cursor, and which turns have scores."""

_PARENTS = (
    """
CREATE TABLE parents (
    session TEXT NOT NULL, start INTEGER NOT NULL, until INTEGER NOT NULL, at_ns INTEGER NOT NULL,
    trace_id TEXT, span_id TEXT,
    PRIMARY KEY (session, start)
) WITHOUT ROWID""",
)
"""Version 6: the spans of other programs to which the turns of a session are attached."""

MIGRATIONS = (_FIRST, _OWN_COLUMNS, _CALLS, _RESUME_STATE, _SIGNALS, _PARENTS)
"""The statements that turn version n into version n + 1."""

VERSION = len(MIGRATIONS)

_SHAPE = "SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY name"


def upgrade(db: sqlite3.Connection, path: Path) -> None:
    """Upgrade a store to `VERSION`, one transaction per version.

    `db` must not begin transactions itself (`isolation_level=None`). `path`: the name of the store in errors.

    Raises:
        StateTooNew: A newer version wrote it; nothing is changed.
        sqlite3.DatabaseError: It is not a store, or it is damaged; nothing is changed.
    """
    while (version := _version_of(db)) != VERSION:
        if version > VERSION:
            raise StateTooNew(
                f"{path} was written by a newer ccship (version {version}, this ccship reads up to {VERSION}):"
                " update ccship; nothing was changed, and queued requests are kept"
            )
        _migrate(db, version)
    _check_shape(db, VERSION)


def _migrate(db: sqlite3.Connection, version: int) -> None:
    db.execute("BEGIN IMMEDIATE")  # or two processes would migrate the store at the same time
    try:
        if _version_of(db) == version:  # no other process has done it
            _check_shape(db, version)
            _apply(db, version)
    except BaseException:
        db.execute("ROLLBACK")
        raise
    db.execute("COMMIT")


def _apply(db: sqlite3.Connection, version: int) -> None:
    for statement in MIGRATIONS[version]:
        db.execute(statement)
    db.execute(f"PRAGMA user_version = {version + 1}")


def _version_of(db: sqlite3.Connection) -> int:
    return int(db.execute("PRAGMA user_version").fetchone()[0])


def _check_shape(db: sqlite3.Connection, version: int) -> None:
    if version < 0 or db.execute(_SHAPE).fetchall() != _shape(version):
        raise sqlite3.DatabaseError("it is not a ccship state")


@cache
def _shape(version: int) -> list[tuple[str, str]]:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as db:
        for earlier in range(version):
            _apply(db, earlier)
        return db.execute(_SHAPE).fetchall()
