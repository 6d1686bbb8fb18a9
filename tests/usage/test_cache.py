"""`ccship usage cache`: what the prompt cache served, and what rebuilding it cost."""

import json
from pathlib import Path
from typing import Any

import pytest

from ccship.pricing.prices import tariff_of
from conftest import FIXTURES, SHARED
from helpers import run_ccship
from lines import Lines
from usage.test_usage import report

MODEL = "claude-opus-4-5-20251101"
FIRST = {"input_tokens": 10, "output_tokens": 5, "cache_creation_input_tokens": 100_000}
AGAIN = {
    "input_tokens": 10,
    "output_tokens": 5,
    "cache_creation_input_tokens": 90_000,
    "cache_read_input_tokens": 9_000,
}
READ = {"input_tokens": 10, "output_tokens": 5, "cache_read_input_tokens": 100_000}
MINUTE = 60


def cache(*arguments: str | Path) -> dict[str, Any]:
    """The document of a report that went well."""
    done = run_ccship("usage", "cache", "--json", *arguments, environ={"TZ": "UTC"})
    assert done.returncode == 0, done.stderr
    document: dict[str, Any] = json.loads(done.stdout)
    return document


def long_lived(usage: dict[str, int]) -> dict[str, Any]:
    """The same with a cache of one hour."""
    written = usage["cache_creation_input_tokens"]
    return {**usage, "cache_creation": {"ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": written}}


def causes(folder: Path, lines: Lines) -> dict[str, int]:
    """How often each cause rebuilt a cache."""
    return {row["cause"]: row["times"] for row in cache(lines.write(folder / "p/s1.jsonl"))["causes"]}


def began(first: dict[str, Any] = FIRST) -> Lines:
    return Lines(session="s1").prompt("go").assistant("m1", "text", usage=first)


def after(lines: Lines, seconds: float, usage: dict[str, Any] = AGAIN, **fields: Any) -> Lines:
    lines.seconds += seconds
    return lines.assistant(f"m{len(lines.lines)}", "text", usage=usage, **fields)


def with_reason(lines: Lines) -> Lines:
    after(lines, 10 * MINUTE)
    line = json.loads(lines.lines[-1])
    line["message"]["diagnostics"] = {"cache_miss_reason": {"type": "messages_changed"}}
    lines.lines[-1] = json.dumps(line)
    return lines


CASES: dict[str, tuple[Lines, dict[str, int]]] = {
    "a pause": (after(began(), 6 * MINUTE), {"pause": 1}),
    "a short pause": (after(began(), 4 * MINUTE), {"unknown": 1}),
    "a pause within an hour": (after(began(long_lived(FIRST)), 50 * MINUTE), {"unknown": 1}),
    "a pause of more than an hour": (after(began(long_lived(FIRST)), 61 * MINUTE, long_lived(AGAIN)), {"pause": 1}),
    "a compaction": (after(began().add("system", subtype="compact_boundary"), 6 * MINUTE), {"compaction": 1}),
    "another model": (after(began(), 6 * MINUTE, model="claude-opus-5"), {"other model": 1}),
    "what the client reports": (with_reason(began()), {"messages_changed (reported)": 1}),
    "a small context": (after(began(), 6 * MINUTE, {**AGAIN, "cache_creation_input_tokens": 19_999}), {}),
    "a call that mostly reads": (after(began(), 6 * MINUTE, {**AGAIN, "cache_read_input_tokens": 90_000}), {}),
    "the first call": (began(), {}),
    "a pause that is kept short by reading": (
        after(after(after(began(), 4 * MINUTE, READ), 4 * MINUTE, READ), 4 * MINUTE), {"unknown": 1},
    ),
}  # fmt: skip


@pytest.mark.parametrize(("lines", "found"), CASES.values(), ids=CASES.keys())
def test_a_rebuilt_cache_has_a_cause(lines: Lines, found: dict[str, int], tmp_path: Path) -> None:
    """The first that applies: what the client reports, a compaction, another model, a pause."""
    assert causes(tmp_path, lines) == found


def test_a_pause_begins_with_the_last_line_of_a_call(tmp_path: Path) -> None:
    """A call may take minutes."""
    lines = began()
    lines.seconds += 4 * MINUTE
    lines.assistant("m1", "more", usage=FIRST)
    assert causes(tmp_path, after(lines, 4 * MINUTE)) == {"unknown": 1}


def test_a_rebuild_costs_what_writing_costs_more_than_reading(tmp_path: Path) -> None:
    """At API prices; a pause is listed with its length and session."""
    document = cache(after(began(), 6 * MINUTE).write(tmp_path / "p/s1.jsonl"))
    tariff = tariff_of(MODEL)
    assert tariff
    rates = tariff.rates("2026-01-01", 99_010)
    cost = pytest.approx(90_000 * (rates.cache_write_5m - rates.cache_read), abs=1e-6)
    assert document["causes"] == [{"cause": "pause", "times": 1, "tokens": 90_000, "cost_usd": cost}]
    (pause,) = document["longest_pauses"]
    assert (pause["session"], pause["pause_seconds"], pause["tokens"]) == ("s1", 6 * MINUTE + 1, 90_000)


def test_a_copied_rebuild_counts_once(tmp_path: Path) -> None:
    """In the transcript that began first; the copies are what the fork's own calls continue."""
    lines = after(began(), 6 * MINUTE)
    lines.write(tmp_path / "projects/p/s1.jsonl")
    fork = Lines(session="s2")
    fork.lines, fork.seconds = [line.replace('"s1', '"s2') for line in lines.lines], lines.seconds
    fork.lines.insert(0, fork.lines[0].replace("12:00:00", "12:00:01"))
    after(fork, 8 * MINUTE).write(tmp_path / "projects/p/s2.jsonl")
    document = cache("--claude-dir", tmp_path)
    assert [(row["cause"], row["times"]) for row in document["causes"]] == [("pause", 2)]
    assert {row["session"] for row in document["longest_pauses"]} == {"s1", "s2"}
    since = cache("--claude-dir", tmp_path, "--since", "2026-01-01T12:10Z")
    assert [row["session"] for row in since["longest_pauses"]] == ["s2"]


@pytest.mark.parametrize("folder", [FIXTURES / "claude", SHARED / "corpus"], ids=lambda folder: folder.name)
def test_sums_are_those_of_usage(folder: Path) -> None:
    """The hit rate is one of all calls."""
    if not folder.is_dir():
        pytest.skip("other people's sessions are not beside this checkout")
    assert cache(folder)["total"] == report(folder)["total"]


def test_a_table_of_another_kind_has_other_options() -> None:
    """And `cache` is a folder if its full path is given."""
    for option in (["--by", "model"], ["--csv"]):
        assert run_ccship("usage", "cache", *option).returncode == 2
    assert "/x/cache does not exist" in run_ccship("usage", "/x/cache").stderr
