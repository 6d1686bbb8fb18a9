"""Removes calls and turns from the ledger for good.

Their keys are kept, as numbers: a transcript that is read again, or a copy in another transcript, does not bring them
back.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from ccship.ledger.calls import Call
from ccship.ledger.groups import View
from ccship.ledger.store import Ledger, milestone_key
from ccship.ledger.sums import Span
from ccship.transcript.files import is_there


@dataclass(frozen=True, slots=True)
class Chosen:
    """Calls, turns and milestones to forget, by key; and the number of sessions with such calls.

    `milestones`: time, session (a name's id), kind and value of each row, by key.
    """

    calls: frozenset[int]
    turns: frozenset[int]
    milestones: dict[int, tuple[int, int, str, str]]
    sessions: int


def choose(ledger: Ledger, is_chosen: Callable[[str, str, int | None], bool]) -> Chosen:
    """Choose what to forget. `is_chosen(project, session, time_ms)` decides for a call or turn.

    A call that several transcripts contain is that of the transcript that began first, as in a report.
    """
    calls, sessions = set(), set()
    for call, project in _calls(ledger):
        if is_chosen(project, call.session, call.time_ms):
            calls.add(int(call.key))
            sessions.add(call.session)
    turns = {
        key
        for key, time_ms, project, session in ledger.db.execute(
            "SELECT t.key, t.time, p.name, s.name FROM turns t JOIN files f ON f.id = t.file"
            " JOIN names p ON p.id = f.project JOIN names s ON s.id = f.session"
        )
        if is_chosen(project, session, time_ms)
    }
    milestones = {
        milestone_key(session, time_ms, kind, value): (time_ms, name, kind, value)
        for time_ms, name, kind, value, session, project in ledger.db.execute(
            "SELECT m.time, m.session, m.kind, m.value, s.name, p.name FROM milestones m"
            " JOIN files f ON f.id = m.file JOIN names s ON s.id = m.session JOIN names p ON p.id = f.project"
        )
        if is_chosen(project, session, time_ms)
    }
    return Chosen(frozenset(calls), frozenset(turns), milestones, len(sessions))


def forget(ledger: Ledger, chosen: Chosen) -> None:
    """Remove calls and turns, with the names and paths that nothing else uses, and keep their keys."""
    db = ledger.db
    db.execute("PRAGMA secure_delete = ON")  # or the rows would stay readable in the file
    with ledger.writing():
        db.executemany(
            "INSERT OR IGNORE INTO forgotten VALUES (?)",
            ((key,) for key in {*chosen.calls, *chosen.turns, *chosen.milestones}),
        )
        for table in ("calls", "turns"):
            db.execute(f"DELETE FROM {table} WHERE key IN forgotten")  # noqa: S608
        db.executemany(
            "DELETE FROM milestones WHERE time = ? AND session = ? AND kind = ? AND value = ?",
            chosen.milestones.values(),
        )
        unused = db.execute(
            "SELECT path FROM files WHERE id NOT IN (SELECT file FROM calls UNION SELECT file FROM turns)"
        ).fetchall()
        # the cursor of a transcript on disk stays, so that it is not read again
        deleted = [row for row in unused if not is_there(Path(row[0]))]
        db.executemany("DELETE FROM files WHERE path = ?", deleted)
        db.execute("DELETE FROM milestones WHERE file NOT IN (SELECT id FROM files)")
        db.execute(_UNUSED_NAMES)
    db.execute("PRAGMA wal_checkpoint(TRUNCATE)")


_UNUSED_NAMES = """
DELETE FROM names WHERE id NOT IN (
    SELECT session FROM calls UNION SELECT branch FROM calls UNION SELECT skill FROM calls UNION SELECT model FROM calls
    UNION SELECT session FROM files UNION SELECT project FROM files UNION SELECT coalesce(agent, 0) FROM files
    UNION SELECT session FROM milestones
)"""


def _calls(ledger: Ledger) -> Iterator[tuple[Call, str]]:
    files = [row[0] for row in ledger.db.execute("SELECT id FROM files")]
    view = View(ledger, files, Span())
    yield from view.plain()
    yield from ((call, project) for call, project, _ in view.merged())
