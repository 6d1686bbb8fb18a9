"""The cost of LLM calls, for servers without a price for a model."""

from collections.abc import Callable
from typing import Literal, TypeAlias

from msgspec.structs import replace

from ccship.observations.model import Observation
from ccship.pricing.prices import cost_details

CostMode: TypeAlias = Literal["auto", "server", "client"]
"""Who computes costs: the server; ccship, for every call; `auto`: ccship if the server has no price."""


def with_cost(observation: Observation, mode: CostMode, server_prices: Callable[[str], bool]) -> Observation:
    """Return an LLM call with `cost_details` if the mode requires them; return other observations unchanged.

    `server_prices` returns whether the server has a price for a model. A model without a price in ccship is left to the
    server.
    """
    if observation.type != "generation" or mode == "server":
        return observation
    if mode == "auto" and server_prices(observation.model or ""):
        return observation
    return replace(observation, cost_details=costs_of(observation))


def costs_of(call: Observation) -> dict[str, float] | None:
    """Return USD by usage key and their `total`; None for a model without a price."""
    fast = (call.model_parameters or {}).get("speed") == "fast"
    return cost_details(call.model or "", call.usage_details or {}, call.start_ns, fast=fast)
