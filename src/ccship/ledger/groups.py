"""Reads the ledger: sums of calls by some of their columns, each call once however many transcripts contain it.

Calls that only one transcript contains are summed by SQLite. The copies of the others are merged here: a call belongs
to the transcript that began first. All statements of a reading see the ledger at one moment.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import groupby

from ccship.ledger.calls import Call, Tokens, merged, with_advisors
from ccship.ledger.scan import MilestoneKind
from ccship.ledger.store import SELECT_CALLS, Ledger, call_of
from ccship.ledger.sums import BIN_MS, DAY_MS, Column, Group, Span

_SQL: dict[Column, str] = {
    "bin": f"c.time / {BIN_MS}",
    "time": "c.time",
    "session": "c.session",
    "project": "f.project",
    "branch": "c.branch",
    "skill": "c.skill",
    "agent": "CASE c.inline WHEN 1 THEN 0 ELSE f.agent END",
    "reads": "c.reads",
    "miss": "c.miss",
}
_NAMES: frozenset[Column] = frozenset({"session", "project", "branch", "skill", "agent"})
"""Columns that contain the id of a name; 0 is a name that no transcript contains."""

INLINE = "inline subagent"
"""The agent of a subagent inside the main transcript (Claude Code 1.0)."""

_PROMPT = "(c.input + c.cache_read + c.cache_write_5m + c.cache_write_1h)"

_SUMS = (
    "count(*), sum(c.input), sum(c.output), sum(c.cache_read), sum(c.cache_write_5m), sum(c.cache_write_1h),"
    f" count(*) - sum(c.final), min(c.time), max(c.time), max({_PROMPT})"
)


_COMPACTIONS = "SELECT file, time FROM milestones WHERE kind = 'compaction' ORDER BY time"


class View:
    """A part of the ledger: the calls of some transcripts in a time range. Use it inside `reading`, once."""

    def __init__(self, ledger: Ledger, files: Collection[int], span: Span) -> None:
        self._db = ledger.db
        self._span = span
        self._names: dict[int, str] = {0: INLINE}
        self._names.update(self._db.execute("SELECT id, name FROM names"))
        self._chosen = "1"
        if self._db.execute("SELECT count(*) FROM files").fetchone()[0] != len(files):
            self._db.execute("CREATE TEMP TABLE chosen (file INTEGER PRIMARY KEY)")
            self._db.executemany("INSERT INTO chosen VALUES (?)", ((file,) for file in files))
            self._chosen = "c.file IN chosen"
        if not span.is_open:  # few calls: the other statements then read only these, with all copies
            where, values = _within(span)
            self._db.execute("CREATE TEMP TABLE dated (key INTEGER PRIMARY KEY)")
            self._db.execute(
                # without the hint, SQLite reads all calls, because their order is that of the result
                f"INSERT OR IGNORE INTO dated SELECT c.key FROM calls c INDEXED BY calls_by_time WHERE {where}",  # noqa: S608
                values,
            )
        self._calls = self._chosen + ("" if span.is_open else " AND c.key IN dated")
        self._db.execute(
            f"CREATE TEMP TABLE copies AS SELECT c.key FROM calls c WHERE {self._calls}"  # noqa: S608
            " GROUP BY c.key HAVING count(*) > 1"
        )
        self._plain = f"{self._calls} AND c.advice IS NULL AND c.key NOT IN copies"

    def models(self) -> list[tuple[str, bool]]:
        """Return the models of the calls, without those of advisors; in fast mode or not."""
        rows = self._db.execute(f"SELECT DISTINCT c.model, c.fast FROM calls c WHERE {self._calls}")  # noqa: S608
        return [(self._names[model], bool(fast)) for model, fast in rows]

    def times(self) -> list[int]:
        """Return the times of all calls, sorted, whatever the time range."""
        rows = self._db.execute(f"SELECT DISTINCT time FROM calls c WHERE {self._chosen} AND time IS NOT NULL")  # noqa: S608
        return sorted(row[0] for row in rows)

    def milestones(self, kind: MilestoneKind) -> dict[str, list[tuple[int, str]]]:
        """Return the commits or pull requests of each session, by time."""
        found: dict[str, set[tuple[int, str]]] = defaultdict(set)
        rows = self._db.execute(
            f"SELECT c.session, c.time, c.value FROM milestones c WHERE {self._chosen} AND c.kind = ?",  # noqa: S608
            (kind,),
        )
        for session, time_ms, value in rows:
            found[self._names[session]].add((time_ms, value))
        return {session: sorted(milestones) for session, milestones in found.items()}

    def groups(self, columns: Sequence[Column], steps: Sequence[int]) -> Iterator[Group]:
        """Yield sums by `columns`. `steps`: numbers of prompt tokens above which a price may change."""
        yield from self._summed(columns, steps)
        for call, project, agent in self.merged():
            if self._span.contains(call.time_ms):
                yield from (_alone(each, project, agent, columns) for each in with_advisors([call]))

    def plain(self) -> Iterator[tuple[Call, str]]:
        """Yield calls without copies and advisors, each with its project."""
        rows = self._db.execute(
            SELECT_CALLS.replace("SELECT", "SELECT p.name,")
            + f" JOIN files f ON f.id = c.file JOIN names p ON p.id = f.project WHERE {self._plain}"
        )
        yield from ((call_of(tuple(row)), project) for project, *row in rows)

    def transcripts(self) -> Iterator[tuple[str, list[tuple[Call, bool]], list[int]]]:
        """Yield each transcript: its project, its calls by time, and the times of its compactions.

        A call counts in the time range, and only in the transcript to which it belongs.
        """
        compactions: dict[int, list[int]] = defaultdict(list)
        for file, time_ms in self._db.execute(_COMPACTIONS):
            compactions[file].append(time_ms)
        rows = self._db.execute(
            SELECT_CALLS.replace("SELECT", "SELECT f.id, p.name,")
            + " JOIN files f ON f.id = c.file JOIN names p ON p.id = f.project"
            + f" WHERE {self._chosen} ORDER BY f.began, f.path, c.time, c.key"
        )
        seen: set[str] = set()
        for (file, project), of_file in groupby(rows, key=lambda row: (row[0], row[1])):
            calls = [call_of(tuple(row[2:])) for row in of_file]
            yield (
                project,
                [(call, call.key not in seen and self._span.contains(call.time_ms)) for call in calls],
                compactions[file],
            )
            seen.update(call.key for call in calls)

    def merged(self) -> Iterator[tuple[Call, str, str | None]]:
        """Yield calls with copies or advisors, each with its project and agent."""
        rows = self._db.execute(
            SELECT_CALLS.replace("SELECT", "SELECT p.name, f.agent,")
            + " JOIN files f ON f.id = c.file JOIN names p ON p.id = f.project"
            + f" WHERE NOT ({self._plain}) AND {self._calls} ORDER BY f.began, f.path"
        )
        calls: dict[str, tuple[Call, str, str | None]] = {}
        for project, agent, *row in rows:
            call = call_of(tuple(row))
            name = INLINE if call.is_inline else self._names[agent] if agent is not None else None
            earlier = calls.get(call.key)
            calls[call.key] = (merged(earlier[0], call), *earlier[1:]) if earlier else (call, project, name)
        yield from calls.values()

    def _summed(self, columns: Sequence[Column], steps: Sequence[int]) -> Iterator[Group]:
        step = " + ".join(f"({_PROMPT} > {tokens})" for tokens in steps) or "0"
        keys = ["c.model", "c.fast", f"c.time / {DAY_MS}", step, *(_SQL[column] for column in columns)]
        within, values = _within(self._span)
        where = f"{self._plain} AND {within}"
        tables = "calls c JOIN files f ON f.id = c.file" if _needs_files(columns) else "calls c"
        order = ", ".join(map(str, range(1, len(keys) + 1)))
        statement = f"SELECT {', '.join(keys)}, {_SUMS} FROM {tables} WHERE {where} GROUP BY {order}"  # noqa: S608
        names = self._names
        for model, fast, day, _, *rest in self._db.execute(statement, values):
            keys_of, (count, *tokens, lower, first, last, prompt) = rest[: len(columns)], rest[len(columns) :]
            found = {
                column: names[value] if column in _NAMES and value is not None else value
                for column, value in zip(columns, keys_of, strict=True)
            }
            yield Group(names[model], bool(fast), day, prompt, count, Tokens(*tokens), lower, first, last, found)


@contextmanager
def reading(ledger: Ledger) -> Iterator[None]:
    """See the ledger at one moment, whatever other processes write."""
    ledger.db.execute("PRAGMA temp_store = MEMORY")
    ledger.db.execute("BEGIN")
    try:
        yield
    finally:
        ledger.db.execute("ROLLBACK")


def files_under(ledger: Ledger, root: str | None) -> dict[str, int]:
    """Return the transcripts of a folder that the ledger contains, deleted ones too; all if it is None."""
    rows: Iterable[tuple[str, int]] = ledger.db.execute("SELECT path, id FROM files")
    return {path: file for path, file in rows if root is None or path.startswith(f"{root}/")}


def sessions_only_in(
    ledger: Ledger, files: Collection[int], others: Collection[int], span: Span, is_chosen: Callable[[str], bool]
) -> int:
    """Return the number of sessions with calls in a time range in some files, and no transcript among others.

    `is_chosen(project)` decides which projects count.
    """
    if not files:
        return 0
    query = "SELECT f.id, f.session, p.name FROM files f JOIN names p ON p.id = f.project"
    sessions = {file: session for file, session, project in ledger.db.execute(query) if is_chosen(project)}
    wanted = {sessions.get(file) for file in files} - {sessions.get(file) for file in others} - {None}
    rows = ledger.db.execute("SELECT file, time FROM calls")
    return len({sessions[file] for file, time_ms in rows if sessions.get(file) in wanted and span.contains(time_ms)})


def rows_within(ledger: Ledger, span: Span) -> int:
    """Return the number of rows of calls in a time range: it changes when older calls are entered or forgotten."""
    where, values = _within(span)
    return int(ledger.db.execute(f"SELECT count(*) FROM calls c WHERE {where}", values).fetchone()[0])  # noqa: S608


def directories(ledger: Ledger) -> dict[str, str]:
    """Return the working directory of each project whose transcripts name it."""
    rows = ledger.db.execute(
        "SELECT n.name, f.directory FROM files f JOIN names n ON n.id = f.project"
        " WHERE f.directory IS NOT NULL ORDER BY f.began DESC, f.path DESC"
    )
    return dict(rows.fetchall())


def _within(span: Span) -> tuple[str, list[int]]:
    """Return a condition for calls of a time range, and its values."""
    limits = [(sign, limit) for sign, limit in ((">=", span.since_ms), ("<", span.until_ms)) if limit is not None]
    return " AND ".join(("1", *(f"c.time {sign} ?" for sign, _ in limits))), [limit for _, limit in limits]


def _needs_files(columns: Sequence[Column]) -> bool:
    return not {"project", "agent"}.isdisjoint(columns)


def _alone(call: Call, project: str, agent: str | None, columns: Sequence[Column]) -> Group:
    import json  # noqa: PLC0415 - few calls have copies

    time_ms = call.time_ms
    of_call: dict[Column, str | int | None] = {
        "bin": None if time_ms is None else time_ms // BIN_MS,
        "time": time_ms,
        "session": call.session,
        "project": project,
        "branch": call.branch,
        "skill": call.skill,
        "agent": agent,
        "reads": json.dumps(call.reads) if call.reads else None,
        "miss": call.miss or None,
    }
    return Group(
        call.model,
        call.fast,
        None if time_ms is None else time_ms // DAY_MS,
        call.tokens.prompt,
        1,
        call.tokens,
        not call.is_final,
        time_ms,
        time_ms,
        {column: of_call[column] for column in columns},
    )
