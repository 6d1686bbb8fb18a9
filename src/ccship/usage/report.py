"""Sums groups of calls into the rows of a report.

Pure. Calls without a price are counted separately, not as free.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

from ccship.ledger.sums import Group
from ccship.pricing.prices import Rates, Tariff
from ccship.usage.dimensions import Dimension

_EPOCH = date(1970, 1, 1)


@dataclass(slots=True)
class Row:
    """Sums of calls. `keys`: one for each dimension of the report.

    `cost_usd` excludes the `unpriced_calls`, whose tokens are in `unpriced`, by model. `lower_bound_calls` may have
    more output than the transcript shows. `first_ms`, `last_ms`: times since the epoch.
    """

    keys: tuple[str, ...]
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
    first_ms: int | None = None
    last_ms: int | None = None

    def add(self, group: Group, tariff: Tariff | None) -> None:
        """Add a group of calls to the sums."""
        used = group.tokens
        self.calls += group.calls
        self.input += used.input
        self.output += used.output
        self.cache_read += used.cache_read
        self.cache_write_5m += used.cache_write_5m
        self.cache_write_1h += used.cache_write_1h
        self.lower_bound_calls += group.lower_bounds
        self.project = self.project or str(group.values.get("project") or "")
        self.first_ms = _least(self.first_ms, group.first_ms)
        self.last_ms = _most(self.last_ms, group.last_ms)
        cost_usd = cost_of(group, tariff)
        if cost_usd is None:
            self.unpriced_calls += group.calls
            self.unpriced[group.model] = self.unpriced.get(group.model, 0) + used.prompt + used.output
        else:
            self.cost_usd += cost_usd


def cost_of(group: Group, tariff: Tariff | None) -> float | None:
    """Return the cost of a group in USD; None without a price."""
    if tariff is None:
        return None
    rates, used = rates_of(tariff, group.day, group.prompt), group.tokens
    return (
        used.input * rates.input
        + used.output * rates.output
        + used.cache_read * rates.cache_read
        + used.cache_write_5m * rates.cache_write_5m
        + used.cache_write_1h * rates.cache_write_1h
    )


def rates_of(tariff: Tariff, day: int | None, prompt: int) -> Rates:
    """Return the rates on a day since the epoch for a prompt of so many tokens; the oldest ones without a day."""
    return tariff.rates("" if day is None else (_EPOCH + timedelta(day)).isoformat(), prompt)


def rows_by(
    groups: Iterable[Group], dimensions: Sequence[Dimension], tariff_of: Callable[[str, bool], Tariff | None]
) -> list[Row]:
    """Sum groups into sorted rows. `tariff_of(model, fast)` returns a tariff."""
    rows: dict[tuple[str, ...], Row] = {}
    for group in groups:
        tariff = tariff_of(group.model, group.fast)
        for keys, part in _keyed(group, dimensions):
            row = rows.get(keys)
            if row is None:
                rows[keys] = row = Row(keys)
            row.add(part, tariff)
    return _sorted(list(rows.values()), dimensions)


def total_of(rows: Iterable[Row]) -> Row:
    """Sum all rows."""
    total = Row(("total",))
    for row in rows:
        for name in _SUMMED:
            setattr(total, name, getattr(total, name) + getattr(row, name))
        for model, tokens in row.unpriced.items():
            total.unpriced[model] = total.unpriced.get(model, 0) + tokens
        total.first_ms = _least(total.first_ms, row.first_ms)
        total.last_ms = _most(total.last_ms, row.last_ms)
    return total


_SUMMED = (
    "calls", "input", "output", "cache_read", "cache_write_5m", "cache_write_1h", "cost_usd", "lower_bound_calls",
    "unpriced_calls",
)  # fmt: skip


def _keyed(group: Group, dimensions: Sequence[Dimension]) -> Iterable[tuple[tuple[str, ...], Group]]:
    found: list[tuple[tuple[str, ...], Group]] = [((), group)]
    for dimension in dimensions:
        found = [((*keys, key), part) for keys, whole in found for key, part in dimension.parts(whole)]
    return found


def _sorted(rows: list[Row], dimensions: Sequence[Dimension]) -> list[Row]:
    """Sort by one dimension after the other: by time, or by cost, the highest first."""
    sums: dict[tuple[str, ...], tuple[float, int]] = {}
    for row in rows:
        for size in range(1, len(row.keys) + 1):
            cost_usd, output = sums.get(row.keys[:size], (0.0, 0))
            sums[row.keys[:size]] = (cost_usd - row.cost_usd, output - row.output)

    def order(row: Row) -> list[tuple[float, int, str]]:
        return [
            (0.0, 0, key) if dimension.is_time else (*sums[row.keys[: at + 1]], key)
            for at, (key, dimension) in enumerate(zip(row.keys, dimensions, strict=True))
        ]

    return sorted(rows, key=order)


def _least(one: int | None, other: int | None) -> int | None:
    return min((time for time in (one, other) if time is not None), default=None)


def _most(one: int | None, other: int | None) -> int | None:
    return max((time for time in (one, other) if time is not None), default=None)
