"""A backfill to several destinations: each has its own lines, its own failure and its own progress."""

import json
from pathlib import Path
from typing import Any

import pytest

from answering import Reply
from collector import LoopbackOtlp, loopback_otlp
from helpers import HURRIED, Done, run_ccship
from loopback import LoopbackLangfuse

DOWN = [Reply(status=503)] * 50


@pytest.fixture
def environ(claude_dir: Path, langfuse: LoopbackLangfuse) -> dict[str, str]:
    """Somebody who sends everything to Langfuse."""
    return {"CLAUDE_CONFIG_DIR": str(claude_dir), **langfuse.environ}


def also(otlp: LoopbackOtlp, folder: Path, **settings: Any) -> None:
    """And everything to a second destination."""
    (folder / "home/config.toml").write_text(otlp.table(name="tempo", also=True, **settings))


def backfill(environ: dict[str, str], *options: str) -> Done:
    """A backfill that waits for a failing server only shortly."""
    return run_ccship("backfill", *options, environ=environ, first=HURRIED)


def test_each_destination_gets_everything_and_has_its_own_lines(
    environ: dict[str, str], langfuse: LoopbackLangfuse, otlp: LoopbackOtlp, tmp_path: Path
) -> None:
    """In the plan and in the result; a second run sends nothing to either."""
    also(otlp, tmp_path)
    done = backfill(environ)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert [line for line in lines if line.startswith("would send")] == [
        f"would send to {langfuse.url}:", f"would send to {otlp.url}/v1/traces:",
    ]  # fmt: skip
    sent = [line.partition(" of ")[0] for line in lines if ": sent " in line]
    assert sent == ["default: sent 45 turns and 14 subagents", "tempo: sent 45 turns and 14 subagents"]
    assert {span.trace_id for span in otlp.accepted} == {span.trace_id for span in langfuse.accepted}
    assert {span.span_id for span in otlp.accepted} <= {span.span_id for span in langfuse.accepted}
    langfuse.clear()
    otlp.clear()
    assert backfill(environ).returncode == 0
    assert (langfuse.accepted, otlp.accepted) == ([], [])


def test_a_dry_run_sends_nothing_to_any(
    environ: dict[str, str], langfuse: LoopbackLangfuse, otlp: LoopbackOtlp, tmp_path: Path
) -> None:
    """It plans for each."""
    also(otlp, tmp_path)
    document = json.loads(backfill(environ, "--dry-run", "--json").stdout)
    assert {name: each["turns"]["sent"] for name, each in document["destinations"].items()} == {
        "default": 45, "tempo": 45,
    }  # fmt: skip
    assert (langfuse.accepted, otlp.paths) == ([], [])


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_one_that_is_down_stops_no_other_and_is_named(
    jobs: str, environ: dict[str, str], langfuse: LoopbackLangfuse, otlp: LoopbackOtlp, tmp_path: Path
) -> None:
    """Exit code 1; the next run sends the rest to it, and nothing to the other."""
    also(otlp, tmp_path)
    otlp.script = list(DOWN)
    done = backfill(environ, "--yes", "--jobs", jobs)
    assert done.returncode == 1
    assert "ccship: destination tempo: the server is busy (503)\n" in done.stderr
    assert "default: sent 45 turns" in done.stdout
    assert "tempo: sent 0 turns" in done.stdout
    complete = langfuse.keys
    langfuse.clear()
    otlp.script = []
    after = backfill(environ, "--yes")
    assert after.returncode == 0, after.stderr
    assert langfuse.accepted == []
    assert {span.trace_id for span in otlp.accepted} == {key[0] for key in complete}


def test_the_first_one_down_stops_no_further_one(
    environ: dict[str, str], langfuse: LoopbackLangfuse, otlp: LoopbackOtlp, tmp_path: Path
) -> None:
    """As JSON: the failure of each."""
    also(otlp, tmp_path)
    langfuse.script = list(DOWN)
    done = backfill(environ, "--yes", "--json")
    assert done.returncode == 1
    failures = {name: each["failure"] for name, each in json.loads(done.stdout)["destinations"].items()}
    assert failures == {"default": "the server is busy (503)", "tempo": None}
    assert "ccship: the default destination: the server is busy (503)\n" in done.stderr
    assert langfuse.accepted == []
    assert otlp.accepted


def test_two_that_fail_are_both_named(environ: dict[str, str], otlp: LoopbackOtlp, tmp_path: Path) -> None:
    """Each with its own reason and what to check."""
    with loopback_otlp() as other:
        tables = otlp.table(name="a", also=True) + other.table(name="b", also=True)
        (tmp_path / "home/config.toml").write_text(tables)
        otlp.script, other.required = list(DOWN), {"authorization": "x"}
        done = backfill(environ, "--yes")
    assert done.returncode == 1
    assert "destination a: the server is busy (503)" in done.stderr
    assert "destination b: the headers were not accepted (401): check the headers of destination b" in done.stderr


def test_spans_that_one_refuses_are_dead_letters_there_only(
    environ: dict[str, str], langfuse: LoopbackLangfuse, otlp: LoopbackOtlp, tmp_path: Path
) -> None:
    """With the server's reason; everything else arrives once."""
    also(otlp, tmp_path)
    otlp.partial = lambda spans: {span.span_id for span in spans if span.name.startswith("execute_tool")}
    assert backfill(environ, "--yes").returncode == 1
    status = json.loads(run_ccship("status", "--json", environ=environ).stdout)
    letters = {each["name"]: each["dead_letters"] for each in status["destinations"]}
    assert letters["default"] == []
    assert {letter["reason"] for letter in letters["tempo"]} == {"refused by the server: refused by the test"}
    assert not any(span.name.startswith("execute_tool") for span in otlp.accepted)
    assert {span.trace_id for span in otlp.accepted} == {span.trace_id for span in langfuse.accepted}


def test_an_invalid_further_table_is_named_before_anything_is_sent(
    environ: dict[str, str], langfuse: LoopbackLangfuse, otlp: LoopbackOtlp, tmp_path: Path
) -> None:
    """A person is there who can correct it."""
    also(otlp, tmp_path, endpoint=None)
    done = backfill(environ, "--yes")
    assert done.returncode == 2
    assert "destination tempo: it has no address" in done.stderr
    assert langfuse.accepted == []


def test_a_default_destination_without_keys_is_left_out_beside_others(
    environ: dict[str, str], otlp: LoopbackOtlp, tmp_path: Path
) -> None:
    """Nobody needs a Langfuse."""
    also(otlp, tmp_path)
    done = backfill({"CLAUDE_CONFIG_DIR": environ["CLAUDE_CONFIG_DIR"]})
    assert done.returncode == 0, done.stderr
    assert otlp.accepted
    assert "keys" not in done.stdout + done.stderr


def test_a_file_contains_every_session_once(environ: dict[str, str], otlp: LoopbackOtlp, tmp_path: Path) -> None:
    """As the first destination would get it."""
    plain = backfill(environ, "--to", str(tmp_path / "plain.jsonl"))
    also(otlp, tmp_path)
    assert backfill(environ, "--to", str(tmp_path / "also.jsonl")).returncode == plain.returncode == 0
    assert len((tmp_path / "also.jsonl").read_text()) == len((tmp_path / "plain.jsonl").read_text())
    assert otlp.paths == []


def test_capture_modes_are_those_of_each_destination(
    environ: dict[str, str], langfuse: LoopbackLangfuse, otlp: LoopbackOtlp, tmp_path: Path
) -> None:
    """Content goes to one, tokens to the other."""
    also(otlp, tmp_path, capture="metadata")
    assert backfill(environ, "--yes").returncode == 0
    assert any("SCENARIO" in str(span.attributes) for span in langfuse.accepted)
    assert not any("SCENARIO" in str(span.attributes) for span in otlp.accepted)
    assert any(span.attributes.get("gen_ai.usage.output_tokens") for span in otlp.accepted)
