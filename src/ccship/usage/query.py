"""Reads a report from the ledger: which transcripts, which calls, summed by what."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ccship.ledger.groups import View, directories, files_under, sessions_only_in
from ccship.ledger.store import Ledger
from ccship.ledger.sums import Span
from ccship.pricing.prices import Tariff
from ccship.usage.dimensions import Dimension
from ccship.usage.report import Row, rows_by


@dataclass(frozen=True, slots=True)
class Report:
    """Rows; the working directory by project, where known; the number of sessions without a transcript on disk."""

    rows: list[Row]
    directories: dict[str, str]
    deleted_sessions: int


@dataclass(frozen=True, slots=True)
class Query:
    """What a report shows."""

    dimension: Dimension
    span: Span
    tariff_of: Callable[[str, bool], Tariff | None]

    def read(self, ledger: Ledger, root: str | None, transcripts: Sequence[Path], *, on_disk: bool) -> Report:
        """Read the report of a folder, or of the whole ledger if `root` is None.

        Args:
            ledger: The ledger, inside `reading`.
            root: The Claude config folder.
            transcripts: Those on disk.
            on_disk: Leave out the others.
        """
        files = files_under(ledger, root)
        present = {files[str(path)] for path in transcripts if str(path) in files}
        deleted = set() if on_disk else set(files.values()) - present
        view = View(ledger, present | deleted, self.span)
        rows = rows_by(view.groups(self.dimension.columns, self._steps(view)), [self.dimension], self.tariff_of)
        return Report(rows, directories(ledger), sessions_only_in(ledger, deleted, present, self.span))

    def _steps(self, view: View) -> list[int]:
        """Return the numbers of prompt tokens above which a model of the ledger has other prices."""
        tariffs = (self.tariff_of(model, fast) for model, fast in view.models())
        found = {step.above for tariff in tariffs if tariff for period in tariff.periods for step in period.steps}
        return sorted(found - {0})
