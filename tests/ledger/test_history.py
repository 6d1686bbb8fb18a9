"""Deleted transcripts stay in the ledger until they are forgotten."""

import json
import os
import shutil
import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from ccship.ledger.database import VERSION
from ccship.ledger.forget import choose, forget
from ccship.ledger.groups import reading
from ccship.ledger.store import Ledger
from helpers import run_ccship
from ledger.contents import OPUS, rows_of
from lines import Lines, at

HOUR_AGO = time.time() - 3600


def usage(claude_dir: Path, *arguments: str) -> dict[str, Any]:
    """The document of a report, which may complain."""
    done = run_ccship("usage", "--json", "--claude-dir", claude_dir, *arguments, environ={"TZ": "UTC"})
    assert done.returncode == 0, done.stderr
    document: dict[str, Any] = json.loads(done.stdout)
    return document


def totals(claude_dir: Path, *arguments: str) -> tuple[int, int]:
    """Calls, and sessions from deleted transcripts."""
    document = usage(claude_dir, *arguments)
    return document["total"]["calls"], document["deleted_sessions"]


@pytest.fixture
def claude(tmp_path: Path) -> Path:
    """Two sessions of project p and one of q, which is a year older; s2 has a copy of a call of s1."""
    for number, (project, age_days) in enumerate((("p", 0), ("p", 0), ("q", 365)), 1):
        lines = Lines(session=f"s{number}")
        lines.seconds = number - age_days * 86_400
        lines.prompt("go").assistant(f"m{number}", "text", usage=OPUS)
        if number == 2:
            lines.assistant("m1", "text", usage=OPUS)
        path = lines.write(tmp_path / "claude/projects" / project / f"s{number}.jsonl")
        os.utime(path, (HOUR_AGO, HOUR_AGO))  # what changed just now is read again each time
    return tmp_path / "claude"


def session(claude: Path, name: str) -> Path:
    (path,) = claude.rglob(f"{name}.jsonl")
    return path


def test_calls_of_deleted_transcripts_stay(claude: Path) -> None:
    """The report names them, and can leave them out."""
    assert totals(claude) == (3, 0)
    session(claude, "s1").unlink()
    assert totals(claude) == (3, 1)
    assert totals(claude, "--on-disk") == (3, 0), "m1 is in s2, too"
    session(claude, "s3").unlink()
    assert (totals(claude), totals(claude, "--on-disk")) == ((3, 2), (2, 0))
    assert totals(claude, "--since", "2025-12-01") == (2, 1)
    text = run_ccship("usage", "--claude-dir", claude).stdout
    assert "\nincludes 2 sessions from deleted transcripts\n" in text


def test_without_any_transcript_the_history_is_shown(claude: Path) -> None:
    """All of them may be too old for Claude Code."""
    totals(claude)
    shutil.rmtree(claude / "projects/p")
    shutil.rmtree(claude / "projects/q")
    assert totals(claude) == (3, 3)


def test_a_replaced_transcript_replaces_its_calls(claude: Path) -> None:
    """Also by a shorter one, and by one of the same size."""
    assert totals(claude) == (3, 0)
    path = session(claude, "s3")
    path.write_bytes(path.read_bytes().replace(b'"m3"', b'"m4"'))
    assert totals(claude) == (3, 0)
    path.write_bytes(b"")
    assert totals(claude) == (2, 0)


@pytest.mark.parametrize("age_s", [3600, 0], ids=["long ago", "just now"])
def test_a_change_far_from_the_end_is_noticed(age_s: int, claude: Path) -> None:
    """Of a transcript that keeps its size, and, if it changed just now, even its time."""
    path = session(claude, "s3")
    path.write_bytes(path.read_bytes() + b'{"type": "mode"}\n' * 1000)
    changed_ns = time.time_ns() - age_s * 10**9
    os.utime(path, ns=(changed_ns, changed_ns))
    assert totals(claude, "--by", "session") == (3, 0)
    path.write_bytes(path.read_bytes().replace(b'"m3"', b'"m1"'))
    later_ns = changed_ns + (10**9 if age_s else 0)
    os.utime(path, ns=(later_ns, later_ns))
    assert totals(claude) == (2, 0)


def test_another_config_folder_is_another_report(claude: Path, tmp_path: Path) -> None:
    """One ledger has them all; a link to the folder is the same folder."""
    other = Path(shutil.copytree(claude, tmp_path / "other"))
    session(other, "s3").unlink()
    (tmp_path / "link").symlink_to(claude)
    assert [totals(folder) for folder in (claude, other, tmp_path / "link")] == [(3, 0), (2, 0), (3, 0)]


def test_a_recount_keeps_the_history(claude: Path, state_dir: Path) -> None:
    """It repairs rows of transcripts on disk."""
    totals(claude)
    session(claude, "s3").unlink()
    with closing(sqlite3.connect(state_dir / "ledger.db", isolation_level=None)) as db:
        db.execute("UPDATE calls SET output = 7777 WHERE file = (SELECT id FROM files WHERE path LIKE '%s1.jsonl')")
    assert usage(claude)["total"]["output"] > 7777
    document = usage(claude, "--recount")
    assert (document["total"]["calls"], document["total"]["output"]) == (3, 300)


def damage(path: Path) -> None:
    path.write_bytes(b"SQLite format 3\0" + b"x" * 5000)


def damage_the_rows(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[4096:] = b"\xff" * (len(content) - 4096)
    path.write_bytes(bytes(content))


def be_another_database(path: Path) -> None:
    path.unlink()
    with closing(sqlite3.connect(path)) as db:
        db.execute("CREATE TABLE calls (key)")


@pytest.mark.parametrize("break_it", [damage, damage_the_rows, be_another_database])
def test_a_damaged_ledger_is_set_aside(break_it: Any, claude: Path, state_dir: Path) -> None:
    """The transcripts are counted again."""
    totals(claude)
    break_it(state_dir / "ledger.db")
    done = run_ccship("usage", "--json", "--claude-dir", claude)
    assert (done.returncode, json.loads(done.stdout)["total"]["calls"]) == (0, 3)
    assert "ledger.db was damaged: renamed it" in done.stderr
    assert len(list(state_dir.glob("ledger.db.corrupt-*"))) == 1
    assert run_ccship("usage", "--claude-dir", claude).stderr == ""


def test_a_newer_ledger_is_left_alone(claude: Path, state_dir: Path) -> None:
    """The report counts without it; forget does nothing."""
    totals(claude)
    with closing(sqlite3.connect(state_dir / "ledger.db", isolation_level=None)) as db:
        db.execute(f"PRAGMA user_version = {VERSION + 1}")
    before = (state_dir / "ledger.db").read_bytes()
    session(claude, "s3").unlink()
    done = run_ccship("usage", "--json", "--claude-dir", claude)
    assert (done.returncode, json.loads(done.stdout)["total"]["calls"]) == (0, 2)
    assert "was written by a newer ccship" in done.stderr
    assert run_ccship("forget", "--project", "p", "--yes", "--claude-dir", claude).returncode == 2
    assert (state_dir / "ledger.db").read_bytes() == before


def test_the_ledger_is_private_and_contains_no_text(claude: Path, state_dir: Path) -> None:
    """Neither prompts nor answers nor arguments."""
    lines = Lines(session="s4").prompt("canary prompt").assistant("m9", "canary answer", usage=OPUS)
    lines.write(claude / "projects/p/s4.jsonl")
    totals(claude)
    files = list(state_dir.glob("ledger.db*"))
    assert all(path.stat().st_mode & 0o077 == 0 for path in files)
    assert not any(b"canary" in path.read_bytes() for path in files)


FORGOTTEN = {
    ("--project", "p"): 1,
    ("--session", "s1"): 2,
    ("--older-than", "2025-06-01"): 2,
    ("--project", "p", "--session", "s2"): 2,
    ("--project", "p", "--older-than", "2025-06-01"): 3,
}


@pytest.mark.parametrize(("what", "left"), FORGOTTEN.items(), ids=str)
def test_what_is_forgotten_does_not_come_back(what: tuple[str, ...], left: int, claude: Path) -> None:
    """Not from transcripts on disk, a copy, a recount, or a transcript that grows."""
    done = run_ccship("forget", *what, "--yes", "--claude-dir", claude)
    assert done.returncode == 0, done.stderr
    assert totals(claude)[0] == left
    assert totals(claude, "--recount")[0] == left
    with session(claude, "s1").open("a") as file:
        file.write(Lines(session="s1").assistant("m7", "text", usage=OPUS, timestamp=at(99)).lines[0] + "\n")
    assert totals(claude)[0] == left + 1, "new calls are counted"


def test_forgetting_has_a_plan_and_asks(claude: Path, state_dir: Path) -> None:
    """Without a person to ask, nothing is removed; without a filter neither."""
    done = run_ccship("forget", "--project", "p", "--claude-dir", claude)
    assert (done.returncode, done.stderr) == (2, "ccship: nothing was forgotten: add --yes\n")
    assert done.stdout.startswith("forgets 2 calls and 2 turns of 2 sessions")
    assert run_ccship("forget", "--yes", "--claude-dir", claude).returncode == 2
    assert totals(claude)[0] == 3
    done = run_ccship("forget", "--session", "s3", "--yes", "--json", "--claude-dir", claude)
    assert json.loads(done.stdout) == {"calls": 1, "turns": 1, "sessions": 1}
    nothing = run_ccship("forget", "--session", "nobody", "--yes", "--claude-dir", claude)
    assert (nothing.returncode, nothing.stdout) == (0, "nothing to forget: no call in the ledger matches\n")


def test_names_of_forgotten_and_deleted_sessions_leave_the_file(claude: Path, state_dir: Path) -> None:
    """Their ids and branches; keys stay as numbers."""
    path = session(claude, "s3")
    path.write_bytes(path.read_bytes().replace(b'"main"', b'"secret-branch"').replace(b"s3", b"secret-session"))
    path.rename(path.with_name("secret-session.jsonl"))
    totals(claude)
    assert b"secret" in (state_dir / "ledger.db").read_bytes()
    (path.with_name("secret-session.jsonl")).unlink()
    assert run_ccship("forget", "--project", "q", "--yes", "--claude-dir", claude).returncode == 0
    assert b"secret" not in (state_dir / "ledger.db").read_bytes()
    assert totals(claude) == (2, 0)


@pytest.mark.parametrize("option", [("--session", ""), ("--project", "/"), ("--project", "")])
def test_forget_does_not_take_nothing_for_everything(option: tuple[str, str]) -> None:
    """A variable that is not set must not erase the history."""
    done = run_ccship("forget", *option, "--yes")
    assert done.returncode == 2
    assert "would match everything" in done.stderr


def test_a_forgotten_pull_request_does_not_come_back(tmp_path: Path) -> None:
    """Neither do the names of its session; others stay."""
    lines = [Lines(session=name).prompt("go").assistant(f"m-{name}", "done") for name in ("one", "two")]
    paths = []
    for each in lines:
        each.plain("pr-link", prUrl=f"https://git.example/{each.session}/pull/1")
        paths.append(each.write(tmp_path / f"p/{each.session}.jsonl"))
    ledger = Ledger(None)
    ledger.catch_up(paths)
    with reading(ledger):
        chosen = choose(ledger, lambda _, session, __: session == "one")
    forget(ledger, chosen)
    ledger.read_again(paths)
    ledger.catch_up(paths)
    rows = rows_of(ledger)
    assert ["two/pull/1" in str(row) for row in rows["milestones"]] == [True]
    assert ["'two'" in str(row) for row in rows["calls"]] == [True]
