"""Prints tokens and cost, counted from the transcripts on this machine.

Needs no server. Imports little, because start-up would take most of its time: not even typer.
"""

import math
import os
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import msgspec

from ccship.cli.times import span
from ccship.cli.usage_table import cost_of, table_of
from ccship.hook import state_folder
from ccship.ledger.calls import iso_of
from ccship.ledger.store import FILE_NAME
from ccship.ledger.sums import Span
from ccship.pricing.cache import PriceMemory
from ccship.transcript.files import check_named, none_found, transcripts_in, transcripts_of
from ccship.usage.dimensions import By, dimension
from ccship.usage.query import Query, Report
from ccship.usage.report import Row, total_of
from ccship.usage.source import counted


@dataclass(frozen=True, slots=True)
class UsageOptions:
    """The options of `ccship usage`. `lean` parses them by these names and types."""

    paths: tuple[Path, ...] = ()
    claude_dir: Path = Path("~/.claude")
    by: By = "day"
    since: str | None = None
    until: str | None = None
    on_disk: bool = False
    recount: bool = False
    as_json: bool = False


def report(options: UsageOptions) -> int:
    """Print the report; return the exit code."""
    begin, end = span(options.since, options.until)
    folder = Path(state_folder(os.environ))
    prices = PriceMemory(folder / "prices.json")
    query = Query(dimension(options.by, datetime.astimezone), Span(_ms(begin), _ms(end)), prices.tariff_of)
    root = None if options.paths else os.path.realpath(options.claude_dir.expanduser())
    ledger_file = None if options.paths else folder / FILE_NAME
    transcripts = _transcripts(options.paths, options.claude_dir.expanduser())
    if not transcripts and (ledger_file is None or not ledger_file.exists()):
        raise none_found(options.paths or [options.claude_dir.expanduser()])
    report, problems, note = counted(
        ledger_file,
        transcripts,
        lambda ledger: query.read(ledger, root, transcripts, on_disk=options.on_disk),
        recount=options.recount,
    )
    prices.save()
    for problem in (*problems, *filter(None, [note])):
        print(f"ccship: {problem}", file=sys.stderr)
    if options.as_json:
        sys.stdout.buffer.write(_document(report, options.by, problems))
    elif report.rows:
        print(_text(report, options.by))
    else:
        print("no LLM calls" + (" in the given time range" if begin or end else " in these transcripts"))
    return 1 if problems else 0


def _ms(moment: datetime | None) -> int | None:
    return None if moment is None else math.ceil(moment.timestamp() * 1000)


def _transcripts(paths: tuple[Path, ...], claude_dir: Path) -> list[Path]:
    for path in paths:
        check_named(path)
    transcripts = [file for path in paths for file in _at(path)] if paths else transcripts_of(_real(claude_dir))
    return list(dict.fromkeys(transcripts))


def _at(path: Path) -> Sequence[Path]:
    if path.is_dir():
        return transcripts_in(path)
    from ccship.transcript.discover import sessions_at  # noqa: PLC0415 - pydantic, and only a file needs it

    return [file for session in sessions_at([path]) for file in session.paths]


def _real(claude_dir: Path) -> Path:
    """Return a folder without links, if it exists: the ledger identifies transcripts by their paths."""
    return Path(os.path.realpath(claude_dir)) if claude_dir.is_dir() else claude_dir


def _text(report: Report, by: By) -> str:
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
    total = total_of(report.rows)
    lines = table_of([(_label(row, by, report), row) for row in report.rows], total, by, width)
    if total.unpriced:
        models = ", ".join(f"{model or 'no name'} ({tokens:,} tokens)" for model, tokens in total.unpriced.items())
        lines.append(f"* cost excludes {models}: no price known, the true cost is higher")
    if total.lower_bound_calls:
        lines.append(
            f"{total.lower_bound_calls:,} of {total.calls:,} calls have no final token count: "
            "their output and cost are lower bounds"
        )
    if report.deleted_sessions:
        number = report.deleted_sessions
        lines.append(f"includes {number:,} session{'s' * (number > 1)} from deleted transcripts")
    return "\n".join(lines)


def _label(row: Row, by: By, report: Report) -> str:
    (key,) = row.keys
    match by:
        case "project":
            return _directory(key, report)
        case "session":
            return f"{key} {Path(_directory(row.project, report)).name}"
        case _:
            return key


def _directory(project: str, report: Report) -> str:
    """Return a project's working directory, with `~` for home; the name of its folder if unknown."""
    directory = report.directories.get(project, project)
    home = str(Path.home())
    return f"~{directory.removeprefix(home)}" if directory.startswith(f"{home}/") else directory


def _document(report: Report, by: By, problems: list[str]) -> bytes:
    document = {
        "by": by,
        "rows": [{by: row.keys[0], **_fields(row), **_of_session(row, by, report)} for row in report.rows],
        "total": _fields(total_of(report.rows)),
        "deleted_sessions": report.deleted_sessions,
        "problems": problems,
    }
    return msgspec.json.format(msgspec.json.encode(document), indent=2) + b"\n"


def _of_session(row: Row, by: By, report: Report) -> dict[str, str | None]:
    if by not in ("session", "project"):
        return {}
    directory = {"directory": report.directories.get(row.project)}
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
        "first": None if row.first_ms is None else iso_of(row.first_ms),
        "last": None if row.last_ms is None else iso_of(row.last_ms),
    }
