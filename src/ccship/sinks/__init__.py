"""Sinks: where observations and scores go. A sink reports only what was acknowledged as accepted."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from ccship.errors import DeliveryError
from ccship.privacy.encoding import Encoded
from ccship.signals.scores import Score

MIN_SDK = (4, 14, 3)
"""The oldest Langfuse SDK that works, as in `pyproject.toml`; some packagers relax that."""

BATCH_SPANS = 512
"""Spans in one delivery. The SDK's queue has room for 2048 and drops the rest."""

BATCH_BYTES = 4 * 1024 * 1024
"""Approximate bytes of text in one delivery. Limits memory; compressed, it fits common proxies' request limits."""

BATCH_SCORES = 1_000
"""Scores in one delivery: about half a megabyte."""


@dataclass(slots=True)
class Delivery:
    """The outcome of a batch by id of the span or score. Those in neither set are not delivered; `failure` says why.

    `is_unsupported`: the server takes no scores, so they are not delivered and never will be.
    """

    accepted: set[str] = field(default_factory=set)
    rejected: dict[str, str] = field(default_factory=dict)
    failure: DeliveryError | None = None
    is_unsupported: bool = False


class Sink(Protocol):
    """Takes encoded observations and returns which were acknowledged."""

    def deliver(self, spans: Sequence[Encoded]) -> Delivery:
        """Send a batch of at most `BATCH_SPANS` spans and wait for the answer."""
        ...

    def score(self, scores: Sequence[Score]) -> Delivery:
        """Send at most `BATCH_SCORES` scores of delivered traces and wait for the answer."""
        ...

    def close(self) -> None:
        """Close the sink; no delivery can follow."""
        ...
