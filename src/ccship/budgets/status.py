"""How much of a budget is spent. Pure."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from statistics import median
from typing import Literal, TypeAlias

from ccship.budgets.periods import Period, period_at
from ccship.config.budgets import Budget

Threshold: TypeAlias = Literal["50", "80", "100", "unusual"]
"""Percent of a budget; or a day that costs twice the usual one."""

_PERCENT: tuple[Threshold, ...] = ("50", "80", "100")

USUAL_DAYS = 14
"""Active days before today whose median is the usual day."""

_LEAST_DAYS = 5
"""With fewer active days, nothing is usual yet."""

_UNUSUAL = 2.0

_LEAST_ELAPSED = 1 / 24
"""Part of a period below which a forecast would exaggerate: an hour of a day, 30 hours of a month."""


@dataclass(frozen=True, slots=True)
class Spent:
    """The cost of calls on one day (local) in a project's directory on a branch.

    `directory` is None if it is unknown. `unpriced`: calls without a price, whose cost is missing.
    """

    day: date
    directory: str | None
    branch: str
    usd: float
    unpriced: int = 0


@dataclass(frozen=True, slots=True)
class Status:
    """A budget in its present period.

    `forecast_usd`: at the end of the period, at the average rate so far. `usual_day_usd`: the median of the last active
    days; None if there are too few. `unpriced`: calls of the period without a price.
    """

    budget: Budget
    period: Period
    spent_usd: float
    forecast_usd: float
    today_usd: float
    usual_day_usd: float | None
    unpriced: int

    @property
    def share(self) -> float:
        """The part that is spent: 1 is all of it."""
        return self.spent_usd / self.budget.usd

    @property
    def is_exceeded(self) -> bool:
        """Whether all of it is spent."""
        return self.spent_usd >= self.budget.usd

    @property
    def reached(self) -> tuple[Threshold, ...]:
        """The thresholds in percent that are reached, the lowest first."""
        return tuple(percent for percent in _PERCENT if self.spent_usd >= self.budget.usd * int(percent) / 100)

    @property
    def is_unusual(self) -> bool:
        """Whether today costs more than twice the usual day."""
        return self.usual_day_usd is not None and self.today_usd > _UNUSUAL * self.usual_day_usd


def status_of(budget: Budget, spending: Iterable[Spent], now: datetime) -> Status:
    """Return the status of a budget. `now`: with a time zone, the local one."""
    today = now.date()
    period = period_at(budget.period, today)
    days: defaultdict[date, float] = defaultdict(float)
    unpriced = 0
    for spent in spending:
        if spent.day <= today and budget.covers(spent.directory, spent.branch):
            days[spent.day] += spent.usd
            unpriced += spent.unpriced if spent.day >= period.first else 0
    total = sum((usd for day, usd in days.items() if day >= period.first), 0.0)
    return Status(
        budget,
        period,
        total,
        total / max(_LEAST_ELAPSED, period.elapsed(now)),
        days.get(today, 0.0),
        _usual(days, today),
        unpriced,
    )


def _usual(days: dict[date, float], today: date) -> float | None:
    active = sorted((day for day, usd in days.items() if usd > 0 and day < today), reverse=True)[:USUAL_DAYS]
    return median(days[day] for day in active) if len(active) >= _LEAST_DAYS else None
