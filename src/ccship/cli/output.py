"""What the commands have in common when they print: plain and stable where nobody looks, one document for programs."""

import sys
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Annotated, TypeAlias

import orjson
import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]

Cell: TypeAlias = str | int | Text

_UNBOUNDED = 10_000
"""Columns where nobody looks: what is piped is not cut."""


def console(*, stderr: bool = False) -> Console:
    """Where people look; wide enough for everything where nobody does."""
    found = Console(stderr=stderr, highlight=False)
    return found if found.is_terminal else Console(stderr=stderr, highlight=False, width=_UNBOUNDED)


def print_table(to: Console, headers: Sequence[str], rows: Iterable[Sequence[Cell]], *, flexible: str) -> None:
    """A table without lines; numbers stand to the right, and `flexible` gives way where the terminal is narrow.

    A header that begins with `>` heads a column of numbers.
    """
    table = Table(box=None, pad_edge=False, header_style="bold")
    for header in headers:
        name = header.removeprefix(">")
        table.add_column(
            name,
            justify="right" if header != name else "left",
            no_wrap=True,
            overflow="ellipsis",
            ratio=1 if name == flexible and to.width < _UNBOUNDED else None,
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
    """One JSON document on stdout."""
    sys.stdout.buffer.write(orjson.dumps(document, option=orjson.OPT_INDENT_2) + b"\n")
    sys.stdout.buffer.flush()


def counted(count: int, noun: str) -> str:
    """`1 session`, `2,000 sessions`."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def local_time(seconds: float | None) -> str:
    """A moment (seconds since the epoch) on the wall's clock, to the minute."""
    return datetime.fromtimestamp(seconds).astimezone().strftime("%Y-%m-%d %H:%M") if seconds else ""


def iso_time(seconds: float | None) -> str | None:
    """A moment (seconds since the epoch) for programs: with its offset, to the second."""
    return datetime.fromtimestamp(seconds).astimezone().isoformat(timespec="seconds") if seconds else None
