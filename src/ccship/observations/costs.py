"""What LLM calls cost, for servers that do not know a model's price."""

from dataclasses import replace

from ccship.observations.model import Observation
from ccship.prices import cost_details


def with_cost(observation: Observation) -> Observation:
    """An LLM call with its `cost_details`, USD by usage key and their `total`; anything else as it is.

    A model that has no price here is left to the server's list.
    """
    if observation.type != "generation":
        return observation
    return replace(observation, cost_details=costs_of(observation))


def costs_of(call: Observation) -> dict[str, float] | None:
    """USD by usage key and their `total`; None for a model that has no price."""
    fast = (call.model_parameters or {}).get("speed") == "fast"
    return cost_details(call.model or "", call.usage_details or {}, call.start_ns, fast=fast)
