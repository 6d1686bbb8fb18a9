"""The parents of a session's turns: spans of other programs that contain them.

Only the worker records them, with each event of a live run, before it ships the turns. They are stored once for all
destinations. A session whose runs have had no parent so far has no rows.

Offsets are those of the main transcript, which Claude Code only appends to. If a transcript is replaced, a turn near
the beginning of a run may get the parent of another run; a session with one parent from its first turn on is not
affected.
"""

import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import quote

from ccship.observations import Parent

_OF_SESSION = "SELECT start, until, at_ns, trace_id, span_id FROM parents WHERE session = ? ORDER BY start"


@dataclass(frozen=True, slots=True)
class ParentRange:
    """The parent of the turns that begin at the offset `start` or later, up to the next range; None for no parent.

    `until`: the end of the transcript at the latest event of a run with this parent. `at_ns`: the time of that event
    (ns since the epoch).
    """

    start: int
    until: int
    at_ns: int
    parent: Parent | None


@dataclass(frozen=True, slots=True)
class RunEvent:
    """An event of a live run. `size`: of the transcript at that time; `is_start`: the run begins with it."""

    at_ns: int
    size: int
    is_start: bool
    parent: Parent | None


Ranges = tuple[ParentRange, ...]


def parent_at(ranges: Sequence[ParentRange], offset: int) -> Parent | None:
    """Return the parent of a turn whose first prompt or response is at an offset."""
    return next((found.parent for found in reversed(ranges) if found.start <= offset), None)


def changed_by(ranges: Sequence[ParentRange], event: RunEvent, shipped: int, size: int) -> ParentRange | None:
    """Return the range that an event adds, or the latest one as it changes it; None if it changes nothing.

    Args:
        ranges: The ranges of the session so far.
        event: The event. One that is not later than the latest known one changes nothing: another process has a
            request for it, too.
        shipped: The offset before which turns have been shipped; those stay as they are.
        size: The size of the transcript now. A transcript that was replaced may be shorter than before.
    """
    latest = ranges[-1] if ranges else ParentRange(0, 0, 0, None)
    if event.at_ns <= latest.at_ns or (not ranges and event.parent is None):
        return None
    if event.parent == latest.parent:
        return replace(latest, until=max(latest.until, event.size), at_ns=event.at_ns)
    start = min(max(shipped, latest.until, event.size if event.is_start else 0), size)
    return ParentRange(start, max(start, event.size), event.at_ns, event.parent)


def load_ranges(db: sqlite3.Connection, session: str) -> Ranges:
    """Return the ranges of a session, by start."""
    return tuple(_range(*row) for row in db.execute(_OF_SESSION, (session,)))


def put_range(db: sqlite3.Connection, session: str, found: ParentRange) -> None:
    """Store a range as the last one of its session."""
    db.execute("DELETE FROM parents WHERE session = ? AND start >= ?", (session, found.start))
    parent = found.parent
    db.execute(
        "INSERT INTO parents (session, start, until, at_ns, trace_id, span_id) VALUES (?, ?, ?, ?, ?, ?)",
        (session, found.start, found.until, found.at_ns, parent and parent.trace_id, parent and parent.span_id),
    )


def stored_parents(folder: Path) -> Mapping[str, Ranges]:
    """Return the ranges in a state folder by session, without changing anything there.

    Empty if there is no state, an older version wrote it, or it cannot be read: `status` reports that.
    """
    found: dict[str, Ranges] = {}
    try:
        with closing(sqlite3.connect(f"file:{quote(str(folder / 'state.db'))}?mode=ro", uri=True)) as db:
            for session, *row in db.execute(
                "SELECT session, start, until, at_ns, trace_id, span_id FROM parents ORDER BY session, start"
            ):
                found[session] = (*found.get(session, ()), _range(*row))
    except sqlite3.Error:
        return {}
    return found


def _range(start: int, until: int, at_ns: int, trace_id: str | None, span_id: str | None) -> ParentRange:
    return ParentRange(start, until, at_ns, Parent(trace_id, span_id) if trace_id and span_id else None)
