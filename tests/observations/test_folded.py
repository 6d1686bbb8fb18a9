"""Folding moves events into their parents, and loses none."""

from itertools import chain

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from ccship.observations import Observation, fold_events
from lines import Lines
from observed import Observe, named, roots
from privacy.observation import observation

IDS = st.sampled_from([f"{n:016x}" for n in range(4)])


@st.composite
def observations(draw: st.DrawFn) -> list[Observation]:
    """Observations with distinct ids, whose parents may be missing, or events themselves."""
    kinds = draw(st.lists(st.sampled_from(["agent", "tool", "event"]), max_size=4))
    return [
        replace(observation(kind), span_id=f"{n:016x}", parent_span_id=draw(st.none() | IDS))
        for n, kind in enumerate(kinds)
    ]


@given(observations())
def test_nothing_is_lost(given: list[Observation]) -> None:
    """Each observation is there once: as it was, with events, or as an event of its parent."""
    folded = fold_events(given)
    every = [*(replace(one, events=()) for one in folded), *chain.from_iterable(one.events for one in folded)]
    assert sorted(every, key=lambda one: one.span_id) == sorted(given, key=lambda one: one.span_id)
    assert all(event.parent_span_id == one.span_id for one in folded for event in one.events)


@given(observations())
def test_only_an_event_without_a_parent_stays(given: list[Observation]) -> None:
    """Or with one that is an event, which has none."""
    parents = {one.span_id for one in given if one.type != "event"}
    assert not [one for one in fold_events(given) if one.type == "event" and one.parent_span_id in parents]


def test_a_turn_has_its_events(seen: Observe) -> None:
    """In the order of time."""
    lines = Lines().prompt("go").assistant("m1", "Done")
    lines.add("system", subtype="api_error", error={"status": 529}, retryAttempt=1)
    lines.assistant("m2", "Done").user("[Request interrupted by user]")
    given = seen(lines)
    (root,) = roots(fold_events(given))
    assert root.events == (*named(given, "api_retry"), *named(given, "interrupted"))
    assert len(root.events) == 2
