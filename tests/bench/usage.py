"""`ccship usage` beside `ccusage` (npm, native) on a folder of transcripts as large as a year's.

Left out where `ccusage` is not on the PATH. Both read the folder once before, so that neither waits for the disk.
"""

import os
import re
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Literal, TypeAlias

from conftest import FIXTURES

Spent: TypeAlias = tuple[float, float]
"""Wall time and CPU, in seconds; CPU of all processes together."""

MEGABYTES = 400
SAMPLES = 7
_LINE_BYTES = 3_200
"""What a line has in the median year: 840 MB in 261,000 lines. Those of the fixtures are shorter."""

CCUSAGE = shutil.which("ccusage")


def measure(what: Literal["wall", "CPU"], megabytes: int = MEGABYTES) -> tuple[float, float]:
    """Medians of ours and of theirs, in turns: both meet the same noise."""
    assert CCUSAGE
    column = 0 if what == "wall" else 1
    with claude_dir(megabytes) as folder:
        environ = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        environ |= {"CLAUDE_CONFIG_DIR": str(folder), "CC_LANGFUSE_STATE_DIR": str(folder / "state")}
        ours = [sys.executable, "-m", "ccship", "usage", "--json"]
        theirs = [CCUSAGE, "claude", "daily", "--offline", "--json"]
        spent = [(spent_by(ours, environ), spent_by(theirs, environ)) for _ in range(SAMPLES + 1)][1:]
    here, reference = zip(*spent, strict=True)
    return statistics.median(it[column] for it in here), statistics.median(it[column] for it in reference)


def spent_by(command: list[str], environ: Mapping[str, str]) -> Spent:
    """What a command takes from start to exit."""
    began, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, env=environ, stdout=subprocess.DEVNULL, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return time.perf_counter() - began, cpu


@contextmanager
def claude_dir(megabytes: int) -> Iterator[Path]:
    """The fixtures' sessions again and again, each time with calls and sessions of their own, to so many megabytes."""
    with tempfile.TemporaryDirectory() as folder:
        written = copies = 0
        while written < megabytes * 1_000_000:
            copies += 1
            for path in sorted((FIXTURES / "claude/projects").rglob("*.jsonl")):
                content = _copy(path.read_text(), copies)
                there = re.sub(
                    r"/(?=[0-9a-f]{8}-)", f"/{copies:04}", str(path.relative_to(FIXTURES / "claude")), count=1
                )
                to = Path(folder) / there.replace("agent-", f"agent-{copies:04}")
                to.parent.mkdir(parents=True, exist_ok=True)
                to.write_text(content)
                written += len(content)
        yield Path(folder)


def _copy(content: str, number: int) -> str:
    lines = re.sub(r'("id": ?"msg_|"sessionId": ?")', rf"\g<1>{number:04}", content).splitlines()
    filler = '{"type": "file-history-snapshot", "snapshot": "' + "x" * (len(lines) * _LINE_BYTES - len(content)) + '"}'
    return "\n".join([*lines, filler]) + "\n"
