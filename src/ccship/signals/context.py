"""The context of LLM calls: how large it was, and when the cache had to be written again after a pause."""

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from hashlib import blake2b

from ccship.pricing.prices import tariff_of
from ccship.signals.model import Cache, Mark, Memory
from ccship.transcript.exchange import Exchange
from ccship.transcript.parts import LLMCall
from ccship.transcript.usage import cache_writes, usage_details, usage_of

_SHORT_S, _LONG_S = 300, 3_600
"""Lifetimes of a prompt cache. A write without a lifetime (before 1.0.98) is for five minutes."""

_LEAST_TOKENS = 20_000
"""A smaller context is cheap to write again."""

_MODEL_BYTES = 4

_LEAST_SHARE = 0.5
"""Share of the context that a rebuild writes; a normal call writes only what is new."""


@dataclass(frozen=True, slots=True)
class Context:
    """The largest context of a turn in tokens, the rebuilt caches in USD, and the memory after the turn."""

    tokens: int | None
    rebuilt: tuple[Mark, ...]
    cache: Cache | None
    was_compacted: bool


def context_of(exchange: Exchange, memory: Memory) -> Context:
    """Return the context of an exchange."""
    cache, was_compacted = memory.cache, memory.was_compacted
    largest = 0
    rebuilt: list[Mark] = []
    for call in sorted(exchange.calls.values(), key=lambda call: call.start_ns or 0):
        usage = usage_of(call.lines)
        details = usage_details(usage)
        written = cache_writes(details)
        tokens = details["input"] + details["cache_read_input_tokens"] + written
        if not tokens:
            continue
        largest = max(largest, tokens)
        model = call.lines[0].message.model or "" if call.lines[0].message else ""
        is_large = written >= _LEAST_TOKENS and written > _LEAST_SHARE * tokens
        if is_large and not was_compacted and cache and cache.model == _short(model) and _has_expired(cache, call):
            rebuilt.append(
                Mark("cache_rebuild_usd", call.message_id, _extra_usd(call, model, details, written, tokens))
            )
        was_compacted = False
        cache = _after(call, cache, model, details, written)
    return Context(largest or None, tuple(rebuilt), cache, was_compacted or _was_compacted(exchange))


def _was_compacted(exchange: Exchange) -> bool:
    return any(event.kind == "compaction" for event in exchange.events)


def _has_expired(cache: Cache, call: LLMCall) -> bool:
    if cache.lifetime_s is None or call.start_ns is None:
        return False
    return call.start_ns - cache.end_ns > cache.lifetime_s * 10**9


def _after(call: LLMCall, cache: Cache | None, model: str, details: dict[str, int], written: int) -> Cache | None:
    """Return the cache after a call. A call that only reads keeps the lifetime."""
    ended = max((line.time_ns or 0 for line in call.lines), default=0)
    lifetime_s = cache.lifetime_s if cache else None
    if details.get("input_cache_creation_1h"):
        lifetime_s = _LONG_S
    elif written:
        lifetime_s = _SHORT_S
    return Cache(max(ended, cache.end_ns if cache else 0), lifetime_s, _short(model))


@lru_cache(maxsize=64)
def _short(model: str) -> bytes:
    """Return a short key of a model's name: the state has one for each transcript."""
    return blake2b(model.encode(), digest_size=_MODEL_BYTES).digest()


def _extra_usd(call: LLMCall, model: str, details: dict[str, int], written: int, tokens: int) -> float:
    """Return what it cost to write the cache instead of reading it; 0 for a model without a price."""
    usage = usage_of(call.lines)
    tariff = tariff_of(model, usage.speed == "fast")
    if tariff is None:
        return 0.0
    day = datetime.fromtimestamp((call.start_ns or 0) / 1e9, UTC).date().isoformat()
    rates = tariff.rates(day, tokens)
    is_long = details.get("input_cache_creation_1h")
    return written * ((rates.cache_write_1h if is_long else rates.cache_write_5m) - rates.cache_read)
