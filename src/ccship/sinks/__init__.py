"""Where observations go, and what is truly known to have arrived."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from ccship.errors import DeliveryError
from ccship.observations import Observation

MIN_SDK = (4, 14, 3)
"""The first Langfuse SDK that is asked for here, as `pyproject.toml` has it; packagers relax that."""

BATCH_SPANS = 512
"""Spans in one delivery: the SDK's queue holds 2048 and drops what comes beyond."""

BATCH_BYTES = 4 * 1024 * 1024
"""Text in one delivery, roughly; bounds memory and keeps requests small enough for common proxies once compressed."""


@dataclass(slots=True)
class Delivery:
    """What became of a batch, by span id. Spans in neither set are still to be sent; `failure` says why."""

    accepted: set[str] = field(default_factory=set)
    rejected: dict[str, str] = field(default_factory=dict)
    failure: DeliveryError | None = None


class Sink(Protocol):
    """Takes observations and says truly which were accepted."""

    def deliver(self, observations: Sequence[Observation]) -> Delivery:
        """Send a batch of at most `BATCH_SPANS` observations and wait for the answer."""
        ...

    def close(self) -> None:
        """Finish; nothing can be delivered after."""
        ...
