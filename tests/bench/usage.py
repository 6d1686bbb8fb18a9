"""`ccship usage` beside `ccusage` (npm, native) on a folder of transcripts as large as a year's.

Both read the folder once before, so that neither waits for the disk. Cold: without a ledger; warm: with one that has
nothing new to read.
"""

import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Literal, TypeAlias

from bench.generate import claude_dir

Spent: TypeAlias = tuple[float, float]
"""Wall time and CPU, in seconds; CPU of all processes together."""

MEGABYTES = 400
SAMPLES = 7


def measure(what: Literal["wall", "CPU"], *, cold: bool, megabytes: int = MEGABYTES) -> tuple[float, float]:
    """Medians of ours and of theirs, in turns: both meet the same noise."""
    ccusage = shutil.which("ccusage")
    assert ccusage
    column = 0 if what == "wall" else 1
    with tempfile.TemporaryDirectory() as temporary:
        folder = claude_dir(Path(temporary) / "claude", megabytes)
        environ = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        environ |= {"CLAUDE_CONFIG_DIR": str(folder), "CC_LANGFUSE_STATE_DIR": str(folder / "state")}
        ours = [sys.executable, "-m", "ccship", "usage", "--json"]
        theirs = [ccusage, "claude", "daily", "--offline", "--json"]
        for path in folder.rglob("*.jsonl"):
            os.utime(path, (86_400, 86_400))  # what changed just now would be read again
        spent = []
        for _ in range(SAMPLES + 1):
            if cold:
                (folder / "state/ledger.db").unlink(missing_ok=True)
            spent.append((spent_by(ours, environ), spent_by(theirs, environ)))
        del spent[0]
    here, reference = zip(*spent, strict=True)
    return statistics.median(row[column] for row in here), statistics.median(row[column] for row in reference)


def spent_by(command: list[str], environ: Mapping[str, str]) -> Spent:
    """What a command takes from start to exit."""
    began, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, env=environ, stdout=subprocess.DEVNULL, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return time.perf_counter() - began, cpu
