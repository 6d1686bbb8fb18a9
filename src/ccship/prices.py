"""What tokens cost in USD, by the price list of the installed `genai-prices` package.

Pure: nothing is fetched or remembered. A model that is not on the list has no tariff, and nobody may count that as
free. The package takes a quarter of a second to load; whoever asks for the first tariff waits for it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from ccship.models import priced_name

if TYPE_CHECKING:
    from genai_prices.types import ModelInfo, ModelPrice

_PER_MILLION = 1e-6

_RATE_OF = {
    "input": "input",
    "output": "output",
    "cache_read_input_tokens": "cache_read",
    "cache_creation_input_tokens": "cache_write_5m",
    "input_cache_creation_5m": "cache_write_5m",
    "input_cache_creation_1h": "cache_write_1h",
}
"""Langfuse's usage keys by what they cost; an undivided cache write is one for 5 minutes, the API's default."""

_LISTS = {"anthropic.": "aws", "/": "openrouter"}
"""Whose price list a model's id points at, by what stands in it; else the one that the package thinks of first."""


class Rates(NamedTuple):
    """USD a token."""

    input: float
    output: float
    cache_read: float
    cache_write_5m: float
    cache_write_1h: float


class Step(NamedTuple):
    """What holds for prompts of more than so many tokens."""

    above: int
    rates: Rates


class Period(NamedTuple):
    """What holds from a day on (ISO, UTC), by the size of the prompt."""

    since: str
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Tariff:
    """The prices of a model, the oldest and the lowest first."""

    periods: tuple[Period, ...]

    def rates(self, day: str, prompt_tokens: int) -> Rates:
        """What a call of a day (ISO, UTC) costs; a long prompt may raise the price of the whole call."""
        steps = self.periods[0].steps
        for period in self.periods[1:]:
            if period.since <= day:
                steps = period.steps
        rates = steps[0].rates
        for step in steps[1:]:
            if prompt_tokens > step.above:
                rates = step.rates
        return rates


@cache
def tariff_of(model_id: str, fast: bool = False) -> Tariff | None:
    """The tariff of a model by the id it was called with, in fast mode or not; None when the list does not know it."""
    from genai_prices.data_snapshot import get_snapshot  # noqa: PLC0415 - see above

    name = priced_name(model_id)
    provider = next((provider for mark, provider in _LISTS.items() if mark in name), None)
    try:
        _, model = get_snapshot().find_provider_model(name, None, provider, None)
    except LookupError:
        return None
    return Tariff(tuple(Period(day.isoformat(), _steps(_prices_on(day, model, fast=fast))) for day in _changes(model)))


def cost_details(
    model_id: str, usage_details: Mapping[str, int], start_ns: int, *, fast: bool
) -> dict[str, float] | None:
    """Langfuse's `cost_details` of a call, with their `total`; None for a model that has no price."""
    tariff = tariff_of(model_id, fast)
    if tariff is None:
        return None
    day = datetime.fromtimestamp(start_ns / 1e9, UTC).date().isoformat()
    rates = tariff.rates(day, sum(usage_details.values()) - usage_details.get("output", 0))
    costs = {key: count * float(getattr(rates, _RATE_OF[key])) for key, count in usage_details.items()}
    return {**costs, "total": sum(costs.values())}


def _changes(model: "ModelInfo") -> Iterator[date]:
    """The days on which prices of a model changed, as far as the list tells."""
    yield date.min
    entries = [*(model.prices if isinstance(model.prices, list) else ()), *(model.price_variants or ())]
    days = {getattr(entry.constraint, "start_date", None) for entry in entries}
    yield from sorted(day for day in days if isinstance(day, date))


def _prices_on(day: date, model: "ModelInfo", *, fast: bool) -> "ModelPrice":
    return model.get_prices(datetime.combine(day, time(12), UTC), {"speed": "fast"} if fast else None)


def _steps(prices: "ModelPrice") -> tuple[Step, ...]:
    """What has no price of its own costs what its kind does: a cache write, else plain input."""
    read = prices.cache_read_mtok or prices.input_mtok
    write = prices.cache_write_mtok or prices.input_mtok
    columns = (prices.input_mtok, prices.output_mtok, read, write, prices.cache_write_1h_mtok or write)
    starts = sorted({0, *(tier.start for column in columns for tier in getattr(column, "tiers", ()))})
    return tuple(Step(start, Rates(*(_price(column, start) * _PER_MILLION for column in columns))) for start in starts)


def _price(price: object, start: int) -> float:
    """USD a million tokens in a call whose prompt has more than `start` tokens."""
    if price is None:
        return 0.0
    if isinstance(price, Decimal):
        return float(price)
    reached = [tier.price for tier in getattr(price, "tiers", ()) if tier.start <= start]
    return float(reached[-1] if reached else getattr(price, "base", 0))
