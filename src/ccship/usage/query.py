"""Reads a report from the ledger: which transcripts, which calls, summed by what."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from ccship.ledger.calls import Call
from ccship.ledger.groups import View, directories, files_under, sessions_only_in
from ccship.ledger.store import Ledger
from ccship.ledger.sums import Column, Group, Span
from ccship.pricing.prices import Tariff
from ccship.transcript.files import project_folder_name
from ccship.usage.cache import Cache, Rebuild
from ccship.usage.dimensions import By, dimension, model_key
from ccship.usage.report import Row, rows_by, total_of


@dataclass(frozen=True, slots=True)
class Report:
    """Rows; the working directory by project, where known; the number of sessions without a transcript on disk."""

    rows: list[Row]
    directories: dict[str, str]
    deleted_sessions: int


@dataclass(frozen=True, slots=True)
class CacheReport:
    """The sums of all calls, and the calls that rebuilt a cache."""

    total: Row
    rebuilds: list[Rebuild]


@dataclass(frozen=True, slots=True)
class Query:
    """What a report shows.

    `by`: one dimension or two. `project`, `model`: parts of a project's path and of a model's name, or None.
    `tariff_of(model, fast)`, `to_local`, `ticket`: prices, the local time zone, the ticket in a branch's name.
    """

    by: tuple[By, ...]
    span: Span
    tariff_of: Callable[[str, bool], Tariff | None]
    to_local: Callable[[datetime], datetime]
    ticket: Callable[[str], str | None]
    project: str | None = None
    model: str | None = None

    def read(self, ledger: Ledger, root: str | None, transcripts: Sequence[Path], *, on_disk: bool) -> Report:
        """Read the report of a folder, or of the whole ledger if `root` is None.

        Args:
            ledger: The ledger, inside `reading`.
            root: The Claude config folder.
            transcripts: Those on disk.
            on_disk: Leave out the others.
        """
        view, deleted, present = self._view(ledger, root, transcripts, on_disk=on_disk)
        dimensions = [dimension(name, self.to_local, view, self.ticket) for name in self.by]
        columns: dict[Column, None] = dict.fromkeys(column for each in dimensions for column in each.columns)
        if self.project is not None:
            columns["project"] = None
        groups = self._chosen(view.groups(list(columns), steps_of(view, self.tariff_of)))
        rows = rows_by(groups, dimensions, self.tariff_of)
        return Report(rows, directories(ledger), sessions_only_in(ledger, deleted, present, self.span, self._is_of))

    def cache(self, ledger: Ledger, root: str | None, transcripts: Sequence[Path], *, on_disk: bool) -> CacheReport:
        """Read what the prompt cache served and cost, of the same calls."""
        view, _, _ = self._view(ledger, root, transcripts, on_disk=on_disk)
        columns: list[Column] = [] if self.project is None else ["project"]
        rows = rows_by(self._chosen(view.groups(columns, steps_of(view, self.tariff_of))), [], self.tariff_of)
        found = Cache(self.tariff_of)
        for project, calls, compactions in view.transcripts():
            is_of = self._is_of(project)
            counted = ((call, counts and is_of and self._has_model(call)) for call, counts in calls)
            found.add_transcript(counted, compactions)
        return CacheReport(total_of(rows), found.rebuilds)

    def _view(
        self, ledger: Ledger, root: str | None, transcripts: Sequence[Path], *, on_disk: bool
    ) -> tuple[View, set[int], set[int]]:
        """Return the view of a folder, and the transcripts that are deleted and on disk."""
        files = files_under(ledger, root)
        present = {files[str(path)] for path in transcripts if str(path) in files}
        deleted = set() if on_disk else set(files.values()) - present
        return View(ledger, present | deleted, self.span), deleted, present

    def _has_model(self, of: Group | Call) -> bool:
        return self.model is None or self.model.lower() in model_key(of.model, fast=of.fast).lower()

    def _chosen(self, groups: Iterator[Group]) -> Iterator[Group]:
        for group in groups:
            if self.project is not None and not self._is_of(str(group.values["project"])):
                continue
            if self._has_model(group):
                yield group

    def _is_of(self, folder: str) -> bool:
        """Compare with the folder name that Claude Code derives from a path: a dash for all but letters and digits."""
        return self.project is None or project_folder_name(self.project.rstrip("/")) in folder


def steps_of(view: View, tariff_of: Callable[[str, bool], Tariff | None]) -> list[int]:
    """Return the numbers of prompt tokens above which a model of the ledger has other prices."""
    tariffs = (tariff_of(model, fast) for model, fast in view.models())
    found = {step.above for tariff in tariffs if tariff for period in tariff.periods for step in period.steps}
    return sorted(found - {0})
