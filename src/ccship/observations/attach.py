"""Attaches turns to a span of another program."""

import re
from dataclasses import replace

from msgspec import structs

from ccship.observations.model import Observation, Parent

TRACE_ID = re.compile(r"(?!0{32})[0-9a-f]{32}")
SPAN_ID = re.compile(r"(?!0{16})[0-9a-f]{16}")

_FIELDS = f"-({TRACE_ID.pattern})-({SPAN_ID.pattern})-[0-9a-f]{{2}}"
_TRACEPARENT = re.compile(f"(?:00{_FIELDS}|(?!00|ff)[0-9a-f]{{2}}{_FIELDS}(?:-.*)?)", re.DOTALL)
"""W3C Trace Context: version 00 has four fields, a later one may have more, and ff is no version."""


def parent_in(traceparent: str) -> Parent | None:
    """Return the parent in the value of a W3C `traceparent` header; None if it is malformed. The flags are ignored."""
    found = _TRACEPARENT.fullmatch(traceparent)
    return Parent(*filter(None, found.groups())) if found else None


def parent_of_ids(trace_id: str, span_id: str) -> Parent | None:
    """Return the parent with these ids; None if one of them is malformed."""
    is_valid = TRACE_ID.fullmatch(trace_id) and SPAN_ID.fullmatch(span_id)
    return Parent(trace_id, span_id) if is_valid else None


def attached(observation: Observation) -> Observation:
    """Return the observation as it is sent: in the trace of the parent, and a root below the parent's span."""
    trace = observation.trace
    if trace.parent is None:
        return observation
    return structs.replace(
        observation,
        trace=replace(trace, trace_id=trace.sent_id),
        parent_span_id=observation.parent_span_id or trace.parent.span_id,
    )
