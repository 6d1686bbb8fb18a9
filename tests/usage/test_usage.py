"""`ccship usage`: tokens and cost from the transcripts alone."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from rich.cells import cell_len

from conftest import FIXTURES
from counted import count
from helpers import run_ccship
from lines import Lines
from terminal import on_terminal
from usage.test_count import OPUS, PROJECTS


def report(*arguments: str | Path, environ: dict[str, str] | None = None) -> dict[str, Any]:
    """The JSON document of a report that went well."""
    done = run_ccship("usage", "--json", *arguments, environ={"TZ": "UTC", **(environ or {})})
    assert done.returncode == 0, done.stderr
    document: dict[str, Any] = json.loads(done.stdout)
    return document


def test_a_copied_call_belongs_to_the_session_that_made_it(tmp_path: Path) -> None:
    """The one that began first; a fork's own lines are later than what it copied."""
    Lines(session="z").prompt("go").assistant("m1", usage=OPUS).write(tmp_path / "p/z.jsonl")
    fork = Lines(session="a")
    fork.seconds = 60
    fork.plain("mode", mode="normal").assistant("m1", usage=OPUS, timestamp="2026-01-01T12:00:01.000Z")
    fork.assistant("m2", usage=OPUS).write(tmp_path / "p/a.jsonl")
    rows = report(tmp_path / "p", "--by", "session")["rows"]
    assert {row["session"]: row["calls"] for row in rows} == {"z": 1, "a": 1}


def test_an_advisor_is_a_call_of_its_own_counted_once(tmp_path: Path) -> None:
    """Its tokens stand beside the call's, on every later line; it is billed under its own model."""
    advice = {"type": "advisor_message", "model": "claude-opus-5", "input_tokens": 900, "output_tokens": 90}
    usage = {**OPUS, "iterations": [{"type": "message", "output_tokens": 100}, advice]}
    question = {"type": "server_tool_use", "id": "srv1", "name": "advisor", "input": {}}
    lines = Lines().prompt("go").assistant("m1", question, usage=OPUS).assistant("m1", "ok", usage=usage)
    path = lines.assistant("m2", "later", usage=usage).write(tmp_path / "s1.jsonl")
    rows = {row["model"]: row for row in report(path, "--by", "model")["rows"]}
    assert (rows["claude-opus-5"]["calls"], rows["claude-opus-5"]["input"]) == (1, 900)
    assert rows["claude-opus-4-5-20251101"]["calls"] == 2


@pytest.mark.parametrize(
    ("zone", "by", "key"),
    [
        ("UTC", "day", "2026-01-04"), ("Asia/Tokyo", "day", "2026-01-05"),
        ("UTC", "week", "2026-W01"), ("Asia/Tokyo", "week", "2026-W02"), ("UTC", "month", "2026-01"),
    ],
)  # fmt: skip
def test_days_are_those_of_the_reader(zone: str, by: str, key: str, tmp_path: Path) -> None:
    """A call at 23:30 UTC was made on the next day in Tokyo."""
    path = Lines().assistant("m1", usage=OPUS, timestamp="2026-01-04T23:30:00.000Z").write(tmp_path / "s1.jsonl")
    assert [row[by] for row in report(path, "--by", by, environ={"TZ": zone})["rows"]] == [key]


def test_since_and_until_choose_calls(tmp_path: Path) -> None:
    """From the first moment on, up to but without the second."""
    lines = Lines()
    for hour in (9, 10, 11):
        lines.assistant(f"m{hour}", usage=OPUS, timestamp=f"2026-01-04T{hour:02}:00:00.000Z")
    path = lines.assistant("undated", usage=OPUS, timestamp=None).write(tmp_path / "s1.jsonl")
    assert report(path)["total"]["calls"] == 4
    assert report(path, "--since", "2026-01-04T10:00")["total"]["calls"] == 2
    assert report(path, "--since", "2026-01-04T10:00Z", "--until", "2026-01-04T11:00Z")["total"]["calls"] == 1
    assert report(path, "--until", "2026-01-04")["rows"] == []


def test_what_has_no_price_is_said(tmp_path: Path) -> None:
    """Its tokens are counted, its cost is not guessed and not zero."""
    lines = Lines().assistant("m1", usage=OPUS).assistant("m2", usage=OPUS, model="my-own-model")
    path = lines.write(tmp_path / "s1.jsonl")
    document = report(path, "--by", "model")
    costs = {row["model"]: row["cost_usd"] for row in document["rows"]}
    assert costs == {"claude-opus-4-5-20251101": pytest.approx(0.0125), "my-own-model": None}
    assert document["total"]["unpriced_tokens"] == {"my-own-model": 11_100}
    text = run_ccship("usage", path, "--by", "model").stdout
    assert "?*" in text
    assert "cost excludes my-own-model (11,100 tokens): no price known" in text


def test_calls_without_a_final_count_are_said(tmp_path: Path) -> None:
    """Up to 2.1.91 clients often wrote a placeholder and never the end."""
    path = Lines().assistant("m1", usage=OPUS, stop_reason=None).write(tmp_path / "s1.jsonl")
    assert report(path)["total"]["lower_bound_calls"] == 1
    assert "1 of 1 calls have no final token count" in run_ccship("usage", path).stdout


def test_fast_mode_is_a_row_of_its_own(tmp_path: Path) -> None:
    """It costs twice as much."""
    lines = Lines()
    for speed in ("fast", "standard"):
        lines.assistant(speed, usage={**OPUS, "speed": speed}, model="claude-opus-5[1m]")
    rows = report(lines.write(tmp_path / "s1.jsonl"), "--by", "model")["rows"]
    costs = {row["model"]: row["cost_usd"] for row in rows}
    assert costs["claude-opus-5 (fast)"] == pytest.approx(2 * costs["claude-opus-5"])


def test_projects_are_named_by_their_directories() -> None:
    """Where a transcript names the one that its folder is called after."""
    (row,) = report("--claude-dir", FIXTURES / "claude", "--by", "project")["rows"]
    assert (row["project"], row["directory"]) == ("-home-dev-demo", "/home/dev/demo")


def test_a_transcript_brings_its_subagents() -> None:
    """What a session cost is what all of it cost."""
    session = next(PROJECTS.glob("*/dad1e8b6*.jsonl"))
    files = [session, *session.with_suffix("").rglob("*.jsonl")]
    assert report(session)["total"]["calls"] == len(count(files).calls) > len(count([session]).calls)


@pytest.mark.parametrize("by", ["day", "week", "month", "model", "project", "session"])
def test_every_view_has_the_same_total(by: str) -> None:
    """Rows are another cut through the same calls."""
    document = report("--claude-dir", FIXTURES / "claude", "--by", by)
    assert document["total"]["output"] == sum(row["output"] for row in document["rows"]) == 5566
    assert document["total"]["cost_usd"] == pytest.approx(sum(row["cost_usd"] for row in document["rows"]))


def test_the_config_folder_is_found_in_the_environment() -> None:
    """As Claude Code finds it."""
    assert report(environ={"CLAUDE_CONFIG_DIR": str(FIXTURES / "claude")})["total"]["calls"] == 110


BAD = {
    "no such folder": (["--claude-dir", "nowhere"], "nowhere has no projects folder"),
    "no such file": (["gone.jsonl"], "gone.jsonl does not exist"),
    "no transcript": ([str(FIXTURES / "README.md")], "is not a transcript"),
    "the future": (["--since", "2999-01-01"], "is in the future"),
    "nothing between": (["--since", "2026-01-02", "--until", "2026-01-01"], "the range is empty"),
    "no time": (["--since", "yesterday"], "'yesterday' is not a time"),
    "too long ago": (["--since", "99999999d"], "is not a time"),
}


@pytest.mark.parametrize(("arguments", "told"), BAD.values(), ids=BAD.keys())
def test_wrong_usage_is_one_line_and_exit_code_2(arguments: list[str], told: str) -> None:
    """What is wrong, and what to write instead."""
    done = run_ccship("usage", *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert told in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_no_transcripts_is_one_line_and_exit_code_2(tmp_path: Path) -> None:
    """An empty folder is not a folder of nothing used."""
    done = run_ccship("usage", tmp_path)
    assert (done.returncode, "no transcripts in" in done.stderr) == (2, True)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_what_cannot_be_read_is_said_and_the_rest_counted(claude_dir: Path) -> None:
    """Exit code 1: the total is not all."""
    next(claude_dir.rglob("aa6552c4*.jsonl")).chmod(0)
    done = run_ccship("usage", "--claude-dir", claude_dir, "--json")
    assert done.returncode == 1
    assert "cannot be read" in done.stderr
    assert json.loads(done.stdout)["total"]["calls"] > 0


@pytest.mark.parametrize("columns", [80, 160])
@pytest.mark.parametrize("by", ["day", "model", "project", "session"])
def test_a_table_fits_its_terminal(columns: int, by: str, tmp_path: Path) -> None:
    """Bars and all, with names in letters of two columns."""
    lines = Lines(session="会話" * 20)
    for n in range(3):
        lines.assistant(f"m{n}", usage={**OPUS, "input_tokens": 10**9}, model="模型-🚀-" * 10 if n else "claude-opus-5")
    lines.write(tmp_path / "projects" / ("プロジェクト" * 10) / "s1.jsonl")
    screen = on_terminal(columns, "usage", "--claude-dir", tmp_path, "--by", by)
    table = screen[: next(n for n, line in enumerate(screen) if line.startswith("total")) + 1]
    assert len(table) >= 3
    assert max(map(cell_len, table)) <= columns
    assert len({cell_len(line) - cell_len(line.split("$")[-1]) for line in table if "$" in line}) <= 2


def test_a_report_loads_nothing_that_it_does_not_need() -> None:
    """Most of its time would else be start-up."""
    code = (
        "import sys; sys.argv = ['ccship', 'usage', '--claude-dir', sys.argv[1], '--json']; import atexit;"
        "atexit.register(lambda: print(*sys.modules, file=sys.stderr)); from ccship.__main__ import main; main()"
    )
    command = [sys.executable, "-c", code, str(FIXTURES / "claude")]
    first, second = (
        set(subprocess.run(command, capture_output=True, text=True, check=True).stderr.split()) for _ in "12"
    )
    assert "genai_prices" in first
    assert "genai_prices" not in second, "what it said is remembered"
    loaded = first | second
    assert "ccship.ledger.reader" in loaded
    assert not loaded & {
        "langfuse",
        "opentelemetry",
        "git",
        "rich.console",
        "ccship.pipeline.ship",
        "ccship.transcript.records",
    }


@pytest.mark.parametrize("content", [b"", b"[", b'{"price_list": "older", "tariffs": {"claude-opus-5": null}}'])
def test_remembered_prices_are_a_shortcut_and_no_more(content: bytes, state_dir: Path) -> None:
    """Broken, or of another list: the list is asked, and the report is the same."""
    state_dir.mkdir()
    (state_dir / "prices.json").write_bytes(content)
    costs = [report("--claude-dir", FIXTURES / "claude")["total"]["cost_usd"] for _ in "12"]
    assert costs == [pytest.approx(1.550594)] * 2
    assert sorted(path.name for path in state_dir.iterdir()) == ["ledger.db", "prices.json"]


def test_prices_that_cannot_be_remembered_are_asked_again(tmp_path: Path) -> None:
    """A file where the folder should be."""
    (tmp_path / "state").write_text("")
    environ = {"CC_LANGFUSE_STATE_DIR": str(tmp_path / "state")}
    assert report("--claude-dir", FIXTURES / "claude", environ=environ)["total"]["cost_usd"] == pytest.approx(1.550594)


@pytest.mark.skipif(shutil.which("ccusage") is None, reason="ccusage is not on the PATH")
def test_totals_equal_those_of_ccusage() -> None:
    """On the sessions of this repository, where nothing is that it counts otherwise (`docs/usage.md`)."""
    environ = {**os.environ, "CLAUDE_CONFIG_DIR": str(FIXTURES / "claude"), "TZ": "UTC"}
    command = ["ccusage", "claude", "daily", "--offline", "--json"]
    done = subprocess.run(command, env=environ, capture_output=True, check=True, timeout=60)
    theirs = json.loads(done.stdout)["totals"]
    ours = report("--claude-dir", FIXTURES / "claude")["total"]
    assert (ours["input"], ours["output"], ours["cache_read"]) == (
        theirs["inputTokens"], theirs["outputTokens"], theirs["cacheReadTokens"],
    )  # fmt: skip
    assert ours["cache_write_5m"] + ours["cache_write_1h"] == theirs["cacheCreationTokens"]
