"""`ccship status`: how far every session is, and what failed."""

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
from ccship.shares import Books
from ccship.survey import Standing, Standings, Survey, survey

_ROWS = 15
"""Sessions of a destination that are shown, so that it stays one screen."""

_TYPES = 4
"""Types of ignored records that are named."""

_EVERY_S = 2.0


def status(
    *,
    every: Annotated[
        bool, typer.Option("--all", help="Show every session, not only the newest and the unfinished.")
    ] = False,
    watch: Annotated[bool, typer.Option("--watch", help="Show it again every two seconds, until ^C.")] = False,
    as_json: JsonOption = False,
) -> int:
    """Show how far every session is: records shipped, pending, dead-lettered and ignored, and what failed last."""
    if watch and (as_json or not sys.stdout.isatty()):
        raise ConfigError("--watch needs a terminal, and no --json")
    found = survey(config.load())
    if as_json:
        print_json(_document(found))
    elif watch:
        _watch(every=every)
    else:
        _show(found, console(), every=every)
    return 0 if _is_complete(found) else 1


def _watch(*, every: bool) -> None:
    to = console()
    try:
        with to.screen(hide_cursor=True):
            while True:
                to.clear()
                _show(survey(config.load()), to, every=every)
                time.sleep(_EVERY_S)
    except KeyboardInterrupt:
        return


def _is_complete(found: Survey) -> bool:
    return all(session.is_complete for standings in found.destinations for session in standings.sessions)


def _show(found: Survey, to: Console, *, every: bool) -> None:
    for n, standings in enumerate(found.destinations):
        if n:
            to.print()
        _show_destination(standings, to, every=every)
    if found.unread:
        size = sum(session.size for session in found.unread) / 1e6
        to.print(f"Never shipped: {counted(len(found.unread), 'session')} ({size:,.1f} MB); `ccship backfill` does it.")
    if found.excluded:
        to.print(f"Excluded by your settings: {counted(len(found.excluded), 'session')}.")
    if not (found.destinations or found.unread or found.excluded):
        to.print("Nothing has been shipped yet, and there are no transcripts.")


def _show_destination(standings: Standings, to: Console, *, every: bool) -> None:
    to.print(Text(f"{standings.base_url}  {standings.public_key}", style="bold"), soft_wrap=True)
    if standings.retry_at and standings.retry_at > time.time():
        to.print(f"is left alone until {local_time(standings.retry_at)}", style="yellow")
    unfinished = [it for it in standings.sessions if not it.is_complete]
    shown = [*unfinished, *(it for it in standings.sessions if it.is_complete)]
    shown = shown if every else shown[:_ROWS]
    headers = ("session", "project", ">shipped", ">pending", ">dead", ">ignored", "last shipped")
    print_table(to, headers, map(_row, shown), flexible="project")
    if len(shown) < len(standings.sessions):
        to.print(f"... and {len(standings.sessions) - len(shown):,} more: --all")
    to.print(_balance(standings.books), soft_wrap=True)
    for line in _failures(standings):
        to.print(Text(line, style="red"), soft_wrap=True)


def _row(session: Standing) -> tuple[Cell, ...]:
    books = session.books
    return (
        session.session_id[:8],
        session.project,
        books.shipped,
        Text(f"{books.pending:,}", style="yellow" if books.pending else ""),
        Text(f"{books.dead_lettered:,}", style="red" if books.dead_lettered else ""),
        books.ignored.total(),
        local_time(session.shipped_at) + (" (file gone)" if session.gone else ""),
    )


def _balance(books: Books) -> str:
    types = ", ".join(f"{count:,} {kind}" for kind, count in books.ignored.most_common(_TYPES))
    more = ", ..." if len(books.ignored) > _TYPES else ""
    return (
        f"{books.records:,} records = {books.shipped:,} shipped + {books.pending:,} pending"
        f" + {books.dead_lettered:,} dead-lettered + {books.ignored.total():,} ignored"
        + (f" ({types}{more})" if types else "")
    )


def _failures(standings: Standings) -> Iterator[str]:
    errors = {it.last_error: it for it in standings.sessions if it.last_error}
    for error, session in errors.items():
        yield f"{session.session_id[:8]}: {error}"
    for reason in dict.fromkeys(letter.reason for letter in standings.dead_letters):
        letters = [letter for letter in standings.dead_letters if letter.reason == reason]
        yield f"dead-lettered: {counted(len(letters), 'observation')} ({reason}), such as {letters[0].name}"


def _document(found: Survey) -> dict[str, object]:
    return {
        "complete": _is_complete(found),
        "destinations": [_destination(standings) for standings in found.destinations],
        "never_shipped": [
            {"session": it.session_id, "bytes": it.size, "paths": [str(path) for path in it.paths]}
            for it in found.unread
        ],
        "excluded": [it.session_id for it in found.excluded],
    }


def _destination(standings: Standings) -> dict[str, object]:
    return {
        "base_url": standings.base_url,
        "public_key": standings.public_key,
        "retry_at": iso_time(standings.retry_at),
        "last_shipped": iso_time(standings.shipped_at),
        "records": _counts(standings.books),
        "sessions": [
            {
                "session": it.session_id,
                "project": it.project,
                "records": _counts(it.books),
                "last_shipped": iso_time(it.shipped_at),
                "last_error": it.last_error,
                "file_gone": it.gone,
            }
            for it in standings.sessions
        ],
        "dead_letters": [
            {
                "trace_id": it.trace_id,
                "span_id": it.span_id,
                "name": it.name,
                "reason": it.reason,
                "at": iso_time(it.at),
            }
            for it in standings.dead_letters
        ],
    }


def _counts(books: Books) -> dict[str, object]:
    return {
        "total": books.records,
        "shipped": books.shipped,
        "pending": books.pending,
        "dead_lettered": books.dead_lettered,
        "ignored": dict(sorted(books.ignored.items())),
    }
