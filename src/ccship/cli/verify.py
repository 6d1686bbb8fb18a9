"""`ccship verify`: what has arrived in Langfuse, beside what the transcripts hold."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import asdict, dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Annotated

import orjson
import typer

from ccship import config
from ccship.arrived import Reader
from ccship.cli.moments import span
from ccship.cli.output import counted
from ccship.cli.selection import select
from ccship.config import Config
from ccship.errors import CcshipError, DeliveryError
from ccship.observations import ID_BYTES, Observation, encode
from ccship.routing import Destination, by_destination
from ccship.ship import Shipper, Window
from ccship.sinks import Delivery, Sink
from ccship.state import State
from ccship.transcript.discover import Session
from ccship.verify import Difference, Expected, compare, expected_of

_MAX_SHOWN = 20
"""Traces listed for people; a project that lost everything would fill the terminal."""


@dataclass(slots=True)
class _Findings:
    excluded: int = 0
    sessions: int = 0
    observations: int = 0
    refused: int = 0
    repaired: int = 0
    traces: set[str] = field(default_factory=set)
    differences: list[Difference] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    def count(self, kind: str) -> int:
        return sum(len(getattr(difference, kind)) for difference in self.differences)

    @property
    def ok(self) -> bool:
        rest = self.count("missing") - self.repaired
        return not (rest or self.count("doubled") or self.count("tokens") or self.problems)


def verify(
    sessions: Annotated[
        list[str] | None, typer.Argument(help="Session ids (their beginnings) or transcripts; default: all.")
    ] = None,
    *,
    claude_dir: Annotated[
        Path | None, typer.Option(help="Claude's config folder (default: $CLAUDE_CONFIG_DIR or ~/.claude).")
    ] = None,
    project: Annotated[str | None, typer.Option(help="Only projects with this in their path.")] = None,
    since: Annotated[
        str | None, typer.Option(help="Only turns that began at or after this: a date, a time, or an age like 7d, 12h.")
    ] = None,
    until: Annotated[str | None, typer.Option(help="Only turns that began before this.")] = None,
    repair: Annotated[bool, typer.Option("--repair", help="Send what is missing, under its own ids.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> int:
    """Read back what arrived and compare it with the transcripts: what is missing, doubled, or has other tokens.

    A server shows what it accepted after some seconds, and after minutes on older ones.
    """
    settings = config.load()
    window = Window(*span(since, until))
    chosen = _chosen(sessions or [], claude_dir or settings.claude_dir, project)
    destinations, excluded = by_destination(settings, chosen)
    findings = _Findings(excluded=excluded.total())
    for destination in destinations:
        if not destination.settings.has_keys and len(destinations) > 1:
            count = counted(len(destination.sessions), "session")
            findings.problems.append(f"no keys for {destination.title}: {count} not checked")
        else:
            _check(destination, window, findings, repair=repair)
    if as_json:
        sys.stdout.buffer.write(orjson.dumps(_document(findings), option=orjson.OPT_INDENT_2) + b"\n")
    else:
        _tell(findings)
    return 0 if findings.ok else 1


def _chosen(named: list[str], claude_dir: Path, project: str | None) -> list[Session]:
    if not named:
        return select([], claude_dir, project=project)
    chosen: dict[str, Session] = {}
    for name in named:
        path = Path(name).expanduser()
        is_path = path.exists() or path.suffix == ".jsonl"
        found = select([path], claude_dir) if is_path else select([], claude_dir, session=name, project=project)
        chosen.update((session.session_id, session) for session in found)
    return list(chosen.values())


def _check(destination: Destination, window: Window, findings: _Findings, *, repair: bool) -> None:
    settings = destination.settings
    with ExitStack() as stack:
        reader = stack.enter_context(Reader(settings))
        copy = stack.enter_context(State(settings.state_dir, settings.destination, rehearse=True))
        refused = {span_id: reason for _, span_id, reason in copy.dead_letters()}
        sink: Sink | None = None
        for session in destination.sessions:
            noted = _noted(settings, copy, session, window, findings)
            dead = {span_id: refused[span_id] for span_id in noted.keys() & refused.keys()}
            expected = [it for it in noted.values() if it.span_id not in dead]
            try:
                found = list(_differences(reader, expected))
            except DeliveryError as error:
                raise CcshipError(f"{settings.base_url} cannot be asked: {error}") from error
            findings.sessions += 1
            findings.observations += len(expected)
            findings.refused += len(dead)
            findings.traces.update(it.trace_id for it in expected)
            findings.differences += found
            missing = {span_id for difference in found for span_id in difference.missing}
            if repair and missing:
                if sink is None:
                    from ccship.sinks.langfuse import LangfuseSink  # noqa: PLC0415 - the SDK takes a second to load

                    sink = stack.enter_context(closing(LangfuseSink(settings)))
                there = {it.span_id for it in expected} - missing
                findings.repaired += len(
                    _repair(settings, session, window, _Rest(sink, there, dead), findings) & missing
                )


def _noted(settings: Config, copy: State, session: Session, window: Window, findings: _Findings) -> dict[str, Expected]:
    """The observations of a session, by whoever owns its turns."""
    sink = _Noting()
    shipper = Shipper(sink, copy, settings.labels, policy=settings.policy, window=window, resend=True)
    shipper.ship(session)
    findings.problems += shipper.report.problems
    return sink.noted


def _differences(reader: Reader, expected: list[Expected]) -> Iterator[Difference]:
    """Of each session id that the traces carry: copied turns may carry that of their original."""
    by_session = sorted(expected, key=lambda it: it.session_id)
    for session_id, wanted in groupby(by_session, key=lambda it: it.session_id):
        wants = list(wanted)
        yield from compare(wants, reader.session(session_id, dict.fromkeys(it.trace_id for it in wants)))


def _repair(settings: Config, session: Session, window: Window, rest: "_Rest", findings: _Findings) -> set[str]:
    """Ship a session again as far as it is missing; the state learns what has arrived. Returns what was accepted."""
    with State(settings.state_dir, settings.destination) as state:
        for path in session.paths:
            rest.remember(state.transcript(path, session.session_id).spans)
        shipper = Shipper(rest, state, settings.labels, policy=settings.policy, window=window, resend=True)
        shipper.ship(session)
    if shipper.report.failure is not None:
        findings.problems.append(str(shipper.report.failure))
    return rest.accepted


class _Noting:
    """Notes what would be sent."""

    def __init__(self) -> None:
        self.noted: dict[str, Expected] = {}

    def deliver(self, observations: Sequence[Observation]) -> Delivery:
        self.noted.update((observation.span_id, expected_of(observation)) for observation in observations)
        return Delivery(accepted={observation.span_id for observation in observations})

    def close(self) -> None:
        """Nothing to finish."""


class _Rest:
    """Sends what was not found: `there` was, and what is `dead` stays so, by its reason.

    What nobody looked for is sent, not believed in: the transcript may have grown since. So is what has grown itself,
    as far as its hash is remembered: that of a span of a turn that was open then.
    """

    def __init__(self, sink: Sink, there: set[str], dead: dict[str, str]) -> None:
        self._sink = sink
        self._there = there
        self._dead = dead
        self._hashes: set[bytes] = set()
        self._hashed: set[bytes] = set()
        self.accepted: set[str] = set()

    def remember(self, hashes: set[bytes]) -> None:
        self._hashes |= hashes
        self._hashed |= {it[:ID_BYTES] for it in hashes}

    def deliver(self, observations: Sequence[Observation]) -> Delivery:
        wanted = [it for it in observations if self._wants(it)]
        delivery = self._sink.deliver(wanted) if wanted else Delivery()
        self.accepted |= delivery.accepted
        for span_id in {it.span_id for it in observations} - {it.span_id for it in wanted}:
            if span_id in self._dead:
                delivery.rejected[span_id] = self._dead[span_id]
            else:
                delivery.accepted.add(span_id)
        return delivery

    def close(self) -> None:
        """The sink behind it belongs to somebody else."""

    def _wants(self, observation: Observation) -> bool:
        span_id = observation.span_id
        if span_id not in self._there:
            return span_id not in self._dead
        digest, _ = encode(observation)
        return digest not in self._hashes and digest[:ID_BYTES] in self._hashed


def _tell(findings: _Findings) -> None:
    for difference in findings.differences[:_MAX_SHOWN]:
        typer.echo(f"{difference.name} ({difference.trace_id})")
        for kind, label in (("missing", "missing"), ("doubled", "twice"), ("tokens", "other tokens")):
            names = list(getattr(difference, kind).values())
            if names:
                typer.echo(f"  {label}: {', '.join(names)}")
    if len(findings.differences) > _MAX_SHOWN:
        typer.echo(f"and {len(findings.differences) - _MAX_SHOWN} more traces: --json lists them all")
    for problem in findings.problems:
        typer.echo(f"ccship: {problem}", err=True)
    typer.echo(
        f"checked {findings.sessions} sessions, {len(findings.traces)} traces, {findings.observations} observations:"
        f" {findings.count('missing')} missing, {findings.count('doubled')} doubled,"
        f" {findings.count('tokens')} with other tokens"
    )
    _tell_more(findings)


def _tell_more(findings: _Findings) -> None:
    if findings.excluded:
        typer.echo(f"never sent: {counted(findings.excluded, 'session')} of excluded projects")
    if findings.refused:
        refused = counted(findings.refused, "observation")
        typer.echo(f"not looked for, because the server refused it before: {refused}")
    if findings.repaired:
        typer.echo(f"sent {findings.repaired} of the missing ones")
    elif findings.count("missing"):
        typer.echo("send what is missing with: ccship verify --repair")
    if findings.count("doubled") or findings.count("tokens"):
        typer.echo("what is doubled or has other tokens: delete its trace in Langfuse, then ccship verify --repair")


def _document(findings: _Findings) -> dict[str, object]:
    return {
        "ok": findings.ok,
        "sessions": findings.sessions,
        "traces": len(findings.traces),
        "observations": findings.observations,
        **{kind: findings.count(kind) for kind in ("missing", "doubled", "tokens")},
        "excluded": findings.excluded,
        "refused": findings.refused,
        "repaired": findings.repaired,
        "differences": [asdict(difference) for difference in findings.differences],
        "problems": findings.problems,
    }
