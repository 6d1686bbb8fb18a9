"""Record the state that a released version writes: `fixtures/recorded/state-VERSION`, with the transcripts it is about.

Run it with the interpreter of that version's checkout, which must hold `uv sync`'s environment:

    git worktree add --detach ../released 93a68fc && (cd ../released && uv sync)
    ../released/.venv/bin/python tests/record_state.py fixtures/recorded/state-0.1.0

The sessions of `fixtures/claude` are shipped too; they are not copied. Paths, inodes, times and names of servers are
replaced by fixed ones. A test that uses a recorded state puts its own in their place (`recorded_state.py`).
"""

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Collection
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

from lines import Lines, tool
from loopback import LoopbackLangfuse, Reply, loopback_langfuse

FIXTURES = Path(__file__).parent.parent / "fixtures"

CLAUDE_DIR = "/home/dev/.claude"
"""Where a recorded state has its transcripts."""

SERVER = "https://langfuse.example.org pk-lf-recorded"
FAILING_SERVER = "https://failing.example.org pk-lf-recorded"

PROJECT = "projects/-home-dev-recorded"
MAIN = "5e551011-0000-4000-8000-00000000000a"
FORK = "5e551011-0000-4000-8000-00000000000b"
LINKED = "linked"
LATE = "late"

AT = 1_767_268_800.0
"""Seconds since the epoch, in place of every time that is recorded."""


def main_session() -> Lines:
    """Three settled turns and two that may still change.

    The second launches a subagent that is there, the fourth one that is not there yet. The last line of the third is
    flushed behind the prompt of the fourth. Notes tell the title and a pull request.
    """
    lines = Lines(session=MAIN)
    lines.prompt("one").assistant("m1", tool("t1")).result("t1").assistant("m2", "done with one")
    lines.prompt("two").assistant("m3", tool("t2", "Agent", subagent_type="Explore", prompt="explore"), tool("t3"))
    lines.result("t2", toolUseResult={"agentId": LINKED}).result("t3").assistant("m4", "done with two")
    lines.prompt("three").assistant("m5", "half of it").prompt("four").assistant("m5", "the rest")
    lines.plain("ai-title", aiTitle="A recorded session")
    lines.assistant("m6", tool("t4", "Agent", subagent_type="Plan", prompt="plan"))
    lines.result("t4", toolUseResult={"isAsync": True, "agentId": LATE}).assistant("m7", "launched")
    lines.plain("pr-link", prNumber=7, prUrl="https://github.com/example/demo/pull/7")
    lines.prompt("five").assistant("m8", tool("t5")).result("t5").assistant("m9", "done with five")
    return lines.plain("file-history-snapshot").plain("hologram")


def linked_agent() -> Lines:
    """The subagent that the second turn launched."""
    return Lines(session=MAIN).user("explore", uuid="e1").assistant("e2", "found", uuid="e3")


def fork() -> Lines:
    """A session that begins with a copy of the first turn of the other one."""
    lines = Lines(session=FORK)
    lines.lines = [json.dumps({**json.loads(line), "sessionId": FORK}) for line in main_session().lines[:4]]
    lines.last, lines.seconds = f"{MAIN}-3", 100
    return lines.prompt("another two").assistant("f1", "done with another two")


def write_sessions(claude_dir: Path) -> list[Path]:
    """The main transcripts, in the order in which they are shipped."""
    project = claude_dir / PROJECT
    linked_agent().write(project / MAIN / "subagents" / f"agent-{LINKED}.jsonl")
    return [main_session().write(project / f"{MAIN}.jsonl"), fork().write(project / f"{FORK}.jsonl")]


def hook(transcript: Path, environ: dict[str, str]) -> None:
    payload = {"session_id": transcript.stem, "transcript_path": str(transcript), "hook_event_name": "Stop"}
    opted_in = {"TRACE_TO_LANGFUSE": "true", "CC_LANGFUSE_FOREGROUND": "true"}
    ccship("hook", environ={**environ, **opted_in}, stdin=json.dumps(payload).encode())


def ccship(*arguments: str, environ: dict[str, str], stdin: bytes = b"") -> None:
    kept = {name: os.environ[name] for name in ("PATH",) if name in os.environ}
    subprocess.run(
        [sys.executable, "-m", "ccship", *arguments], env={**kept, "USER": "ada", **environ}, input=stdin, check=False
    )


def refuse(server: LoopbackLangfuse, names: Collection[object]) -> None:
    """Refuse the tool calls with these ids from now on, and accept again what was accepted before."""
    server.refused_spans = {
        span.span_id: 400
        for span in server.accepted
        if span.attributes.get("langfuse.observation.metadata.tool_id") in names
    }
    server.clear()


def ship(claude_dir: Path, state_dir: Path, server: LoopbackLangfuse, failing: LoopbackLangfuse) -> None:
    """Everything there is, by hooks and by a backfill; one of the sessions to a server that fails, too."""
    transcripts = write_sessions(claude_dir)
    home = {"HOME": str(state_dir.parent), "CLAUDE_CONFIG_DIR": str(claude_dir)}
    rehearsed = {**home, **server.environ, "CC_LANGFUSE_STATE_DIR": f"{state_dir}-rehearsed"}
    hook(transcripts[0], rehearsed)
    refuse(server, {"t3", "t5"})
    shutil.copytree(FIXTURES / "claude", claude_dir, dirs_exist_ok=True)
    environ = {**home, **server.environ, "CC_LANGFUSE_STATE_DIR": str(state_dir)}
    for transcript in transcripts:
        hook(transcript, environ)
    ccship("backfill", "--yes", environ=environ)
    failing.script = [Reply(status=500)] * 9
    hook(transcripts[1], {**environ, **failing.environ})


def anonymise(state: Path, claude_dir: Path, destinations: dict[str, str]) -> None:
    """Replace what is of this machine and of this moment."""
    with closing(sqlite3.connect(state)) as db:
        for found, fixed in destinations.items():
            assert db.execute("UPDATE destinations SET name = ? WHERE name = ?", (fixed, found)).rowcount == 1
        paths = (str(claude_dir.resolve()), CLAUDE_DIR)
        db.execute("UPDATE transcripts SET path = replace(path, ?, ?), device = 0, inode = id", paths)
        db.execute("UPDATE dead_letters SET transcript = replace(transcript, ?, ?)", paths)
        db.execute("UPDATE transcripts SET shipped_at = ? WHERE shipped_at IS NOT NULL", (AT,))
        db.execute("UPDATE dead_letters SET at = ?", (AT,))
        db.execute("UPDATE destinations SET retry_at = ? WHERE retry_at IS NOT NULL", (AT,))
        db.commit()
        db.execute("VACUUM")  # pages that are free now hold what was replaced


def main(folder: Path) -> None:
    """Record into a folder."""
    with TemporaryDirectory() as name, loopback_langfuse() as server, loopback_langfuse() as failing:
        claude_dir, state_dir = Path(name) / "claude", Path(name) / "state"
        ship(claude_dir, state_dir, server, failing)
        destinations = {
            f"{langfuse.url} {langfuse.public_key}": to
            for langfuse, to in ((server, SERVER), (failing, FAILING_SERVER))
        }
        anonymise(state_dir / "state.db", claude_dir, destinations)
        (folder / PROJECT).parent.mkdir(parents=True, exist_ok=True)
        shutil.copytree(claude_dir / PROJECT, folder / PROJECT, dirs_exist_ok=True)
        shutil.copy(state_dir / "state.db", folder / "state.db")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
