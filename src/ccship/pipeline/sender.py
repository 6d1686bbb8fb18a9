"""Batches of spans and scores for one sink, and the outcomes of their units.

A batch may contain units of several transcripts. Units are reported as arrived in the order in which they were sent: a
unit whose spans were accepted waits for those before it, so that a cursor never passes an undelivered span. The scores
of a unit follow its last span; it does not wait for them.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

from ccship.errors import DeliveryError, Retryable
from ccship.pipeline.isolation import concerns_every_session, problem_of
from ccship.privacy.encoding import Encoded
from ccship.sinks import BATCH_BYTES, BATCH_SCORES, BATCH_SPANS, Delivery, Sink
from ccship.unit import BatchOutcome, Scored, Unit, UnitOutcome

_MAX_QUEUED = 256
"""Units per commit. Units without new spans never fill a batch."""


@dataclass(slots=True, eq=False)
class _Queued:
    """A unit that is not delivered.

    `sent`: its spans in the current batch; `waiting`, `unscored`: ids of unanswered spans and scores.
    """

    unit: Unit
    waiting: set[str]
    unscored: set[str]
    sent: list[Encoded] = field(default_factory=list)


class Sender:
    """Sends units to a sink."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._queue: list[_Queued] = []
        self._spans = 0
        self._bytes = 0
        self._scores = 0
        self._score_failure: DeliveryError | None = None
        self._dropped: set[str] = set()

    @property
    def is_waiting(self) -> bool:
        """Whether spans or scores are queued for the next batch."""
        return bool(self._spans or self._scores)

    def send(self, unit: Unit) -> Iterator[BatchOutcome]:
        """Queue a unit; yield the outcomes of batches that were full."""
        if unit.session in self._dropped:
            return
        if len(self._queue) >= _MAX_QUEUED or self._scores + len(unit.scores) > BATCH_SCORES:
            yield self._deliver()
        queued = _Queued(unit, {span.span_id for span in unit.spans}, {score.id for score in unit.scores})
        self._queue.append(queued)
        self._scores += len(unit.scores)
        for span in unit.spans:
            if self._spans >= BATCH_SPANS or (self._spans and self._bytes + span.size > BATCH_BYTES):
                yield self._deliver()
                if unit.session in self._dropped:
                    return
            queued.sent.append(span)
            self._spans += 1
            self._bytes += span.size

    def flush(self) -> Iterator[BatchOutcome]:
        """Send the queued units; yield the outcome."""
        if self._queue:
            yield self._deliver()

    def _deliver(self) -> BatchOutcome:
        batch = [span for queued in self._queue for span in queued.sent]
        reply, problems = self._send(batch) if batch else (Delivery(), ())
        self._queue = [queued for queued in self._queue if queued.unit.session not in self._dropped]
        # compare ids, not spans: a damaged transcript may contain two spans with one id
        unanswered = {span.span_id for queued in self._queue for span in queued.sent} - reply.accepted
        unanswered -= reply.rejected.keys()
        failure = reply.failure
        if failure is None and unanswered:
            # no span may be lost silently, not even between the SDK and its exporter
            failure = Retryable(f"{len(unanswered)} spans did not reach the exporter")
        for queued in self._queue:
            queued.waiting -= reply.accepted | reply.rejected.keys()
        scored = Delivery() if failure or self._score_failure else self._score()
        self._score_failure = self._score_failure or scored.failure
        unsupported = 0
        outcomes: list[UnitOutcome] = []
        rest: list[_Queued] = []
        for queued in self._queue:
            queued.unscored -= scored.accepted | scored.rejected.keys()
            if scored.is_unsupported:
                unsupported += len(queued.unscored)
            arrived = not (queued.waiting or rest)
            outcomes.append(_outcome(queued, reply, scored, arrived=arrived, can_score=self._score_failure is None))
            queued.sent.clear()
            if not arrived:
                rest.append(queued)
        self._queue, self._spans, self._bytes = rest, 0, 0
        self._scores = sum(len(queued.unscored) for queued in rest)
        return BatchOutcome(tuple(outcomes), len(unanswered), unsupported, failure, scored.failure, tuple(problems))

    def _score(self) -> Delivery:
        """Send the scores of units whose spans have all arrived. If that fails, turns go on without them."""
        whole = Delivery()
        scores = [
            score
            for queued in self._queue
            if not queued.waiting
            for score in queued.unit.scores
            if score.id in queued.unscored
        ]
        for at in range(0, len(scores), BATCH_SCORES):
            part = self._sink.score(scores[at : at + BATCH_SCORES])
            whole.accepted |= part.accepted
            whole.rejected |= part.rejected
            whole.failure, whole.is_unsupported = part.failure, part.is_unsupported
            if whole.failure or whole.is_unsupported:
                break
        return whole

    def _send(self, batch: Sequence[Encoded]) -> tuple[Delivery, Sequence[str]]:
        try:
            return self._sink.deliver(batch), ()
        except Exception as error:
            if concerns_every_session(error):
                raise
        return self._send_by_session()

    def _send_by_session(self) -> tuple[Delivery, Sequence[str]]:
        """Send the batch again by session. A session on which the sink fails is dropped; the others are delivered."""
        whole, problems = Delivery(), []
        sessions: defaultdict[str, list[Encoded]] = defaultdict(list)
        for queued in self._queue:
            sessions[queued.unit.session] += queued.sent
        for session, spans in sessions.items():
            if not spans or whole.failure is not None:
                continue
            try:
                part = self._sink.deliver(spans)
            except Exception as error:
                if concerns_every_session(error):
                    raise
                problems.append(problem_of(session, error))
                self._dropped.add(session)
            else:
                whole.accepted |= part.accepted
                whole.rejected |= part.rejected
                whole.failure = part.failure
        return whole, problems


def _outcome(queued: _Queued, reply: Delivery, scored: Delivery, *, arrived: bool, can_score: bool) -> UnitOutcome:
    scores = queued.unit.scores
    unscored: Literal["failed", "unsupported"] | None = None
    if queued.unscored or queued.unit.lacks_trace or (isinstance(queued.unit.step, Scored) and not can_score):
        unscored = "unsupported" if scored.is_unsupported else "failed"
    return UnitOutcome(
        queued.unit,
        tuple(span for span in queued.sent if span.span_id in reply.accepted),
        tuple((span, reply.rejected[span.span_id]) for span in queued.sent if span.span_id in reply.rejected),
        tuple(score for score in scores if score.id in scored.accepted),
        tuple((score, scored.rejected[score.id]) for score in scores if score.id in scored.rejected),
        arrived,
        unscored,
    )
