"""What tokens cost: the price list of `genai-prices`, asked in our own way."""

import json
from datetime import UTC, date, datetime, time
from pathlib import Path

import genai_prices
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ccship.pricing.prices import cost_details, tariff_of
from ccship.usage.report import Row
from conftest import FIXTURES, SHARED
from counted import count, group_of
from helpers import run_ccship
from lines import Lines
from loopback import spans_in_file

MODELS = [
    "claude-opus-4-20250514", "claude-opus-4-5-20251101", "claude-sonnet-4-5-20250929",
    "claude-opus-4-6", "claude-sonnet-4-6", "claude-opus-4-8", "claude-opus-5", "claude-opus-5-5", "claude-fable-5-2",
    "claude-haiku-4-5-20251001", "claude-haiku-5-5", "claude-sonnet-5", "claude-3-opus-20240229",
]  # fmt: skip
counts = st.integers(0, 400_000)


@given(
    st.sampled_from(MODELS), st.booleans(), st.dates(date(2025, 1, 1), date(2027, 1, 1)),
    counts, counts, counts, counts, counts,
)  # fmt: skip
def test_a_call_costs_what_the_package_says(
    model: str, fast: bool, day: date, plain: int, output: int, read: int, five_minutes: int, hour: int
) -> None:
    """Whatever the model, the mode, the day and the size of the prompt are."""
    theirs = genai_prices.calc_price(
        genai_prices.Usage(
            input_tokens=plain + read + five_minutes + hour,
            cache_read_tokens=read,
            cache_write_tokens=five_minutes + hour,
            cache_write_1h_tokens=hour,
            output_tokens=output,
        ),
        model,
        provider_id="anthropic",
        genai_request_timestamp=datetime.combine(day, time(12), UTC),
        price_context={"speed": "fast"} if fast else None,
    )
    usage = {
        "input": plain,
        "output": output,
        "cache_read_input_tokens": read,
        "input_cache_creation_5m": five_minutes,
        "input_cache_creation_1h": hour,
    }
    start_ns = int(datetime.combine(day, time(12), UTC).timestamp()) * 10**9
    ours = cost_details(model, usage, start_ns, fast=fast)
    assert ours
    assert ours["total"] == pytest.approx(float(theirs.total_price), abs=1e-9)
    assert ours["total"] == pytest.approx(sum(ours[key] for key in usage))


SEPTEMBER_2025_NS = int(datetime(2025, 9, 20, tzinfo=UTC).timestamp()) * 10**9
LONG_PROMPT = {"input": 2, "output": 1000, "cache_read_input_tokens": 190_000, "input_cache_creation_5m": 9_998}


@pytest.mark.parametrize("model", ["claude-sonnet-4-20250514", "claude-sonnet-4-0", "claude-sonnet-4@20250514"])
@pytest.mark.parametrize(
    ("more", "published"),
    [
        (0, 2 * 3 + 1000 * 15 + 190_000 * 0.3 + 9_998 * 3.75),
        (1, 3 * 6 + 1000 * 22.5 + 190_000 * 0.6 + 9_998 * 7.5),
    ],
    ids=["200,000 tokens", "one token more"],
)
def test_a_long_prompt_of_sonnet_4_costs_more_in_all_its_tokens(model: str, more: int, published: float) -> None:
    """As Anthropic published it, cached tokens included in the size of the prompt; the package has only base prices."""
    usage = {**LONG_PROMPT, "input": 2 + more}
    cost = cost_details(model, usage, SEPTEMBER_2025_NS, fast=False)
    assert cost
    assert cost["total"] * 1e6 == pytest.approx(published)


@pytest.mark.skipif(not (SHARED / "corpus").is_dir(), reason="other people's sessions are not beside this checkout")
def test_the_long_prompts_of_a_real_session_cost_what_was_published() -> None:
    """170 calls of 2025-09-20: 22,976 tokens out, 66.9 M read from the cache, 2.4 M written to it."""
    calls = [call for call in count(sorted((SHARED / "corpus").glob("*.jsonl"))).calls if "sonnet-4-2025" in call.model]
    row = Row(("sonnet 4",))
    for call in calls:
        used = call.tokens
        if used.input + used.cache_read + used.cache_write_5m + used.cache_write_1h > 200_000:
            row.add(group_of(call), tariff_of(call.model))
    assert row.calls == 170
    assert row.cost_usd == pytest.approx(58.64, abs=0.005)


@pytest.mark.parametrize("model", ["glm-5", "GLM-5"])
def test_glm_costs_what_its_maker_s_international_list_says(model: str) -> None:
    """The package finds the list of the Chinese platform first, in yuan made dollars: half as much."""
    cost = cost_details(model, {"input": 1_000_000, "output": 1_000_000}, SEPTEMBER_2025_NS, fast=False)
    assert cost
    assert [cost["input"], cost["output"]] == pytest.approx([1, 3.2])


@pytest.mark.parametrize(
    ("model", "usd_a_million"),
    [
        ("claude-opus-5[1m]", 5),
        ("claude-opus-4-6-20260205", 5),
        ("claude-opus-4-5@20251101", 5),
        ("global.anthropic.claude-opus-4-6-v1", 5),
        ("us.anthropic.claude-sonnet-4-5-20250929-v1:0", 3.3),
        ("anthropic/claude-opus-4.5", 5),
    ],
)
def test_a_model_is_found_by_the_id_that_it_was_called_with(model: str, usd_a_million: float) -> None:
    """Long contexts, dates, Vertex, Bedrock and OpenRouter have names of their own."""
    tariff = tariff_of(model)
    assert tariff
    assert tariff.rates("2026-11-20", 1).input * 1e6 == pytest.approx(usd_a_million)


@pytest.mark.parametrize("model", ["claude-opus-4-8", "claude-opus-5"])
def test_fast_mode_costs_twice_as_much(model: str) -> None:
    """All of it, on the models that have it."""
    plain, fast = tariff_of(model), tariff_of(model, fast=True)
    assert plain
    assert fast
    assert fast.rates("2026-11-20", 1) == pytest.approx([2 * rate for rate in plain.rates("2026-11-20", 1)])


@pytest.mark.parametrize("model", ["", "nonsense", "claude-opus-99", "<synthetic>"])
def test_an_unknown_model_has_no_price(model: str) -> None:
    """None is not nothing: whoever asks must say so."""
    assert tariff_of(model) is None
    assert cost_details(model, {"input": 1, "output": 1}, 0, fast=False) is None


def test_an_undivided_cache_write_costs_that_of_five_minutes() -> None:
    """Before 1.0.98 there was nothing else."""
    undivided = cost_details("claude-opus-4-20250514", {"cache_creation_input_tokens": 1_000_000}, 0, fast=False)
    divided = cost_details("claude-opus-4-20250514", {"input_cache_creation_5m": 1_000_000}, 0, fast=False)
    assert undivided
    assert divided
    assert undivided["total"] == divided["total"] == pytest.approx(18.75)


def test_what_has_no_price_of_its_own_is_not_free() -> None:
    """A list without a price for cache reads means that they cost what input does."""
    cost = cost_details("kimi-k2", {"cache_read_input_tokens": 1_000_000}, 0, fast=False)
    assert cost
    assert cost["total"] > 0


COSTS = "langfuse.observation.cost_details"
CLAUDE = FIXTURES / "claude"


def test_costs_go_along_when_they_are_asked_for() -> None:
    """Each call's, with a total; together what the local report says."""
    done = run_ccship("backfill", "--claude-dir", CLAUDE, "--to", "-", environ={"CC_LANGFUSE_COST": "client"})
    calls = [span for span in spans_in_file(done.stdout) if span.type == "generation"]
    totals = [json.loads(span.attributes[COSTS])["total"] for span in calls]
    usage = json.loads(run_ccship("usage", "--claude-dir", CLAUDE, "--json").stdout)
    assert len(totals) == usage["total"]["calls"] == 110
    assert sum(totals) == pytest.approx(usage["total"]["cost_usd"], abs=1e-6)


def test_a_file_has_no_costs_by_default() -> None:
    """Whichever server it is imported into has prices of its own."""
    done = run_ccship("backfill", "--claude-dir", CLAUDE, "--to", "-")
    assert not any(COSTS in span.attributes for span in spans_in_file(done.stdout))


def test_a_model_without_a_price_is_left_to_the_server(tmp_path: Path) -> None:
    """Nothing is sent rather than nothing it cost."""
    path = Lines().prompt("go").assistant("m1", "ok", model="my-own-model").write(tmp_path / "s1.jsonl")
    done = run_ccship("backfill", path, "--to", "-", environ={"CC_LANGFUSE_COST": "client"})
    assert not any(COSTS in span.attributes for span in spans_in_file(done.stdout))


def test_a_cost_mode_that_does_not_exist_is_named() -> None:
    """With the modes that there are."""
    done = run_ccship("show", "aa65", "--claude-dir", CLAUDE, environ={"CC_LANGFUSE_COST": "nobody"})
    assert (done.returncode, "expected one of auto, server, client" in done.stderr) == (2, True)
