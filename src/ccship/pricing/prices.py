"""Costs in USD by the price list of the installed `genai-prices` package.

Pure. A model that is not on the list has no tariff; callers must not count it as free. The first tariff loads the
package, which takes a quarter of a second.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from ccship.pricing.model_names import priced_name

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
"""The rates of Langfuse's usage keys. A cache write without lifetime is for 5 minutes, the API's default."""

_LISTS = {"anthropic.": "aws", "/": "openrouter", "glm-": "zai"}
"""Price lists by a part of the model id; for other ids the first list that has the model.

For GLM the first would be the maker's platform in China, at half the international price.
"""

_PRICED_AS = {"claude-sonnet-4-0": "claude-sonnet-4-5"}
"""Models whose prices for long prompts are missing, with a model that Anthropic lists at the same prices.

The package has only the base prices of Sonnet 4. Anthropic charged a prompt of more than 200,000 tokens, cached ones
included, at higher prices for all of its tokens, as for Sonnet 4.5.
"""


class Rates(NamedTuple):
    """USD per token."""

    input: float
    output: float
    cache_read: float
    cache_write_5m: float
    cache_write_1h: float


class Step(NamedTuple):
    """The rates of prompts with more than a number of tokens."""

    above: int
    rates: Rates


class Period(NamedTuple):
    """The rates from a day on (ISO, UTC), by prompt size."""

    since: str
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Tariff:
    """The prices of a model, the oldest and the lowest first."""

    periods: tuple[Period, ...]

    def rates(self, day: str, prompt_tokens: int) -> Rates:
        """Return the rates of a call on a day (ISO, UTC). A long prompt may raise those of the whole call."""
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
    """Return the tariff of a model id, in fast mode or not; None if the list does not contain it."""
    from genai_prices.data_snapshot import get_snapshot  # noqa: PLC0415 - see above

    name = priced_name(model_id)
    provider = next((provider for mark, provider in _LISTS.items() if mark in name.lower()), None)
    try:
        _, model = get_snapshot().find_provider_model(name, None, provider, None)
        if model.id in _PRICED_AS:
            _, model = get_snapshot().find_provider_model(_PRICED_AS[model.id], None, "anthropic", None)
    except LookupError:
        return None
    return Tariff(tuple(Period(day.isoformat(), _steps(_prices_on(day, model, fast=fast))) for day in _changes(model)))


def cost_details(
    model_id: str, usage_details: Mapping[str, int], start_ns: int, *, fast: bool
) -> dict[str, float] | None:
    """Return Langfuse's `cost_details` of a call, with their `total`; None for a model without a price."""
    tariff = tariff_of(model_id, fast)
    if tariff is None:
        return None
    day = datetime.fromtimestamp(start_ns / 1e9, UTC).date().isoformat()
    rates = tariff.rates(day, sum(usage_details.values()) - usage_details.get("output", 0))
    costs = {key: count * float(getattr(rates, _RATE_OF[key])) for key, count in usage_details.items()}
    return {**costs, "total": sum(costs.values())}


def _changes(model: "ModelInfo") -> Iterator[date]:
    """Yield the days on which the list changes prices of a model."""
    yield date.min
    entries = [*(model.prices if isinstance(model.prices, list) else ()), *(model.price_variants or ())]
    days = {getattr(entry.constraint, "start_date", None) for entry in entries}
    yield from sorted(day for day in days if isinstance(day, date))


def _prices_on(day: date, model: "ModelInfo", *, fast: bool) -> "ModelPrice":
    return model.get_prices(datetime.combine(day, time(12), UTC), {"speed": "fast"} if fast else None)


def _steps(prices: "ModelPrice") -> tuple[Step, ...]:
    """Return the rates by prompt size. A missing rate is that of its kind: a cache write's, else the input's."""
    read = prices.cache_read_mtok or prices.input_mtok
    write = prices.cache_write_mtok or prices.input_mtok
    columns = (prices.input_mtok, prices.output_mtok, read, write, prices.cache_write_1h_mtok or write)
    starts = sorted({0, *(tier.start for column in columns for tier in getattr(column, "tiers", ()))})
    return tuple(Step(start, Rates(*(_price(column, start) * _PER_MILLION for column in columns))) for start in starts)


def _price(price: object, start: int) -> float:
    """Return USD per million tokens in a call whose prompt has more than `start` tokens."""
    if price is None:
        return 0.0
    if isinstance(price, Decimal):
        return float(price)
    reached = [tier.price for tier in getattr(price, "tiers", ()) if tier.start <= start]
    return float(reached[-1] if reached else getattr(price, "base", 0))
