"""What is measured, and the marks it must reach. Medians of interleaved samples: both sides meet the same noise."""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from bench import delivery, growth, parse, redaction, usage
from bench.mark import Mark
from bench.sessions import Worksite, worksite
from conftest import FIXTURES, ROOT
from loopback import Reply, loopback_langfuse

SAMPLES = 20
TRIES = 3
HOOK = ROOT / "src/ccship/hook.py"
SCRIPT = ROOT / "hooks/ccship_hook.py"


def measure(measures: Iterable[Callable[[], Mark]]) -> Iterator[Mark]:
    """Marks as they come. One that is missed is measured again: a shared machine may stall for seconds."""
    for it in measures:
        for _ in range(TRIES):
            mark = it()
            if not mark.is_missed:
                break
        yield mark


def bare_interpreter() -> Mark:
    """The hook as `ccship install` registers it, beside an interpreter that does nothing."""
    with opted_in() as site:
        here, reference = interleaved(
            lambda: site.hook([sys.executable, "-I", "-S", HOOK]),
            lambda: timed([sys.executable, "-I", "-S", "-c", "pass"]),
            after=site.wait_for_worker,
        )
    return in_ms("hook as python -I -S / python -I -S -c pass", here, reference, 2.5)


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
    return in_ms("hook under uv / empty script under uv", here, reference, 1.25)


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
        return in_ms(f"hook with a server that {name} / with a healthy one", here, reference, 1.2)

    return measure


def one_more_turn() -> Mark:
    """CPU of the worker for one more turn of a long session, beside that of a short one."""
    with loopback_langfuse() as server, worksite(server, 200) as long, worksite(server, 1) as short:
        here, reference = interleaved(long.cpu_of_one_more_turn, short.cpu_of_one_more_turn)
    return in_ms("worker CPU for one more turn of 200 MB / of 1 MB", here, reference, 1.3)


def among_many_sessions() -> Mark:
    """The same with a state, a folder and a year full of other sessions."""
    with loopback_langfuse() as server, worksite(server, 1) as many, worksite(server, 1) as few:
        many.know(10_000)
        few.know(10)
        here, reference = interleaved(many.cpu_of_one_more_turn, few.cpu_of_one_more_turn, samples=9)
    return in_ms("worker CPU for one more turn among 10,000 sessions / among 10", here, reference, 1.2)


def report_wall_time() -> Mark:
    """The whole command, from start to exit."""
    return in_ms("ccship usage / ccusage on 400 MB, wall time", *usage.measure("wall"), 1.0)


def report_cpu() -> Mark:
    """All its processes together."""
    return in_ms("ccship usage / ccusage on 400 MB, CPU", *usage.measure("CPU"), 1.5)


def redaction_speed() -> Mark:
    """Over the fixtures' records, on one core; the reference is what was asked for."""
    return Mark("redaction", redaction.megabytes_per_second(FIXTURES / "claude"), 20.0, 1.0, "MB/s")


def in_ms(name: str, here_s: float, reference_s: float, limit: float) -> Mark:
    """A mark of two times in seconds, shown in milliseconds."""
    return Mark(name, here_s * 1000, reference_s * 1000, limit)


MEASURES: list[Callable[[], Mark]] = [
    parse.sessions,
    parse.short_lines,
    redaction_speed,
    delivery.through_the_sink,
    growth.time_of_more,
    growth.memory,
    growth.memory_of_many,
    growth.state_size,
    among_many_sessions,
    one_more_turn,
    bare_interpreter,
    uv_script,
    server_that("hangs", lambda site: site.server.script.extend([Reply(delay_s=600)] * 100)),
    server_that("refuses", lambda site: site.server.script.extend([Reply(status=500)] * 1000)),
    server_that("is gone", lambda site: site.environ.update(LANGFUSE_BASE_URL="http://127.0.0.1:9")),
    *([report_wall_time, report_cpu] if usage.CCUSAGE else []),
]

LARGE: list[Callable[[], Mark]] = [
    partial(growth.time_of_more, times=100, megabytes=10),
    partial(growth.memory, megabytes=1_000),
    partial(growth.memory_of_many, megabytes=1_000),
    growth.jobs,
    delivery.jobs,
]
"""A gigabyte, and four cores: minutes."""


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
