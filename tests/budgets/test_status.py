"""How much of a budget is spent, and which thresholds are reached."""

from datetime import date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ccship.budgets.periods import period_at
from ccship.budgets.status import Spent, status_of
from ccship.config.budgets import Budget, PeriodName
from ccship.config.projects import pattern_of

NOW = datetime(2026, 11, 22, 12).astimezone()
TODAY = NOW.date()


def spent(usd: float, days_ago: int = 0, directory: str | None = "/work/acme", branch: str = "main") -> Spent:
    return Spent(TODAY - timedelta(days=days_ago), directory, branch, usd)


@pytest.mark.parametrize(
    ("name", "day", "key", "first", "after"),
    [
        ("day", "2026-11-22", "2026-11-22", "2026-11-22", "2026-11-23"),
        ("week", "2026-11-22", "2026-W47", "2026-11-16", "2026-11-23"),
        ("week", "2027-01-01", "2026-W53", "2026-12-28", "2027-01-04"),
        ("month", "2026-12-31", "2026-12", "2026-12-01", "2027-01-01"),
        ("month", "2028-02-29", "2028-02", "2028-02-01", "2028-03-01"),
    ],
)
def test_a_period_has_a_key_and_two_ends(name: PeriodName, day: str, key: str, first: str, after: str) -> None:
    """Weeks begin on Monday, and belong to the year of their Thursday."""
    period = period_at(name, date.fromisoformat(day))
    assert (period.key, f"{period.first}", f"{period.after}") == (key, first, after)


@given(day=st.dates(date(2001, 1, 1), date(2099, 12, 30)), name=st.sampled_from(["day", "week", "month"]))
def test_periods_follow_each_other(day: date, name: PeriodName) -> None:
    """Every day is in one period, and the next one begins where it ends."""
    period = period_at(name, day)
    assert period.first <= day < period.after
    assert period_at(name, period.after).first == period.after
    assert period_at(name, period.after).key > period.key


@pytest.mark.parametrize(
    ("usd", "reached"), [(49.99, ()), (50, ("50",)), (80, ("50", "80")), (100, ("50", "80", "100")), (0, ())]
)
def test_thresholds_are_reached_exactly(usd: float, reached: tuple[str, ...]) -> None:
    """At 50, 80 and 100 percent."""
    status = status_of(Budget("b", "month", 100), [spent(usd)], NOW)
    assert (status.reached, status.is_exceeded) == (reached, usd >= 100)


def test_only_the_period_and_what_a_budget_covers_count() -> None:
    """The calls of its projects on its branches."""
    budget = Budget("b", "week", 10, (pattern_of("/work/acme/**", "b"),), ("feature/*", "main"))
    spending = [
        spent(1), spent(2, branch="feature/x"), spent(4, branch="other"), spent(8, directory="/work/zeta"),
        spent(16, directory=None), spent(32, days_ago=6), spent(64, days_ago=7), spent(128, days_ago=-1),
    ]  # fmt: skip
    assert status_of(budget, spending, NOW).spent_usd == 1 + 2 + 32
    assert status_of(Budget("b", "day", 10), spending, NOW).spent_usd == 1 + 2 + 4 + 8 + 16


def test_a_forecast_continues_at_the_average_rate() -> None:
    """Half of a day has passed. In the first hour of a day it does not multiply by hundreds."""
    assert status_of(Budget("b", "day", 10), [spent(3)], NOW).forecast_usd == pytest.approx(6)
    midnight = NOW.replace(hour=0, second=1)
    assert status_of(Budget("b", "day", 10), [spent(3)], midnight).forecast_usd == pytest.approx(72)


@pytest.mark.parametrize(("today", "is_unusual"), [(10, False), (10.01, True)])
def test_a_day_that_costs_twice_the_usual_one_is_unusual(today: float, is_unusual: bool) -> None:
    """The usual one is the median of the last 14 days with costs; older days and days without do not count."""
    days = [spent(5, days_ago=n) for n in range(1, 8)] + [spent(9, days_ago=n) for n in range(20, 24)]
    days += [spent(1, days_ago=n) for n in range(30, 33)] + [spent(1000, days_ago=n) for n in range(40, 90)]
    status = status_of(Budget("b", "month", 1000), [*days, spent(today)], NOW)
    assert (status.usual_day_usd, status.is_unusual) == (5, is_unusual)


def test_nothing_is_unusual_in_the_first_days() -> None:
    """Four days do not make a habit."""
    days = [spent(1, days_ago=n) for n in range(1, 5)]
    assert not status_of(Budget("b", "month", 1000), [*days, spent(500)], NOW).is_unusual
    assert status_of(Budget("b", "month", 1000), [*days, spent(1, 5), spent(500)], NOW).is_unusual


def test_calls_without_a_price_are_counted() -> None:
    """Their cost is missing in the sum."""
    calls = [Spent(TODAY, None, "", 1.0, 2), Spent(TODAY - timedelta(days=40), None, "", 1.0, 5)]
    assert status_of(Budget("b", "month", 10), calls, NOW).unpriced == 2
