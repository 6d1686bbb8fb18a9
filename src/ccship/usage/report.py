"""Sums calls into the rows of a report: by day, week, month, model, project or session.

Pure. Calls without a price are counted separately, not as free.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Literal, TypeAlias

from ccship.pricing.model_names import priced_name
from ccship.pricing.prices import Tariff
from ccship.usage.calls import Call

By: TypeAlias = Literal["day", "week", "month", "model", "project", "session"]
CALENDAR: frozenset[By] = frozenset({"day", "week", "month"})
"""Groupings that are sorted by time; the others are sorted by cost."""

UNDATED = "no date"


@dataclass(slots=True)
class Row:
    """Sums of calls.

    `cost_usd` excludes the `unpriced_calls`, whose tokens are in `unpriced`, by model. `lower_bound_calls` may have
    more output than the transcript shows. `first`, `last`: times as in the transcript.
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
        """Add a call to the sums."""
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
    """Sum calls into sorted rows. `tariff_of(model, fast)` returns a tariff; `to_local` converts to the local zone."""
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
    """Sum all rows."""
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
    """Return the calls of `[since, until)`; those without a time only if both are None."""
    if since is None and until is None:
        return list(calls)
    return [
        call
        for call in calls
        if (began := parse_time(call.time)) and (since is None or began >= since) and (until is None or began < until)
    ]


def parse_time(time: str) -> datetime | None:
    """Parse a time of a transcript; None if it is invalid or has no zone."""
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
                moment = parse_time(f"{minute}:00Z")
                return to_local(moment).strftime(form) if moment else UNDATED

            return lambda call: key(call.time[:16])
