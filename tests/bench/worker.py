"""What a hook event costs behind the session's back: CPU and memory of the worker, and how many there are."""

import os
import statistics
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path

from bench.cost import Cost, cost
from bench.mark import Mark
from bench.sessions import worksite
from collector import loopback_otlp
from conftest import ROOT
from loopback import Reply, loopback_langfuse

SAMPLES = 9
CROWD = 32


def nothing_new() -> Mark:
    """The worker of a session that is up to date, beside an interpreter that does nothing."""
    with loopback_langfuse() as server, worksite(server, 1) as site:
        site.one_more_turn()
        here, reference = sampled(site.worker_with_nothing_new, [sys.executable, "-c", "pass"])
    return Mark("worker CPU, nothing new / python -c pass", cpu_ms(here), cpu_ms(reference), 4)


def one_new_turn() -> Mark:
    """The worker for one new turn, beside the import of the SDK that sends it."""
    with loopback_langfuse() as server, worksite(server, 1) as site:
        here, reference = sampled(site.one_more_turn, [sys.executable, "-c", "import langfuse"])
    return Mark("worker CPU, one new turn / import langfuse", cpu_ms(here), cpu_ms(reference), 1.45)


def one_new_turn_over_otlp() -> Mark:
    """The same to a destination without Langfuse's SDK."""
    with loopback_langfuse() as server, worksite(server, 1) as site, loopback_otlp() as otlp:
        config = site.state / "config.toml"
        config.write_text(otlp.table())
        site.environ["CC_LANGFUSE_CONFIG"] = str(config)

        def one_more_turn() -> Cost:
            before = len(otlp.accepted)
            site.append_turn()
            environ = {**site.environ, "CC_LANGFUSE_FOREGROUND": "true"}
            spent = cost([sys.executable, "-m", "ccship", "hook"], environ, stdin=site.payload())
            assert len(otlp.accepted) > before, "nothing was sent: nothing was measured"
            return spent

        here, reference = sampled(one_more_turn, [sys.executable, "-c", "import langfuse"])
    return Mark("worker CPU, one new turn over OTLP / import langfuse", cpu_ms(here), cpu_ms(reference), 1.1)


def memory() -> Mark:
    """The most that the worker has in memory for one more turn of a long session, beside the SDK alone."""
    with loopback_langfuse() as server, worksite(server, 200) as site:
        here, reference = sampled(site.one_more_turn, [sys.executable, "-c", "import langfuse"], samples=2)
    most, least = max(each.resident_mb for each in here), min(each.resident_mb for each in reference)
    return Mark("worker, resident, one more turn of 200 MB / import langfuse", most, least, 1.75, "MB")


def crowd() -> Mark:
    """How many workers 32 simultaneous hooks of one session start, beside one hook."""
    with loopback_langfuse() as server, worksite(server, 1) as site, tempfile.TemporaryDirectory() as folder:
        started = Path(folder) / "started"
        Path(folder, "sitecustomize.py").write_text(f"open({str(started)!r}, 'a').write('worker\\n')\n")
        environ = {**os.environ, **site.environ, "PYTHONPATH": folder}  # the hook is isolated from it
        command = [sys.executable, "-I", "-S", str(ROOT / "src/ccship/hook.py")]

        def workers_of(hooks: int) -> int:
            site.append_turn()
            all_there = threading.Event()
            server.script = [Reply(keep=True, after=all_there)]  # those that come later would find nothing new
            started.write_text("")
            running = [subprocess.Popen(command, stdin=subprocess.PIPE, env=environ) for _ in range(hooks)]
            for hook in running:
                hook.communicate(site.payload())
            all_there.set()
            site.wait_for_worker()
            return len(started.read_text().split())

        return Mark(f"workers of {CROWD} hooks at once / of one", workers_of(CROWD), workers_of(1), 2, "workers")


def sampled(
    work: Callable[[], Cost], command: list[str | Path], samples: int = SAMPLES
) -> tuple[list[Cost], list[Cost]]:
    """Costs of both, in turns; the first of each warms caches and does not count."""
    pairs = [(work(), cost(command, {})) for _ in range(samples + 1)][1:]
    return [here for here, _ in pairs], [reference for _, reference in pairs]


def cpu_ms(costs: list[Cost]) -> float:
    """The median."""
    return statistics.median(each.cpu_s for each in costs) * 1000
