"""What more data costs: time and memory of a dry run, and how much the state grows."""

import os
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from bench.generate import claude_dir
from bench.mark import Mark
from ccship.observations import Labels
from ccship.ship import Shipper
from ccship.sinks.rehearsal import RehearsalSink
from ccship.state import State
from ccship.transcript.discover import sessions_of
from lines import Lines, tool

MEGABYTES = 20
RESIDENT_MB = 250
STATE_MB = 2.0
_MEASURE = """
import os, subprocess, sys, time
began = time.perf_counter()
process = subprocess.Popen(sys.argv[1:], stdout=subprocess.DEVNULL)
_, status, usage = os.wait4(process.pid, 0)
print(time.perf_counter() - began, usage.ru_utime + usage.ru_stime, usage.ru_maxrss)
sys.exit(status != 0)
"""
_SESSIONS, _TURNS, _TOOLS, _AGENT_EVERY = 120, 7, 12, 6
"""What 77 real sessions had: 7 turns in the mean, 25 spans a turn, a subagent in every sixth."""


@dataclass(frozen=True)
class Spent:
    """Seconds, CPU seconds and resident megabytes at most, of a whole process and those that it started."""

    wall_s: float
    cpu_s: float
    resident_mb: float


def time_of_more(times: int = 10, megabytes: float = MEGABYTES) -> Mark:
    """One session that is so many times as long as others are; without what the program takes to start."""
    start = statistics.median(dry_run(0.01).cpu_s for _ in range(5))
    much = dry_run(times * megabytes).cpu_s - start
    little = statistics.median(dry_run(megabytes, seed=seed).cpu_s for seed in range(1, 6)) - start
    name = f"dry run of {times * megabytes:g} MB / of {megabytes:g} MB, CPU"
    return Mark(name, much, little, times * 1.1, "s")


def memory(megabytes: float = 100) -> Mark:
    """One session as long as that: what a run holds must be the longest turn and not the session."""
    return Mark(f"dry run of {megabytes:g} MB, resident", dry_run(megabytes).resident_mb, RESIDENT_MB, 1.0, "MB")


def memory_of_many(megabytes: float = 100) -> Mark:
    """The same in sessions of the usual length."""
    resident = dry_run(megabytes, session_megabytes=3).resident_mb
    return Mark(f"dry run of {megabytes:g} MB in many sessions, resident", resident, RESIDENT_MB, 1.0, "MB")


def jobs(megabytes: float = 300) -> Mark:
    """Wall time; wants the cores for itself."""
    one, four = (dry_run(megabytes, session_megabytes=3, jobs=count).wall_s for count in (1, 4))
    return Mark(f"dry run of {megabytes:g} MB with 4 jobs / with 1", megabytes / four, megabytes / one, 2.5, "MB/s")


def dry_run(megabytes: float, session_megabytes: float | None = None, seed: int = 1, jobs: int = 1) -> Spent:
    """`ccship backfill --dry-run` over transcripts of that size."""
    with tempfile.TemporaryDirectory() as folder:
        there = Path(folder) / "claude"
        claude_dir(there, megabytes, session_megabytes=session_megabytes or megabytes, seed=seed)
        return backfill("--dry-run", "--jobs", str(jobs), environ={"CLAUDE_CONFIG_DIR": str(there), "HOME": folder})


def backfill(*options: str, environ: dict[str, str]) -> Spent:
    """`ccship backfill`, with a state of its own."""
    command = [sys.executable, "-m", "ccship", "backfill", "--json", *options]
    with tempfile.TemporaryDirectory() as state_dir:
        # by way of an interpreter that is small: a process begins with the peak of the one that started it
        measured = subprocess.run(
            [sys.executable, "-I", "-S", "-c", _MEASURE, *command],
            env={**os.environ, "CC_LANGFUSE_STATE_DIR": state_dir, **environ},
            stdout=subprocess.PIPE,
            check=True,
        )
    wall_s, cpu_s, resident = map(float, measured.stdout.split())
    return Spent(wall_s, cpu_s, resident / (1e6 if sys.platform == "darwin" else 1e3))


def state_size() -> Mark:
    """The file, for ten thousand turns of many sessions."""
    with tempfile.TemporaryDirectory() as folder:
        project = Path(folder) / "claude/projects/-home-dev-demo"
        for n in range(_SESSIONS):
            _write(project, f"be9c0000-0000-4000-8000-{n:012}", with_agent=n % _AGENT_EVERY == 0)
        state_dir = Path(folder) / "state"
        with State(state_dir, "bench") as state:
            empty = (state_dir / "state.db").stat().st_size
            shipper = Shipper(RehearsalSink(), state, Labels())
            for session in sessions_of(Path(folder) / "claude"):
                shipper.ship(session)
        assert shipper.report.turns["sent"] == _SESSIONS * _TURNS
        assert shipper.report.turns["subagents"] == _SESSIONS / _AGENT_EVERY
        grown = (state_dir / "state.db").stat().st_size - empty
    return Mark("state for 10,000 turns", grown / 1e6 * 10_000 / (_SESSIONS * _TURNS), STATE_MB, 1.0, "MB")


def _write(project: Path, session: str, *, with_agent: bool) -> None:
    lines = Lines(session=session)
    for n in range(_TURNS):
        lines.prompt(f"prompt {n}")
        for it in range(_TOOLS):
            called = f"{session}-{n}-{it}"
            launches = with_agent and n == it == 0
            block = tool(called, "Agent", prompt=session) if launches else tool(called, command="ls")
            lines.assistant(f"{called}-a", block).result(called)
        lines.assistant(f"{session}-{n}-end", "done")
    lines.write(project / f"{session}.jsonl")
    if with_agent:
        agent = Lines(session=f"{session}-agent").prompt(session)
        for it in range(_TOOLS):
            agent.assistant(f"{session}-s{it}", tool(f"{session}-s{it}", command="ls")).result(f"{session}-s{it}")
        agent.write(project / session / "subagents" / f"agent-a{session[-8:]}.jsonl")
