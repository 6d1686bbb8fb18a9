"""What is measured, and the marks it must reach. Medians of interleaved samples: both sides meet the same noise."""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench import usage
from bench.sessions import Worksite, worksite
from conftest import ROOT
from loopback import Reply, loopback_langfuse

SAMPLES = 20
HOOK = ROOT / "src/ccship/hook.py"
SCRIPT = ROOT / "hooks/ccship_hook.py"


@dataclass(frozen=True)
class Mark:
    """A number, what it is compared with, and how many times that it may be. Seconds."""

    name: str
    here_s: float
    reference_s: float
    limit: float

    @property
    def ratio(self) -> float:
        return self.here_s / self.reference_s

    @property
    def is_missed(self) -> bool:
        return self.ratio > self.limit

    def __str__(self) -> str:
        times = f"{self.here_s * 1000:>6.0f} ms{self.reference_s * 1000:>8.0f} ms"
        return f"{self.name:<66}{times}{self.ratio:>7.2f}{self.limit:>7.2f}"


def measure_all() -> list[Mark]:
    """Every mark. One that is missed is measured once more: a shared machine may stall for seconds."""
    return [again if (mark := measure()).is_missed and (again := measure()) else mark for measure in MEASURES]


def bare_interpreter() -> Mark:
    """The hook as `ccship install` registers it, beside an interpreter that does nothing."""
    with opted_in() as site:
        here, reference = interleaved(
            lambda: site.hook([sys.executable, "-I", "-S", HOOK]),
            lambda: timed([sys.executable, "-I", "-S", "-c", "pass"]),
            after=site.wait_for_worker,
        )
    return Mark("hook as python -I -S / python -I -S -c pass", here, reference, 2.5)


def uv_script() -> Mark:
    """The PEP 723 script under uv, beside one with the same metadata that does nothing."""
    head, _, _ = SCRIPT.read_text().partition('"""')
    with opted_in() as site, tempfile.TemporaryDirectory() as folder:
        empty = Path(folder) / "empty.py"
        empty.write_text(head.replace('path = ".."', f'path = "{ROOT}"'))
        command = ["uv", "run", "--quiet", "--script"]
        here, reference = interleaved(
            lambda: site.hook([*command, SCRIPT]), lambda: timed([*command, empty]), after=site.wait_for_worker
        )
    return Mark("hook under uv / empty script under uv", here, reference, 1.25)


def server_that(name: str, break_it: Callable[[Worksite], None]) -> Callable[[], Mark]:
    """The foreground beside itself with a healthy server: what the server does is the worker's affair."""

    def measure() -> Mark:
        with opted_in() as broken, opted_in() as healthy:
            break_it(broken)
            command: list[str | Path] = [sys.executable, "-I", "-S", HOOK]
            here, reference = interleaved(
                lambda: broken.hook(command), lambda: healthy.hook(command), after=healthy.wait_for_worker
            )
            broken.end_workers()
        return Mark(f"hook with a server that {name} / with a healthy one", here, reference, 1.2)

    return measure


def one_more_turn() -> Mark:
    """CPU of the worker for one more turn of a long session, beside that of a short one."""
    with loopback_langfuse() as server, worksite(server, 200) as long, worksite(server, 1) as short:
        here, reference = interleaved(long.cpu_of_one_more_turn, short.cpu_of_one_more_turn, samples=7)
    return Mark("worker CPU for one more turn of 200 MB / of 1 MB", here, reference, 1.3)


def report_wall_time() -> Mark:
    """The whole command, from start to exit."""
    return Mark("ccship usage / ccusage on 400 MB, wall time", *usage.measure("wall"), 1.0)


def report_cpu() -> Mark:
    """All its processes together."""
    return Mark("ccship usage / ccusage on 400 MB, CPU", *usage.measure("CPU"), 1.5)


MEASURES: list[Callable[[], Mark]] = [
    bare_interpreter,
    uv_script,
    server_that("hangs", lambda site: site.server.script.extend([Reply(delay_s=600)] * 100)),
    server_that("refuses", lambda site: site.server.script.extend([Reply(status=500)] * 1000)),
    server_that("is gone", lambda site: site.environ.update(LANGFUSE_BASE_URL="http://127.0.0.1:9")),
    one_more_turn,
    *([report_wall_time, report_cpu] if usage.CCUSAGE else []),
]


@contextmanager
def opted_in() -> Iterator[Worksite]:
    """A short session whose owner wants it traced."""
    with loopback_langfuse() as server, worksite(server, 0) as site:
        yield site


def interleaved(
    here: Callable[[], float],
    reference: Callable[[], float],
    *,
    samples: int = SAMPLES,
    after: Callable[[], None] = lambda: None,
) -> tuple[float, float]:
    """Medians of both; the first of each warms caches and does not count."""
    times: tuple[list[float], list[float]] = ([], [])
    for _ in range(samples + 1):
        times[0].append(here())
        after()  # a worker at work would slow the next sample down
        times[1].append(reference())
        after()
    return statistics.median(times[0][1:]), statistics.median(times[1][1:])


def timed(command: list[str | Path]) -> float:
    """Seconds from start to exit."""
    began = time.perf_counter()
    subprocess.run(command, stdin=subprocess.DEVNULL, env=os.environ, check=True)
    return time.perf_counter() - began
