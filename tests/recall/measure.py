"""Measure the redaction with the hold-out; `uv run python -m tests.recall` prints the table.

A case counts as found when the redacted text contains none of its secrets, nor 70 % of a secret's characters in one
run. An innocent case counts as changed when the redacted text differs from the original.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from math import ceil

from recall.holdout import GROUPS, Case, Group

ENOUGH = 0.7
"""Share of a secret that, in one run, counts as the whole: the rest can be guessed."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """A case, its redacted text, and whether the redaction is correct."""

    case: Case
    redacted: str
    is_right: bool


def runs(secret: str) -> Iterator[str]:
    """Yield every part of a secret that is long enough to count as the whole."""
    size = ceil(len(secret) * ENOUGH)
    return (secret[start : start + size] for start in range(len(secret) - size + 1))


def is_found(case: Case, redacted: str) -> bool:
    """Return whether the redacted text contains none of the secrets."""
    return not any(run in redacted for secret in case.secrets for run in runs(secret))


def measure(cases: Iterable[Case], redact: Callable[[str], str]) -> list[Outcome]:
    """Redact each case and return the outcomes in order."""
    outcomes = []
    for case in cases:
        redacted = redact(case.text)
        is_right = redacted == case.text if case.group == "innocent" else is_found(case, redacted)
        outcomes.append(Outcome(case, redacted, is_right))
    return outcomes


def recall(outcomes: Iterable[Outcome], group: Group) -> float:
    """Return the share of correct outcomes in a group, from 0 to 1."""
    chosen = [outcome.is_right for outcome in outcomes if outcome.case.group == group]
    return sum(chosen) / len(chosen)


def wrong_kinds(outcomes: Iterable[Outcome], group: Group) -> list[tuple[str, int]]:
    """Return the kinds of a group that have wrong outcomes, with their number, worst first."""
    wrong = Counter(each.case.kind for each in outcomes if each.case.group == group and not each.is_right)
    return sorted(wrong.items(), key=lambda item: (-item[1], item[0]))


def table(outcomes: list[Outcome], worst: int) -> Iterator[str]:
    """Yield the lines of the report: recall per group, then the worst kinds of each group."""
    yield f"{'group':<10}{'kinds':>7}{'cases':>7}{'right':>7}{'share':>9}"
    for group in GROUPS:
        of_group = [outcome for outcome in outcomes if outcome.case.group == group]
        right = sum(outcome.is_right for outcome in of_group)
        kinds = len({outcome.case.kind for outcome in of_group})
        yield f"{group:<10}{kinds:>7}{len(of_group):>7}{right:>7}{recall(of_group, group):>9.2%}"
    for group in GROUPS:
        kinds_wrong = wrong_kinds(outcomes, group)
        word = "changed" if group == "innocent" else "missed"
        yield f"\n{group}: {len(kinds_wrong)} kinds with {word} cases"
        yield from (f"  {count} {word}  {kind}" for kind, count in kinds_wrong[:worst])


def examples(outcomes: Iterable[Outcome], kind: str) -> Iterator[str]:
    """Yield the wrong outcomes of a kind: text, secrets, redacted text."""
    for outcome in outcomes:
        if outcome.case.kind == kind and not outcome.is_right:
            case = outcome.case
            yield f"--- text\n{case.text}\n--- secrets {case.secrets}\n--- redacted\n{outcome.redacted}\n"
