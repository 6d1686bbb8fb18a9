"""The unit of work: what one turn or subagent sends, and the state's step after delivery.

Values only. A unit is planned, redacted, encoded, sent and committed; no step changes it in place.
"""

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from ccship.errors import DeliveryError
from ccship.observations import Observation, Trace
from ccship.observations.line_outcomes import NO_TURN, Outcomes, TurnOutcome, lost, outcomes_of
from ccship.observations.volatile import Volatile
from ccship.privacy.encoding import Encoded
from ccship.signals.model import StoredMemory
from ccship.signals.scores import Score
from ccship.transcript.exchange import Exchange
from ccship.transcript.tail import Position
from ccship.transcript.turns import ResumeState


@dataclass(frozen=True, slots=True)
class Launch:
    """A tool call that launches a subagent.

    `message_id`: the LLM call that requested it. `agent_id`: the subagent, or the folder of several; None until the
    tool has a result. `prompt`: a hash of the subagent's prompt.
    """

    tool_use_id: str
    trace: Trace
    message_id: str
    agent_id: str | None
    agent_type: str | None
    prompt: bytes


@dataclass(frozen=True, slots=True)
class Link:
    """The parent of a subagent. `parent_span_id` is None for an orphan.

    `message_id`: the LLM call that launched it; a forked subagent repeats the call in its own transcript.
    """

    trace: Trace
    parent_span_id: str | None
    agent_type: str | None = None
    message_id: str | None = None


@dataclass(frozen=True, slots=True)
class Settled:
    """The turn is settled: the cursor moves to `position`, with the resume state for a reader there.

    `memory`: of signals, for the turns after it; None if no scores are sent.
    """

    position: Position
    resume_state: ResumeState
    memory: StoredMemory | None = None


@dataclass(frozen=True, slots=True)
class Open:
    """The turn is open: the hashes of its spans are stored. Its lines end at the offset `end`."""

    end: int


@dataclass(frozen=True, slots=True)
class Whole:
    """A subagent, always read from its beginning. `link` is None if its file contains no record."""

    position: Position
    link: Link | None


@dataclass(frozen=True, slots=True)
class End:
    """The end of a pass over a main transcript. `end`: the offset up to which it was read.

    `turns`: the uuids of the open turns; `hashes`: those of their spans and scores; `memory`: of signals at the cursor.
    `turns` is None if the window excluded some: what is stored stays.
    """

    end: int
    turns: frozenset[str] | None
    hashes: frozenset[bytes] = frozenset()
    memory: StoredMemory | None = None


@dataclass(frozen=True, slots=True)
class Scored:
    """Only scores are sent, of a turn that was delivered before.

    `closes`: set on the last unit of a pass: now all turns of the transcript have scores, or those whose scores failed
    before.
    """

    closes: Literal["all", "failed"] | None = None


Step: TypeAlias = Settled | Open | Whole | End | Scored
"""How the state changes once a unit is delivered."""


@dataclass(frozen=True, slots=True)
class Start:
    """The start of a pass. `from_start`: the file is read from its beginning; `resend`: forget delivered spans."""

    from_start: bool
    resend: bool


@dataclass(frozen=True, slots=True)
class Lines:
    """The lines of a unit by kind, and the outcome of the turn's lines after delivery.

    `exchange`: their content, if spans were built from it. `with_events`: the id of the span that contains the events,
    if they are not spans of their own.
    """

    counts: Mapping[str, int] = field(default_factory=Counter)
    outcome: TurnOutcome = NO_TURN
    exchange: Exchange | None = None
    trace_id: str = ""
    with_events: str | None = None

    def outcomes(self, dead: Collection[str]) -> Outcomes:
        """Count the lines by outcome. `dead`: the ids of spans that are dead letters."""
        count = lost(self.exchange, self.trace_id, dead, self.with_events) if self.exchange and dead else 0
        return outcomes_of(self.counts, self.outcome, count)


@dataclass(frozen=True, slots=True)
class Unit:
    """What one turn or subagent sends, and what the state stores once it is delivered.

    Attributes:
        path: The transcript's path in the state.
        start: Set on the first unit of a pass.
        owns: The uuid of the turn, or the id of the subagent, that this transcript owns after delivery.
        claims: Its first LLM call, and when its last one was answered (seconds since the epoch).
        observations: All observations, before redaction.
        spans: The encoded spans to send.
        hashes: Hashes of all its spans, those already delivered included.
        scores: The scores to send, after all its spans are delivered.
        score_hashes: Hashes of all its scores, those already delivered included.
        lacks_trace: It has scores for a trace that another session has not shipped yet; a later run sends them.
        launches: Tool calls that launch subagents.
        launched: The tool call that launched this subagent.
        lower_bounds: Calls without final usage, by client version.
        read: Bytes of the transcript since the previous unit.
    """

    path: str
    session: str
    step: Step
    start: Start | None = None
    owns: str | None = None
    claims: tuple[str, int] | None = None
    began_ns: int | None = None
    lines: Lines = field(default_factory=Lines)
    observations: tuple[Observation, ...] = ()
    spans: tuple[Encoded, ...] = ()
    hashes: frozenset[bytes] = frozenset()
    scores: tuple[Score, ...] = ()
    score_hashes: frozenset[bytes] = frozenset()
    lacks_trace: bool = False
    volatile: Volatile = field(default_factory=Volatile)
    launches: tuple[Launch, ...] = ()
    launched: str | None = None
    lower_bounds: Mapping[str, int] = field(default_factory=Counter)
    unpriced: frozenset[str] = frozenset()
    read: int = 0


@dataclass(frozen=True, slots=True)
class UnitOutcome:
    """The outcome of one delivery for a unit: its accepted spans and scores, and the rejected ones with the reasons.

    `arrived`: the spans of the unit and of all units before it are delivered. `unscored`: why some of its scores are
    not: sending failed, or the server takes none.
    """

    unit: Unit
    accepted: tuple[Encoded, ...] = ()
    rejected: tuple[tuple[Encoded, str], ...] = ()
    scored: tuple[Score, ...] = ()
    rejected_scores: tuple[tuple[Score, str], ...] = ()
    arrived: bool = False
    unscored: Literal["failed", "unsupported"] | None = None


@dataclass(frozen=True, slots=True)
class BatchOutcome:
    """The outcomes of one batch, in the order in which the units were planned.

    `pending`: how many spans of the batch are not delivered. `unsupported`: how many scores, because the server takes
    none. `failure`: the error that ends the run; `score_failure`: the one after which it sends no more scores.
    `problems`: skipped sessions, each with the reason.
    """

    outcomes: tuple[UnitOutcome, ...]
    pending: int = 0
    unsupported: int = 0
    failure: DeliveryError | None = None
    score_failure: DeliveryError | None = None
    problems: tuple[str, ...] = ()
