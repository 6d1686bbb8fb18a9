"""Turns and subagents -> observations: what Langfuse gets.

Pure: no clock, no randomness, no files. The same exchange gives the same observations.
"""

from ccship.observations.build import Labels, observe_subagent, observe_turn, trace_of
from ccship.observations.costs import costs_of, with_cost
from ccship.observations.model import ID_BYTES, Observation, Trace, encode

__all__ = [
    "ID_BYTES",
    "Labels",
    "Observation",
    "Trace",
    "costs_of",
    "encode",
    "observe_subagent",
    "observe_turn",
    "trace_of",
    "with_cost",
]  # fmt: skip
