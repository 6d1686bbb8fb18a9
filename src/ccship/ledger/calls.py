"""An LLM call, and the rules by which the lines and the copies of one call are merged.

Pure. One call per `message.id`, with the whole usage of the line that has the most output tokens, the last of equals:
the rule of `transcript.usage`.
"""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import TypeAlias

import msgspec
from msgspec.structs import replace

from ccship.transcript.limits import FIRST_YEAR, LAST_YEAR

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Tokens(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Tokens by price. A cache write without a duration (Claude Code before 1.0.98) counts as 5 minutes."""

    input: int = 0
    output: int = 0
    cache_read: int = 0
    cache_write_5m: int = 0
    cache_write_1h: int = 0

    @property
    def prompt(self) -> int:
        """All tokens that the model read."""
        return self.input + self.cache_read + self.cache_write_5m + self.cache_write_1h


Advice: TypeAlias = tuple[str, Tokens]
"""The model of an advisor, empty if unknown, and its tokens."""


class Call(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One LLM call, as one transcript or all of them show it.

    `time_ms`: since the epoch, None if missing. `is_final`: a line contains the stop reason; otherwise the output
    tokens are a lower bound. `advisor_ids`: the ids of its calls of an advisor. `advice`: their tokens, which `tokens`
    excludes. `turn`: the offset of its turn in the transcript. `is_inline`: of a subagent inside the main transcript
    (1.0). `reads`: bytes of the tool results that it was the first to read, by tool. `miss`: why its cache was
    missed, as the client reports it. `end_ms`: the time of its last line.
    """

    key: str
    time_ms: int | None
    session: str
    model: str
    fast: bool
    is_final: bool
    tokens: Tokens
    advisor_ids: tuple[str, ...] = ()
    advice: tuple[Advice, ...] = ()
    turn: int | None = None
    branch: str = ""
    skill: str = ""
    is_inline: bool = False
    reads: dict[str, int] = {}
    miss: str = ""
    end_ms: int | None = None


def merged(earlier: Call, later: Call) -> Call:
    """Merge two parts or copies of a call, the one that comes first in its file or began first as `earlier`.

    `reads` are those of `earlier`: the caller adds up those of one file.
    """
    best = later if later.tokens.output >= earlier.tokens.output else earlier
    return replace(
        earlier,
        model=best.model,
        fast=best.fast,
        tokens=best.tokens,
        advice=best.advice,
        is_final=earlier.is_final or later.is_final,
        advisor_ids=tuple(dict.fromkeys(earlier.advisor_ids + later.advisor_ids)),
        miss=earlier.miss or later.miss,
    )


def continued(earlier: Call, later: Call) -> Call:
    """Merge two parts of a call in one file, and add up what they read."""
    end_ms = max((time for time in (earlier.end_ms, later.end_ms) if time is not None), default=None)
    return replace(merged(earlier, later), reads=added(earlier.reads, later.reads), end_ms=end_ms)


def added(one: dict[str, int], other: dict[str, int]) -> dict[str, int]:
    """Return the sums of two tables."""
    return {name: one.get(name, 0) + other.get(name, 0) for name in {**one, **other}}


def with_advisors(calls: Iterable[Call]) -> Iterator[Call]:
    """Yield calls, each followed by its advisor calls: one per advisor id, because lines repeat the advice."""
    for call in calls:
        yield call
        for key, (model, tokens) in zip(call.advisor_ids, call.advice, strict=False):
            yield replace(
                call, key=key, model=model, fast=False, tokens=tokens, advisor_ids=(), advice=(), reads={}, miss=""
            )


def time_ms_of(text: str | None) -> int | None:
    """Return a transcript's time in ms since the epoch; None if it is missing, invalid or has no zone."""
    try:
        moment = datetime.fromisoformat(text or "")
    except ValueError:
        return None
    if moment.tzinfo is None or not FIRST_YEAR <= moment.year <= LAST_YEAR:
        return None
    since = moment - _EPOCH
    return since.days * 86_400_000 + since.seconds * 1000 + since.microseconds // 1000


def iso_of(time_ms: int) -> str:
    """Return a time as transcripts write it: ISO with milliseconds, in UTC."""
    moment = datetime.fromtimestamp(time_ms // 1000, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{time_ms % 1000:03}Z"
