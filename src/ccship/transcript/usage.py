"""Token usage of one LLM call, split the way Langfuse prices it.

Usage is taken whole from one line of the call, never added over lines and never mixed from two: the lines repeat the
same call, and only the last of them is sure to hold the true output. Multiplying factor of a plain sum: 1.94.
"""

from collections.abc import Iterable
from typing import Any

import msgspec

from ccship.transcript.records import Assistant, Usage


def usage_of(lines: Iterable[Assistant]) -> Usage:
    """The usage of the line with the most output tokens, the last of equals; all zero when no line has any."""
    best = Usage()
    for line in lines:
        usage = line.message.usage if line.message else None
        if usage is not None and (usage.output_tokens or 0) >= (best.output_tokens or 0):
            best = usage
    return best


def is_final(lines: Iterable[Assistant]) -> bool:
    """Whether any line says how the response ended; without it `output_tokens` is only a lower bound."""
    return any(line.message and line.message.stop_reason for line in lines)


CACHE_WRITES = ("cache_creation_input_tokens", "input_cache_creation_5m", "input_cache_creation_1h")
"""Langfuse's keys for what was written to the cache."""


def usage_details(usage: Usage) -> dict[str, int]:
    """Langfuse's usage keys, in tokens, zeros included.

    Either the two cache-write keys or the undivided one, never both: the server adds up all keys that it finds.
    """
    details = {
        "input": usage.input_tokens or 0,
        "output": usage.output_tokens or 0,
        "cache_read_input_tokens": usage.cache_read_input_tokens or 0,
    }
    if usage.cache_creation is None:
        return details | {"cache_creation_input_tokens": usage.cache_creation_input_tokens or 0}
    return details | {
        "input_cache_creation_5m": usage.cache_creation.ephemeral_5m_input_tokens or 0,
        "input_cache_creation_1h": usage.cache_creation.ephemeral_1h_input_tokens or 0,
    }


def cache_writes(usage: Usage) -> int:
    """Tokens written to the cache, whatever they are kept for."""
    details = usage_details(usage)
    return sum(details.get(key, 0) for key in CACHE_WRITES)


def advisor_usages(usage: Usage) -> list[tuple[str, Usage]]:
    """Model (empty where unnamed) and usage of each advisor that was asked; the call's own usage excludes them."""
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
