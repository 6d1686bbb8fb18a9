"""`ccship status`: print the progress of every session, and failures."""

import sys
import time
from collections.abc import Iterator
from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text

from ccship import config
from ccship.cli.output import Cell, JsonOption, console, counted, iso_time, local_time, print_json, print_table
from ccship.errors import ConfigError
from ccship.observations.line_outcomes import RecordCounts
from ccship.state.overview import DestinationStatus, Overview, SessionStatus
from ccship.state.overview import overview as read_overview
from ccship.transcript.files import printable

_ROWS = 15
"""Sessions shown per destination, so that the output fits one screen."""

_TYPES = 4
"""Types of ignored records that are listed by name."""

_EVERY_S = 2.0


def status(
    *,
    show_all: Annotated[
        bool, typer.Option("--all", help="Show every session, not only the newest and the unfinished")
    ] = False,
    watch: Annotated[bool, typer.Option("--watch", help="Refresh every two seconds until ^C")] = False,
    as_json: JsonOption = False,
) -> int:
    """Show the progress of every session, and failures.

    Counts records: shipped, pending, dead-lettered (refused by the server) and ignored.
    """
    if watch and (as_json or not sys.stdout.isatty()):
        raise ConfigError("--watch needs a terminal and cannot be combined with --json")
    overview = read_overview(config.load())
    if as_json:
        print_json(_document(overview))
    elif watch:
        _watch(show_all=show_all)
    else:
        _show(overview, console(), show_all=show_all)
    return 0 if _is_complete(overview) else 1


def _watch(*, show_all: bool) -> None:
    to = console()
    try:
        with to.screen(hide_cursor=True):
            while True:
                to.clear()
                _show(read_overview(config.load()), to, show_all=show_all)
                time.sleep(_EVERY_S)
    except KeyboardInterrupt:
        return


def _is_complete(overview: Overview) -> bool:
    sessions = (session for status in overview.destinations for session in status.sessions)
    return not overview.problems and all(session.is_complete for session in sessions)


def _show(overview: Overview, to: Console, *, show_all: bool) -> None:
    for n, status in enumerate(overview.destinations):
        if n:
            to.print()
        _show_destination(status, to, show_all=show_all)
    if overview.unread:
        size = sum(session.size for session in overview.unread) / 1e6
        never_shipped = f"{counted(len(overview.unread), 'session')} ({size:,.1f} MB)"
        to.print(f"Never shipped: {never_shipped}. Run `ccship backfill` to ship them.")
    if overview.excluded:
        to.print(f"Excluded by your settings: {counted(len(overview.excluded), 'session')}.")
    for problem in overview.problems:
        to.print(Text(problem, style="red"), soft_wrap=True)
    if not (overview.destinations or overview.unread or overview.excluded):
        to.print("No transcripts found, and nothing shipped yet. Check CLAUDE_CONFIG_DIR, or use Claude Code once.")


def _show_destination(status: DestinationStatus, to: Console, *, show_all: bool) -> None:
    to.print(
        Text("  ".join(filter(None, (status.base_url, status.account, _name(status)))), style="bold"), soft_wrap=True
    )
    if status.retry_at and status.retry_at > time.time():
        to.print(f"paused after a failure until {local_time(status.retry_at)}", style="yellow")
    unfinished = [session for session in status.sessions if not session.is_complete]
    shown = [*unfinished, *(session for session in status.sessions if session.is_complete)]
    shown = shown if show_all else shown[:_ROWS]
    headers = ("session", "project", ">shipped", ">pending", ">dead", ">ignored", "last shipped")
    print_table(to, headers, map(_row, shown), flexible="project")
    if len(shown) < len(status.sessions):
        to.print(f"... and {len(status.sessions) - len(shown):,} more (show with --all)")
    to.print(_balance(status.counts), soft_wrap=True)
    for line in _failures(status):
        to.print(Text(line, style="red"), soft_wrap=True)


def _name(status: DestinationStatus) -> str | None:
    """Return the name of a destination, unless it is the account, too."""
    return f"({status.name})" if status.name not in (None, "default", status.account) else None


def _row(session: SessionStatus) -> tuple[Cell, ...]:
    counts = session.counts
    return (
        session.session_id[:8],
        session.project,
        counts.shipped,
        Text(f"{counts.pending:,}", style="yellow" if counts.pending else ""),
        Text(f"{counts.dead_lettered:,}", style="red" if counts.dead_lettered else ""),
        counts.ignored.total(),
        local_time(session.shipped_at) + (" (file gone)" if session.gone else ""),
    )


def _balance(counts: RecordCounts) -> str:
    ignored = counts.ignored_by_label
    types = ", ".join(f"{count:,} {kind}" for kind, count in ignored.most_common(_TYPES))
    more = ", ..." if len(ignored) > _TYPES else ""
    return (
        f"{counts.records:,} records = {counts.shipped:,} shipped + {counts.pending:,} pending"
        f" + {counts.dead_lettered:,} dead-lettered + {counts.ignored.total():,} ignored"
        + (f" ({types}{more})" if types else "")
    )


def _failures(status: DestinationStatus) -> Iterator[str]:
    errors = {session.last_error: session for session in status.sessions if session.last_error}
    for error, session in errors.items():
        yield f"{session.session_id[:8]}: {error}"
    for reason in dict.fromkeys(letter.reason for letter in status.dead_letters):
        letters = [letter for letter in status.dead_letters if letter.reason == reason]
        yield f"dead-lettered: {counted(len(letters), 'observation')} ({reason}), for example {letters[0].name}"


def _document(overview: Overview) -> dict[str, object]:
    return {
        "complete": _is_complete(overview),
        "destinations": [_destination(status) for status in overview.destinations],
        "never_shipped": [
            {"session": session.session_id, "bytes": session.size, "paths": [printable(path) for path in session.paths]}
            for session in overview.unread
        ],
        "excluded": [session.session_id for session in overview.excluded],
        "problems": list(overview.problems),
    }


def _destination(status: DestinationStatus) -> dict[str, object]:
    return {
        "base_url": status.base_url,
        "public_key": status.account,
        "name": status.name,
        "retry_at": iso_time(status.retry_at),
        "last_shipped": iso_time(status.shipped_at),
        "records": _counts(status.counts),
        "sessions": [
            {
                "session": session.session_id,
                "project": session.project,
                "records": _counts(session.counts),
                "last_shipped": iso_time(session.shipped_at),
                "last_error": session.last_error,
                "file_gone": session.gone,
            }
            for session in status.sessions
        ],
        "dead_letters": [
            {
                "trace_id": letter.trace_id,
                "span_id": letter.span_id,
                "name": letter.name,
                "reason": letter.reason,
                "at": iso_time(letter.at),
            }
            for letter in status.dead_letters
        ],
    }


def _counts(counts: RecordCounts) -> dict[str, object]:
    return {
        "total": counts.records,
        "shipped": counts.shipped,
        "pending": counts.pending,
        "dead_lettered": counts.dead_lettered,
        "ignored": dict(sorted(counts.ignored_by_label.items())),
    }
