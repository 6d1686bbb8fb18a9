"""`ccship backfill`: ship existing sessions."""

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
from ccship.backfill.partition import parts_of
from ccship.backfill.pool import jobs_for, ship_parts
from ccship.backfill.runner import RunOptions, StateMode
from ccship.cli.backfill_report import Selection, document, failures, plan_text, result_text
from ccship.cli.output import JsonOption, print_json
from ccship.cli.selection import select
from ccship.cli.times import span
from ccship.config.routing import by_destination
from ccship.errors import CcshipError, ConfigError
from ccship.pipeline.plan import Window
from ccship.pipeline.report import Report

MANY_TURNS = 1000
"""Confirm before sending more turns than this."""

STDOUT = Path("-")

_errors = Console(stderr=True, highlight=False, soft_wrap=True)


def backfill(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(help="Transcripts or folders of transcripts (default: the Claude config folder)"),
    ] = None,
    *,
    claude_dir: Annotated[
        Path | None, typer.Option(help="Claude config folder (default: $CLAUDE_CONFIG_DIR or ~/.claude)")
    ] = None,
    session: Annotated[str | None, typer.Option(help="Only the session with this id prefix")] = None,
    project: Annotated[str | None, typer.Option(help="Only projects whose path contains this text")] = None,
    since: Annotated[
        str | None, typer.Option(help="Only turns that began at or after this date, time or age (7d, 12h, 30m)")
    ] = None,
    until: Annotated[str | None, typer.Option(help="Only turns that began before this date, time or age")] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Stop after this many turns, oldest first")] = None,
    to: Annotated[
        Path | None, typer.Option(help="Write OTLP JSON lines to this file (- for stdout) instead of sending")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the plan and exit; send nothing")] = False,
    resend: Annotated[
        bool, typer.Option("--resend", help="Also send turns that were delivered before, under the same ids")
    ] = False,
    signals_only: Annotated[
        bool, typer.Option("--signals-only", help="Only send scores, of delivered turns that have none")
    ] = False,
    jobs: Annotated[
        int | None, typer.Option(min=1, help="Number of processes (default: 1 to 4, by total size)")
    ] = None,
    yes: Annotated[
        bool, typer.Option("--yes", help=f"Skip the plan, and the confirmation above {MANY_TURNS} turns")
    ] = False,
    as_json: JsonOption = False,
) -> int:
    """Ship existing sessions to Langfuse.

    Prints the plan, then sends. Safe to rerun: delivered turns are skipped, and an interrupted run resumes.
    """
    if jobs is not None and jobs > 1 and (to is not None or limit is not None):
        raise ConfigError("--to and --limit run in one process: remove --jobs")
    if signals_only and to is not None:
        raise ConfigError("a file contains no scores: remove --signals-only or --to")
    settings = config.load()
    if signals_only and settings.signals == "off" and not settings.routes:
        raise ConfigError("scores are off: set CC_LANGFUSE_SIGNALS=review or all")
    chosen = select(paths or [], claude_dir or settings.claude_dir, session=session, project=project)
    destinations, excluded = by_destination(settings, chosen, only_first=to is not None)
    selection = Selection(destinations, excluded)
    flags = _Flags(Window(*span(since, until)), resend, limit, signals_only, jobs, as_json)
    if to is not None:
        return _write(selection, flags, to, dry_run=dry_run)
    if dry_run:
        return _show_plan(selection, flags)
    if selection.destinations and not selection.ready.destinations:
        no_keys = "no keys, nothing sent: set LANGFUSE_PUBLIC_KEY and LANGFUSE_SECRET_KEY, or write to a file with --to"
        for reason in dict.fromkeys(
            str(destination.settings.refusal or no_keys) for destination in selection.destinations
        ):
            _errors.print(f"ccship: {reason}", markup=False)
        _show_plan(selection, flags)
        return 1
    return _send(selection, flags, yes=yes)


@dataclass(frozen=True, slots=True)
class _Flags:
    """The options that apply to planning, writing and sending."""

    window: Window
    resend: bool
    limit: int | None
    signals_only: bool
    jobs: int | None
    as_json: bool

    def run_options(self, state_mode: StateMode) -> RunOptions:
        return RunOptions(self.window, self.resend, state_mode, self.limit, self.signals_only)

    def jobs_for(self, selection: Selection) -> int:
        if self.limit is not None:
            return 1  # a single process counts the turns
        return self.jobs or jobs_for(selection.size, os.cpu_count() or 1)


def _write(selection: Selection, flags: _Flags, path: Path, *, dry_run: bool) -> int:
    """Write the whole selection to a file; in a dry run, only turns that are not delivered yet."""
    from ccship.sinks.otlp_file import OtlpFileSink  # noqa: PLC0415 - the SDK takes a second to load

    sink = OtlpFileSink(path)
    try:
        with _progress("writing", selection, flags) as progress:
            options = flags.run_options("copied" if dry_run else "none")
            report = ship_parts(parts_of(selection.destinations, 1), options, sink=sink, progress=progress)
        if report.failure is not None:
            raise report.failure  # do not replace an existing file with an incomplete one
        sink.commit()
    except BrokenPipeError:
        raise
    except OSError as error:
        raise CcshipError(
            f"{path} cannot be written ({error.strerror}): free some space, or choose another file"
        ) from error
    finally:
        sink.close()
    code = _print_result(report, selection, "would send" if dry_run else "wrote", flags, stderr=path == STDOUT)
    if not flags.as_json and path != STDOUT:
        typer.echo(f"{path} contains one OTLP export request per line: head -n 1 {path} | python3 -m json.tool | less")
    return code


def _show_plan(selection: Selection, flags: _Flags) -> int:
    plan = _plan(selection, flags)
    if flags.as_json:
        return _print_result(plan, selection, "would send", flags)
    typer.echo(plan_text(plan, selection))
    return _print_problems(plan)


def _plan(selection: Selection, flags: _Flags) -> Report:
    """Run against a copy of the state: nothing is sent or recorded."""
    with _progress("planning", selection, flags) as progress:
        jobs = flags.jobs_for(selection)
        parts = parts_of(selection.destinations, jobs)
        return ship_parts(parts, flags.run_options("copied"), jobs=jobs, progress=progress)


def _send(selection: Selection, flags: _Flags, *, yes: bool) -> int:
    ready = selection.ready
    plan = None if yes else _plan(ready, flags)
    if plan is not None:
        if not flags.as_json:
            typer.echo(plan_text(plan, ready))
        _confirm(plan.begun, ready)
    with _progress("shipping", ready, flags) as progress, _interrupts() as interrupted:
        jobs = flags.jobs_for(ready)
        parts = parts_of(ready.destinations, jobs)
        report = ship_parts(parts, flags.run_options("kept"), jobs=jobs, progress=progress, enough=interrupted)
    report.problems += selection.without_keys()
    code = _print_result(report, ready, "sent", flags)
    if not (report.stopped and interrupted()):
        return code
    of_all = f" of {plan.turns['sent']}" if plan else ""
    _errors.print(f"ccship: stopped after {report.turns['sent']}{of_all} turns; rerun to send the rest")
    return 130


def _confirm(turns: int, selection: Selection) -> None:
    if turns <= MANY_TURNS:
        return
    if not sys.stdin.isatty():
        raise ConfigError(
            f"this would send {turns} turns: pass --yes, or select fewer with --limit, --since, --project or --session"
        )
    if not typer.confirm(f"Send {turns} turns to {selection.servers}?", err=True):
        raise ConfigError("cancelled, nothing was sent")


@contextmanager
def _interrupts() -> Iterator[Callable[[], bool]]:
    """Handle ^C: the first stops after the requests in flight, the second at once. Yields a check for the first."""
    received = False

    def handle(*_: object) -> None:
        nonlocal received
        if received:
            raise KeyboardInterrupt
        received = True
        _errors.print("ccship: stopping after the requests in flight; press ^C again to stop at once")

    before = signal.signal(signal.SIGINT, handle)
    try:
        yield lambda: received
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def _progress(verb: str, selection: Selection, flags: _Flags) -> Iterator[Callable[[int], None]]:
    """Show a progress bar on a terminal. Yields a callback that takes the bytes read since its last call."""
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
        console=_errors,
        transient=True,
        disable=flags.as_json or not _errors.is_terminal,
    )
    with bar:
        task = bar.add_task(verb, total=selection.size)
        yield lambda done: bar.advance(task, done)


def _print_result(report: Report, selection: Selection, verb: str, flags: _Flags, *, stderr: bool = False) -> int:
    if flags.as_json:
        print_json(document(report, selection, verb))
    else:
        typer.echo(result_text(report, selection, verb), err=stderr)
    return _print_problems(report)


def _print_problems(report: Report) -> int:
    for problem in [*report.problems, *failures(report)]:
        _errors.print(f"ccship: {problem}", markup=False)
    if report.failure is not None:
        _errors.print("ccship: delivered turns are recorded; fix the cause, then rerun to send the rest")
    return 0 if report.ok else 1
