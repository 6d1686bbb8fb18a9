"""Turns and subagents -> observations: what Langfuse gets.

Pure: no clock, no randomness, no files. The same exchange gives the same observations.
"""

from ccship.observations.build import Labels, observe_subagent, observe_turn, trace_of
from ccship.observations.model import Observation, Trace, encode

__all__ = ["Labels", "Observation", "Trace", "encode", "observe_subagent", "observe_turn", "trace_of"]
