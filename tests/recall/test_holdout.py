"""The redaction finds secrets that its rules were not written for, and leaves everyday text alone."""

import re
from collections import Counter
from collections.abc import Callable, Iterator
from functools import cache

import pytest

from ccship.privacy.redact import Redactor
from recall.holdout import GROUPS, SEED, VALUES, Case, Group, cases
from recall.holdout_innocent import STRICT
from recall.measure import Outcome, is_found, measure, recall, wrong_kinds
from recall.practice import practice_cases
from recall.unseen import unseen_cases

Source = Callable[[], Iterator[Case]]

FLOORS: dict[Source, dict[Group, float]] = {
    cases: {"named": 0.99, "carrier": 0.99, "bare": 0.99, "format": 0.99},
    unseen_cases: {"named": 0.99, "carrier": 0.99, "bare": 0.98, "format": 0.96, "innocent": 1},
}
"""What is measured, rounded down. Recall may only grow; the goals are 0.99, 0.97, 0.85 and 0.95. The rules may be
improved with the first hold-out, but not with the second.
"""
PRACTICE_FLOORS: dict[Group, float] = {"named": 0.98, "carrier": 0.98, "bare": 0.95, "format": 0.95, "innocent": 1}
"""The same for the set that the rules may be improved with."""
KINDS: dict[Group, int] = {"named": 150, "carrier": 100, "bare": 80, "format": 205, "innocent": 150}
"""The least number of kinds in a hold-out."""
HOLDOUTS: tuple[Source, ...] = (cases, unseen_cases)


@pytest.fixture(scope="module")
def made() -> list[Case]:
    return list(cases())


@cache
def outcomes_of(source: Source) -> list[Outcome]:
    return measure(source(), Redactor().text)


@pytest.mark.parametrize("source", HOLDOUTS)
def test_recall_reaches_the_floor_of_each_group(source: Source) -> None:
    """A failure lists the kinds with the most missed cases."""
    outcomes = outcomes_of(source)
    for group, floor in FLOORS[source].items():
        assert recall(outcomes, group) >= floor, wrong_kinds(outcomes, group)[:40]


@pytest.mark.parametrize("group", PRACTICE_FLOORS)
def test_practice_reaches_the_floor_of_each_group(group: Group) -> None:
    """No innocent text of the practice set changes."""
    practiced = outcomes_of(practice_cases)
    assert recall(practiced, group) >= PRACTICE_FLOORS[group], wrong_kinds(practiced, group)[:40]


def test_ids_hashes_lockfiles_and_minified_code_stay_as_they_are() -> None:
    """No false positive is accepted in these classes."""
    changed = [each for each in outcomes_of(cases) if each.case.kind in STRICT and not each.is_right]
    assert [(each.case.kind, each.redacted) for each in changed] == []


@pytest.mark.parametrize("source", HOLDOUTS)
def test_each_group_has_at_least_the_required_number_of_kinds(source: Source) -> None:
    """The name of a kind is unique in its group."""
    counted = Counter((case.group, case.kind) for case in source())
    assert set(counted.values()) == {VALUES}
    counts = Counter(group for group, _ in counted)
    assert all(counts[group] >= KINDS[group] for group in GROUPS)


def without_secrets(case: Case) -> str:
    """The text with each secret replaced, longest first, as a perfect redaction would do it."""
    parts = sorted(set(case.secrets), key=len, reverse=True)
    return re.sub("|".join(map(re.escape, parts)), "*", case.text)


@pytest.mark.parametrize("source", [*HOLDOUTS, practice_cases])
def test_each_case_contains_its_secrets_and_passes_when_only_they_are_removed(source: Source) -> None:
    """No template mark remains, and no secret occurs a second time in its text."""
    for case in source():
        assert not re.search("[«»⟨⟩]", case.text), case
        assert bool(case.secrets) == (case.group != "innocent"), case
        assert all(len(secret) >= 5 and secret in case.text for secret in case.secrets), case
        if case.secrets:
            assert not is_found(case, case.text), case
            assert is_found(case, without_secrets(case)), case


@pytest.mark.parametrize("source", HOLDOUTS)
def test_the_six_values_of_a_kind_differ(source: Source) -> None:
    """Equal values would count one finding six times."""
    texts = Counter((case.group, case.kind, case.secrets) for case in source() if case.secrets)
    assert set(texts.values()) == {1}


def test_the_same_seed_makes_the_same_cases_and_another_seed_others(made: list[Case]) -> None:
    """Figures of two versions can be compared."""
    assert list(cases()) == made
    assert list(cases(SEED + 1)) != made
