"""Folds events into their parents, for encodings in which an event is part of a span. Pure."""

from collections import defaultdict
from collections.abc import Iterable

from msgspec.structs import replace

from ccship.observations.model import Observation


def fold_events(observations: Iterable[Observation]) -> list[Observation]:
    """Move each event into the `events` of its parent, in the given order.

    An event whose parent is not among the observations stays an observation of its own.
    """
    given = list(observations)
    parents = {observation.span_id for observation in given if observation.type != "event"}
    spans: list[Observation] = []
    events: defaultdict[str | None, list[Observation]] = defaultdict(list)
    for observation in given:
        is_folded = observation.type == "event" and observation.parent_span_id in parents
        (events[observation.parent_span_id] if is_folded else spans).append(observation)
    return [replace(span, events=tuple(events[span.span_id])) if span.span_id in events else span for span in spans]
