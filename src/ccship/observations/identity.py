"""Trace and span ids: pure functions of the transcript, so sending again gives the same ids."""

import hashlib
from typing import Literal, TypeAlias

SpanKind: TypeAlias = Literal["turn", "llm", "tool", "agent", "event"]


def trace_id_of(turn_uuid: str) -> str:
    """Return the trace id (32 hex digits) of the turn that the record `turn_uuid` opened."""
    return hashlib.sha256(f"ccship:turn:{turn_uuid}".encode()).hexdigest()[:32]


def seeded_trace_id(seed: str, turn_number: int) -> str:
    """Return the trace id of turn n under a seed, equal to `Langfuse.create_trace_id(seed="<seed>:<n>")`."""
    return hashlib.sha256(f"{seed}:{turn_number}".encode()).hexdigest()[:32]


def span_id_of(trace_id: str, kind: SpanKind, key: str) -> str:
    """Return the span id (16 hex digits). `key`: a message, tool_use, agent or record id; empty for a turn."""
    return hashlib.sha256(f"{trace_id}:{kind}:{key}".encode()).hexdigest()[:16]
