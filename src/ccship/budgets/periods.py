"""Periods of budgets, in local time. Pure."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from ccship.config.budgets import PeriodName


@dataclass(frozen=True, slots=True)
class Period:
    """A day, a week from Monday to Sunday, or a month. `key`: such as 2026-11-22, 2026-W47, 2026-11."""

    name: PeriodName
    key: str
    first: date
    after: date

    @property
    def start(self) -> datetime:
        """Its first moment, local midnight."""
        return _midnight(self.first)

    @property
    def end(self) -> datetime:
        """The first moment after it."""
        return _midnight(self.after)

    def elapsed(self, now: datetime) -> float:
        """Return the part of it that is over, from 0 to 1."""
        whole = (self.end - self.start).total_seconds()
        return min(1.0, max(0.0, (now - self.start).total_seconds() / whole))


def period_at(name: PeriodName, day: date) -> Period:
    """Return the period that contains a day."""
    match name:
        case "day":
            return Period(name, f"{day}", day, day + timedelta(days=1))
        case "week":
            monday = day - timedelta(days=day.weekday())
            return Period(name, f"{day:%G-W%V}", monday, monday + timedelta(days=7))
        case "month":
            first = day.replace(day=1)
            return Period(name, f"{day:%Y-%m}", first, (first + timedelta(days=31)).replace(day=1))


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time()).astimezone()
