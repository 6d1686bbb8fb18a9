"""Turns and subagents -> Langfuse observations.

Pure: no clock, randomness or files. Equal exchanges give equal observations.
"""

from ccship.observations.attach import attached
from ccship.observations.build import (
    TRACE_NAME,
    TRACE_NAME_FIELDS,
    TraceSettings,
    observe_subagent,
    observe_turn,
    trace_of,
)
from ccship.observations.costs import CostMode, costs_of, with_cost
from ccship.observations.folded import fold_events
from ccship.observations.model import ID_BYTES, Observation, Parent, Trace

__all__ = [
    "ID_BYTES",
    "TRACE_NAME",
    "TRACE_NAME_FIELDS",
    "CostMode",
    "Observation",
    "Parent",
    "Trace",
    "TraceSettings",
    "attached",
    "costs_of",
    "fold_events",
    "observe_subagent",
    "observe_turn",
    "trace_of",
    "with_cost",
]  # fmt: skip
