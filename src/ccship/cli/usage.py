"""`ccship usage`: tokens and cost, counted from the transcripts on this machine.

Sends nothing and needs no server. Loads as little as it can: most of its time would else be start-up.
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

from ccship.cli.moments import span
from ccship.cli.usage_table import cost_of, table_of
from ccship.hook import state_folder
from ccship.price_memory import PriceMemory
from ccship.transcript.files import check_named, none_found, transcripts_in, transcripts_of
from ccship.usage_report.count import Count, count
from ccship.usage_report.report import By, Row, rows_by, total_of, within


def usage(
    paths: Annotated[
        list[Path] | None, typer.Argument(help="Transcripts or folders of them; default: the Claude config folder.")
    ] = None,
    *,
    claude_dir: Annotated[
        Path, typer.Option(help="Claude's config folder.", envvar="CLAUDE_CONFIG_DIR", show_envvar=True)
    ] = Path("~/.claude"),
    by: Annotated[By, typer.Option(help="What the rows are.")] = "day",
    since: Annotated[
        str | None, typer.Option(help="Only calls that began at or after this: a date, a time, or an age like 7d, 12h.")
    ] = None,
    until: Annotated[str | None, typer.Option(help="Only calls that began before this.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> int:
    """Say what was used: tokens and cost by day, week, month, model, project or session."""
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
        typer.echo("no LLM calls" + (" in that time" if begin or end else ""))
    return 1 if counted.problems else 0


def _transcripts(paths: list[Path], claude_dir: Path) -> list[Path]:
    for path in paths:
        check_named(path)
    found = [file for path in paths for file in _at(path)] if paths else transcripts_of(claude_dir)
    if not found:
        raise none_found(paths or [claude_dir])
    return list(dict.fromkeys(found))


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
        lines.append(f"* without {models}: no price is known, so the true cost is higher")
    if total.lower_bound_calls:
        lines.append(
            f"{total.lower_bound_calls:,} of {total.calls:,} calls never got their final count: "
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
    """A project's working directory as people write it; the name of its folder where it is not known."""
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
    found = {"directory": counted.directories.get(row.project)}
    return found if by == "project" else {"project": row.project, **found}


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
