"""Compares expected observations and scores with those on the server. Pure.

Of observations, ids, start times and tokens are compared: redaction and other settings do not change them. Of an
observation that was just replaced the server may return both versions: the latest counts.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from ccship.observations import Observation
from ccship.signals.scores import Score

_ADDED_BY_FORKS = ("complaint", "needs_review")
"""Scores that are true if a fork of the session complains; only one session is read at a time."""

_PROJECT = "project:"
"""Prefix of the tag with a trace's project."""


@dataclass(frozen=True, slots=True)
class Arrived:
    """An observation on the server. `start_ms` and `updated_ms` since the epoch, tokens by usage key, cost in USD.

    `updated_ms` is 0 and `cost` None if the server does not return them.
    """

    trace_id: str
    span_id: str
    start_ms: int
    usage: dict[str, int]
    updated_ms: int = 0
    model: str | None = None
    cost: float | None = None


@dataclass(frozen=True, slots=True)
class Expected:
    """An observation of a transcript as expected on the server. `start_ms` since the epoch.

    `is_attached`: in the trace of another program, which may contain several turns; `trace_name` is that of its turn.
    """

    trace_id: str
    trace_name: str
    session_id: str
    span_id: str
    name: str
    start_ms: int
    usage: dict[str, int]
    project: str = ""
    is_attached: bool = False


@dataclass(slots=True)
class Difference:
    """The differences of one trace, or of one turn if its trace contains others, by span id and name.

    `doubled`: present with another start time than in the transcript, so that tokens count twice. `unpriced`: calls
    without a cost in Langfuse, as span id -> model. `scores`: missing or with another value, as score id -> name.
    """

    trace_id: str
    name: str
    session_id: str = ""
    project: str = ""
    missing: dict[str, str] = field(default_factory=dict)
    doubled: dict[str, str] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)
    unpriced: dict[str, str] = field(default_factory=dict)
    scores: dict[str, str] = field(default_factory=dict)


def expected_of(observation: Observation) -> Expected:
    """Return the expected observation on the server."""
    return Expected(
        observation.trace.trace_id,
        observation.trace.name,
        observation.trace.session_id,
        observation.span_id,
        observation.name,
        observation.start_ns // 1_000_000,
        observation.usage_details or {},
        next((tag.removeprefix(_PROJECT) for tag in observation.trace.tags if tag.startswith(_PROJECT)), ""),
        observation.trace.parent is not None,
    )


def target_of(score: Score) -> str:
    """Return the id of what a score is about: a trace, or the root of an attached turn."""
    return score.observation_id or score.trace_id


def targets_of(expected: Iterable[Expected]) -> frozenset[str]:
    """Return the ids that the scores of some observations can be about."""
    return frozenset(map(_target, expected))


def _target(expected: Expected) -> str:
    return expected.span_id if expected.is_attached else expected.trace_id


def compare(
    expected: Iterable[Expected],
    arrived: Iterable[Arrived],
    scores: Iterable[Score] = (),
    stored: Mapping[str, float] | None = None,
) -> list[Difference]:
    """Return the traces that differ, in the order of `expected`.

    Args:
        expected: The observations that should be there.
        arrived: The observations that are there; others are ignored.
        scores: The scores of `expected` that should be there.
        stored: The values of the scores that are there, by id; None if that is unknown.
    """
    rows: defaultdict[tuple[str, str], list[Arrived]] = defaultdict(list)
    for row in arrived:
        rows[row.trace_id, row.span_id].append(row)
    found: dict[tuple[str, str], Difference] = {}
    of_target: dict[str, Difference] = {}
    for want in expected:
        there = rows[want.trace_id, want.span_id]
        difference = found.setdefault(
            (want.trace_id, want.trace_name if want.is_attached else ""),
            Difference(want.trace_id, want.trace_name, want.session_id, want.project),
        )
        of_target[_target(want)] = difference
        same = max((row for row in there if row.start_ms == want.start_ms), key=_updated, default=None)
        if same is None:
            difference.missing[want.span_id] = want.name
        if len({row.start_ms for row in there} | {want.start_ms}) > 1:
            difference.doubled[want.span_id] = want.name
        if same is not None and _differs(want.usage, same.usage):
            difference.tokens[want.span_id] = want.name
        if same is not None and any(want.usage.values()) and same.cost == 0:
            difference.unpriced[want.span_id] = same.model or want.name
    if stored is not None:
        for score in scores:
            value = stored.get(score.id)
            if value != float(score.value) and not (value and score.name in _ADDED_BY_FORKS):
                of_target[target_of(score)].scores[score.id] = score.name
    return [
        difference
        for difference in found.values()
        if difference.missing or difference.doubled or difference.tokens or difference.unpriced or difference.scores
    ]


def compare_added(session_id: str, scores: Iterable[Score], stored: Mapping[str, float] | None) -> list[Difference]:
    """Return the traces of another session that lack what a fork of it says about them: a complaint.

    Args:
        session_id: The session of the fork.
        scores: The scores that it adds.
        stored: The values of the scores that are there, by id; None if that is unknown.
    """
    if stored is None:
        return []
    found: dict[str, Difference] = {}
    for score in scores:
        if stored.get(score.id) != float(score.value):
            difference = found.setdefault(score.trace_id, Difference(score.trace_id, "copied turn", session_id))
            difference.scores[score.id] = score.name
    return list(found.values())


def _updated(row: Arrived) -> int:
    return row.updated_ms


def _differs(wanted: dict[str, int], usage: dict[str, int]) -> bool:
    """Return whether tokens differ, ignoring the server's total."""
    return any(wanted.get(key, 0) != usage.get(key, 0) for key in (wanted.keys() | usage.keys()) - {"total"})
