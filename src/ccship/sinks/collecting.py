"""Sinks that send nothing and accept everything, for dry runs, `show` and `verify`."""

from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from ccship.observations import Observation
from ccship.privacy.encoding import Encoded
from ccship.signals.scores import Score
from ccship.sinks import Delivery

_Kept = TypeVar("_Kept")


class RehearsalSink:
    """Accepts every span and keeps none."""

    def deliver(self, spans: Sequence[Encoded]) -> Delivery:
        """Accept a batch."""
        return Delivery(accepted={span.span_id for span in spans})

    def score(self, scores: Sequence[Score]) -> Delivery:
        """Accept scores."""
        return Delivery(accepted={score.id for score in scores})

    def close(self) -> None:
        """Do nothing."""


class CollectingSink(RehearsalSink, Generic[_Kept]):
    """Accepts every span. `kept`: the results of `keep` by span id, the latest if repeated."""

    def __init__(self, keep: Callable[[Observation], _Kept]) -> None:
        self.kept: dict[str, _Kept] = {}
        self._keep = keep

    def deliver(self, spans: Sequence[Encoded]) -> Delivery:
        """Accept a batch and keep it."""
        self.kept.update((span.span_id, self._keep(span.observation)) for span in spans)
        return super().deliver(spans)
