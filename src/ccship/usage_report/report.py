"""Calls -> rows of a report: tokens and cost by day, week, month, model, project or session.

Pure. What has no price is counted apart, never as free.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Literal, TypeAlias

from ccship.models import priced_name
from ccship.prices import Tariff
from ccship.usage_report.calls import Call

By: TypeAlias = Literal["day", "week", "month", "model", "project", "session"]
CALENDAR: frozenset[By] = frozenset({"day", "week", "month"})
"""What is listed in the order of time; the rest is listed by cost."""

UNDATED = "no date"


@dataclass(slots=True)
class Row:
    """Sums of calls.

    `cost_usd` leaves out the `unpriced_calls`, whose tokens are in `unpriced`, by model; the output of
    `lower_bound_calls` may be more than was written down. `first`, `last`: times of calls as transcripts have them.
    """

    key: str
    calls: int = 0
    input: int = 0
    output: int = 0
    cache_read: int = 0
    cache_write_5m: int = 0
    cache_write_1h: int = 0
    cost_usd: float = 0.0
    lower_bound_calls: int = 0
    unpriced_calls: int = 0
    unpriced: dict[str, int] = field(default_factory=dict)
    project: str = ""
    first: str = ""
    last: str = ""

    def add(self, call: Call, tariff: Tariff | None) -> None:
        """Count a call."""
        used = call.tokens
        self.calls += 1
        self.input += used.input
        self.output += used.output
        self.cache_read += used.cache_read
        self.cache_write_5m += used.cache_write_5m
        self.cache_write_1h += used.cache_write_1h
        self.lower_bound_calls += not call.is_final
        self.project = self.project or call.project
        self.first = min(self.first or call.time, call.time)
        self.last = max(self.last, call.time)
        prompt = used.input + used.cache_read + used.cache_write_5m + used.cache_write_1h
        if tariff is None:
            self.unpriced_calls += 1
            self.unpriced[call.model] = self.unpriced.get(call.model, 0) + prompt + used.output
            return
        rates = tariff.rates(call.time[:10], prompt)
        self.cost_usd += (
            used.input * rates.input
            + used.output * rates.output
            + used.cache_read * rates.cache_read
            + used.cache_write_5m * rates.cache_write_5m
            + used.cache_write_1h * rates.cache_write_1h
        )


def rows_by(
    calls: Iterable[Call],
    by: By,
    tariff_of: Callable[[str, bool], Tariff | None],
    to_local: Callable[[datetime], datetime],
) -> list[Row]:
    """The rows of a report. `tariff_of`: of a model, in fast mode or not; `to_local`: a moment in the reader's zone."""
    key_of = _key_of(by, to_local)
    rows: dict[str, Row] = {}
    for call in calls:
        key = key_of(call)
        row = rows.get(key)
        if row is None:
            rows[key] = row = Row(key)
        row.add(call, tariff_of(call.model, call.fast))
    if by in CALENDAR:
        return sorted(rows.values(), key=lambda row: row.key)
    return sorted(rows.values(), key=lambda row: (-row.cost_usd, -row.output, row.key))


def total_of(rows: Iterable[Row]) -> Row:
    """All rows in one."""
    total = Row("total")
    for row in rows:
        for name in _SUMMED:
            setattr(total, name, getattr(total, name) + getattr(row, name))
        for model, tokens in row.unpriced.items():
            total.unpriced[model] = total.unpriced.get(model, 0) + tokens
        total.first = min(filter(None, (total.first, row.first)), default="")
        total.last = max(total.last, row.last)
    return total


_SUMMED = (
    "calls", "input", "output", "cache_read", "cache_write_5m", "cache_write_1h", "cost_usd", "lower_bound_calls",
    "unpriced_calls",
)  # fmt: skip


def within(calls: Iterable[Call], since: datetime | None, until: datetime | None) -> list[Call]:
    """The calls that began at or after `since` and before `until`; those without a time only where all are wanted."""
    if since is None and until is None:
        return list(calls)
    return [
        call
        for call in calls
        if (began := moment_of(call.time)) and (since is None or began >= since) and (until is None or began < until)
    ]


def moment_of(time: str) -> datetime | None:
    """A time as transcripts write it; None for what is none."""
    try:
        moment = datetime.fromisoformat(time)
    except ValueError:
        return None
    return moment if moment.tzinfo else None


def _key_of(by: By, to_local: Callable[[datetime], datetime]) -> Callable[[Call], str]:
    match by:
        case "model":
            return lambda call: priced_name(call.model) + (" (fast)" if call.fast else "")
        case "project":
            return lambda call: call.project
        case "session":
            return lambda call: call.session
        case "day" | "week" | "month":
            form = {"day": "%Y-%m-%d", "week": "%G-W%V", "month": "%Y-%m"}[by]

            @cache
            def key(minute: str) -> str:
                moment = moment_of(f"{minute}:00Z")
                return to_local(moment).strftime(form) if moment else UNDATED

            return lambda call: key(call.time[:16])
