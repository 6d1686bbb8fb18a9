"""The observation: one span, independent of SDK and wire format."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal, TypeAlias

import msgspec

ObservationType: TypeAlias = Literal["agent", "generation", "tool", "event"]
Level: TypeAlias = Literal["DEFAULT", "WARNING", "ERROR"]


@dataclass(frozen=True, slots=True)
class Trace:
    """The fields that every span of a trace has; Langfuse inherits none.

    `name`, `user_id`, `environment` and `settings_tags` come from the settings, the rest from the transcript.
    """

    trace_id: str
    name: str
    session_id: str
    user_id: str | None = None
    version: str | None = None
    tags: tuple[str, ...] = ()
    environment: str | None = None
    settings_tags: tuple[str, ...] = ()


class Observation(msgspec.Struct, frozen=True):
    """One span. Ids are lower-case hex, times are ns since the epoch, usage is in tokens.

    `trace_id`, `span_id`, `type` and `start_ns` never change once an observation may have been sent. `volatile` is
    metadata that is not in the transcript: settings, environment, git facts. `response_id` is the id of an LLM call's
    message; the span id is made from it. `events`: those folded into this observation (`folded.fold_events`).
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
    metadata: dict[str, Any] = {}
    level: Level = "DEFAULT"
    status_message: str | None = None
    model: str | None = None
    model_parameters: dict[str, Any] | None = None
    usage_details: dict[str, int] | None = None
    cost_details: dict[str, float] | None = None
    completion_start_ns: int | None = None
    volatile: dict[str, Any] = {}
    response_id: str | None = None
    events: tuple["Observation", ...] = ()


ID_BYTES = 3
"""Bytes of a span id that are stored: enough to distinguish the spans of a few turns."""


def present(values: dict[str, Any]) -> dict[str, Any]:
    """Return the metadata without None."""
    return {key: value for key, value in values.items() if value is not None}


def iso_utc(time_ns: int) -> str:
    """Return a time (ns since the epoch) as ISO 8601 in UTC, in milliseconds."""
    moment = datetime.fromtimestamp(time_ns // 1_000_000 / 1000, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
