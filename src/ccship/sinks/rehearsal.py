"""A sink that sends nothing and accepts everything: for dry runs."""

from collections.abc import Sequence

from ccship.observations import Observation
from ccship.sinks import Delivery


class RehearsalSink:
    """Says of every observation that it was accepted."""

    def deliver(self, observations: Sequence[Observation]) -> Delivery:
        """Accept a batch."""
        return Delivery(accepted={observation.span_id for observation in observations})

    def close(self) -> None:
        """Nothing to finish."""
