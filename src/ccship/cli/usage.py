"""`ccship usage`: print tokens and cost, counted from the transcripts on this machine.

Needs no server. Imports little, because start-up would take most of its time.
"""

import os
import shutil
import sys
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from ccship.cli.times import span
from ccship.cli.usage_table import cost_of, table_of
from ccship.hook import state_folder
from ccship.pricing.cache import PriceMemory
from ccship.transcript.files import check_named, none_found, transcripts_in, transcripts_of
from ccship.usage.count import Count, count
from ccship.usage.report import By, Row, rows_by, total_of, within


def usage(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(help="Transcripts or folders of transcripts (default: the Claude config folder)"),
    ] = None,
    *,
    claude_dir: Annotated[
        Path, typer.Option(help="Claude config folder", envvar="CLAUDE_CONFIG_DIR", show_envvar=True)
    ] = Path("~/.claude"),
    by: Annotated[By, typer.Option(help="Group rows by this")] = "day",
    since: Annotated[
        str | None, typer.Option(help="Only calls that began at or after this date, time or age (7d, 12h, 30m)")
    ] = None,
    until: Annotated[str | None, typer.Option(help="Only calls that began before this date, time or age")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document")] = False,
) -> int:
    """Show tokens and cost by day, model, project and more.

    Counted from the transcripts on this machine; sends nothing.
    """
    begin, end = span(since, until)
    counted = count(_transcripts(paths or [], claude_dir.expanduser()))
    prices = PriceMemory(Path(state_folder(os.environ)) / "prices.json")
    rows = rows_by(within(counted.calls, begin, end), by, prices.tariff_of, datetime.astimezone)
    prices.save()
    for problem in counted.problems:
        typer.echo(f"ccship: {problem}", err=True)
    if as_json:
        sys.stdout.buffer.write(_document(rows, by, counted))
    elif rows:
        typer.echo(_text(rows, by, counted))
    else:
        typer.echo("no LLM calls" + (" in the given time range" if begin or end else " in these transcripts"))
    return 1 if counted.problems else 0


def _transcripts(paths: list[Path], claude_dir: Path) -> list[Path]:
    for path in paths:
        check_named(path)
    transcripts = [file for path in paths for file in _at(path)] if paths else transcripts_of(claude_dir)
    if not transcripts:
        raise none_found(paths or [claude_dir])
    return list(dict.fromkeys(transcripts))


def _at(path: Path) -> Sequence[Path]:
    if path.is_dir():
        return transcripts_in(path)
    from ccship.transcript.discover import sessions_at  # noqa: PLC0415 - pydantic, and only a file needs it

    return [file for session in sessions_at([path]) for file in session.paths]


def _text(rows: list[Row], by: By, counted: Count) -> str:
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
    total = total_of(rows)
    lines = table_of([_labelled(row, by, counted) for row in rows], total, by, width)
    if total.unpriced:
        models = ", ".join(f"{model or 'no name'} ({tokens:,} tokens)" for model, tokens in total.unpriced.items())
        lines.append(f"* cost excludes {models}: no price known, the true cost is higher")
    if total.lower_bound_calls:
        lines.append(
            f"{total.lower_bound_calls:,} of {total.calls:,} calls have no final token count: "
            "their output and cost are lower bounds"
        )
    return "\n".join(lines)


def _labelled(row: Row, by: By, counted: Count) -> tuple[str, Row]:
    match by:
        case "project":
            return _directory(row.key, counted), row
        case "session":
            return f"{row.key} {Path(_directory(row.project, counted)).name}", row
        case _:
            return row.key, row


def _directory(project: str, counted: Count) -> str:
    """Return a project's working directory, with `~` for home; the name of its folder if unknown."""
    directory = counted.directories.get(project, project)
    home = str(Path.home())
    return f"~{directory.removeprefix(home)}" if directory.startswith(f"{home}/") else directory


def _document(rows: list[Row], by: By, counted: Count) -> bytes:
    document = {
        "by": by,
        "rows": [{by: row.key, **_fields(row), **_of_session(row, by, counted)} for row in rows],
        "total": _fields(total_of(rows)),
        "problems": counted.problems,
    }
    return msgspec.json.format(msgspec.json.encode(document), indent=2) + b"\n"


def _of_session(row: Row, by: By, counted: Count) -> dict[str, str | None]:
    if by not in ("session", "project"):
        return {}
    directory = {"directory": counted.directories.get(row.project)}
    return directory if by == "project" else {"project": row.project, **directory}


def _fields(row: Row) -> dict[str, object]:
    return {
        "calls": row.calls,
        "input": row.input,
        "output": row.output,
        "cache_read": row.cache_read,
        "cache_write_5m": row.cache_write_5m,
        "cache_write_1h": row.cache_write_1h,
        "cost_usd": cost_of(row),
        "unpriced_calls": row.unpriced_calls,
        "unpriced_tokens": row.unpriced,
        "lower_bound_calls": row.lower_bound_calls,
        "first": row.first or None,
        "last": row.last or None,
    }
