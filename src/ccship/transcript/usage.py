"""Token usage of one LLM call, in Langfuse's keys.

All lines of a call repeat its usage, but only the last is sure to have the final output. So usage is taken from a
single line, never added up or mixed: a sum of all lines is 1.94 times too high.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from ccship.transcript.records import Assistant, CacheCreation, Usage


def usage_of(lines: Iterable[Assistant]) -> Usage:
    """Return the usage of the line with the most output tokens, the last if equal; zeros if no line has any."""
    best = Usage()
    for line in lines:
        usage = line.message.usage if line.message else None
        if usage is not None and (usage.output_tokens or 0) >= (best.output_tokens or 0):
            best = usage
    return best


def is_final(lines: Iterable[Assistant]) -> bool:
    """Return whether a line has a stop reason. Without one, `output_tokens` is only a lower bound."""
    return any(line.message and line.message.stop_reason for line in lines)


CACHE_WRITES = ("cache_creation_input_tokens", "input_cache_creation_5m", "input_cache_creation_1h")
"""Langfuse's keys for cache writes."""


def usage_details(usage: Usage) -> dict[str, int]:
    """Return the tokens by Langfuse's usage keys, zeros included.

    Contains either the two cache-write keys or the single one: the server adds up all keys.
    """
    details = {
        "input": usage.input_tokens or 0,
        "output": usage.output_tokens or 0,
        "cache_read_input_tokens": usage.cache_read_input_tokens or 0,
    }
    if usage.cache_creation is None:
        return details | {"cache_creation_input_tokens": usage.cache_creation_input_tokens or 0}
    # a fork sets the usage of copied calls to zero, but not the split
    split = CacheCreation() if usage.cache_creation_input_tokens == 0 else usage.cache_creation
    return details | {
        "input_cache_creation_5m": split.ephemeral_5m_input_tokens or 0,
        "input_cache_creation_1h": split.ephemeral_1h_input_tokens or 0,
    }


def cache_writes(details: Mapping[str, int]) -> int:
    """Return the tokens written to the cache, for all lifetimes."""
    return sum(details.get(key, 0) for key in CACHE_WRITES)


def advisor_usages(usage: Usage) -> list[tuple[str, Usage]]:
    """Return the model (may be empty) and usage of each advisor; the call's own usage excludes them."""
    return [
        (str(iteration.get("model") or ""), _usage(iteration))
        for iteration in usage.iterations or ()
        if isinstance(iteration, dict) and iteration.get("type") == "advisor_message"
    ]


def _usage(iteration: dict[str, Any]) -> Usage:
    try:
        return msgspec.convert(iteration, Usage, strict=False)
    except msgspec.ValidationError:
        return Usage()
