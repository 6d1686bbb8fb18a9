"""Sessions to measure on: deterministic, of the size that is asked for, shipped once before."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.cost import Cost, cost
from bench.generate import write_session
from ccship import config
from ccship.hook import lock_session, request_prefix
from ccship.observations import Trace
from ccship.observations.line_outcomes import SHIPPED
from ccship.pipeline.plan import Options
from ccship.pipeline.ship import Shipper
from ccship.privacy import UNFILTERED
from ccship.sinks.collecting import RehearsalSink
from ccship.state import Checkpoint, State
from ccship.transcript.discover import sessions_at
from ccship.transcript.tail import position_at
from ccship.unit import Launch
from lines import Lines, tool
from loopback import LoopbackLangfuse

SESSION = "be9c0000-0000-4000-8000-000000000001"
RESULT_CHARS = 20_000
"""A tool result as long as a source file."""


class Worksite:
    """A session on disk, a state that knows it, and the hook."""

    def __init__(self, folder: Path, server: LoopbackLangfuse, megabytes: int) -> None:
        self.server = server
        self.state = folder / "state"
        self.transcript = folder / "claude/projects/-demo" / f"{SESSION}.jsonl"
        self.transcript.parent.mkdir(parents=True)
        self.turns = 0
        self.environ = {
            **server.environ,
            "HOME": str(folder),
            "TRACE_TO_LANGFUSE": "true",
            "CLAUDE_CONFIG_DIR": str(folder / "claude"),
            "CC_LANGFUSE_STATE_DIR": str(self.state),
        }
        if megabytes:
            write_session(self.transcript.parent, megabytes, session=SESSION)
        self.append_turn()
        self._ship_once()

    def append_turn(self) -> None:
        """A prompt, a tool with a long result, an answer."""
        n = self.turns = self.turns + 1
        lines = Lines(session=SESSION)
        lines.seconds = 366 * 86_400 + n * 10  # after all that was written before
        lines.last = f"{n - 1}-3" if n > 1 else None
        lines.prompt(f"prompt {n}", uuid=f"{n}-0").assistant(f"{n}-a", tool(f"{n}-t", command="ls"), uuid=f"{n}-1")
        lines.result(f"{n}-t", f"{n} line of output\n" * (RESULT_CHARS // 18), uuid=f"{n}-2")
        lines.assistant(f"{n}-b", f"answer {n}", uuid=f"{n}-3")
        with self.transcript.open("a") as file:
            file.write("".join(line + "\n" for line in lines.lines))

    def know(self, sessions: int) -> None:
        """Let the state know so many other sessions of five turns each, all in the same folder as ours.

        Every tenth waits for a subagent that never came.
        """
        settings = config.load(self.environ)
        names = [f"be9c0001-0000-4000-8000-{n:012}" for n in range(sessions)]
        with State(self.state, settings.destination) as state:
            with state.transaction():
                for session in names:
                    self._know(state, session)
            for session in names[::10]:
                trace = Trace("0" * 32, "claude_turn_1", session, tags=("claude-code", "model:opus", "project:demo"))
                state.keep_launches(session, [Launch("toolu_1", trace, "msg_1", None, "Explore", bytes(8))])

    def _know(self, state: State, session: str) -> None:
        path = Path(os.path.realpath(self.transcript.with_name(f"{session}.jsonl")))
        path.write_text("{}\n")
        with path.open("rb") as file:
            position = position_at(file, 3)
        spans = {f"{number:08}".encode() for number in range(50)}
        state.save(Checkpoint(str(path), session, position, counts=Counter({SHIPPED: 60}), spans=spans))
        for turn in range(5):
            state.own(f"{session}-{turn}", session, settled=turn < 3)

    def hook(self, command: list[str | Path]) -> float:
        """Seconds that the foreground of the hook takes."""
        began = time.perf_counter()
        subprocess.run(command, input=self.payload(), env={**os.environ, **self.environ}, check=True)
        return time.perf_counter() - began

    def one_more_turn(self) -> Cost:
        """What a hook costs that does its work before it returns."""
        self.append_turn()
        requests = len(self.server.requests)
        environ = {**self.environ, "CC_LANGFUSE_FOREGROUND": "true"}
        spent = cost([sys.executable, "-m", "ccship", "hook"], environ, stdin=self.payload())
        assert len(self.server.requests) > requests, "nothing was sent: nothing was measured"
        return spent

    def cpu_of_one_more_turn(self) -> float:
        """CPU seconds of it."""
        return self.one_more_turn().cpu_s

    def worker_with_nothing_new(self) -> Cost:
        """What the worker of a hook costs that comes when all is shipped."""
        request = self.state / "requests" / f"{request_prefix(SESSION)}-{time.time_ns()}-1.json"
        request.write_text(json.dumps({"session_id": SESSION, "transcript_path": str(self.transcript)}))
        lock = lock_session(str(self.state), SESSION)
        assert lock is not None
        command: list[str | Path] = [sys.executable, "-P", "-m", "ccship.worker", request, str(lock)]
        spent = cost(command, self.environ, descriptors=(lock,))
        os.close(lock)
        assert not request.exists(), "it did not come to its end"
        return spent

    def wait_for_worker(self) -> None:
        """Return when the worker has nothing left to do and is gone."""
        while list((self.state / "requests").glob("*")) or self._workers():
            time.sleep(0.02)

    def end_workers(self) -> None:
        """Those of a server that never answers would wait for two minutes."""
        for worker in self._workers():
            os.kill(worker, signal.SIGKILL)

    def _workers(self) -> list[int]:
        found = subprocess.run(
            ["/usr/bin/env", "ps", "-A", "-o", "pid=", "-o", "args="], capture_output=True, text=True, check=True
        )
        ours = f"ccship.worker {self.state}"
        return [int(line.split()[0]) for line in found.stdout.splitlines() if ours in line]

    def payload(self) -> bytes:
        """What Claude Code hands to the hook."""
        payload = {"session_id": SESSION, "transcript_path": str(self.transcript), "hook_event_name": "Stop"}
        return json.dumps(payload).encode()

    def _ship_once(self) -> None:
        settings = config.load(self.environ)
        with State(self.state, settings.destination) as state:
            shipper = Shipper(
                RehearsalSink(), state, Options(settings.trace_settings, signals=settings.signals), policy=UNFILTERED
            )
            shipper.ship(sessions_at([self.transcript]))
            assert shipper.report.ok


@contextmanager
def worksite(server: LoopbackLangfuse, megabytes: int) -> Iterator[Worksite]:
    """A worksite in a folder of its own, with a session of at least so many megabytes."""
    with tempfile.TemporaryDirectory() as folder:
        site = Worksite(Path(folder), server, megabytes)
        yield site
        site.end_workers()
