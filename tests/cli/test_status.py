"""`ccship status`: how far every session is."""

import json
import os
import pty
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from ccship.transcript.tail import entries
from helpers import run_ccship
from lines import Lines
from loopback import LoopbackLangfuse, Reply


@pytest.fixture
def environ(langfuse: LoopbackLangfuse, claude_dir: Path) -> dict[str, str]:
    """The environment of somebody with transcripts and a Langfuse."""
    return {**langfuse.environ, "CLAUDE_CONFIG_DIR": str(claude_dir)}


def status(environ: dict[str, str]) -> dict[str, Any]:
    done = run_ccship("status", "--json", environ=environ)
    document: dict[str, Any] = json.loads(done.stdout)
    assert document["complete"] == (done.returncode == 0)
    return document


def session_of(document: dict[str, Any], prefix: str) -> dict[str, Any]:
    (found,) = (
        session for destination in document["destinations"] for session in destination["sessions"]
        if session["session"].startswith(prefix)
    )  # fmt: skip
    return dict(found)


def record_count(paths: list[Path]) -> int:
    count = 0
    for path in paths:
        with path.open("rb") as file:
            count += sum(1 for _ in entries(file, 0))
    return count


def test_before_anything_was_shipped_it_says_what_there_is(environ: dict[str, str], state_dir: Path) -> None:
    """And makes nothing."""
    done = run_ccship("status", environ=environ)
    assert done.returncode == 0
    assert done.stdout.startswith("Never shipped: 6 sessions (")
    assert not state_dir.exists()


def test_where_there_is_nothing_it_says_so(tmp_path: Path) -> None:
    """A machine on which nobody has used Claude Code."""
    done = run_ccship("status", environ={"CLAUDE_CONFIG_DIR": str(tmp_path)})
    assert (done.returncode, done.stdout) == (
        0,
        "No transcripts found, and nothing shipped yet. Check CLAUDE_CONFIG_DIR, or use Claude Code once.\n",
    )


def test_the_books_of_all_sessions_balance(environ: dict[str, str], claude_dir: Path) -> None:
    """Every record on disk is somewhere, before and after a fault."""
    run_ccship("backfill", environ=environ)
    for (destination,) in [status(environ)["destinations"]]:
        records = destination["records"]
        assert records["total"] == record_count(list(claude_dir.rglob("*.jsonl")))
        assert records["total"] == records["shipped"] + sum(records["ignored"].values())
        assert records["pending"] == records["dead_lettered"] == 0


def test_what_was_written_since_is_pending(environ: dict[str, str], claude_dir: Path) -> None:
    """And half a line is none yet."""
    run_ccship("backfill", environ=environ)
    (transcript,) = claude_dir.rglob("9e4b*.jsonl")
    before = session_of(status(environ), "9e4b")
    with transcript.open("a") as file:
        file.write("".join(f"{line}\n" for line in Lines().prompt("more").assistant("m1", "done").lines))
        file.write('{"type": "user", "uuid"')
    after = session_of(status(environ), "9e4b")
    assert after["records"]["pending"] == 2
    assert after["records"]["total"] == before["records"]["total"] + 2
    assert run_ccship("status", environ=environ).returncode == 1


def test_what_the_server_did_not_take_is_pending_with_the_reason(
    environ: dict[str, str], langfuse: LoopbackLangfuse
) -> None:
    """The session that met the fault says it."""
    langfuse.script = [Reply(status=401)] * 9
    run_ccship("backfill", "--session", "9e4b", environ=environ)
    found = session_of(status(environ), "9e4b")
    assert "401" in found["last_error"]
    assert found["last_shipped"] is None
    assert found["records"]["pending"] > 0 == found["records"]["shipped"]
    assert "9e4b124a: the keys were not accepted (401)" in run_ccship("status", environ=environ).stdout


def test_a_dead_letter_is_shown_until_it_was_accepted(environ: dict[str, str], langfuse: LoopbackLangfuse) -> None:
    """By a later server, with `--resend`."""
    run_ccship("backfill", "--session", "9e4b", environ=environ)
    (span, *_) = (span for span in langfuse.accepted if span.type == "generation")
    langfuse.refused_spans = {span.span_id: 400}
    run_ccship("backfill", "--session", "9e4b", "--resend", environ=environ)
    document = status(environ)
    assert session_of(document, "9e4b")["records"]["dead_lettered"] == 2  # the lines of one call
    assert [letter["span_id"] for letter in document["destinations"][0]["dead_letters"]] == [span.span_id]
    langfuse.refused_spans.clear()
    run_ccship("backfill", "--session", "9e4b", "--resend", environ=environ)
    assert session_of(status(environ), "9e4b")["records"]["dead_lettered"] == 0
    assert status(environ)["destinations"][0]["dead_letters"] == []


def test_a_transcript_that_was_replaced_is_pending_as_a_whole(environ: dict[str, str], claude_dir: Path) -> None:
    """It will be read from its beginning."""
    run_ccship("backfill", environ=environ)
    (transcript,) = claude_dir.rglob("9e4b*.jsonl")
    transcript.unlink()
    Lines().prompt("other").assistant("m1", "done").write(transcript)
    found = session_of(status(environ), "9e4b")
    assert found["records"]["pending"] == found["records"]["total"] == 2


def test_a_transcript_that_is_gone_keeps_its_books(environ: dict[str, str], claude_dir: Path) -> None:
    """Claude Code deletes them after a month."""
    run_ccship("backfill", environ=environ)
    before = session_of(status(environ), "9e4b")
    (transcript,) = claude_dir.rglob("9e4b*.jsonl")
    transcript.unlink()
    after = session_of(status(environ), "9e4b")
    assert after == {**before, "file_gone": True}
    assert "(file gone)" in run_ccship("status", environ=environ).stdout


def test_one_screen_shows_the_unfinished_first_and_the_rest_on_demand(
    environ: dict[str, str], claude_dir: Path
) -> None:
    """With hundreds of sessions."""
    folder = claude_dir / "projects/-many"
    for n in range(20):
        Lines(session=f"s{n:02}").prompt("go").assistant(f"m{n}", "done").write(folder / f"s{n:02}.jsonl")
    run_ccship("backfill", environ=environ)
    with (folder / "s07.jsonl").open("a") as file:
        file.write('{"type": "mode"}\n')
    rows = run_ccship("status", environ=environ).stdout.splitlines()[2:]
    assert rows[0].startswith("s07 ")
    assert rows[15] == "... and 11 more (show with --all)"
    every = run_ccship("status", "--all", environ=environ).stdout
    assert sum(f"s{n:02} " in every for n in range(20)) == 20


def test_destinations_are_told_apart(environ: dict[str, str], claude_dir: Path) -> None:
    """Each with its own cursors; an excluded project goes nowhere."""
    run_ccship("backfill", environ=environ)
    other = {**environ, "LANGFUSE_PUBLIC_KEY": "pk-lf-other"}
    run_ccship("backfill", "--session", "9e4b", environ=other)  # these keys are refused
    names = {destination["public_key"]: len(destination["sessions"]) for destination in status(environ)["destinations"]}
    assert names == {environ["LANGFUSE_PUBLIC_KEY"]: 6, "pk-lf-other": 1}
    folder = claude_dir / "projects/-private"
    Lines(session="p1").prompt("go").assistant("m1", "done").write(folder / "p1.jsonl")
    excluding = {**environ, "CC_LANGFUSE_EXCLUDE": "/home/dev/**"}
    assert status(environ)["never_shipped"][0]["session"] == "p1"
    assert status(excluding)["excluded"] == ["p1"]


UNREADABLE = {
    "a newer program's": ("PRAGMA user_version = 99", 2, "newer ccship"),
    "somebody else's": ("DROP TABLE transcripts", 1, "cannot be read"),
}


@pytest.mark.parametrize(("sql", "code", "expected"), UNREADABLE.values(), ids=UNREADABLE.keys())
def test_a_state_that_cannot_be_read_is_one_line(
    sql: str, code: int, expected: str, environ: dict[str, str], state_dir: Path
) -> None:
    """Nothing of it is touched."""
    run_ccship("backfill", "--session", "9e4b", environ=environ)
    with sqlite3.connect(state_dir / "state.db") as db:
        db.execute(sql)
    before = (state_dir / "state.db").read_bytes()
    done = run_ccship("status", environ=environ)
    assert done.returncode == code
    assert expected in done.stderr
    assert done.stderr.count("\n") == 1
    assert (state_dir / "state.db").read_bytes() == before


def test_no_text_of_a_conversation_is_shown(environ: dict[str, str]) -> None:
    """Ids, counts and names of folders."""
    run_ccship("backfill", environ=environ)
    shown = run_ccship("status", "--json", environ=environ).stdout + run_ccship("status", environ=environ).stdout
    assert "SCENARIO" not in shown


@pytest.mark.parametrize("more", [[], ["--json"]], ids=["piped", "as JSON"])
def test_watching_needs_eyes(more: list[str], environ: dict[str, str]) -> None:
    """A program asks again itself."""
    done = run_ccship("status", "--watch", *more, environ=environ)
    assert done.returncode == 2
    assert "needs a terminal" in done.stderr


def test_watching_ends_well_with_an_interrupt(environ: dict[str, str]) -> None:
    """On a terminal, until ^C."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "ccship", "status", "--watch"]
    with subprocess.Popen(command, stdout=theirs, stdin=theirs, env={**os.environ, **environ}) as process:
        os.close(theirs)
        shown = b""
        while b"Never shipped" not in shown:
            shown += os.read(ours, 4096)
        process.send_signal(signal.SIGINT)
        deadline = time.monotonic() + 60
        while process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.02)
        assert process.returncode == 0
    os.close(ours)
