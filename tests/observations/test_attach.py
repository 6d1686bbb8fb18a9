"""Turns below a span of another program."""

from dataclasses import replace

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ccship.observations import Observation, Parent, attached
from ccship.observations.attach import parent_in, parent_of_ids
from conftest import FIXTURES
from helpers import observe

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
PARENT = Parent(TRACE, SPAN)

# https://www.w3.org/TR/trace-context/#traceparent-header and #versioning-of-traceparent
TRACEPARENTS: dict[str, tuple[str, Parent | None]] = {
    "the example of the standard": (f"00-{TRACE}-{SPAN}-01", PARENT),
    "not sampled": (f"00-{TRACE}-{SPAN}-00", PARENT),
    "flags that nobody has defined": (f"00-{TRACE}-{SPAN}-ff", PARENT),
    "a later version": (f"01-{TRACE}-{SPAN}-01", PARENT),
    "a later version with more fields": (f"cc-{TRACE}-{SPAN}-01-what-the-future-will-be-like", PARENT),
    "a later version that ends with a dash": (f"cc-{TRACE}-{SPAN}-01-", PARENT),
    "a later version with longer flags": (f"cc-{TRACE}-{SPAN}-01.what", None),
    "a later version that is too short": (f"cc-{TRACE}-{SPAN}", None),
    "more fields in version 00": (f"00-{TRACE}-{SPAN}-01-more", None),
    "version ff": (f"ff-{TRACE}-{SPAN}-01", None),
    "a version of one digit": (f"0-{TRACE}-{SPAN}-01", None),
    "a trace id of zeros": (f"00-{'0' * 32}-{SPAN}-01", None),
    "a span id of zeros": (f"00-{TRACE}-{'0' * 16}-01", None),
    "upper case": (f"00-{TRACE.upper()}-{SPAN}-01", None),
    "flags in upper case": (f"00-{TRACE}-{SPAN}-0A", None),
    "a short trace id": (f"00-{TRACE[1:]}-{SPAN}-01", None),
    "a long span id": (f"00-{TRACE}-{SPAN}0-01", None),
    "no flags": (f"00-{TRACE}-{SPAN}", None),
    "a newline behind it": (f"00-{TRACE}-{SPAN}-01\n", None),
    "digits of another script": (f"00-{TRACE[:-1]}٣-{SPAN}-01", None),
    "nothing": ("", None),
}


@pytest.mark.parametrize(("text", "expected"), TRACEPARENTS.values(), ids=TRACEPARENTS.keys())
def test_a_traceparent_is_read_as_the_standard_says(text: str, expected: Parent | None) -> None:
    """A malformed one is no parent."""
    assert parent_in(text) == expected


@given(st.text())
def test_no_text_is_too_odd(text: str) -> None:
    """Whatever a variable contains, it is a parent with valid ids, or none."""
    found = parent_in(text)
    assert found is None or parent_of_ids(found.trace_id, found.span_id) == found


@given(st.integers(1, 2**128 - 1), st.integers(1, 2**64 - 1))
def test_explicit_ids_are_the_same_parent_as_a_traceparent(trace: int, span: int) -> None:
    """The two ways to name a parent agree."""
    trace_id, span_id = f"{trace:032x}", f"{span:016x}"
    assert parent_of_ids(trace_id, span_id) == parent_in(f"00-{trace_id}-{span_id}-01") == Parent(trace_id, span_id)


@pytest.fixture(scope="module")
def observations() -> list[Observation]:
    """All of a session with subagents."""
    (session,) = (FIXTURES / "claude").rglob("dad1e8b6*.jsonl")
    return observe(session)


def test_only_the_trace_and_the_parent_of_roots_change(observations: list[Observation]) -> None:
    """Ids of spans, times and content stay; roots stay roots; a second time changes nothing."""
    for observation in observations:
        trace = replace(observation.trace, parent=PARENT)
        before = msgspec.structs.replace(observation, trace=trace)
        after = attached(before)
        assert after.trace == replace(trace, trace_id=TRACE)
        assert after.parent_span_id == (observation.parent_span_id or SPAN)
        assert after.is_root == observation.is_root == (observation.parent_span_id is None)
        same = msgspec.structs.replace(after, trace=trace, parent_span_id=observation.parent_span_id)
        assert same == before
        assert attached(after) == after
    assert any(observation.is_root for observation in observations)
    assert not all(observation.is_root for observation in observations)


def test_without_a_parent_nothing_changes(observations: list[Observation]) -> None:
    """As for almost all users."""
    assert [attached(observation) for observation in observations] == observations
