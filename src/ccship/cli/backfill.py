"""`ccship backfill`: ship history."""

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import orjson
import typer
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

from ccship import config
from ccship.cli.moments import span
from ccship.cli.selection import select
from ccship.config import Config
from ccship.errors import ConfigError
from ccship.outbox import Report
from ccship.routing import Destination, by_destination
from ccship.ship import Shipper, Window
from ccship.sinks import Sink
from ccship.sinks.rehearsal import RehearsalSink
from ccship.state import State
from ccship.transcript.discover import Session

MANY_TURNS = 1000
"""Sending more than this is asked about first."""

STDOUT = Path("-")

_errors = Console(stderr=True, highlight=False, soft_wrap=True)


@dataclass(frozen=True, slots=True)
class _Job:
    """What was asked for."""

    destinations: list[Destination]
    excluded: int
    window: Window
    resend: bool
    to: Path | None
    as_json: bool

    @property
    def sessions(self) -> list[Session]:
        return [session for destination in self.destinations for session in destination.sessions]

    @property
    def quiet(self) -> bool:
        return self.as_json or self.to == STDOUT


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
    to: Annotated[
        Path | None, typer.Option(help="Write OTLP JSON lines to this file (- is stdout) instead of sending.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be sent, send nothing.")] = False,
    resend: Annotated[
        bool, typer.Option("--resend", help="Send also what has been sent already; ids stay the same.")
    ] = False,
    yes: Annotated[
        bool, typer.Option("--yes", help=f"Do not ask before sending more than {MANY_TURNS} turns.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> int:
    """Ship what is on disk and has not been shipped yet."""
    settings = config.load()
    window = Window(*span(since, until))
    sessions = select(paths or [], claude_dir or settings.claude_dir, session=session, project=project)
    job = _Job(*by_destination(settings, sessions), window, resend, to, as_json)
    if to is not None:
        return _write(job, to, dry_run=dry_run)
    if dry_run:
        return _tell(_rehearse(job), job, "would send")
    if job.destinations and not any(destination.settings.has_keys for destination in job.destinations):
        _errors.print(
            "ccship: no keys, so nothing is sent: set LANGFUSE_PUBLIC_KEY and LANGFUSE_SECRET_KEY, or use --to FILE."
        )
        _tell(_rehearse(job), job, "would send")
        return 1
    if not yes:
        _confirm(job)
    return _send(job)


def _send(job: _Job) -> int:
    from ccship.sinks.langfuse import LangfuseSink  # noqa: PLC0415 - the SDK takes a second to load

    sinks: dict[str, Sink] = {}
    with ExitStack() as stack:

        def sink_of(settings: Config) -> Sink:
            """One for each server and key, whatever else the settings say: the SDK has no more."""
            if settings.destination not in sinks:
                sinks[settings.destination] = sink = LangfuseSink(settings)
                stack.callback(sink.close)
            return sinks[settings.destination]

        without_keys = [it for it in job.destinations if not it.settings.has_keys]
        ready = [it for it in job.destinations if it.settings.has_keys]
        report = _run(replace(job, destinations=ready), sink_of, lambda it: State(it.state_dir, it.destination))
    report.problems += [
        f"no keys for {_named(it.settings)}: {len(it.sessions)} sessions are not sent" for it in without_keys
    ]
    return _tell(report, job, "sent")


def _named(settings: Config) -> str:
    return f"the {settings.name} destination" if settings.name == "default" else f"destination {settings.name}"


def _write(job: _Job, path: Path, *, dry_run: bool) -> int:
    """All that was chosen; of a dry run, just what would be sent now."""
    from ccship.sinks.otlp_file import OtlpFileSink  # noqa: PLC0415 - the SDK takes a second to load

    sink = OtlpFileSink(path)
    try:
        report = _run(job, lambda _: sink, _copy_of_state if dry_run else lambda it: State(None, it.destination))
        sink.commit()
    finally:
        sink.close()
    code = _tell(report, job, "would send" if dry_run else "wrote")
    if not job.quiet:
        typer.echo(
            f"{path} holds one OTLP export request a line. Look at it: head -n 1 {path} | python3 -m json.tool | less"
        )
    return code


def _rehearse(job: _Job) -> Report:
    """What a run would do, with a copy of the state; nothing is sent or remembered."""
    return _run(job, lambda _: RehearsalSink(), _copy_of_state)


def _copy_of_state(settings: Config) -> State:
    return State(settings.state_dir, settings.destination, rehearse=True)


def _run(job: _Job, sink_of: Callable[[Config], Sink], state_of: Callable[[Config], State]) -> Report:
    """Ship every session; a failure ends the work for its destination, whose next session would meet it too."""
    report = Report()
    with _progress(job) as advance:
        for destination in job.destinations:
            settings = destination.settings
            with state_of(settings) as state:
                shipper = Shipper(
                    sink_of(settings), state, settings.labels, policy=settings.policy, window=job.window,
                    resend=job.resend, progress=advance,
                )  # fmt: skip
                for session in destination.sessions:
                    shipper.ship(session)
                    if shipper.report.failure is not None:
                        break
            report.add(shipper.report)
    return report


def _confirm(job: _Job) -> None:
    turns = _rehearse(job).turns["sent"]
    if turns <= MANY_TURNS:
        return
    if not sys.stdin.isatty():
        raise ConfigError(
            f"this would send {turns} turns: say --yes, or choose fewer with --since, --project, --session"
        )
    servers = " and ".join(dict.fromkeys(it.settings.base_url for it in job.destinations))
    if not typer.confirm(f"Send {turns} turns to {servers}?", err=True):
        raise ConfigError("nothing was sent")


@contextmanager
def _progress(job: _Job) -> Iterator[Callable[[int], None]]:
    """A bar on a terminal, nothing elsewhere. What it yields takes bytes that are done."""
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
        console=_errors,
        transient=True,
        disable=job.as_json or not _errors.is_terminal,
    )
    with bar:
        task = bar.add_task("reading and shipping", total=sum(session.size for session in job.sessions))
        yield lambda done: bar.advance(task, done)


def _tell(report: Report, job: _Job, verb: str) -> int:
    for problem in [*report.problems, *([str(report.failure)] if report.failure else [])]:
        _errors.print(f"ccship: {problem}", markup=False)
    if report.failure is not None:
        _errors.print("ccship: what had arrived is remembered; run it again to send the rest.")
    if job.as_json:
        document = _document(report, verb) | {"excluded": job.excluded}
        sys.stdout.buffer.write(orjson.dumps(document, option=orjson.OPT_INDENT_2) + b"\n")
    else:
        typer.echo(_summary(report, verb), err=job.to == STDOUT)
        if job.excluded:
            typer.echo(f"{job.excluded} sessions are of excluded projects", err=job.to == STDOUT)
    return 0 if report.ok else 1


def _summary(report: Report, verb: str) -> str:
    spans, tokens = report.spans, report.tokens
    cached = tokens["cache_read_input_tokens"]
    what = f"{report.turns['sent']} turns and {report.turns['subagents']} subagents of {report.sessions} sessions"
    size = f"{spans['accepted']} observations, {tokens['output']:,} tokens out, {cached:,} read from the cache"
    lines = [f"{verb} {what}: {size}"]
    if spans["unchanged"]:
        lines.append(f"{spans['unchanged']} observations had arrived before")
    if report.turns["copied"]:
        lines.append(f"{report.turns['copied']} turns are copies of turns of another session")
    if redacted := report.redacted.total():
        rules = ", ".join(f"{rule} {count}" for rule, count in report.redacted.most_common())
        lines.append(f"{redacted} times something that looks like a credential was taken out: {rules}")
    if spans["dead_lettered"]:
        lines.append(f"{spans['dead_lettered']} observations were refused for good: see dead letters in the state")
    unknown = sum(count for kind, count in report.lines.items() if kind.startswith("ignored:unknown:"))
    if report.lines["bad"] or unknown:
        lines.append(f"{report.lines['bad']} lines could not be read, {unknown} are of an unknown type")
    return "\n".join(lines)


def _document(report: Report, verb: str) -> dict[str, object]:
    return {
        "done": verb,
        "ok": report.ok,
        "sessions": report.sessions,
        "turns": dict(report.turns),
        "observations": dict(report.spans),
        "tokens": dict(report.tokens),
        "lines": dict(report.lines),
        "redacted": dict(report.redacted),
        "problems": report.problems,
        "failure": str(report.failure) if report.failure else None,
    }
