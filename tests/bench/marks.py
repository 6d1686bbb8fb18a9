"""What is measured, and the marks it must reach. Medians of interleaved samples: both sides meet the same noise."""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from bench import delivery, growth, ledger, parse, redaction, signals, usage, verify, worker
from bench.mark import Mark
from bench.rows import Row, cores, on_path
from bench.sessions import Worksite, worksite
from conftest import ROOT
from loopback import Reply, loopback_langfuse

SAMPLES = 12
HOOK = ROOT / "src/ccship/hook.py"
SCRIPT = ROOT / "hooks/ccship_hook.py"


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


def server_that(does: str, break_it: Callable[[Worksite], None]) -> Row:
    """The foreground beside itself with a healthy server: what the server does is the worker's affair."""
    name = f"hook with a server that {does} / with a healthy one"

    def take() -> Mark:
        with opted_in() as broken, opted_in() as healthy:
            break_it(broken)
            command: list[str | Path] = [sys.executable, "-I", "-S", HOOK]
            here, reference = interleaved(
                lambda: broken.hook(command), lambda: healthy.hook(command), after=healthy.wait_for_worker
            )
            broken.end_workers()
        return in_ms(name, here, reference, 1.2)

    return Row(name, take, (PS,))


def one_more_turn() -> Mark:
    """CPU of the worker for one more turn of a long session, beside that of a short one."""
    with loopback_langfuse() as server, worksite(server, 200) as long, worksite(server, 1) as short:
        here, reference = interleaved(long.cpu_of_one_more_turn, short.cpu_of_one_more_turn, samples=5)
    return in_ms("worker CPU for one more turn of 200 MB / of 1 MB", here, reference, 1.3)


def among_many_sessions() -> Mark:
    """The same with a state, a folder and a year full of other sessions."""
    with loopback_langfuse() as server, worksite(server, 1) as many, worksite(server, 1) as few:
        many.know(10_000)
        few.know(10)
        here, reference = interleaved(many.cpu_of_one_more_turn, few.cpu_of_one_more_turn, samples=5)
    return in_ms("worker CPU for one more turn among 10,000 sessions / among 10", here, reference, 1.2)


def first_report() -> Mark:
    """The whole command, from start to exit, without a ledger."""
    return in_ms("ccship usage / ccusage on 400 MB, no ledger", *usage.measure("wall", cold=True), 1.2)


def next_report() -> Mark:
    """The same with a ledger."""
    return in_ms("ccship usage / ccusage on 400 MB, ledger", *usage.measure("wall", cold=False), 0.25)


def report_cpu() -> Mark:
    """All its processes together."""
    return in_ms("ccship usage / ccusage on 400 MB, no ledger, CPU", *usage.measure("CPU", cold=True), 1.5)


def in_ms(name: str, here_s: float, reference_s: float, limit: float) -> Mark:
    """A mark of two times in seconds, shown in milliseconds."""
    return Mark(name, here_s * 1000, reference_s * 1000, limit)


PS = on_path("ps")
"""Finds the workers of a hook."""

CCUSAGE = on_path("ccusage")

ROWS = [
    Row("lines to observations / json.loads, 3.2 kB a line", parse.sessions),
    Row("the same, every text cut short, 1.1 kB a line", parse.short_lines),
    Row("dry run / json.loads, 3.2 kB a line", parse.dry_run),
    Row("signals and scores of a turn beyond parsing, CPU", signals.cpu_of_a_turn),
    Row("redaction", redaction.records),
    Row("delivery / bare encode-and-POST", delivery.through_the_sink),
    Row("verify / bare reading of transcripts and pages, CPU", verify.beside_bare_reading),
    Row("dry run of 200 MB / of 20 MB, CPU", growth.time_of_more),
    Row("dry run of 100 MB, resident", growth.memory),
    Row("dry run of 100 MB in many sessions, resident", growth.memory_of_many),
    Row("state for 10,000 turns", growth.state_size),
    Row("worker CPU, nothing new / python -c pass", worker.nothing_new, (PS,)),
    Row("worker CPU, one new turn / import langfuse", worker.one_new_turn, (PS,)),
    Row("worker CPU, one new turn over OTLP / import langfuse", worker.one_new_turn_over_otlp, (PS,)),
    Row("worker, resident, one more turn of 200 MB / import langfuse", worker.memory, (PS,)),
    Row("workers of 32 hooks at once / of one", worker.crowd, (PS,)),
    Row("worker CPU for one more turn among 10,000 sessions / among 10", among_many_sessions, (PS,)),
    Row("worker CPU for one more turn of 200 MB / of 1 MB", one_more_turn, (PS,)),
    Row("ledger of 100,000 calls", ledger.size),
    Row("CPU of a Stop for a ledger of 100,000 calls", ledger.one_more_turn),
    Row("hook as python -I -S / python -I -S -c pass", bare_interpreter, (PS,)),
    Row("hook under uv / empty script under uv", uv_script, (PS, on_path("uv"))),
    server_that("hangs", lambda site: site.server.script.extend([Reply(delay_s=600)] * 100)),
    server_that("refuses", lambda site: site.server.script.extend([Reply(status=500)] * 1000)),
    server_that("is down", lambda site: site.environ.update(LANGFUSE_BASE_URL="http://127.0.0.1:9")),
    Row("ccship usage / ccusage on 400 MB, no ledger", first_report, (CCUSAGE,)),
    Row("ccship usage / ccusage on 400 MB, ledger", next_report, (CCUSAGE,)),
    Row("ccship usage / ccusage on 400 MB, no ledger, CPU", report_cpu, (CCUSAGE,)),
]

LARGE = [
    Row("CPU of a Stop with a budget and that ledger", ledger.one_more_turn_with_a_budget),
    Row("dry run of 1000 MB / of 10 MB, CPU", partial(growth.time_of_more, times=100, megabytes=10)),
    Row("dry run of 1000 MB, resident", partial(growth.memory, megabytes=1_000)),
    Row("dry run of 1000 MB in many sessions, resident", partial(growth.memory_of_many, megabytes=1_000)),
    Row("dry run of 300 MB with 4 jobs / with 1", growth.jobs, (cores(4),)),
    Row("backfill of 200 MB with 4 jobs / with 1", delivery.jobs, (cores(4),)),
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
