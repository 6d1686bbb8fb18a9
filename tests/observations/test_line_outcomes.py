"""What becomes of lines is a closed set of outcomes; each has one text, which is in the store for ever."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ccship.observations.line_outcomes import (
    BAD,
    COPIED,
    DEAD_LETTERED,
    DUPLICATE,
    NO_TURN,
    PENDING,
    SHIPPED,
    Drift,
    Ignored,
    LineOutcome,
    LowerBound,
    RecordCounts,
    Remark,
    TurnOutcome,
    Unknown,
    by_key,
    key_of,
    outcome_of,
    outcomes_in,
    outcomes_of,
)

WRITTEN: dict[str, LineOutcome | Remark] = {
    "turn": SHIPPED,
    "pending": PENDING,
    "dead_lettered": DEAD_LETTERED,
    "bad": BAD,
    "ignored:copied": COPIED,
    "ignored:duplicate": DUPLICATE,
    "ignored:no_turn": NO_TURN,
    "ignored:last-prompt": Ignored("last-prompt"),
    "unknown:2.1.329:hologram": Unknown("2.1.329", "hologram"),
    "unknown::hologram": Unknown("", "hologram"),
    "drift:2.1.329:assistant.message": Drift("2.1.329", "assistant.message"),
    "lower_bound:2.1.329": LowerBound("2.1.329"),
}
"""What 0.1.0 wrote."""


@pytest.mark.parametrize(("key", "outcome"), WRITTEN.items())
def test_the_store_keeps_its_words(key: str, outcome: LineOutcome | Remark) -> None:
    """Released versions wrote them."""
    assert outcome_of(key) == outcome
    assert key_of(outcome) == key


KEYS = st.one_of(
    st.sampled_from(["turn", "pending", "dead_lettered", "bad"]),
    st.text().map(lambda text: f"ignored:{text}"),
    st.text().map(lambda text: f"lower_bound:{text}"),
    st.tuples(st.sampled_from(["unknown", "drift"]), st.text(), st.text()).map(":".join),
)


@given(st.dictionaries(KEYS, st.integers(-5, 5)))
def test_counts_that_are_read_and_written_again_stay_as_they_were(counts: dict[str, int]) -> None:
    """In their order, whatever a type or a version is called."""
    assert list(by_key(outcomes_in(counts)).items()) == list(counts.items())


@pytest.mark.parametrize("key", ["", "shipped", "unwanted", "turn:x", "bad:", "ignored", "unknown:2.1", "drift", "7"])
def test_a_word_that_no_version_wrote_is_an_error(key: str) -> None:
    """Its transcript is read again."""
    with pytest.raises(ValueError, match=r"LineKind|not a key"):
        outcome_of(key)


@pytest.mark.parametrize(
    ("outcome", "dead", "expected"),
    [
        (SHIPPED, 0, {"turn": 5, "ignored:mode": 2, "drift:1:f": 1}),
        (SHIPPED, 2, {"turn": 3, "ignored:mode": 2, "drift:1:f": 1, "dead_lettered": 2}),
        (PENDING, 0, {"pending": 7}),
        (COPIED, 0, {"ignored:mode": 2, "drift:1:f": 1, "ignored:copied": 5}),
        (NO_TURN, 0, {"ignored:mode": 2, "drift:1:f": 1, "ignored:no_turn": 5}),
    ],
)
def test_what_becomes_of_a_turn_is_what_becomes_of_its_lines(
    outcome: TurnOutcome, dead: int, expected: dict[str, int]
) -> None:
    """And of no other lines."""
    counts = {"turn": 5, "ignored:mode": 2, "drift:1:f": 1}
    assert by_key(outcomes_of(counts, outcome, dead)) == expected


def test_a_line_of_a_type_that_is_called_like_an_outcome_is_counted_too() -> None:
    """Names of types are other people's."""
    lines = {"bad": 1, "ignored:bad": 2, "ignored:turn": 3, "ignored:copied": 4, "turn": 5}
    counts = RecordCounts.of(outcomes_in(lines))
    assert (counts.records, counts.shipped) == (15, 5)
    assert counts.ignored_by_label == Counter({"bad": 3, "turn": 3, "copied": 4})
