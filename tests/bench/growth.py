"""What more data costs: time and memory of a dry run, and how much the state grows."""

import statistics
import sys
import tempfile
from pathlib import Path

from bench.cost import Cost, cost
from bench.generate import claude_dir
from bench.mark import Mark
from ccship.pipeline.plan import Options
from ccship.pipeline.ship import Shipper
from ccship.sinks.collecting import RehearsalSink
from ccship.state import State
from ccship.transcript.discover import sessions_of
from lines import Lines, tool

MEGABYTES = 20
RESIDENT_MB = 250
STATE_MB = 2.0
_SESSIONS, _TURNS, _TOOLS, _AGENT_EVERY = 360, 7, 12, 6
"""What 77 real sessions had: 7 turns in the mean, 25 spans a turn, a subagent in every sixth."""


def time_of_more(times: int = 10, megabytes: float = MEGABYTES) -> Mark:
    """One session that is so many times as long as others are; without what the program takes to start."""
    start = statistics.median(dry_run(0.01).cpu_s for _ in range(3))
    much = dry_run(times * megabytes).cpu_s - start
    little = statistics.median(dry_run(megabytes, seed=seed).cpu_s for seed in range(1, 4)) - start
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


def dry_run(megabytes: float, session_megabytes: float | None = None, seed: int = 1, jobs: int = 1) -> Cost:
    """`ccship backfill --dry-run` over transcripts of that size."""
    with tempfile.TemporaryDirectory() as folder:
        there = Path(folder) / "claude"
        claude_dir(there, megabytes, session_megabytes=session_megabytes or megabytes, seed=seed)
        return backfill("--dry-run", "--jobs", str(jobs), environ={"CLAUDE_CONFIG_DIR": str(there), "HOME": folder})


def backfill(*options: str, environ: dict[str, str]) -> Cost:
    """`ccship backfill`, with a state of its own."""
    command = [sys.executable, "-m", "ccship", "backfill", "--json", *options]
    with tempfile.TemporaryDirectory() as state_dir:
        return cost(command, {"CC_LANGFUSE_STATE_DIR": state_dir, **environ})


def state_size() -> Mark:
    """The file, for ten thousand turns of many sessions."""
    with tempfile.TemporaryDirectory() as folder:
        project = Path(folder) / "claude/projects/-home-dev-demo"
        for n in range(_SESSIONS):
            _write(project, f"be9c0000-0000-4000-8000-{n:012}", with_agent=n % _AGENT_EVERY == 0)
        state_dir = Path(folder) / "state"
        with State(state_dir, "bench") as state:
            empty = (state_dir / "state.db").stat().st_size
            shipper = Shipper(RehearsalSink(), state, Options(signals="review"))
            shipper.ship(sessions_of(Path(folder) / "claude"))
        assert shipper.report.turns["sent"] == _SESSIONS * _TURNS
        assert shipper.report.turns["subagents"] == _SESSIONS / _AGENT_EVERY
        grown = (state_dir / "state.db").stat().st_size - empty
    return Mark("state for 10,000 turns", grown / 1e6 * 10_000 / (_SESSIONS * _TURNS), STATE_MB, 1.0, "MB")


def _write(project: Path, session: str, *, with_agent: bool) -> None:
    lines = Lines(session=session)
    for n in range(_TURNS):
        lines.prompt(f"prompt {n}")
        for step in range(_TOOLS):
            called = f"{session}-{n}-{step}"
            launches = with_agent and n == step == 0
            block = tool(called, "Agent", prompt=session) if launches else tool(called, command="ls")
            lines.assistant(f"{called}-a", block).result(called)
        lines.assistant(f"{session}-{n}-end", "done")
    lines.write(project / f"{session}.jsonl")
    if with_agent:
        agent = Lines(session=f"{session}-agent").prompt(session)
        for step in range(_TOOLS):
            agent.assistant(f"{session}-s{step}", tool(f"{session}-s{step}", command="ls")).result(f"{session}-s{step}")
        agent.write(project / session / "subagents" / f"agent-a{session[-8:]}.jsonl")
