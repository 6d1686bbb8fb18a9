"""The report of a run: counts of sessions, turns, spans, tokens and lines, and problems."""

from collections import Counter
from dataclasses import dataclass, field
from typing import assert_never

from ccship.errors import DeliveryError
from ccship.observations.line_outcomes import COPIED, Ignored, Pending, Shipped
from ccship.unit import BatchOutcome, Open, Scored, Settled, Unit, Whole


@dataclass(slots=True)
class Report:
    """The result of a run.

    `turns`, `spans` and `scores` are counted by result, `lines` by kind, `tokens` for accepted LLM calls.
    `redacted`: redactions by rule; `error` counts fields that could not be checked. `text_bytes`: size of the spans
    to send. `begun`: turns with spans to send; `began_ns`: start of the first and the last of them. `unpriced`:
    models for which neither the server nor ccship has a price. `failure` ended the run; `stopped`: it was told to
    stop before all was sent. `destinations`: the reports of the destinations that this one adds up, by name.
    """

    sessions: int = 0
    turns: Counter[str] = field(default_factory=Counter)
    spans: Counter[str] = field(default_factory=Counter)
    scores: Counter[str] = field(default_factory=Counter)
    tokens: Counter[str] = field(default_factory=Counter)
    lines: Counter[str] = field(default_factory=Counter)
    redacted: Counter[str] = field(default_factory=Counter)
    text_bytes: int = 0
    begun: int = 0
    began_ns: tuple[int, int] | None = None
    unpriced: set[str] = field(default_factory=set)
    problems: list[str] = field(default_factory=list)
    failure: DeliveryError | None = None
    stopped: bool = False
    destinations: "dict[str, Report]" = field(default_factory=dict)

    def add(self, other: "Report") -> None:
        """Add the report of another run. Its failure ended only that run."""
        self.sessions += other.sessions
        for name in ("turns", "spans", "scores", "tokens", "lines", "redacted"):
            getattr(self, name).update(getattr(other, name))
        self.unpriced |= other.unpriced
        self.problems += other.problems
        self.text_bytes += other.text_bytes
        for moment_ns in other.began_ns or ():
            self._span(moment_ns)
        self.begun += other.begun
        if self.failure is not None and other.failure is not None:
            self.problems.append(str(other.failure))
        self.failure = self.failure or other.failure
        self.stopped = self.stopped or other.stopped

    def begin(self, moment_ns: int) -> None:
        """Count a turn with spans to send that began at `moment_ns`."""
        self.begun += 1
        self._span(moment_ns)

    def _span(self, moment_ns: int) -> None:
        first, last = self.began_ns or (moment_ns, moment_ns)
        self.began_ns = min(first, moment_ns), max(last, moment_ns)

    def planned(self, unit: Unit) -> None:
        """Count a planned unit."""
        is_turn = isinstance(unit.step, (Settled, Open))
        if is_turn and (name := _unsent(unit)):
            self.turns[name] += 1
        if (is_turn and unit.spans) or (isinstance(unit.step, Scored) and unit.scores):
            self.begin(unit.began_ns or 0)
        self.lines.update(unit.lines.counts)
        self.spans["unchanged"] += len(unit.hashes) - len(unit.spans)
        self.text_bytes += sum(span.size for span in unit.spans)
        self.unpriced |= unit.unpriced

    def delivered(self, delivered: BatchOutcome) -> None:
        """Count the outcomes of a batch."""
        for outcome in delivered.outcomes:
            _count(self.spans, accepted=len(outcome.accepted), dead_lettered=len(outcome.rejected))
            _count(self.scores, accepted=len(outcome.scored), dead_lettered=len(outcome.rejected_scores))
            for span in outcome.accepted:
                self.tokens.update(span.observation.usage_details or {})
            if outcome.arrived and outcome.unit.spans:
                self.turns["subagents" if isinstance(outcome.unit.step, Whole) else "sent"] += 1
        _count(self.spans, pending=delivered.pending)
        _count(self.scores, unsupported=delivered.unsupported)
        self.problems += delivered.problems
        self.failure = self.failure or delivered.failure
        if delivered.score_failure is not None:
            self.problems.append(f"scores were not accepted, and the next run sends them: {delivered.score_failure}")

    @property
    def is_over(self) -> bool:
        """Whether this run sends nothing more."""
        return self.stopped or self.failure is not None

    @property
    def ok(self) -> bool:
        """Whether everything selected was delivered."""
        return (
            self.failure is None
            and not self.problems
            and not self.spans["dead_lettered"] | self.scores["dead_lettered"]
        )


def _unsent(unit: Unit) -> str | None:
    """Return the name under which a turn without spans is counted."""
    match unit.lines.outcome:
        case Pending():
            return "unwanted"
        case Ignored() as ignored:
            return "copied" if ignored == COPIED else None
        case Shipped():
            return None if unit.spans else "unchanged"
        case other:
            assert_never(other)


def _count(counter: Counter[str], **more: int) -> None:
    """Add to a counter; zeros make no entry."""
    counter.update({name: count for name, count in more.items() if count})
