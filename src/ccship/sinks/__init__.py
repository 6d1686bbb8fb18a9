"""Sinks: where observations go. A sink reports only acknowledged spans as accepted."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from ccship.errors import DeliveryError
from ccship.privacy.encoding import Encoded

MIN_SDK = (4, 14, 3)
"""The oldest Langfuse SDK that works, as in `pyproject.toml`; some packagers relax that."""

BATCH_SPANS = 512
"""Spans in one delivery. The SDK's queue has room for 2048 and drops the rest."""

BATCH_BYTES = 4 * 1024 * 1024
"""Approximate bytes of text in one delivery. Limits memory; compressed, it fits common proxies' request limits."""


@dataclass(slots=True)
class Delivery:
    """The outcome of a batch by span id. Spans in neither set are not delivered; `failure` is the reason."""

    accepted: set[str] = field(default_factory=set)
    rejected: dict[str, str] = field(default_factory=dict)
    failure: DeliveryError | None = None


class Sink(Protocol):
    """Takes encoded observations and returns which were acknowledged."""

    def deliver(self, spans: Sequence[Encoded]) -> Delivery:
        """Send a batch of at most `BATCH_SPANS` spans and wait for the answer."""
        ...

    def close(self) -> None:
        """Close the sink; no delivery can follow."""
        ...
