"""Shared output of the commands: styled tables on a terminal, plain text in a pipe, one document for `--json`."""

import sys
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Annotated, TypeAlias

import orjson
import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON document")]

Cell: TypeAlias = str | int | Text

_PIPED_WIDTH = 10_000
"""Columns of piped output: wide enough that nothing is cut."""


def console(*, stderr: bool = False) -> Console:
    """Return a console as wide as the terminal, or `_PIPED_WIDTH` columns wide in a pipe."""
    terminal = Console(stderr=stderr, highlight=False)
    return terminal if terminal.is_terminal else Console(stderr=stderr, highlight=False, width=_PIPED_WIDTH)


def print_table(to: Console, headers: Sequence[str], rows: Iterable[Sequence[Cell]], *, flexible: str) -> None:
    """Print a table without borders.

    Args:
        to: The console.
        headers: One per column; a leading `>` aligns the column to the right.
        rows: Their cells; integers get thousands separators.
        flexible: The column that is cut when the terminal is too narrow.
    """
    table = Table(box=None, pad_edge=False, header_style="bold")
    for header in headers:
        name = header.removeprefix(">")
        table.add_column(
            name,
            justify="right" if header != name else "left",
            no_wrap=True,
            overflow="ellipsis",
            ratio=1 if name == flexible and to.width < _PIPED_WIDTH else None,
            min_width=4 if name == flexible else max(len(name), 1),
        )
    for row in rows:
        table.add_row(*(f"{cell:,}" if isinstance(cell, int) else cell for cell in row))
    if to.is_terminal:
        to.print(table)
        return
    with to.capture() as captured:
        to.print(table)
    to.file.writelines(f"{line.rstrip()}\n" for line in captured.get().splitlines())


def print_json(document: object) -> None:
    """Print one JSON document to stdout."""
    sys.stdout.buffer.write(orjson.dumps(document, option=orjson.OPT_INDENT_2) + b"\n")
    sys.stdout.buffer.flush()


def counted(count: int, noun: str) -> str:
    """Format a count with its noun: `1 session`, `2,000 sessions`."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def local_time(seconds: float | None) -> str:
    """Format epoch seconds in the local time zone, to the minute; empty for None."""
    return datetime.fromtimestamp(seconds).astimezone().strftime("%Y-%m-%d %H:%M") if seconds else ""


def iso_time(seconds: float | None) -> str | None:
    """Format epoch seconds as ISO 8601 with the local offset, to the second."""
    return datetime.fromtimestamp(seconds).astimezone().isoformat(timespec="seconds") if seconds else None
