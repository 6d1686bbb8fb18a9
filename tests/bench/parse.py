"""How fast lines become records, turns and observations, beside `json.loads` of the same lines. One core, CPU time."""

import json
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from bench.generate import claude_dir
from bench.mark import Mark
from ccship.observations import Trace, TraceSettings, observe_subagent, observe_turn, trace_of
from ccship.pipeline.ship import Shipper
from ccship.sinks.collecting import RehearsalSink
from ccship.state import State
from ccship.transcript.discover import agent_id_of, sessions_at
from ccship.transcript.files import open_transcript
from ccship.transcript.subagent import read_subagent
from ccship.transcript.tail import entries
from ccship.transcript.turns import TurnBuilder

MEGABYTES = 30
ROUNDS = 5

_TRACE = Trace("0" * 32, "claude_turn_1", "session")


def speed(
    work: Callable[[list[Path]], object], *, small: bool = False, megabytes: float = MEGABYTES
) -> tuple[float, float]:
    """MB/s of some work and of `json.loads`; the best of some rounds, in turns."""
    with tempfile.TemporaryDirectory() as folder:
        paths = sorted(claude_dir(Path(folder), megabytes, small=small).rglob("*.jsonl"))
        size = sum(path.stat().st_size for path in paths) / 1e6
        spent = [(cpu(partial(work, paths)), cpu(partial(_load, paths))) for _ in range(ROUNDS)]
    ours, theirs = zip(*spent, strict=True)
    return size / min(ours), size / min(theirs)


def sessions() -> Mark:
    """Lines as long as they are in real sessions, half of their bytes in tool results."""
    return Mark("lines to observations / json.loads, 3.2 kB a line", *speed(_observe), 0.5, "MB/s")


def short_lines() -> Mark:
    """The hard case: what is done for a line counts for more than its bytes."""
    return Mark(
        "the same, every text cut short, 1.1 kB a line", *speed(_observe, small=True, megabytes=10), None, "MB/s"
    )


def dry_run() -> Mark:
    """Everything but delivery: redaction, encoding, hashes, state. Without the start of the program."""
    return Mark("dry run / json.loads, 3.2 kB a line", *speed(_rehearse), 0.17, "MB/s")


def cpu(work: Callable[[], object]) -> float:
    """CPU seconds that it takes."""
    began = time.process_time()
    work()
    return time.process_time() - began


def _observe(paths: list[Path]) -> int:
    return sum(map(_observations_in, paths))


def _observations_in(path: Path) -> int:
    with open_transcript(path) as file:
        if path.name.startswith("agent-"):
            exchange, _, _ = read_subagent(entries(file, 0))
            return len(observe_subagent(exchange, _TRACE, None, agent_id_of(path), {})) if exchange else 0
        builder, trace_settings, count = TurnBuilder(), TraceSettings(), 0
        for entry in entries(file, 0):
            for turn in builder.feed(entry):
                count += len(observe_turn(turn, trace_of(turn, "session", trace_settings)))
        return count + sum(len(observe_turn(turn, trace_of(turn, "session", trace_settings))) for turn in builder.open)


def _rehearse(paths: list[Path]) -> None:
    mains = [path for path in paths if not path.name.startswith("agent-")]
    with State(None, "bench") as state:
        Shipper(RehearsalSink(), state).ship(sessions_at(mains))


def _load(paths: list[Path]) -> None:
    for path in paths:
        with path.open("rb") as file:
            for line in file:
                json.loads(line)
