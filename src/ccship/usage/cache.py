"""The prompt cache: how much of the prompts it served, what rebuilding it cost, and why it had to be rebuilt.

Pure. The rule of the signal `cache_rebuild_usd`, for every cause: a call that writes most of a large context again,
after a call of the same transcript.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from ccship.ledger.calls import Call
from ccship.ledger.sums import DAY_MS
from ccship.pricing.prices import Tariff
from ccship.usage.report import rates_of

LEAST_TOKENS = 20_000
"""A smaller context is cheap to write again."""

LEAST_SHARE = 0.5
"""Share of the context that a rebuild writes; a normal call writes only what is new."""

SHORT_MS, LONG_MS = 300_000, 3_600_000
"""Lifetimes of a cache. A write without a lifetime (before 1.0.98) is for five minutes."""


@dataclass(frozen=True, slots=True)
class Rebuild:
    """A call that wrote the cache again. `pause_ms`: since the end of the call before it.

    `cost_usd`: what writing cost more than reading would have; None without a price.
    """

    cause: str
    session: str
    time_ms: int
    pause_ms: int
    tokens: int
    cost_usd: float | None


@dataclass(slots=True)
class _Stream:
    """The calls of one transcript so far: when the last one ended, its model, and the lifetime of the cache."""

    end_ms: int
    model: str
    lifetime_ms: int | None


@dataclass(slots=True)
class Cache:
    """Finds rebuilds in the calls of transcripts, one transcript after the other, each in the order of time."""

    tariff_of: Callable[[str, bool], Tariff | None]
    rebuilds: list[Rebuild] = field(default_factory=list)
    _stream: _Stream | None = None

    def add_transcript(self, calls: Iterable[tuple[Call, bool]], compactions: Sequence[int]) -> None:
        """Add a transcript's calls, each with whether it counts, and the times of its compactions, sorted."""
        self._stream = None
        for call, counts in calls:
            if call.time_ms is None or not call.tokens.prompt:
                continue
            rebuild = self._rebuild(call, call.time_ms, compactions)
            if counts and rebuild is not None:
                self.rebuilds.append(rebuild)
            self._advance(call, call.time_ms)

    def _rebuild(self, call: Call, time_ms: int, compactions: Sequence[int]) -> Rebuild | None:
        last, tokens = self._stream, call.tokens
        written = tokens.cache_write_5m + tokens.cache_write_1h
        if last is None or written < LEAST_TOKENS or written <= LEAST_SHARE * tokens.prompt:
            return None
        pause_ms = max(time_ms - last.end_ms, 0)
        if call.miss:
            cause = f"{call.miss} (reported)"
        elif bisect_right(compactions, time_ms) > bisect_right(compactions, last.end_ms):
            cause = "compaction"
        elif call.model != last.model:
            cause = "other model"
        elif last.lifetime_ms is not None and pause_ms > last.lifetime_ms:
            cause = "pause"
        else:
            cause = "unknown"
        return Rebuild(cause, call.session, time_ms, pause_ms, written, self._cost_of(call, time_ms))

    def _advance(self, call: Call, time_ms: int) -> None:
        """Remember the call. One that only reads keeps the lifetime."""
        last = self._stream
        lifetime_ms = last.lifetime_ms if last else None
        if call.tokens.cache_write_1h:
            lifetime_ms = LONG_MS
        elif call.tokens.cache_write_5m:
            lifetime_ms = SHORT_MS
        end_ms = max(call.end_ms or time_ms, last.end_ms if last else 0)
        self._stream = _Stream(end_ms, call.model, lifetime_ms)

    def _cost_of(self, call: Call, time_ms: int) -> float | None:
        tariff = self.tariff_of(call.model, call.fast)
        if tariff is None:
            return None
        tokens = call.tokens
        rates = rates_of(tariff, time_ms // DAY_MS, tokens.prompt)
        short, long = rates.cache_write_5m - rates.cache_read, rates.cache_write_1h - rates.cache_read
        return tokens.cache_write_5m * short + tokens.cache_write_1h * long
