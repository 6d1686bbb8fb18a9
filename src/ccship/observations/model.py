"""The observation: one span, before any SDK or wire format."""

import hashlib
from dataclasses import dataclass, field, replace
from typing import Any, Literal, TypeAlias

import orjson

ObservationType: TypeAlias = Literal["agent", "generation", "tool", "event"]
Level: TypeAlias = Literal["DEFAULT", "WARNING", "ERROR"]


@dataclass(frozen=True, slots=True)
class Trace:
    """What every span of a trace carries; Langfuse inherits nothing."""

    trace_id: str
    name: str
    session_id: str
    user_id: str | None = None
    version: str | None = None
    tags: tuple[str, ...] = ()
    environment: str | None = None


@dataclass(frozen=True, slots=True)
class Observation:
    """One span. Ids are lower-case hex, times are ns since the epoch, tokens are counts.

    `trace_id`, `span_id`, `type` and `start_ns` never change once an observation can have been sent. `passing` is
    metadata that was true when it was looked at; a change of it alone is no reason to send the span again.
    """

    trace: Trace
    span_id: str
    parent_span_id: str | None
    type: ObservationType
    name: str
    start_ns: int
    end_ns: int
    input: Any = None
    output: Any = None
    metadata: dict[str, Any] = field(default_factory=dict)
    level: Level = "DEFAULT"
    status_message: str | None = None
    model: str | None = None
    model_parameters: dict[str, Any] | None = None
    usage_details: dict[str, int] | None = None
    cost_details: dict[str, float] | None = None
    completion_start_ns: int | None = None
    passing: dict[str, Any] = field(default_factory=dict)


ID_BYTES = 3
"""Enough of a span id to tell the spans of a few turns apart."""


def encode(observation: Observation) -> tuple[bytes, int]:
    """Eight bytes that tell an observation from what it was before, and its size in bytes.

    The first `ID_BYTES` of them are those of the span id: a state that keeps them knows a span that has changed.
    """
    lasting = replace(observation, passing={}) if observation.passing else observation
    encoded = orjson.dumps(lasting, option=orjson.OPT_SORT_KEYS)
    return bytes.fromhex(observation.span_id)[:ID_BYTES] + hashlib.blake2b(encoded, digest_size=5).digest(), len(
        encoded
    )


def present(values: dict[str, Any]) -> dict[str, Any]:
    """Metadata without what is not known."""
    return {key: value for key, value in values.items() if value is not None}
