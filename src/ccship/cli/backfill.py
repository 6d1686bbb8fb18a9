"""`ccship backfill`: ship history."""

import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

from ccship import config
from ccship.backfill.crew import jobs_for, ship_lots
from ccship.backfill.hand import Books, Orders
from ccship.backfill.lots import lots_of
from ccship.cli.moments import span
from ccship.cli.output import print_json
from ccship.cli.selection import select
from ccship.cli.shipment import Choice, document, plan_text, result_text
from ccship.errors import CcshipError, ConfigError
from ccship.outbox import Report
from ccship.routing import by_destination
from ccship.ship import Window

MANY_TURNS = 1000
"""Sending more than this is asked about first."""

STDOUT = Path("-")

_errors = Console(stderr=True, highlight=False, soft_wrap=True)


def backfill(
    paths: Annotated[
        list[Path] | None, typer.Argument(help="Transcripts or folders of them; default: the Claude config folder.")
    ] = None,
    *,
    claude_dir: Annotated[
        Path | None, typer.Option(help="Claude's config folder (default: $CLAUDE_CONFIG_DIR or ~/.claude).")
    ] = None,
    session: Annotated[str | None, typer.Option(help="Only the session whose id begins so.")] = None,
    project: Annotated[str | None, typer.Option(help="Only projects with this in their path.")] = None,
    since: Annotated[
        str | None, typer.Option(help="Only turns that began at or after this: a date, a time, or an age like 7d, 12h.")
    ] = None,
    until: Annotated[str | None, typer.Option(help="Only turns that began before this.")] = None,
    limit: Annotated[
        int | None, typer.Option(min=1, help="Leave off once so many turns were sent, the oldest first.")
    ] = None,
    to: Annotated[
        Path | None, typer.Option(help="Write OTLP JSON lines to this file (- is stdout) instead of sending.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be sent, send nothing.")] = False,
    resend: Annotated[
        bool, typer.Option("--resend", help="Send also what has been sent already; ids stay the same.")
    ] = False,
    jobs: Annotated[
        int | None, typer.Option(min=1, help="Processes (default: by the size of the history, up to 4).")
    ] = None,
    yes: Annotated[
        bool, typer.Option("--yes", help=f"Do not plan, and do not ask before sending more than {MANY_TURNS} turns.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> int:
    """Ship what is on disk and has not been shipped yet: first the plan, then the work.

    It may be run as often as you like and stopped at any time: nothing is lost, and nothing is sent twice.
    """
    if jobs is not None and jobs > 1 and (to is not None or limit is not None):
        raise ConfigError("--to and --limit are for one process: leave out --jobs")
    settings = config.load()
    chosen = select(paths or [], claude_dir or settings.claude_dir, session=session, project=project)
    destinations, excluded = by_destination(settings, chosen)
    choice = Choice(destinations, excluded)
    asked = _Asked(Window(*span(since, until)), resend, limit, jobs, as_json)
    if to is not None:
        return _write(choice, asked, to, dry_run=dry_run)
    if dry_run:
        return _show_plan(choice, asked)
    if choice.destinations and not choice.ready.destinations:
        _errors.print(
            "ccship: no keys, so nothing is sent: set LANGFUSE_PUBLIC_KEY and LANGFUSE_SECRET_KEY, or use --to FILE."
        )
        _show_plan(choice, asked)
        return 1
    return _send(choice, asked, yes=yes)


@dataclass(frozen=True, slots=True)
class _Asked:
    """The options that hold whatever is done."""

    window: Window
    resend: bool
    limit: int | None
    jobs: int | None
    as_json: bool

    def orders(self, books: Books) -> Orders:
        return Orders(self.window, self.resend, books, self.limit)

    def jobs_for(self, choice: Choice) -> int:
        if self.limit is not None:
            return 1  # turns are counted in one place
        return self.jobs or jobs_for(choice.size, os.cpu_count() or 1)


def _write(choice: Choice, asked: _Asked, path: Path, *, dry_run: bool) -> int:
    """All that was chosen; of a dry run, just what would be sent now."""
    from ccship.sinks.otlp_file import OtlpFileSink  # noqa: PLC0415 - the SDK takes a second to load

    sink = OtlpFileSink(path)
    try:
        with _progress("writing", choice, asked) as progress:
            orders = asked.orders("copied" if dry_run else "none")
            report = ship_lots(lots_of(choice.destinations, 1), orders, sink=sink, progress=progress)
        if report.failure is not None:
            raise report.failure  # a part of it must not replace what is there
        sink.commit()
    except BrokenPipeError:
        raise
    except OSError as error:
        raise CcshipError(f"{path} cannot be written ({error.strerror}): make room, or name another file") from error
    finally:
        sink.close()
    code = _tell(report, choice, "would send" if dry_run else "wrote", asked, stderr=path == STDOUT)
    if not asked.as_json and path != STDOUT:
        typer.echo(
            f"{path} holds one OTLP export request a line. Look at it: head -n 1 {path} | python3 -m json.tool | less"
        )
    return code


def _show_plan(choice: Choice, asked: _Asked) -> int:
    plan = _plan(choice, asked)
    if asked.as_json:
        return _tell(plan, choice, "would send", asked)
    typer.echo(plan_text(plan, choice))
    return _complain(plan)


def _plan(choice: Choice, asked: _Asked) -> Report:
    """What a run would do, with a copy of the state; nothing is sent or remembered."""
    with _progress("planning", choice, asked) as progress:
        jobs = asked.jobs_for(choice)
        lots = lots_of(choice.destinations, jobs)
        return ship_lots(lots, asked.orders("copied"), jobs=jobs, progress=progress)


def _send(choice: Choice, asked: _Asked, *, yes: bool) -> int:
    ready = choice.ready
    plan = None if yes else _plan(ready, asked)
    if plan is not None:
        if not asked.as_json:
            typer.echo(plan_text(plan, ready))
        _confirm(plan.turns["sent"], ready)
    with _progress("shipping", ready, asked) as progress, _interrupts() as interrupted:
        jobs = asked.jobs_for(ready)
        lots = lots_of(ready.destinations, jobs)
        report = ship_lots(lots, asked.orders("kept"), jobs=jobs, progress=progress, enough=interrupted)
    report.problems += choice.without_keys()
    code = _tell(report, ready, "sent", asked)
    if not (report.stopped and interrupted()):
        return code
    of_all = f" of {plan.turns['sent']}" if plan else ""
    _errors.print(f"ccship: stopped after {report.turns['sent']}{of_all} turns; run it again to send the rest")
    return 130


def _confirm(turns: int, choice: Choice) -> None:
    if turns <= MANY_TURNS:
        return
    if not sys.stdin.isatty():
        raise ConfigError(
            f"this would send {turns} turns: say --yes, or choose fewer with --limit, --since, --project, --session"
        )
    if not typer.confirm(f"Send {turns} turns to {choice.servers}?", err=True):
        raise ConfigError("nothing was sent")


@contextmanager
def _interrupts() -> Iterator[Callable[[], bool]]:
    """The first ^C asks to leave off when what is on its way has arrived, the second ends all. Yields if it came."""
    asked = False

    def ask(*_: object) -> None:
        nonlocal asked
        if asked:
            raise KeyboardInterrupt
        asked = True
        _errors.print("ccship: waiting for what is on its way; ^C again to leave at once")

    before = signal.signal(signal.SIGINT, ask)
    try:
        yield lambda: asked
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def _progress(what: str, choice: Choice, asked: _Asked) -> Iterator[Callable[[int], None]]:
    """A bar on a terminal, nothing elsewhere. What it yields takes bytes that are done."""
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
        console=_errors,
        transient=True,
        disable=asked.as_json or not _errors.is_terminal,
    )
    with bar:
        task = bar.add_task(what, total=choice.size)
        yield lambda done: bar.advance(task, done)


def _tell(report: Report, choice: Choice, verb: str, asked: _Asked, *, stderr: bool = False) -> int:
    if asked.as_json:
        print_json(document(report, choice, verb))
    else:
        typer.echo(result_text(report, choice, verb), err=stderr)
    return _complain(report)


def _complain(report: Report) -> int:
    for problem in [*report.problems, *([str(report.failure)] if report.failure else [])]:
        _errors.print(f"ccship: {problem}", markup=False)
    if report.failure is not None:
        _errors.print("ccship: what had arrived is remembered; run it again to send the rest.")
    return 0 if report.ok else 1
