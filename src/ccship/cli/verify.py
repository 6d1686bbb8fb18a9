"""`ccship verify`: compare the observations in Langfuse with the transcripts."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import asdict, dataclass, field
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import Annotated

import orjson
import typer

from ccship import config
from ccship.cli.backfill_report import unpriced_text, waiting_text
from ccship.cli.output import JsonOption, counted
from ccship.cli.selection import select
from ccship.cli.times import span
from ccship.config import Config
from ccship.config.routing import Destination, by_destination
from ccship.errors import CcshipError, DeliveryError
from ccship.observations import ID_BYTES
from ccship.pipeline.git import Repositories
from ccship.pipeline.isolation import isolated
from ccship.pipeline.plan import Options, Window
from ccship.pipeline.planner import Planner
from ccship.pipeline.ship import Shipper
from ccship.pricing.prices import tariff_of
from ccship.privacy.encoding import Encoded
from ccship.signals.scores import Score
from ccship.sinks import Delivery, Sink
from ccship.sinks.server_prices import ServerPrices
from ccship.sinks.servers import sink_of
from ccship.state import State
from ccship.transcript.discover import Session
from ccship.transcript.files import is_there
from ccship.verify.ahead import in_threads
from ccship.verify.compare import Difference, Expected, compare, compare_added, expected_of, target_of, targets_of
from ccship.verify.protection import NamesOnly
from ccship.verify.read_api import Reader

_MAX_SHOWN = 20
"""The most traces that the text output lists; `--json` lists all."""


@dataclass(slots=True)
class _Findings:
    excluded: int = 0
    sessions: int = 0
    observations: int = 0
    scores: int = 0
    refused: int = 0
    refused_scores: int = 0
    repaired: int = 0
    rescored: int = 0
    unrepaired: int = 0
    waiting: int = 0
    traces: set[str] = field(default_factory=set)
    differences: list[Difference] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)

    def count(self, kind: str) -> int:
        return sum(len(getattr(difference, kind)) for difference in self.differences)

    @property
    def unpriced_models(self) -> set[str]:
        """Models of calls without a cost in Langfuse for which ccship has no price either."""
        models = {model for difference in self.differences for model in difference.unpriced.values()}
        return {model for model in models if tariff_of(model) is None}

    @property
    def ok(self) -> bool:
        is_blind = self.unread and not self.sessions
        return not (self.unrepaired or self.count("doubled") or self.problems or is_blind)


@dataclass(frozen=True, slots=True)
class _Checked:
    """A session, and what it should have in Langfuse.

    `dead_letters`: reason by id, not expected; `refused_scores` of them are scores.
    """

    session: Session
    expected: list[Expected]
    scores: list[Score]
    dead_letters: dict[str, str]
    refused_scores: int


def verify(
    sessions: Annotated[
        list[str] | None, typer.Argument(help="Session id prefixes or transcripts (default: all sessions)")
    ] = None,
    *,
    claude_dir: Annotated[
        Path | None, typer.Option(help="Claude config folder (default: $CLAUDE_CONFIG_DIR or ~/.claude)")
    ] = None,
    project: Annotated[str | None, typer.Option(help="Only projects whose path contains this text")] = None,
    since: Annotated[
        str | None, typer.Option(help="Only turns that began at or after this date, time or age (7d, 12h, 30m)")
    ] = None,
    until: Annotated[str | None, typer.Option(help="Only turns that began before this date, time or age")] = None,
    repair: Annotated[
        bool, typer.Option("--repair", help="Resend what is missing, or has different tokens, no cost or another score")
    ] = False,
    as_json: JsonOption = False,
) -> int:
    """Compare Langfuse with the transcripts.

    Reports observations that are missing, doubled, or have different tokens or no cost, and scores that are missing or
    have another value. A server shows new observations
    after some seconds; an older one after minutes.
    """
    settings = config.load()
    window = Window(*span(since, until))
    chosen = _chosen(sessions or [], claude_dir or settings.claude_dir, project)
    destinations, excluded = by_destination(settings, chosen)
    findings = _Findings(excluded=excluded.total())
    for destination in destinations:
        if destination.settings.kind != "langfuse":
            findings.unread.append(f"{destination.title}: not checked, because verify reads Langfuse only")
        elif not destination.settings.can_send and len(destinations) > 1:
            count = counted(len(destination.sessions), "session")
            findings.problems.append(destination.without_keys(f"{count} not checked"))
        else:
            try:
                _check(destination, window, findings, repair=repair)
            except CcshipError as error:
                if len(destinations) == 1:
                    raise
                findings.problems.append(f"{destination.title}: {error}")
    if as_json:
        sys.stdout.buffer.write(orjson.dumps(_document(findings), option=orjson.OPT_INDENT_2) + b"\n")
    else:
        _print_result(findings)
    return 0 if findings.ok else 1


def _chosen(named: list[str], claude_dir: Path, project: str | None) -> list[Session]:
    if not named:
        return select([], claude_dir, project=project)
    chosen: dict[Path, Session] = {}  # by path: two projects may contain the same session
    for name in named:
        path = Path(name).expanduser()
        is_path = is_there(path) or path.suffix == ".jsonl"
        matches = select([path], claude_dir) if is_path else select([], claude_dir, session=name, project=project)
        chosen.update((session.paths[0], session) for session in matches)
    return list(chosen.values())


def _check(destination: Destination, window: Window, findings: _Findings, *, repair: bool) -> None:
    settings = destination.settings
    with ExitStack() as stack:
        reader = stack.enter_context(Reader(settings))
        copy = stack.enter_context(State(settings.state_dir, settings.destination, rehearse=True))
        sink: Sink | None = None
        read = _read(settings, copy, destination.sessions, window, findings)
        for checked, differences in in_threads(partial(_differences, reader, settings), read):
            findings.sessions += 1
            findings.observations += len(checked.expected)
            findings.scores += len(checked.scores) if reader.shows_scores else 0
            findings.refused += len(checked.dead_letters) - checked.refused_scores
            findings.refused_scores += checked.refused_scores
            findings.traces.update(span.trace_id for span in checked.expected)
            findings.differences += differences
            resendable = {
                span_id for difference in differences for span_id in (*difference.missing, *difference.tokens)
            }
            rescorable = {score_id for difference in differences for score_id in difference.scores}
            priceable = _priceable(settings, differences)
            repaired: set[str] = set()
            if repair and (resendable or priceable or rescorable):
                if sink is None:
                    sink = stack.enter_context(closing(sink_of(settings)))
                intact = {span.span_id for span in checked.expected} - resendable - priceable
                intact |= {score.id for score in checked.scores} - rescorable
                repair_sink = _RepairSink(sink, intact, checked.dead_letters)
                repaired = _repair(settings, checked.session, window, repair_sink, findings)
            findings.repaired += len(repaired & (resendable | priceable))
            findings.rescored += len(repaired & rescorable)
            findings.unrepaired += len((resendable | rescorable) - repaired)


def _priceable(settings: Config, differences: list[Difference]) -> set[str]:
    """Return the ids of calls without a cost in Langfuse that ccship has a price for."""
    if settings.trace_settings.cost == "server":
        return set()
    unpriced = (item for difference in differences for item in difference.unpriced.items())
    return {span_id for span_id, model in unpriced if tariff_of(model) is not None}


def _read(
    settings: Config, copy: State, sessions: Sequence[Session], window: Window, findings: _Findings
) -> Iterator[_Checked]:
    """Yield what each session should have in Langfuse; add problems to `findings`.

    Plans as a backfill that resends everything would, and commits nothing: one planner remembers what it has planned.
    """
    refused = {span_id: reason for _, span_id, reason in copy.dead_letters()}
    options = Options(settings.trace_settings, window, resend=True, signals=settings.signals)
    planner = Planner(copy, NamesOnly(settings.policy), options)
    for session in sessions:
        spans: dict[str, Expected] = {}
        scores: list[Score] = []
        with isolated(session.session_id, findings.problems):
            for unit in planner.units(session):
                spans.update((span.span_id, expected_of(span.observation)) for span in unit.spans)
                scores += unit.scores
        ids = spans.keys() | {score.id for score in scores}
        dead_letters = {span_id: refused[span_id] for span_id in ids & refused.keys()}
        expected = [span for span in spans.values() if span.span_id not in dead_letters]
        wanted = [score for score in scores if score.id not in dead_letters]
        yield _Checked(session, expected, wanted, dead_letters, len(scores) - len(wanted))
    findings.problems += planner.problems
    findings.waiting += len(planner.waiting)


def _differences(reader: Reader, settings: Config, checked: _Checked) -> list[Difference]:
    """Compare by session id of the trace: copied turns may have that of the original session."""
    by_session = sorted(checked.expected, key=lambda span: span.session_id)
    differences: list[Difference] = []
    try:
        for session_id, group in groupby(by_session, key=lambda span: span.session_id):
            spans = list(group)
            trace_ids = dict.fromkeys(span.trace_id for span in spans)
            targets = targets_of(spans)
            scores = [score for score in checked.scores if target_of(score) in targets]
            stored = reader.scores(trace_ids) if scores else None
            differences += compare(spans, reader.session(session_id, trace_ids), scores, stored)
        own = targets_of(checked.expected)
        added = [score for score in checked.scores if target_of(score) not in own]
        stored = reader.scores(dict.fromkeys(score.trace_id for score in added))
        differences += compare_added(checked.session.session_id, added, stored)
    except DeliveryError as error:
        fix = (
            "let the gateway forward Langfuse's whole API, or verify with keys"
            if settings.is_gateway
            else "run ccship doctor"
        )
        raise CcshipError(f"cannot read from {settings.base_url}: {error}; {fix}") from error
    return differences


def _repair(settings: Config, session: Session, window: Window, sink: "_RepairSink", findings: _Findings) -> set[str]:
    """Resend a session through a repair sink and record it in the state; return the ids that were accepted."""
    with State(settings.state_dir, settings.destination, lock_id=settings.lock_id) as state:
        for path in session.paths:
            sink.remember(state.transcript(path, session.session_id).spans)
        shipper = Shipper(
            sink, state,
            Options(
                settings.trace_settings, window, resend=True, server_prices=ServerPrices(settings),
                signals=settings.signals,
            ),
            policy=settings.policy, repositories=Repositories(),
        )  # fmt: skip
        report = shipper.ship([session])
    if report.failure is not None:
        findings.problems.append(str(report.failure))
    return sink.accepted


class _RepairSink:
    """Resends spans and scores that are missing or differ.

    `intact`: what Langfuse has; reported as accepted and not sent. `dead_letters`: reason by id; reported as
    rejected again. Spans in neither are sent: the transcript may have grown since the check. An intact span is sent too
    if its turn was open and its content has changed, as its recorded hash shows.
    """

    def __init__(self, sink: Sink, intact: set[str], dead_letters: dict[str, str]) -> None:
        self._sink = sink
        self._intact = intact
        self._dead_letters = dead_letters
        self._hashes: set[bytes] = set()
        self._hashed_ids: set[bytes] = set()
        self.accepted: set[str] = set()

    def remember(self, hashes: set[bytes]) -> None:
        self._hashes |= hashes
        self._hashed_ids |= {digest[:ID_BYTES] for digest in hashes}

    def deliver(self, spans: Sequence[Encoded]) -> Delivery:
        resent = [span for span in spans if self._must_resend(span)]
        delivery = self._sink.deliver(resent) if resent else Delivery()
        self.accepted |= delivery.accepted
        for span_id in {each.span_id for each in spans} - {each.span_id for each in resent}:
            if span_id in self._dead_letters:
                delivery.rejected[span_id] = self._dead_letters[span_id]
            else:
                delivery.accepted.add(span_id)
        return delivery

    def score(self, scores: Sequence[Score]) -> Delivery:
        resent = [score for score in scores if score.id not in self._intact and score.id not in self._dead_letters]
        delivery = self._sink.score(resent) if resent else Delivery()
        self.accepted |= delivery.accepted
        for score_id in {score.id for score in scores} - {score.id for score in resent}:
            if score_id in self._dead_letters:
                delivery.rejected[score_id] = self._dead_letters[score_id]
            else:
                delivery.accepted.add(score_id)
        return delivery

    def close(self) -> None:
        """Do nothing: the caller closes the wrapped sink."""

    def _must_resend(self, span: Encoded) -> bool:
        if span.span_id not in self._intact:
            return span.span_id not in self._dead_letters
        return span.digest not in self._hashes and span.digest[:ID_BYTES] in self._hashed_ids


def _print_result(findings: _Findings) -> None:
    for difference in findings.differences[:_MAX_SHOWN]:
        typer.echo(
            f"session {difference.session_id}, project {difference.project or 'unknown'}, {difference.name},"
            f" trace {difference.trace_id}"
        )
        for kind, label in (
            ("missing", "missing"),
            ("doubled", "doubled"),
            ("tokens", "different tokens"),
            ("unpriced", "no cost"),
            ("scores", "scores missing or with another value"),
        ):
            names = list(getattr(difference, kind).values())
            if names:
                typer.echo(f"  {label}: {', '.join(names)}")
    if len(findings.differences) > _MAX_SHOWN:
        typer.echo(f"and {len(findings.differences) - _MAX_SHOWN} more traces (list all with --json)")
    for problem in (*findings.problems, *findings.unread):
        typer.echo(f"ccship: {problem}", err=True)
    typer.echo(
        f"checked {counted(findings.sessions, 'session')}, {counted(len(findings.traces), 'trace')},"
        f" {counted(findings.observations, 'observation')}:"
        f" {findings.count('missing')} missing, {findings.count('doubled')} doubled,"
        f" {findings.count('tokens')} with different tokens, {findings.count('unpriced')} without cost"
    )
    if findings.scores:
        scores = counted(findings.scores, "score")
        typer.echo(f"checked {scores}: {findings.count('scores')} missing or with another value")
    _print_notes(findings)


def _print_notes(findings: _Findings) -> None:
    if findings.excluded:
        typer.echo(f"skipped {counted(findings.excluded, 'session')} of excluded projects")
    if findings.refused or findings.refused_scores:
        refused = [(findings.refused, "observation"), (findings.refused_scores, "score")]
        names = " and ".join(counted(count, name) for count, name in refused if count)
        typer.echo(f"skipped {names} that the server refused: run ccship status for the reason")
    if findings.waiting:
        typer.echo(f"not sent yet: {waiting_text(findings.waiting)}")
    if findings.repaired or findings.rescored:
        resent = f"{counted(findings.repaired, 'observation')} and {counted(findings.rescored, 'score')}"
        typer.echo(f"resent {resent}; the server shows them after some seconds")
    elif findings.unrepaired:
        typer.echo("fix: ccship verify --repair resends what is missing or has different tokens or scores")
    if findings.count("doubled"):
        typer.echo("fix for doubled observations: delete their trace in Langfuse, then run ccship verify --repair")
    if unpriced := findings.unpriced_models:
        typer.echo(unpriced_text(unpriced))


def _document(findings: _Findings) -> dict[str, object]:
    return {
        "ok": findings.ok,
        "sessions": findings.sessions,
        "traces": len(findings.traces),
        "observations": findings.observations,
        "scores": findings.scores,
        **{kind: findings.count(kind) for kind in ("missing", "doubled", "tokens", "unpriced")},
        "different_scores": findings.count("scores"),
        "excluded": findings.excluded,
        "refused": findings.refused,
        "refused_scores": findings.refused_scores,
        "repaired": findings.repaired,
        "repaired_scores": findings.rescored,
        "waiting": findings.waiting,
        "unpriced_models": sorted(findings.unpriced_models),
        "differences": [asdict(difference) for difference in findings.differences],
        "not_checked": findings.unread,
        "problems": findings.problems,
    }
