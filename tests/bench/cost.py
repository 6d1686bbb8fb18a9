"""What a process costs: time, CPU and memory."""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_METER = """
import os, subprocess, sys, time
began = time.perf_counter()
descriptors = [int(number) for number in sys.argv[1].split()]
process = subprocess.Popen(sys.argv[2:], stdout=subprocess.DEVNULL, pass_fds=descriptors)
_, status, usage = os.wait4(process.pid, 0)
print(time.perf_counter() - began, usage.ru_utime + usage.ru_stime, usage.ru_maxrss)
sys.exit(status != 0)
"""
"""A small interpreter between: a process begins with the peak of the one that started it."""


@dataclass(frozen=True)
class Cost:
    """Seconds, CPU seconds and resident megabytes at most, of a whole process and those that it started."""

    wall_s: float
    cpu_s: float
    resident_mb: float


def cost(
    command: Sequence[str | Path], environ: Mapping[str, str], stdin: bytes = b"", descriptors: tuple[int, ...] = ()
) -> Cost:
    """Run a command to its end; it inherits the descriptors."""
    measured = subprocess.run(
        [sys.executable, "-I", "-S", "-c", _METER, " ".join(map(str, descriptors)), *command],
        input=stdin,
        env={**os.environ, **environ},
        stdout=subprocess.PIPE,
        pass_fds=descriptors,
        check=True,
    )
    wall_s, cpu_s, resident = map(float, measured.stdout.split())
    return Cost(wall_s, cpu_s, resident / (1e6 if sys.platform == "darwin" else 1e3))
