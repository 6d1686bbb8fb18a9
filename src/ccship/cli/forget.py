"""`ccship forget`: remove calls from the ledger."""

import os
import sqlite3
import sys
from collections.abc import Callable
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Annotated, TypeAlias

import typer

from ccship.cli.output import JsonOption, print_json
from ccship.cli.own_state import own_state_folder
from ccship.cli.times import moment
from ccship.errors import ConfigError, StateError
from ccship.ledger.forget import Chosen, choose
from ccship.ledger.forget import forget as remove
from ccship.ledger.groups import reading
from ccship.ledger.store import FILE_NAME, Ledger
from ccship.transcript.files import project_folder_name, transcripts_of

_Filter: TypeAlias = Callable[[str, str, int | None], bool]
"""Decides by project, session and time (ms since the epoch)."""


def forget(
    *,
    project: Annotated[str | None, typer.Option(help="Only projects with this in their path")] = None,
    session: Annotated[str | None, typer.Option(help="Only the sessions with this id prefix")] = None,
    older_than: Annotated[
        str | None, typer.Option(help="Only calls that began before this date, time or age (90d)")
    ] = None,
    claude_dir: Annotated[
        Path, typer.Option(help="Claude config folder", envvar="CLAUDE_CONFIG_DIR", show_envvar=True)
    ] = Path("~/.claude"),
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask")] = False,
    as_json: JsonOption = False,
) -> int:
    """Remove calls from the ledger, so that usage no longer counts them.

    Transcripts and the data in Langfuse stay. A forgotten call does not come back, also if its transcript is still on
    disk.
    """
    if project is None and session is None and older_than is None:
        raise ConfigError("name what to forget: --project, --session or --older-than")
    if session == "" or (project is not None and not project.strip("/")):
        raise ConfigError("--project and --session need a text: an empty one would match everything")
    is_chosen = _filter(project, session, moment(older_than))
    folder = Path(os.path.realpath(claude_dir.expanduser()))
    path = own_state_folder() / FILE_NAME
    try:
        return _forget(path, folder, is_chosen, yes=yes, as_json=as_json)
    except sqlite3.OperationalError as error:
        raise StateError(f"{path} cannot be used now: {error}") from error
    except sqlite3.DatabaseError as error:
        raise StateError(f"{path} is damaged ({error}): run ccship usage --recount, then repeat") from error


def _forget(path: Path, folder: Path, is_chosen: _Filter, *, yes: bool, as_json: bool) -> int:
    with closing(Ledger(path)) as ledger:
        if (folder / "projects").is_dir():
            ledger.catch_up(transcripts_of(folder))  # or the next report would enter them
        with reading(ledger):
            chosen = choose(ledger, is_chosen)
        is_nothing = not chosen.calls and not chosen.turns
        if not as_json:
            typer.echo("nothing to forget: no call in the ledger matches" if is_nothing else _plan(chosen))
        if not is_nothing:
            if not yes:
                _confirm()
            remove(ledger, chosen)
    if as_json:
        print_json({"calls": len(chosen.calls), "turns": len(chosen.turns), "sessions": chosen.sessions})
    elif not is_nothing:
        typer.echo("forgotten")
    return 0


def _filter(project: str | None, session: str | None, end: datetime | None) -> _Filter:
    part = None if project is None else project_folder_name(project.rstrip("/"))
    end_ms = None if end is None else end.timestamp() * 1000

    def is_chosen(folder: str, session_id: str, time_ms: int | None) -> bool:
        return (
            (part is None or part in folder)
            and (session is None or session_id.startswith(session))
            and (end_ms is None or (time_ms is not None and time_ms < end_ms))
        )

    return is_chosen


def _plan(chosen: Chosen) -> str:
    return (
        f"forgets {len(chosen.calls):,} calls and {len(chosen.turns):,} turns of {chosen.sessions:,} sessions;"
        " transcripts and Langfuse stay as they are"
    )


def _confirm() -> None:
    if not sys.stdin.isatty():
        raise ConfigError("nothing was forgotten: add --yes")
    if not typer.confirm("Forget them?", err=True):
        raise ConfigError("cancelled, nothing was forgotten")
