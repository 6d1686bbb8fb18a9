"""What the commands have in common when they print: plain and stable where nobody looks, one document for programs."""

import sys
from datetime import datetime
from typing import Annotated

import orjson
import typer

JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]


def print_json(document: object) -> None:
    """One JSON document on stdout."""
    sys.stdout.buffer.write(orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_NON_STR_KEYS) + b"\n")
    sys.stdout.buffer.flush()


def local_time(seconds: float | None) -> str:
    """A moment (seconds since the epoch) on the wall's clock, to the minute."""
    return datetime.fromtimestamp(seconds).astimezone().strftime("%Y-%m-%d %H:%M") if seconds else ""


def iso_time(seconds: float | None) -> str | None:
    """A moment (seconds since the epoch) for programs: with its offset, to the second."""
    return datetime.fromtimestamp(seconds).astimezone().isoformat(timespec="seconds") if seconds else None
