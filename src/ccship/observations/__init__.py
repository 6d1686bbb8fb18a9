"""Turns and subagents -> observations: what Langfuse gets.

Pure: no clock, no randomness, no files. The same exchange gives the same observations.
"""

from ccship.observations.build import Labels, observe_subagent, observe_turn, trace_of
from ccship.observations.costs import costs_of, with_cost
from ccship.observations.model import Observation, Trace, encode, short_id

__all__ = [
    "Labels",
    "Observation",
    "Trace",
    "costs_of",
    "encode",
    "observe_subagent",
    "observe_turn",
    "short_id",
    "trace_of",
    "with_cost",
]  # fmt: skip
