"""What Langfuse makes of scores, as measured on a real server."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from ccship.signals.scores import Score

Stored = tuple[str, str, float, str | None, int]
"""A score as a reader sees it: trace, name, value, comment, time in ms."""


@dataclass
class ScoreTable:
    """The scores of a project, by id. The value with the latest time stays, under the time that came first.

    Of two values with the same time the first stays.
    """

    rows: dict[str, Stored] = field(default_factory=dict)
    latest_ms: dict[str, int] = field(default_factory=dict)
    written: int = 0

    def write(self, score_id: str, trace_id: str, name: str, value: float, comment: str | None, time_ms: int) -> None:
        """Store one value of a score."""
        self.written += 1
        first_ms = min(self.rows[score_id][4], time_ms) if score_id in self.rows else time_ms
        if time_ms > self.latest_ms.get(score_id, -1):
            self.latest_ms[score_id] = time_ms
            self.rows[score_id] = (trace_id, name, value, comment, first_ms)

    def add(self, scores: Iterable[Score]) -> None:
        """Store scores with their history."""
        for score in scores:
            for time_ms, value, comment in score.history():
                self.write(score.id, score.trace_id, score.name, float(value), comment, time_ms)

    def of(self, name: str) -> dict[str, Stored]:
        """The scores of a name, by trace."""
        return {row[0]: row for row in self.rows.values() if row[1] == name}
