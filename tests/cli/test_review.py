"""`ccship review`, run as a person runs it."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from conftest import FIXTURES
from helpers import Done, run_ccship
from lines import Lines, tool
from loopback import LoopbackLangfuse

CLAUDE = FIXTURES / "claude"
LONG_AGO = ("--since", "2025-01-01")


def complained(session: str, cwd: str = "/home/dev/demo") -> Lines:
    """A turn that is complained about, and one that is not."""
    lines = Lines(session=session)
    lines.prompt("make it work", cwd=cwd).assistant("m1", "It works now.")
    return lines.prompt("no, use the other one", cwd=cwd).assistant("m2", "You're right, I forgot the import.")


def claude(folder: Path, *sessions: Lines, project: str = "-home-dev-demo") -> Path:
    for lines in sessions:
        lines.write(folder / "claude/projects" / project / f"{lines.session}.jsonl")
    return folder / "claude"


def review(claude_dir: Path, *arguments: str, environ: dict[str, str] | None = None) -> Done:
    return run_ccship("review", *arguments, environ={"CLAUDE_CONFIG_DIR": str(claude_dir), **(environ or {})})


def document(claude_dir: Path, *arguments: str, environ: dict[str, str] | None = None) -> dict[str, Any]:
    done = review(claude_dir, "--json", *arguments, environ=environ)
    assert done.returncode == 0, done.stderr
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def test_turns_that_need_review_are_listed_newest_first() -> None:
    """With session, number and reasons; the numbers are those of `ccship show`."""
    found = document(CLAUDE, *LONG_AGO)
    turns = [(turn["session"][:4], turn["turn"], turn["reasons"]) for turn in found["turns"]]
    assert turns == [("aa65", 9, ["api_error"]), ("80c2", 8, ["api_error"]), ("dad1", 10, ["api_error"])]
    assert found["problems"] == []
    shown = run_ccship("show", "aa65", "--turn", "9", "--json", environ={"CLAUDE_CONFIG_DIR": str(CLAUDE)})
    assert {span["trace"]["trace_id"] for span in json.loads(shown.stdout)} == {found["turns"][0]["trace_id"]}


def test_a_complaint_is_about_the_turn_before_it(tmp_path: Path) -> None:
    """All signals are in the document, and no text of the conversation."""
    done = review(claude(tmp_path, complained("s1")), "--json", *LONG_AGO)
    (turn,) = json.loads(done.stdout)["turns"]
    assert (turn["session"], turn["turn"], turn["reasons"]) == ("s1", 1, ["complaint"])
    assert turn["complaint_parts"] == ["pushback", "conceded"]
    assert turn["signals"]["human_wait_seconds"] == 1
    assert "repeated_error" in turn["signals"]
    assert not any(word in done.stdout for word in ("other one", "forgot", "make it work"))


def test_the_cost_of_a_turn_is_that_of_show(claude_dir: Path) -> None:
    """Its subagents included."""
    (path,) = claude_dir.rglob("aa65*.jsonl")
    path.write_text(path.read_text().replace("SCENARIO:agentbg go", "no, wrong"))
    found = document(claude_dir, *LONG_AGO)
    assert ("aa65", 5) in [(turn["session"][:4], turn["turn"]) for turn in found["turns"]]
    for turn in found["turns"]:
        shown = run_ccship("show", turn["session"], "--turn", str(turn["turn"]), "--claude-dir", claude_dir)
        assert shown.stdout.splitlines()[1].endswith(f"${turn['cost_usd']:.2f}")


def test_a_turn_links_to_its_trace(tmp_path: Path, langfuse: LoopbackLangfuse) -> None:
    """Where its project has keys, and the server tells which Langfuse project they are of."""
    folder = claude(tmp_path, complained("s1"))
    assert [turn["url"] for turn in document(folder, *LONG_AGO)["turns"]] == [None]
    (turn,) = document(folder, *LONG_AGO, environ=langfuse.environ)["turns"]
    assert turn["url"] == f"{langfuse.url}/project/p1/traces/{turn['trace_id']}"
    assert turn["url"] in review(folder, *LONG_AGO, environ=langfuse.environ).stdout
    excluded = document(folder, *LONG_AGO, environ={**langfuse.environ, "CC_LANGFUSE_EXCLUDE": "/home/dev/**"})
    assert [turn["url"] for turn in excluded["turns"]] == [None]


@pytest.mark.parametrize(
    "wrong", [{"LANGFUSE_BASE_URL": "http://127.0.0.1:9/"}, {"LANGFUSE_SECRET_KEY": "sk-lf-other"}]
)
def test_turns_are_listed_without_links_if_the_server_does_not_help(
    wrong: dict[str, str], tmp_path: Path, langfuse: LoopbackLangfuse
) -> None:
    """And the reason is given once."""
    done = review(claude(tmp_path, complained("s1")), *LONG_AGO, environ={**langfuse.environ, **wrong})
    assert (done.returncode, done.stdout.count("no links: http://127.0.0.1")) == (0, 1)
    assert "complaint" in done.stdout
    assert "/traces/" not in done.stdout


def test_the_link_is_the_trace_that_is_shipped(tmp_path: Path, langfuse: LoopbackLangfuse) -> None:
    """Under a seed, too."""
    folder = claude(tmp_path, complained("s1"))
    environ = {**langfuse.environ, "CLAUDE_CONFIG_DIR": str(folder), "CC_LANGFUSE_TRACE_SEED": "seed"}
    assert run_ccship("backfill", "--yes", environ=environ).returncode == 0
    (turn,) = document(folder, *LONG_AGO, environ=environ)["turns"]
    assert turn["trace_id"] in {span.trace_id for span in langfuse.accepted}


def test_only_the_window_and_the_project_are_read(tmp_path: Path) -> None:
    """By default, the last seven days."""
    claude(tmp_path, complained("s1"))
    folder = claude(tmp_path, complained("s2", cwd="/home/dev/other"), project="-home-dev-other")
    assert [turn["session"] for turn in document(folder, *LONG_AGO, "--project", "other")["turns"]] == ["s2"]
    assert document(folder, "--since", "2026-01-02")["turns"] == []
    assert document(folder, "--since", "2026-01-01T12:00:00Z")["read_turns"] == 4


def test_a_file_that_is_older_than_the_window_is_not_opened(tmp_path: Path) -> None:
    """It contains no later turn; a year of sessions is not read for a week."""
    folder = claude(tmp_path, complained("s1"))
    (path,) = folder.rglob("s1.jsonl")
    os.utime(path, (1_600_000_000, 1_600_000_000))
    assert document(folder, *LONG_AGO)["read_turns"] == 0


def test_a_copied_turn_is_listed_once(tmp_path: Path) -> None:
    """With the session that it is from."""
    original, fork = complained("s1"), complained("s1")
    fork.prompt("thanks, that is all").assistant("m3", "Fine.")
    folder = claude(tmp_path, original)
    fork.write(folder / "projects/-home-dev-demo/s2.jsonl")
    found = document(folder, *LONG_AGO)
    assert [(turn["session"], turn["turn"]) for turn in found["turns"]] == [("s1", 1)]
    assert found["read_turns"] == 3


def test_nothing_to_review_is_said(tmp_path: Path) -> None:
    """And how much was read, or that nothing was."""
    folder = claude(tmp_path, Lines().prompt("go").assistant("m1", "done"))
    assert review(folder, *LONG_AGO).stdout == "no turn needs review: 1 turn of 1 session since 2025-01-01 read\n"
    done = review(folder, "--since", "1m")
    assert (done.returncode, done.stdout) == (0, "no turns since 1m: choose an earlier time with --since\n")


def test_a_model_without_a_price_is_named(tmp_path: Path) -> None:
    """Its cost is not shown as nothing."""
    lines = Lines().prompt("go").assistant("m1", "ok", model="my-own-model").prompt("no, wrong").assistant("m2", "ok")
    done = review(claude(tmp_path, lines), *LONG_AGO)
    assert "cost excludes my-own-model: no price known" in done.stdout
    assert "  ?  complaint (pushback)" in done.stdout


def test_files_that_cannot_be_read_are_named(claude_dir: Path) -> None:
    """One line each and exit code 1; the others are reviewed."""
    (path,) = claude_dir.rglob("9e4b*.jsonl")
    path.unlink()
    path.mkdir()
    (path / "x").touch()
    (other,) = claude_dir.rglob("a53f*.jsonl")
    other.write_bytes(b"\x1f\x8b\x08")
    done = review(claude_dir, *LONG_AGO)
    assert done.returncode == 1
    assert sorted(line.rpartition("/")[2][:4] for line in done.stderr.splitlines()) == ["9e4b", "a53f"]
    assert "it is compressed with gzip: decompress it" in done.stderr
    assert "3 of " in done.stdout


BAD = {
    "an empty folder": ("projects", [], "no transcripts in"),
    "no folder": ("", [], "has no projects folder"),
    "a time that is none": ("projects", ["--since", "soon"], "'soon' is not a time"),
}


@pytest.mark.parametrize(("made", "arguments", "told"), BAD.values(), ids=BAD.keys())
def test_wrong_usage_is_one_line_and_exit_code_2(made: str, arguments: list[str], told: str, tmp_path: Path) -> None:
    """What is wrong, and what to do."""
    (tmp_path / "claude" / made).mkdir(parents=True)
    done = review(tmp_path / "claude", *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert told in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_project_that_does_not_exist_is_wrong_usage() -> None:
    """The message names the way to list them."""
    done = review(CLAUDE, "--project", "no-such")
    assert done.returncode == 2
    assert done.stderr == (
        "ccship: none of the 6 sessions matches --project no-such: ccship usage --by session lists them\n"
    )


def test_show_marks_signals_on_turns_and_steps(tmp_path: Path) -> None:
    """A failed edit at its tool, a rebuilt cache at its call."""
    usage = {"cache_creation_input_tokens": 100_000}
    lines = Lines().prompt("go").assistant("m1", "ok", usage=usage)
    lines.seconds += 400
    lines.prompt("on").assistant("m2", tool("t1", "Edit", file_path="a.md"), usage=usage)
    path = lines.result("t1", "not found in file", is_error=True).write(tmp_path / "s1.jsonl")
    wide = {"COLUMNS": "120"}
    turns = run_ccship("show", path, environ=wide).stdout.splitlines()
    assert "[edit_failed, cache_rebuild] on" in turns[4]
    assert "[" not in turns[3]
    tree = run_ccship("show", path, "--turn", "2", environ=wide).stdout.splitlines()
    assert tree[2] == "signals: edit_failed, cache_rebuild $0.57"
    assert [line.partition("[")[2].partition("]")[0] for line in tree[3:]] == ["", "cache_rebuild $0.57", "edit_failed"]
