"""Sums of calls, as they are read from the ledger. Values only."""

from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from ccship.ledger.calls import Tokens

Column: TypeAlias = Literal["bin", "time", "session", "project", "branch", "skill", "agent", "reads", "miss"]
"""`bin`: the quarter of an hour; every time zone begins its days at one. `agent`: None for the main conversation."""

BIN_MS = 900_000
DAY_MS = 86_400_000


@dataclass(slots=True)
class Group:
    """Sums of calls of one model and day (UTC) whose prompts have the same price step.

    `day`: since the epoch; None without a time. `prompt`: tokens of the longest prompt. `values`: of the columns.
    """

    model: str
    fast: bool
    day: int | None
    prompt: int
    calls: int
    tokens: Tokens
    lower_bounds: int
    first_ms: int | None
    last_ms: int | None
    values: dict[Column, str | int | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Span:
    """A time range in ms since the epoch, `[since, until)`. Calls without a time are only in an open range."""

    since_ms: int | None = None
    until_ms: int | None = None

    @property
    def is_open(self) -> bool:
        """Whether it contains every time."""
        return self.since_ms is None and self.until_ms is None

    def contains(self, time_ms: int | None) -> bool:
        """Return whether it contains a time."""
        if time_ms is None:
            return self.is_open
        after = self.since_ms is None or time_ms >= self.since_ms
        return after and (self.until_ms is None or time_ms < self.until_ms)
