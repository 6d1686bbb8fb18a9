"""Combines a turn or a subagent with its facts into a unit. Pure."""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from ccship.observations import (
    ID_BYTES,
    Observation,
    Parent,
    TraceSettings,
    attached,
    fold_events,
    observe_subagent,
    observe_turn,
    trace_of,
    with_cost,
)
from ccship.observations.identity import span_id_of
from ccship.observations.line_outcomes import SHIPPED, TurnOutcome
from ccship.observations.volatile import Volatile, facts_of
from ccship.pipeline.copies import ONLY_THIS_CALL, claim_of
from ccship.pipeline.subagents import Linked, launches_of, launching_call
from ccship.privacy import Protection
from ccship.privacy.encoding import encode
from ccship.signals.scores import SignalsMode
from ccship.transcript.exchange import Exchange
from ccship.transcript.tail import Position
from ccship.transcript.turns import Turn
from ccship.unit import Launch, Lines, Step, Unit, Whole


@dataclass(frozen=True, slots=True)
class Window:
    """The start times of the selected turns. A cursor never passes a turn outside the window."""

    since: datetime | None = None
    until: datetime | None = None

    def contains(self, start_ns: int | None) -> bool:
        """Return whether a turn that began at `start_ns` is selected. A turn without a time always is."""
        if start_ns is None:
            return True
        after = self.since is None or start_ns >= self.since.timestamp() * 1e9
        return after and (self.until is None or start_ns < self.until.timestamp() * 1e9)


@dataclass(frozen=True, slots=True)
class Options:
    """Options of a run.

    `resend`: send delivered turns again. `is_live`: the sessions are active. `has_ended`: Claude Code reported their
    end. `server_prices`: returns whether the server has a price for a model. `signals`: which scores are sent;
    `signals_only`: send scores of delivered turns, and nothing else. `folds_events`: events are part of their parents'
    spans, not spans of their own.
    """

    trace_settings: TraceSettings = field(default_factory=TraceSettings)
    window: Window = field(default_factory=Window)
    resend: bool = False
    is_live: bool = False
    has_ended: bool = False
    server_prices: Callable[[str], bool] = lambda _: True
    signals: SignalsMode = "off"
    signals_only: bool = False
    folds_events: bool = False

    @property
    def finds_newer(self) -> bool:
        """Whether volatile facts found now replace those that were sent."""
        return self.resend or self.is_live


def plan_turn(
    turn: Turn,
    path: str,
    session: str,
    step: Step,
    outcome: TurnOutcome,
    options: Options,
    *,
    was_settled: bool = False,
    git: Mapping[str, Any] | None = None,
    kept: Volatile | None = None,
    parent: Parent | None = None,
) -> Unit:
    """Plan a turn of a main transcript.

    Args:
        turn: The turn.
        path: The transcript's path in the state.
        session: The session of the transcript.
        step: The state's step after delivery.
        outcome: The outcome of its lines; `SHIPPED` if it is sent from this transcript.
        options: The options of the run.
        was_settled: Delivered and settled by an earlier run, so nothing is sent.
        git: Its git facts.
        kept: Volatile facts that were sent with it before.
        parent: The span of another program that contains it.
    """
    exchange = turn.exchange
    unit = Unit(
        path,
        session,
        step,
        owns=turn.uuid,
        began_ns=exchange.start_ns,
        lines=Lines(turn.counts, outcome),
        lower_bounds=turn.lower_bounds(),
    )
    if outcome != SHIPPED:
        return unit
    trace = trace_of(turn, exchange.session_id or session, options.trace_settings, parent)
    volatile = facts_of(options.trace_settings, git or {})
    if kept:
        trace = kept.in_trace(trace, newer=options.finds_newer)
        volatile = kept.in_metadata(volatile, newer=options.finds_newer)
    with_events = span_id_of(trace.trace_id, "turn", "") if options.folds_events else None
    unit = replace(
        unit,
        claims=claim_of(turn),
        lines=Lines(turn.counts, outcome, exchange, trace.trace_id, with_events),
        launches=tuple(launches_of(exchange, trace)),
    )
    if was_settled:
        return unit
    return _priced(unit, observe_turn(turn, trace, volatile=volatile, images=options.trace_settings.images), options)


def plan_subagent(
    exchange: Exchange,
    counts: Mapping[str, int],
    path: str,
    session: str,
    agent_id: str,
    facts: Mapping[str, Any],
    linked: Linked,
    end: Position,
    options: Options,
) -> Unit:
    """Plan a subagent. `counts`: its lines by kind; `facts`: its `meta.json`; `end`: where its last line ends."""
    link = linked.link
    with_events = span_id_of(link.trace.trace_id, "agent", agent_id) if options.folds_events else None
    unit = Unit(
        path,
        session,
        Whole(end, link),
        began_ns=exchange.start_ns,
        lines=Lines(counts, SHIPPED, exchange, link.trace.trace_id, with_events),
        launches=tuple(launches_of(exchange, link.trace)),
        launched=linked.launched,
    )
    if link.parent_span_id is None and (call := launching_call(exchange)):
        unit = replace(unit, owns=agent_id, claims=(call, ONLY_THIS_CALL))
    known = {"agentType": link.agent_type, **facts}
    images = options.trace_settings.images
    return _priced(
        unit, observe_subagent(exchange, link.trace, link.parent_span_id, agent_id, known, images=images), options
    )


def prepare(
    unit: Unit,
    protection: Protection,
    hashes: Collection[bytes],
    ids: Collection[bytes] = (),
    *,
    folds_events: bool = False,
) -> Unit:
    """Attach, redact and encode the observations of a unit, and drop those that were delivered unchanged.

    Args:
        unit: The planned unit.
        protection: Applies the privacy settings.
        hashes: Hashes of delivered spans.
        ids: First bytes of ids of unchanged spans; their hashes are not compared.
        folds_events: Fold events into their parents, after redaction and before hashing.
    """
    spans, every, root = [], set(), None
    observations: Iterable[Observation] = map(protection.observation, map(attached, unit.observations))
    for observation in fold_events(observations) if folds_events else observations:
        root = root or observation
        span = encode(observation)
        every.add(span.digest)
        if span.digest not in hashes and span.digest[:ID_BYTES] not in ids:
            spans.append(span)
    return replace(
        unit,
        observations=(),
        spans=tuple(spans),
        hashes=frozenset(every),
        volatile=Volatile.of(root) if root else Volatile(),
        launches=tuple(_protected(launch, protection) for launch in unit.launches),
    )


def _protected(launch: Launch, protection: Protection) -> Launch:
    kind = launch.agent_type and protection.name(launch.agent_type)
    return replace(launch, trace=protection.trace(launch.trace), agent_type=kind)


def _priced(unit: Unit, observations: list[Observation], options: Options) -> Unit:
    mode, server_prices = options.trace_settings.cost, options.server_prices
    priced = tuple(with_cost(observation, mode, server_prices) for observation in observations)
    unknown = {call.model for call in priced if call.type == "generation" and call.model and not call.cost_details}
    unpriced = frozenset(model for model in unknown if mode == "auto" and not server_prices(model))
    return replace(unit, observations=priced, unpriced=unpriced)
