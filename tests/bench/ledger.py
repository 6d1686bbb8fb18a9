"""A ledger of many calls: its size, and what it costs a Stop to enter one more turn."""

import json
import os
import statistics
import subprocess
import sys
import tempfile
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bench.mark import Mark
from ccship.ledger.store import FILE_NAME, Ledger

CALLS = 100_000
CALLS_OF_A_SESSION = 50
SAMPLES = 5

MEASURED = """
import gc, sys, time
from pathlib import Path
import ccship.worker.main
from ccship.sinks.langfuse import LangfuseSink
from ccship import config

settings = config.load()
with Path(sys.argv[1]).open("ab") as file:
    file.write(sys.argv[2].encode())
began = time.process_time()
from ccship.budgets.record import record
assert list(record(settings, {}, [Path(sys.argv[1])])) == []
print(time.process_time() - began)
"""
"""What the worker does after shipping, with all modules loaded that it has loaded by then."""

BUDGET = '[[budgets]]\nname = "all"\nperiod = "month"\nusd = 1000000\n'


def size() -> Mark:
    """The file, after all calls were entered from transcripts."""
    with tempfile.TemporaryDirectory() as folder:
        fill(Path(folder))
        here = (Path(folder) / "state" / FILE_NAME).stat().st_size / 1e6
    return Mark(f"ledger of {CALLS:,} calls", here, 15, 1, "MB")


def one_more_turn() -> Mark:
    """CPU that the ledger adds to a Stop, its imports included."""
    return Mark(f"CPU of a Stop for a ledger of {CALLS:,} calls", entered(""), 20, 1)


def one_more_turn_with_a_budget() -> Mark:
    """The same with a budget, which reads today's calls and writes the sums for the status line."""
    return Mark("CPU of a Stop with a budget and that ledger", entered(BUDGET), 20, None)


def entered(config: str) -> float:
    """Milliseconds of CPU."""
    with tempfile.TemporaryDirectory() as folder:
        path = fill(Path(folder))
        (Path(folder) / "config.toml").write_text(config)
        environ = {
            **os.environ,
            "CC_LANGFUSE_CONFIG": f"{folder}/config.toml",
            "CC_LANGFUSE_STATE_DIR": f"{folder}/state",
            "CLAUDE_CONFIG_DIR": folder,
        }
        taken = []
        for n in range(SAMPLES + 1):
            done = subprocess.run(
                [sys.executable, "-c", MEASURED, path, line(f"new-{n}", datetime.now(UTC))],
                env=environ,
                capture_output=True,
                text=True,
                check=True,
            )
            taken.append(float(done.stdout) * 1000)
    return statistics.median(taken[1:])


def fill(folder: Path) -> Path:
    """Make a ledger from transcripts of the last half year; return one of them."""
    project = folder / "projects/-home-dev-demo"
    project.mkdir(parents=True)
    paths = []
    for n in range(CALLS // CALLS_OF_A_SESSION):
        began = datetime.now(UTC) - timedelta(days=180 * n / (CALLS // CALLS_OF_A_SESSION))
        lines = (line(f"{n}-{call}", began + timedelta(minutes=call)) for call in range(CALLS_OF_A_SESSION))
        paths.append(project / f"{n:08}-0000-4000-8000-000000000000.jsonl")
        paths[-1].write_text("".join(lines))
    with closing(Ledger(folder / "state" / FILE_NAME)) as ledger:
        assert ledger.catch_up(paths) == []
        ledger.db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return paths[0]


def line(key: str, moment: datetime) -> str:
    """A call."""
    usage = {"input_tokens": 10, "output_tokens": 500, "cache_read_input_tokens": 50_000}
    message = {
        "id": f"msg_{key}",
        "role": "assistant",
        "model": "claude-opus-4-5-20251101",
        "content": [{"type": "text", "text": "done"}],
        "stop_reason": "end_turn",
        "usage": {**usage, "cache_creation_input_tokens": 1000},
    }
    record = {
        "type": "assistant",
        "uuid": f"uuid-{key}",
        "timestamp": f"{moment:%Y-%m-%dT%H:%M:%S}.000Z",
        "cwd": "/home/dev/demo",
        "gitBranch": "main",
        "message": message,
    }
    return json.dumps(record) + "\n"
