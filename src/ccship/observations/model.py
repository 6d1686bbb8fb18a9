"""The observation: one span, independent of SDK and wire format."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal, TypeAlias

import msgspec

ObservationType: TypeAlias = Literal["agent", "generation", "tool", "event"]
Level: TypeAlias = Literal["DEFAULT", "WARNING", "ERROR"]


@dataclass(frozen=True, slots=True)
class Parent:
    """A span of another program that contains the turns of a run of Claude Code. Ids are lower-case hex."""

    trace_id: str
    span_id: str


@dataclass(frozen=True, slots=True)
class Trace:
    """The fields that every span of a trace has; Langfuse inherits none.

    `name`, `user_id`, `environment` and `settings_tags` come from the settings, the rest from the transcript. `parent`:
    set if the turn is attached to the trace of another program. `trace_id` is the turn's own in any case, until
    `attached` replaces it: span ids are derived from it.
    """

    trace_id: str
    name: str
    session_id: str
    user_id: str | None = None
    version: str | None = None
    tags: tuple[str, ...] = ()
    environment: str | None = None
    settings_tags: tuple[str, ...] = ()
    parent: Parent | None = None

    @property
    def sent_id(self) -> str:
        """The trace id on the server: the parent's, if there is one."""
        return self.parent.trace_id if self.parent else self.trace_id


class Observation(msgspec.Struct, frozen=True, gc=False):
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

    @property
    def is_root(self) -> bool:
        """Whether no other observation of a transcript contains it. A span of another program may."""
        parent = self.trace.parent
        return self.parent_span_id is None or (parent is not None and self.parent_span_id == parent.span_id)


ID_BYTES = 3
"""Bytes of a span id that are stored: enough to distinguish the spans of a few turns."""


def present(values: dict[str, Any]) -> dict[str, Any]:
    """Return the metadata without None."""
    return {key: value for key, value in values.items() if value is not None}


def iso_utc(time_ns: int) -> str:
    """Return a time (ns since the epoch) as ISO 8601 in UTC, in milliseconds."""
    moment = datetime.fromtimestamp(time_ns // 1_000_000 / 1000, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
