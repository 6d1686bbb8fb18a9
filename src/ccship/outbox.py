"""Batches on their way to a sink, and what is remembered when the answer comes.

Nothing gets past it unprotected: what is hashed, sent and buried has been through the `Protection`.
Owns the rule that a cursor moves only over what was acknowledged: units (turns, subagents) are committed in order,
each once none of its spans is waiting; what was accepted of an uncommitted unit is remembered by its hash.
"""

import time
from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from ccship.errors import DeliveryError, Retryable
from ccship.observations import Observation, encode
from ccship.privacy import Protection
from ccship.sinks import BATCH_BYTES, BATCH_SPANS, Sink
from ccship.state import State, TranscriptState


@dataclass(slots=True)
class Report:
    """What a run did.

    `spans` counts observations by what became of them, `tokens` those of accepted LLM calls, `lines` what was read.
    `redacted` counts what was taken out of all that was looked at, by rule; `error`: fields that could not be judged.
    `text_bytes`: of what was put on its way; `begun`: how many turns of it, and `began_ns`: when the first and the last
    of them began.
    `failure` ended the run; `stopped`: it was told to leave off before the work was done.
    """

    sessions: int = 0
    turns: Counter[str] = field(default_factory=Counter)
    spans: Counter[str] = field(default_factory=Counter)
    tokens: Counter[str] = field(default_factory=Counter)
    lines: Counter[str] = field(default_factory=Counter)
    redacted: Counter[str] = field(default_factory=Counter)
    text_bytes: int = 0
    begun: int = 0
    began_ns: tuple[int, int] | None = None
    problems: list[str] = field(default_factory=list)
    failure: DeliveryError | None = None
    stopped: bool = False

    def add(self, other: "Report") -> None:
        """Enter what another run did; its failure ended that run only."""
        self.sessions += other.sessions
        for name in ("turns", "spans", "tokens", "lines", "redacted"):
            getattr(self, name).update(getattr(other, name))
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
        """A turn that began then is on its way."""
        self.begun += 1
        self._span(moment_ns)

    def _span(self, moment_ns: int) -> None:
        first, last = self.began_ns or (moment_ns, moment_ns)
        self.began_ns = min(first, moment_ns), max(last, moment_ns)

    @property
    def ok(self) -> bool:
        """Whether everything that was wanted has arrived."""
        return self.failure is None and not self.problems and not self.spans["dead_lettered"]


@dataclass(frozen=True, slots=True)
class Put:
    """What became of a unit: how many observations are on their way, and the hashes of all, sent before or not."""

    fresh: int
    hashes: set[bytes]


@dataclass(slots=True)
class _Unit:
    waiting: set[str]
    put: Put
    commit: Callable[[Put], None]


class Outbox:
    """The way of one transcript's observations to the sink. `dead`: ids of its spans that never arrive there."""

    def __init__(
        self, sink: Sink, state: State, report: Report, known: TranscriptState, protection: Protection
    ) -> None:
        self._sink = sink
        self._state = state
        self._report = report
        self._known = known
        self._protection = protection
        self.dead = state.dead_spans(known.path)
        self._batch: list[tuple[Observation, bytes]] = []
        self._batch_bytes = 0
        self._units: deque[_Unit] = deque()

    def put(self, observations: Sequence[Observation], commit: Callable[[Put], None]) -> Put:
        """Send what is new or changed of a unit; `commit` is called once all of it has arrived.

        What was accepted before, unchanged, is not sent again.
        """
        fresh, hashes = [], set()
        for observation in map(self._protection.observation, observations):
            digest, size = encode(observation)
            hashes.add(digest)
            if digest not in self._known.spans:
                fresh.append((observation, digest, size))
        self._report.spans["unchanged"] += len(observations) - len(fresh)
        put = Put(len(fresh), hashes)
        self._units.append(_Unit({observation.span_id for observation, _, _ in fresh}, put, commit))
        for observation, digest, size in fresh:
            if len(self._batch) >= BATCH_SPANS or (self._batch and self._batch_bytes + size > BATCH_BYTES):
                self.flush()
            self._batch.append((observation, digest))
            self._batch_bytes += size
            self._report.text_bytes += size
        return put

    def flush(self, conclude: Callable[[], None] = lambda: None) -> None:
        """Deliver what is waiting and enter the outcome in the state; nothing more is sent after a failure.

        `conclude` is called when all is known, before it is saved.
        """
        batch, self._batch, self._batch_bytes = self._batch, [], 0
        arrived = self._deliver(batch) if batch and self._report.failure is None else set()
        with self._state.transaction():
            for unit in self._units:
                unit.waiting -= arrived
            while self._units and not self._units[0].waiting:
                unit = self._units.popleft()
                unit.commit(unit.put)
            conclude()
            self._known.last_error = str(self._report.failure) if self._report.failure else None
            self._state.save(self._known)

    def _deliver(self, batch: list[tuple[Observation, bytes]]) -> set[str]:
        delivery = self._sink.deliver([observation for observation, _ in batch])
        for observation, digest in batch:
            span_id = observation.span_id
            if span_id in delivery.accepted:
                self._report.spans["accepted"] += 1
                if span_id in self.dead:
                    self.dead.discard(span_id)
                    self._state.revive(observation.trace.trace_id, span_id)
                self._report.tokens.update(observation.usage_details or {})
            elif (reason := delivery.rejected.get(span_id)) is not None:
                self._report.spans["dead_lettered"] += 1
                self.dead.add(span_id)
                self._state.bury(observation.trace.trace_id, span_id, observation.name, self._known.path, reason)
            else:
                self._report.spans["pending"] += 1
                continue
            self._known.spans.add(digest)
        arrived = delivery.accepted | delivery.rejected.keys()
        if delivery.accepted:
            self._known.shipped_at = time.time()
        self._report.failure = delivery.failure
        if delivery.failure is None and len(arrived) < len(batch):
            # nothing may be lost silently, not even between the SDK and its exporter
            self._report.failure = Retryable(f"{len(batch) - len(arrived)} spans were never handed to the exporter")
        return arrived
