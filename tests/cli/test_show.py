"""`ccship show`, run as a person runs it."""

import json
import os
import re
from pathlib import Path

import pytest
from rich.cells import cell_len

from conftest import FIXTURES
from helpers import run_ccship
from lines import Lines, tool
from terminal import on_terminal

CLAUDE = FIXTURES / "claude"
SESSION = "aa6552c4-4cc1-4138-835c-23109a85332f"
SECRET = "sk-" + "ant-api03-" + "Zq7" * 31 + "AA"


def long_turn(folder: Path) -> Path:
    """A turn of 500 tools, asked for in letters of two columns, with a failure and something that steers terminals."""
    prompt = "漢字と絵文字 🚀👩‍👩‍👧 " * 500 + "\x1b[2J\x1b]0;title\x07\u202e"
    lines = Lines().prompt(prompt)
    for n in range(500):
        lines.assistant(f"m{n}", tool(f"t{n}", "ツール" * 9, command=f"🚀 run {n}\nagain\x1b[31m"))
        lines.result(f"t{n}", "boom\x1b[31m" if n == 250 else "ok", is_error=n == 250)
    return lines.assistant("end", "done").write(folder / "s1.jsonl")


@pytest.mark.parametrize("columns", [40, 80, 160])
def test_any_turn_fits_any_terminal(columns: int, tmp_path: Path) -> None:
    """Very long, in any script, with escape sequences in it."""
    screen = on_terminal(columns, "show", long_turn(tmp_path), "--turn", "1")
    tree = [line for line in screen if line.startswith(("├", "└", "claude_turn"))]
    assert len(tree) == 1 + 500 + 501
    assert max(map(cell_len, tree)) <= columns
    assert not any("\x1b" in line or "\x07" in line or "\u202e" in line for line in screen)
    assert sum("✗ boom" in line for line in tree) == 1


@pytest.mark.parametrize("columns", [80, 160])
def test_the_table_of_turns_fits_too(columns: int, tmp_path: Path) -> None:
    """A prompt of ten thousand letters is a line."""
    screen = on_terminal(columns, "show", long_turn(tmp_path))
    assert max(map(cell_len, screen[2:4])) <= columns
    assert screen[3].split()[0] == "1"


def nested(folder: Path, depth: int) -> Path:
    """A session whose agent asks an agent, and so on."""
    main = folder / "s1.jsonl"
    lines = Lines().prompt("go")
    for level in range(depth):
        lines.assistant(f"m{level}", tool(f"t{level}", "Agent", prompt=f"level {level}", description=f"level {level}"))
        if level == 0:
            lines.write(main)
        else:
            path = lines.write(folder / f"s1/subagents/agent-a{level}.jsonl")
            path.with_suffix(".meta.json").write_text(json.dumps({"toolUseId": f"t{level - 1}", "agentType": "deep"}))
        lines = Lines()
        lines.seconds = level + 2
        lines.user(f"level {level}", isSidechain=True, agentId=f"a{level + 1}", uuid=f"u{level}")
    return main


def test_subagents_nest_to_any_depth(tmp_path: Path) -> None:
    """The name of each is still read when the lines that lead to it would fill the screen."""
    screen = on_terminal(80, "show", nested(tmp_path, 30), "--turn", "1")
    agents = [line for line in screen if "Agent: deep" in line]
    assert len(agents) == 29
    assert max(map(cell_len, screen[2:])) <= 80


def test_json_is_what_would_be_sent() -> None:
    """The observations of a session, as the golden files have them."""
    done = run_ccship("show", SESSION, "--json", environ={"CLAUDE_CONFIG_DIR": str(CLAUDE)})
    golden = (FIXTURES / "observations" / f"{SESSION}.jsonl").read_text().splitlines()
    ids = {json.loads(line)["span_id"] for line in golden}
    assert {observation["span_id"] for observation in json.loads(done.stdout)} == ids


@pytest.mark.parametrize(("turn", "name"), [("3", "claude_turn_3"), ("-1", "claude_turn_14")])
def test_a_turn_is_chosen_by_its_number(turn: str, name: str) -> None:
    """From the end with a minus."""
    done = run_ccship("show", SESSION, "--turn", turn, "--raw", environ={"CLAUDE_CONFIG_DIR": str(CLAUDE)})
    assert {observation["trace"]["name"] for observation in json.loads(done.stdout)} == {name}


def test_as_sent_is_what_leaves(tmp_path: Path) -> None:
    """Without it: what stands in the transcript."""
    path = Lines().prompt(f"use {SECRET} now").assistant("m1", "ok").write(tmp_path / "s1.jsonl")
    plain, sent = (run_ccship("show", path, "--turn", "1", *more).stdout for more in ([], ["--as-sent"]))
    assert SECRET[:20] in plain
    assert SECRET[:20] not in sent
    assert "[redacted:" in sent
    metadata = run_ccship("show", path, "--json", "--as-sent", environ={"CC_LANGFUSE_CAPTURE": "metadata"}).stdout
    assert "now" not in metadata


def test_nothing_is_sent_or_remembered(state_dir: Path) -> None:
    """It looks only."""
    run_ccship("show", SESSION, environ={"CLAUDE_CONFIG_DIR": str(CLAUDE)})
    assert not state_dir.exists()


def test_without_a_name_it_is_the_latest_session_of_this_directory(tmp_path: Path) -> None:
    """Or of the nearest directory above that has one."""
    here = tmp_path / "work" / "deep"
    here.mkdir(parents=True)
    project = tmp_path / "claude/projects" / re.sub(r"[^A-Za-z0-9]", "-", str(here.parent))
    for n, name in enumerate(("new", "old", "agent-a1")):
        path = Lines(session=name).prompt(name).assistant("m1", "ok").write(project / f"{name}.jsonl")
        os.utime(path, (1_700_000_000 - n,) * 2)
    done = run_ccship("show", cwd=here, environ={"CLAUDE_CONFIG_DIR": str(tmp_path / "claude")})
    assert done.stdout.startswith("session new\n")


def test_copied_turns_are_said(tmp_path: Path) -> None:
    """A fork shows its own turns, and that there were others before them."""
    done = run_ccship("show", "0a61", environ={"CLAUDE_CONFIG_DIR": str(CLAUDE)})
    assert "2 turns copied from another session" in done.stdout


def test_what_has_no_price_is_said(tmp_path: Path) -> None:
    """As in the report."""
    path = Lines().prompt("go").assistant("m1", "ok", model="my-own-model").write(tmp_path / "s1.jsonl")
    done = run_ccship("show", path)
    assert "cost excludes my-own-model: no price known" in done.stdout
    assert "$0.00" not in done.stdout


def test_what_cannot_be_read_is_said(claude_dir: Path) -> None:
    """One line and exit code 1; what can be read is shown."""
    agent = next(claude_dir.rglob("agent-a0ebed58*.jsonl"))
    agent.unlink()
    agent.mkdir()
    done = run_ccship("show", "dad1", "--claude-dir", claude_dir)
    assert (done.returncode, "cannot be read" in done.stderr) == (1, True)
    assert done.stdout


BAD = {
    "an unknown session": (["zzzz"], "no session in"),
    "an ambiguous beginning": (["a"], "matches 2 sessions, choose one: "),
    "a folder of several": ([str(CLAUDE)], "sessions, choose one: "),
    "no such file": (["gone.jsonl"], "gone.jsonl does not exist"),
    "no transcript": ([str(FIXTURES / "README.md")], "is not a transcript"),
    "no session of this directory": ([], "no session of "),
    "no such turn": ([SESSION, "--turn", "99"], "has no turn 99: choose 1 to 14"),
    "no such turn from the end": ([SESSION, "--turn", "-15"], "has no turn -15"),
    "turn 0": ([SESSION, "--turn", "0"], "has no turn 0"),
    "what a shell would expand": (["[a-z]*"], "no session in"),
}


@pytest.mark.parametrize(("arguments", "told"), BAD.values(), ids=BAD.keys())
def test_wrong_usage_is_one_line_and_exit_code_2(arguments: list[str], told: str, tmp_path: Path) -> None:
    """What is wrong, and what to write instead."""
    done = run_ccship("show", *arguments, environ={"CLAUDE_CONFIG_DIR": str(CLAUDE)}, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert told in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_session_that_is_excluded_has_nothing_as_sent(tmp_path: Path) -> None:
    """It is never sent."""
    path = Lines().prompt("go").assistant("m1", "ok").write(tmp_path / "s1.jsonl")
    done = run_ccship("show", path, "--as-sent", environ={"CC_LANGFUSE_EXCLUDE": "/home/dev/**"})
    assert (done.returncode, "is never sent" in done.stderr) == (2, True)
