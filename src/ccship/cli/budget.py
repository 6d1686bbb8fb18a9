"""`ccship budget`: print how much of each budget is spent."""

import os
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from ccship import config
from ccship.budgets.check import check
from ccship.budgets.status import Status
from ccship.cli.output import JsonOption, console, counted, print_json, print_table
from ccship.errors import ConfigError
from ccship.ledger.store import FILE_NAME
from ccship.transcript.files import transcripts_of
from ccship.usage.source import read_ledger

_BAR = 20
"""Columns of a bar."""


def budget(
    *,
    claude_dir: Annotated[
        Path | None, typer.Option(help="Claude config folder (default: $CLAUDE_CONFIG_DIR or ~/.claude)")
    ] = None,
    as_json: JsonOption = False,
) -> int:
    """Show how much of each budget is spent, with a forecast for its period.

    Budgets are tables in config.toml. The exit code is 1 if one is exceeded.
    """
    settings = config.load()
    budgets = settings.budgets
    if not budgets:
        raise ConfigError(f"no budgets: add a [[budgets]] table with name, period and usd to {settings.config_file}")
    now = datetime.now().astimezone()
    root = os.path.realpath(claude_dir or settings.claude_dir)
    statuses, problems, note = read_ledger(
        settings.state_dir / FILE_NAME,
        transcripts_of(Path(root)),
        lambda ledger: check(ledger, root, settings.state_dir, budgets, now, reread=True),
    )
    for problem in (*problems, *filter(None, [note])):
        typer.echo(f"ccship: {problem}", err=True)
    if as_json:
        print_json({"budgets": [_document(status) for status in statuses], "problems": problems})
    else:
        _print(statuses)
    return 1 if problems or any(status.is_exceeded for status in statuses) else 0


def _print(statuses: list[Status]) -> None:
    rows = [
        (
            status.budget.name,
            status.period.key,
            _usd(status.spent_usd),
            _usd(status.budget.usd),
            f"{status.share:.0%}",
            _bar(status),
            _usd(status.forecast_usd),
        )
        for status in statuses
    ]
    headers = ("budget", "period", ">spent", ">of", ">", "", ">forecast")
    print_table(console(), headers, rows, flexible="budget")
    typer.echo("Sums are at API prices, also for calls of a subscription.")
    if unpriced := max(status.unpriced for status in statuses):
        typer.echo(f"The sums exclude {counted(unpriced, 'call')} without a known price: the true cost is higher.")


def _bar(status: Status) -> Text:
    full = min(_BAR, int(status.share * _BAR))
    style = "red" if status.is_exceeded else "yellow" if status.reached else "green"
    return Text.assemble(("█" * full, style), ("░" * (_BAR - full), "dim"))


def _usd(amount: float) -> str:
    return f"${amount:,.2f}"


def _document(status: Status) -> dict[str, object]:
    budget, period = status.budget, status.period
    return {
        "name": budget.name,
        "period": period.key,
        "begins": period.start.isoformat(),
        "ends": period.end.isoformat(),
        "budget_usd": budget.usd,
        "spent_usd": round(status.spent_usd, 6),
        "share": round(status.share, 6),
        "forecast_usd": round(status.forecast_usd, 2),
        "today_usd": round(status.today_usd, 6),
        "usual_day_usd": status.usual_day_usd,
        "is_exceeded": status.is_exceeded,
        "unpriced_calls": status.unpriced,
        "projects": [pattern.text for pattern in budget.projects],
        "branches": list(budget.branches),
    }
