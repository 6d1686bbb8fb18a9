"""What a test asks of observations."""

from collections.abc import Callable
from typing import Any, TypeAlias

from ccship.observations import Observation
from lines import BEGAN, Lines

Observe: TypeAlias = Callable[[Lines], list[Observation]]
"""What the fixture `seen` gives: the observations of a transcript written for a test."""


def roots(observations: list[Observation]) -> list[Observation]:
    """The turns."""
    return [observation for observation in observations if observation.parent_span_id is None]


def named(observations: list[Observation], name: str) -> list[Observation]:
    """Those of one name, in order."""
    return [observation for observation in observations if observation.name == name]


def inputs(observations: list[Observation]) -> list[Any]:
    """What the turns were asked."""
    return [root.input for root in roots(observations)]


def seconds(time_ns: int) -> float:
    """The time since a transcript began."""
    return (time_ns - int(BEGAN.timestamp()) * 10**9) / 1e9
