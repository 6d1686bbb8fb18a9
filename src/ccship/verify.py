"""What should have arrived beside what did. Pure: two lists go in, the differences by turn come out.

Only ids, start times and tokens are compared, which are the same whatever was redacted, shortened or left out.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from ccship.observations import Observation


@dataclass(frozen=True, slots=True)
class Arrived:
    """One row of the server: `start_ms` since the epoch, tokens by Langfuse's usage keys."""

    trace_id: str
    span_id: str
    start_ms: int
    usage: dict[str, int]


@dataclass(frozen=True, slots=True)
class Expected:
    """An observation of a transcript as the server should have it; `start_ms` since the epoch."""

    trace_id: str
    trace_name: str
    session_id: str
    span_id: str
    name: str
    start_ms: int
    usage: dict[str, int]


@dataclass(slots=True)
class Difference:
    """What is wrong with one trace, by span id and what the span is called.

    `doubled`: there under another start time than the transcript gives, so that tokens are counted twice.
    """

    trace_id: str
    name: str
    missing: dict[str, str] = field(default_factory=dict)
    doubled: dict[str, str] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)


def expected_of(observation: Observation) -> Expected:
    """What the server should have of an observation."""
    return Expected(
        observation.trace.trace_id,
        observation.trace.name,
        observation.trace.session_id,
        observation.span_id,
        observation.name,
        observation.start_ns // 1_000_000,
        observation.usage_details or {},
    )


def compare(expected: Iterable[Expected], arrived: Iterable[Arrived]) -> list[Difference]:
    """The traces in which something differs, in the order in which they are expected."""
    rows: defaultdict[tuple[str, str], list[Arrived]] = defaultdict(list)
    for row in arrived:
        rows[row.trace_id, row.span_id].append(row)
    found: dict[str, Difference] = {}
    for want in expected:
        there = rows[want.trace_id, want.span_id]
        difference = found.setdefault(want.trace_id, Difference(want.trace_id, want.trace_name))
        same = [row for row in there if row.start_ms == want.start_ms]
        if not same:
            difference.missing[want.span_id] = want.name
        if len({row.start_ms for row in there} | {want.start_ms}) > 1:
            difference.doubled[want.span_id] = want.name
        if any(_differs(want.usage, row.usage) for row in same):
            difference.tokens[want.span_id] = want.name
    return [it for it in found.values() if it.missing or it.doubled or it.tokens]


def _differs(wanted: dict[str, int], usage: dict[str, int]) -> bool:
    """Whether tokens differ; the server adds a total of its own."""
    return any(wanted.get(key, 0) != usage.get(key, 0) for key in (wanted.keys() | usage.keys()) - {"total"})
