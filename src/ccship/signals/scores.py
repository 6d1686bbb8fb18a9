"""Scores: the signals of a turn as Langfuse stores them.

Pure, and the same however a session is cut into runs: id, first value, value and time of a score depend on the records
of its turn, and of the prompt after it, alone.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import blake2b
from typing import Literal, TypeAlias, get_args

import orjson

from ccship.observations.identity import span_id_of
from ccship.observations.model import ID_BYTES, Trace
from ccship.signals.model import NUMBERS, SIGNALS, ComplaintPart, SignalName, Signals, Value

SignalsMode: TypeAlias = Literal["off", "review", "all"]
"""Scores that are sent: none; `needs_review`, what fired, and `unverified` where it applies; all that apply."""

ScoreName: TypeAlias = SignalName | Literal["needs_review"]

_FLAGS: frozenset[ScoreName] = frozenset(
    {
        "needs_review", "complaint", "interrupted", "repeated_prompt", "unverified", "compaction", "api_error",
        "truncated", "refused",
    }
)  # fmt: skip
"""Scores that are true or false. The others are numbers."""

SENT: dict[SignalsMode, tuple[ScoreName, ...]] = {
    "off": (),
    "review": ("needs_review", *(name for name in SIGNALS if name not in NUMBERS)),
    "all": ("needs_review", *SIGNALS),
}
"""The names of the scores that each mode can send."""

_LATE_MS = 3_600_000
"""Added to the time of a complaint, so that it is later than any value of a turn about which nobody complained."""

_PARTS = get_args(ComplaintPart)
"""Each adds to the time of a complaint: two forks that complain in different ways never have the same time."""

_DIGEST_BYTES = 5


@dataclass(frozen=True, slots=True)
class Score:
    """A value of a signal, for one trace, or for a turn's root where a trace contains other turns (`observation_id`).

    Langfuse keeps the value with the latest time, and the time that it saw first. A score therefore begins with
    `rest` at the start of the turn (`start_ms` since the epoch), and has its value `revision` milliseconds later: the
    more is known of the turn, the later. `revision` is 0 if the value is `rest` and cannot have been another before.
    """

    id: str
    trace_id: str
    name: ScoreName
    value: Value
    comment: str | None
    start_ms: int
    revision: int
    environment: str | None = None
    observation_id: str | None = None

    @property
    def is_flag(self) -> bool:
        """Whether the value is true or false, not a number."""
        return is_flag(self.name)

    @property
    def rest(self) -> Value:
        """The value of a turn in which nothing happened."""
        return False if self.is_flag else 0

    @property
    def digest(self) -> bytes:
        """Eight bytes that change with the value and its time; the first are those of the id, as for a span.

        A value can be sent without an acknowledgement, and fall back to the one before, which must then be sent again.
        """
        content = orjson.dumps((self.value, self.comment, self.revision))
        return bytes.fromhex(self.id)[:ID_BYTES] + blake2b(content, digest_size=_DIGEST_BYTES).digest()

    def history(self) -> Iterator[tuple[int, Value, str | None]]:
        """Yield (time in ms since the epoch, value, comment): the first value, and the present one if it differs."""
        yield self.start_ms, self.rest, None
        if self.revision:
            # an empty comment replaces the reasons of an earlier value, a missing one does not
            empty = "" if self.name == "needs_review" else None
            yield self.start_ms + self.revision, self.value, self.comment or empty


def is_flag(name: ScoreName) -> bool:
    """Return whether a score is true or false, not a number."""
    return name in _FLAGS


def score_id_of(trace_id: str, name: ScoreName) -> str:
    """Return the id of a score (32 hex digits): sending it again replaces it."""
    return hashlib.sha256(f"{trace_id}:score:{name}".encode()).hexdigest()[:32]


def scores_of(signals: Signals, mode: SignalsMode, trace: Trace, start_ns: int, extent: int) -> tuple[Score, ...]:
    """Return the scores of a turn.

    Args:
        signals: The signals of the turn.
        mode: Which of them are sent.
        trace: The trace of the turn.
        start_ns: When the turn began (ns since the epoch).
        extent: How much of the turn there is. It only grows, so a later value has a later time.
    """
    root = span_id_of(trace.trace_id, "turn", "") if trace.parent else None

    def score(name: ScoreName, value: Value, comment: str | None = None) -> Score:
        can_fall = name == "human_wait_seconds" or (
            signals.unverified is not None and name in ("unverified", "needs_review")
        )
        revision = extent if value or can_fall else 0
        if signals.complaint and name in ("complaint", "needs_review"):
            revision += _LATE_MS * (1 + sum(1 << _PARTS.index(part) for part in signals.complaint_parts))
        return Score(
            score_id_of(trace.trace_id, name), trace.sent_id, name, value, comment, start_ns // 1_000_000, revision,
            trace.environment, root,
        )  # fmt: skip

    if mode == "off":
        return ()
    values = dict(signals.values())
    if signals.complaint is not None:  # a late line can show that the turn ended after the next prompt
        values.setdefault("human_wait_seconds", 0)
    review = score("needs_review", signals.needs_review, ", ".join(signals.reasons) or None)
    return (
        review,
        *(score(name, value, _comment(name, signals)) for name, value in values.items() if _is_sent(name, value, mode)),
    )


def scores_of_copy(scores: tuple[Score, ...]) -> tuple[Score, ...]:
    """Return the scores that a copy of a turn adds: the complaint in the prompt after it, if there is one.

    A fork continues after a turn that another session sends.
    """
    return tuple(score for score in scores if score.revision >= _LATE_MS)


def _is_sent(name: SignalName, value: Value, mode: SignalsMode) -> bool:
    """Return whether a score is sent. `unverified` can fall again, so it must be sent when it is false, too."""
    return mode == "all" or name == "unverified" or (bool(value) and name not in NUMBERS)


def _comment(name: SignalName, signals: Signals) -> str | None:
    if name == "complaint":
        return ", ".join(signals.complaint_parts) or None
    return signals.api_error_class if name == "api_error" else None
