"""A session, a hook and a server: what every fault is tried on."""

import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryFile

from fork_server import Child, fork_server
from helpers import HURRIED, Done, KeepingSink, run_ccship, ship_to
from lines import Lines, tool
from loopback import LoopbackLangfuse
from scored import Stored

SESSION = "5e551011-0000-4000-8000-000000000001"

Key = tuple[str, str, str, int]


def conversation(turns: int = 4, session: str = SESSION) -> Lines:
    """Turns of two calls and a tool each; every text is told from every other."""
    lines = Lines(session=session)
    own = session[-4:]
    for n in range(turns):
        lines.prompt(f"prompt {n} of {own}, ünïcode").assistant(f"{own}-a{n}", tool(f"{own}-t{n}"))
        lines.result(f"{own}-t{n}", f"result {n}").assistant(f"{own}-b{n}", f"answer {n}")
    return lines


class Case:
    """One session on disk and the server it goes to."""

    def __init__(self, folder: Path, server: LoopbackLangfuse) -> None:
        self.folder = folder
        self.server = server
        server.scores.know_all_configs()
        self.transcript = conversation().write(folder / "claude/projects/-demo" / f"{SESSION}.jsonl")
        self.state = folder / "state"
        self.said = folder / "said"
        self.environ: dict[str, str] = {
            **server.environ,
            "TRACE_TO_LANGFUSE": "true",
            "CC_LANGFUSE_FOREGROUND": "true",
            "CLAUDE_CONFIG_DIR": str(folder / "claude"),
            "CC_LANGFUSE_STATE_DIR": str(self.state),
        }

    @property
    def expected(self) -> set[Key]:
        """The keys of what is on disk now, from a run that nothing disturbs."""
        sink = KeepingSink()
        ship_to(sink, [self.transcript])
        return {
            (observation.trace.trace_id, observation.span_id, observation.type, observation.start_ns)
            for observation in sink.sent
        }

    @property
    def scores(self) -> dict[str, Stored]:
        """The scores of what is on disk now, from a run that nothing disturbs."""
        sink = KeepingSink()
        ship_to(sink, [self.transcript], signals="review")
        return sink.scores.rows

    @property
    def lines(self) -> list[bytes]:
        """The transcript, line by line."""
        return self.transcript.read_bytes().splitlines(keepends=True)

    def payload(self, **more: object) -> bytes:
        """What Claude Code hands to the hook."""
        return json.dumps(
            {"session_id": SESSION, "transcript_path": str(self.transcript), "hook_event_name": "Stop", **more}
        ).encode()

    def hook(self, environ: Mapping[str, str] | None = None, stdin: bytes | None = None, first: str = "") -> None:
        """Run the hook; whatever is broken, it exits with 0 and says nothing."""
        done = self.run(environ, stdin, first)
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")

    def run(self, environ: Mapping[str, str] | None = None, stdin: bytes | None = None, first: str = "") -> Done:
        """Run the hook; `first` is a program of the test's own to run in its process before.

        The transcript has changed, as at every event of a session that goes on.
        """
        with suppress(OSError):
            os.utime(self.transcript)
        wanted = {**self.environ, **(environ or {})}
        asked = self.payload() if stdin is None else stdin
        return run_ccship("hook", stdin=asked, environ=wanted, first=HURRIED + first)

    def start(self, **more: object) -> Child:
        """Start the hook in the foreground, to do something to it while it works; `said` is what it prints."""
        with TemporaryFile() as payload, self.said.open("wb") as said:
            payload.write(self.payload(**more))
            payload.seek(0)
            environ = {**os.environ, **self.environ}
            return fork_server().start("ccship", ["hook"], environ, Path.cwd(), (payload, said, said))

    def run_limited(self, limit: Callable[[], None]) -> subprocess.CompletedProcess[bytes]:
        """Run the hook in a new interpreter that has less of something from its start."""
        return subprocess.run(
            [sys.executable, "-m", "ccship", "hook"],
            input=self.payload(),
            capture_output=True,
            env={**os.environ, **self.environ},
            preexec_fn=limit,
            check=False,
            timeout=60,
        )

    def pass_time(self) -> None:
        """As if the wait that a failure imposed were over."""
        with suppress(sqlite3.DatabaseError), sqlite3.connect(self.state / "state.db") as db:
            db.execute("UPDATE destinations SET retry_at = 0")

    def offset(self) -> int:
        """How far the cursor is, in bytes; 0 where there is none."""
        if not (self.state / "state.db").exists():
            return 0
        with sqlite3.connect(self.state / "state.db") as db:
            row = db.execute("SELECT offset FROM transcripts").fetchone()
        return int(row[0]) if row else 0

    def log(self) -> str:
        """What the worker wrote down."""
        path = self.state / "ccship.log"
        return path.read_text() if path.exists() else ""

    def check_all_arrives(self) -> None:
        """The fault is over: the next hook delivers what is on disk, under one key a span, and nothing is asked for."""
        self.server.script.clear()
        if (self.state / "state.db").exists():
            self.pass_time()
        self.hook()
        assert self.server.keys == self.expected
        assert self.server.scores.rows == self.scores
        assert list((self.state / "requests").glob("*.json")) == []
