"""The rows of the table: what each needs, and how they are measured and printed."""

import os
import shutil
import sys
import traceback
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TextIO, TypeAlias

from bench.mark import HEAD, NAME_WIDTH, Mark

TRIES = 3

Need: TypeAlias = Callable[[], str | None]
"""Returns the reason why a row cannot be measured here, or None."""


@dataclass(frozen=True)
class Row:
    """`name`: that of its mark, for rows that are chosen, or not measured. `take` measures once."""

    name: str
    take: Callable[[], Mark]
    needs: tuple[Need, ...] = ()

    @property
    def lacks(self) -> str:
        """Why it cannot be measured here; empty if it can."""
        return ", ".join(filter(None, (need() for need in self.needs)))

    def measure(self) -> Mark:
        """Measure; again if the mark is missed: a shared machine may stall for seconds."""
        for _ in range(TRIES):
            mark = self.take()
            if not mark.is_missed:
                break
        return mark


def on_path(program: str) -> Need:
    """A program that the row runs."""
    return lambda: None if shutil.which(program) else f"{program} is not on the PATH"


def cores(count: int) -> Need:
    """For rows that compare several processes with one."""
    there = len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1
    return lambda: None if there >= count else f"{count} cores are needed and there are {there}"


def matching(rows: Sequence[Row], texts: Iterable[str]) -> list[Row]:
    """Return the rows whose name contains one of the texts, in any case; all without texts."""
    wanted = [text.lower() for text in texts]
    return [row for row in rows if not wanted or any(text in row.name.lower() for text in wanted)]


def print_table(rows: Sequence[Row], out: TextIO) -> bool:
    """Measure and print row by row; return whether every row that can be measured here reaches its mark.

    What is missing comes first: a run takes minutes. A row that fails does not end the run.
    """
    missing = defaultdict(list)
    for row in rows:
        if row.lacks:
            missing[row.lacks].append(row.name)
    for reason, names in missing.items():
        print(f"{reason}; not measured:", *names, sep="\n  ", file=out)
    print(HEAD, file=out, flush=True)
    counts: Counter[str] = Counter()
    for row in rows:
        outcome, text = _measured(row)
        counts[outcome] += 1
        print(text, file=out, flush=True)
    print(", ".join(f"{count} {outcome}" for outcome, count in sorted(counts.items())), file=out, flush=True)
    return not (counts["missed"] or counts["failed"])


def _measured(row: Row) -> tuple[str, str]:
    """Return the outcome of a row, and its line."""
    if reason := row.lacks:
        return "not measured", f"{row.name:<{NAME_WIDTH}}not measured: {reason}"
    try:
        mark = row.measure()
    except Exception as error:  # noqa: BLE001 - the other rows can be measured all the same
        traceback.print_exc()
        return "failed", f"{row.name:<{NAME_WIDTH}}failed: {type(error).__name__}: {error}"
    outcome = "without a mark" if mark.limit is None else "missed" if mark.is_missed else "reached"
    return outcome, str(mark)
