"""Prints tokens and cost, counted from the transcripts on this machine.

Needs no server. Imports little, because start-up would take most of its time: not even typer.
"""

import math
import os
import shutil
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TypeAlias, get_args

from ccship.cli.own_state import own_state_folder
from ccship.cli.times import span
from ccship.cli.usage_document import csv_of, document
from ccship.cli.usage_table import table_of
from ccship.errors import ConfigError
from ccship.ledger.store import FILE_NAME, Ledger
from ccship.ledger.sums import Span
from ccship.pricing.cache import PriceMemory
from ccship.transcript.files import check_named, none_found, transcripts_in, transcripts_of
from ccship.usage.dimensions import NOTES, By, names_in, ticket_in
from ccship.usage.query import Query, Report
from ccship.usage.report import Row, total_of
from ccship.usage.source import read_ledger


@dataclass(frozen=True, slots=True)
class UsageOptions:
    """The options of `ccship usage`. `lean` parses them by these names and types."""

    paths: tuple[Path, ...] = ()
    claude_dir: Path = Path("~/.claude")
    by: str = "day"
    since: str | None = None
    until: str | None = None
    project: str | None = None
    model: str | None = None
    on_disk: bool = False
    recount: bool = False
    as_csv: bool = False
    as_json: bool = False


CACHE = "cache"
"""The first argument that asks for the report on the prompt cache. A folder of this name needs its full path."""


def report(options: UsageOptions) -> int:
    """Print the report; return the exit code."""
    if options.as_csv and options.as_json:
        raise ConfigError("--csv and --json exclude each other")
    is_cache = options.paths[:1] == (Path(CACHE),)
    if is_cache:
        options = replace(options, paths=options.paths[1:])
        if options.as_csv or options.by != UsageOptions().by:
            raise ConfigError("usage cache has neither --by nor --csv")
    folder = own_state_folder()
    prices = PriceMemory(folder / "prices.json")
    query = _query(options, prices)
    show = _show_cache if is_cache else _show_rows
    output, problems, note = _counted(options, folder, lambda *args: show(query, options, *args))
    prices.save()
    for problem in (*problems, *filter(None, [note])):
        print(f"ccship: {problem}", file=sys.stderr)
    sys.stdout.write(output(problems))
    return 1 if problems else 0


_Shown: TypeAlias = Callable[[list[str]], str]
"""Returns the output; its argument is what could not be read."""


def _counted(
    options: UsageOptions, folder: Path, show: Callable[[Ledger, str | None, list[Path]], _Shown]
) -> tuple[_Shown, list[str], str | None]:
    root = None if options.paths else os.path.realpath(options.claude_dir.expanduser())
    ledger_file = None if options.paths else folder / FILE_NAME
    transcripts = _transcripts(options.paths, options.claude_dir.expanduser())
    if not transcripts and (ledger_file is None or not ledger_file.exists()):
        raise none_found(options.paths or [options.claude_dir.expanduser()])
    return read_ledger(
        ledger_file, transcripts, lambda ledger: show(ledger, root, transcripts), recount=options.recount
    )


def _query(options: UsageOptions, prices: PriceMemory) -> Query:
    begin, end = span(options.since, options.until)
    by = names_in(options.by)
    if not by:
        known = ", ".join(get_args(By))
        raise ConfigError(f"--by {options.by} is invalid: name one or two, separated by a comma, of {known}")
    return Query(
        by,
        Span(_ms(begin), _ms(end)),
        prices.tariff_of,
        datetime.astimezone,
        _ticket() if "ticket" in by else lambda _: None,
        options.project,
        options.model,
    )


def _show_rows(
    query: Query, options: UsageOptions, ledger: Ledger, root: str | None, transcripts: list[Path]
) -> _Shown:
    found = query.read(ledger, root, transcripts, on_disk=options.on_disk)
    if options.as_json:
        return lambda problems: document(found, query.by, problems).decode()
    if options.as_csv:
        return lambda _: csv_of(found, query.by)
    if found.rows:
        return lambda _: _text(found, query.by) + "\n"
    filters = (options.since, options.until, options.project, options.model)
    return lambda _: "no LLM calls " + ("match" if any(filters) else "in these transcripts") + "\n"


def _show_cache(
    query: Query, options: UsageOptions, ledger: Ledger, root: str | None, transcripts: list[Path]
) -> _Shown:
    from ccship.cli.cache_report import cache_document, cache_text  # noqa: PLC0415 - most reports do not need it

    found = query.cache(ledger, root, transcripts, on_disk=options.on_disk)
    if options.as_json:
        return lambda problems: cache_document(found, problems).decode()
    return lambda _: cache_text(found) + "\n"


def _ticket() -> Callable[[str], str | None]:
    from ccship import config  # noqa: PLC0415 - pydantic, and only tickets need a setting

    return ticket_in(config.load().ticket)


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


def _text(report: Report, by: tuple[By, ...]) -> str:
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
    total = total_of(report.rows)
    lines = table_of([(_labels(row, by, report), row) for row in report.rows], total, by, width)
    if total.unpriced:
        models = ", ".join(f"{model or 'no name'} ({tokens:,} tokens)" for model, tokens in total.unpriced.items())
        lines.append(f"* cost excludes {models}: no price known, the true cost is higher")
    if total.lower_bound_calls:
        lines.append(
            f"{total.lower_bound_calls:,} of {total.calls:,} calls have no final token count: "
            "their output and cost are lower bounds"
        )
    lines += [NOTES[name] for name in by if name in NOTES]
    if report.deleted_sessions:
        number = report.deleted_sessions
        lines.append(f"includes {number:,} session{'s' * (number > 1)} from deleted transcripts")
    lines.append("cost at API prices")
    return "\n".join(lines)


def _labels(row: Row, by: tuple[By, ...], report: Report) -> list[str]:
    return [_label(name, key, row, report) for name, key in zip(by, row.keys, strict=True)]


def _label(name: By, key: str, row: Row, report: Report) -> str:
    match name:
        case "project":
            return _directory(key, report)
        case "session":
            return f"{key} {Path(_directory(row.project, report)).name}"
        case "pr":
            return key.removeprefix("https://")
        case _:
            return key


def _directory(project: str, report: Report) -> str:
    """Return a project's working directory, with `~` for home; the name of its folder if unknown."""
    directory = report.directories.get(project, project)
    home = str(Path.home())
    return f"~{directory.removeprefix(home)}" if directory.startswith(f"{home}/") else directory
