"""Signals in mid-batch, groups that are killed, limits step by step: rows 4, 5 and 7 of the fault matrix."""

import os
import shlex
import signal
import subprocess
import sys
import time

import pytest

from ccship import hook
from ccship.sinks import BATCH_SPANS
from faults.case import Case, conversation
from faults.quick import QuickCase
from loopback import OK, Reply


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_what_was_acknowledged_before_the_end_is_not_sent_again(case: Case, ending: signal.Signals) -> None:
    """4: outcome K in mid-batch: the first batch is written down, the second comes again."""
    conversation(160).write(case.transcript)
    case.server.script = [OK, Reply(delay_s=5, keep=False)]
    process = case.start()
    case.server.wait_for_requests(2)
    process.send_signal(ending)
    assert process.stdout
    assert process.stderr
    assert (process.stdout.read(), process.stderr.read()) == (b"", b"")
    assert process.wait() in (0, -ending)
    assert len(case.server.accepted) == BATCH_SPANS
    assert case.offset() > 0
    case.check_all_arrives()
    assert len(case.server.accepted) == len(case.expected) > BATCH_SPANS


def test_a_worker_outlives_the_group_of_its_hook(case: Case) -> None:
    """5: Claude Code kills the whole group of a hook that takes too long, and so does a terminal that is closed."""
    case.server.script = [Reply(delay_s=1, keep=True)]
    command = shlex.join([sys.executable, "-I", "-S", hook.__file__])
    environ = {**os.environ, **case.environ, "CC_LANGFUSE_FOREGROUND": ""}
    group = subprocess.Popen(
        ["/bin/sh", "-c", f"{command}; sleep 60"], stdin=subprocess.PIPE, env=environ, start_new_session=True
    )
    assert group.stdin
    group.stdin.write(case.payload())
    group.stdin.close()
    case.server.wait_for_requests(1)
    os.killpg(group.pid, signal.SIGKILL)
    assert group.wait() == -signal.SIGKILL
    while list((case.state / "requests").iterdir()):
        time.sleep(0.05)
    assert case.server.keys == case.expected
    assert len(case.server.accepted) == len(case.expected)


@pytest.mark.parametrize("descriptors", [6, 7, 8, 9, 10])
def test_too_few_descriptors_at_any_point_lose_no_request(quick: QuickCase, descriptors: int) -> None:
    """7: outcome K: what could not be done stays asked for."""
    limit = f"(resource.RLIMIT_NOFILE, ({descriptors}, {descriptors}))"
    quick.hook(first=f"import resource; resource.setrlimit{limit}")
    assert quick.server.keys != quick.expected, "the limit was not felt"
    assert len(list((quick.state / "requests").glob("*.json"))) == 1
    quick.check_all_arrives()


@pytest.mark.parametrize("size", [0, 1, 300, 4096, 20_480, 28_672])
def test_a_disk_that_is_full_at_any_point_does_not_harm_the_session(quick: QuickCase, size: int) -> None:
    """30: outcome K; no file can grow beyond so many bytes."""
    quick.hook(first=f"import resource; resource.setrlimit(resource.RLIMIT_FSIZE, ({size}, {size}))")
    assert quick.server.requests == [], "the limit was not felt"
    quick.check_all_arrives()
