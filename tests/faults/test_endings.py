"""Signals in mid-batch, groups that are killed, limits step by step."""

import json
import os
import shlex
import signal
import subprocess
import sys
import time

import pytest

from ccship import hook
from ccship.sinks import BATCH_SPANS
from faults.case import SESSION, Case, conversation
from loopback import OK, Reply


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_what_was_acknowledged_before_the_end_is_not_sent_again(case: Case, ending: signal.Signals) -> None:
    """Kept for the next hook in mid-batch: the first batch is written down, the second comes again."""
    conversation(160).write(case.transcript)
    case.server.script = [OK, Reply(delay_s=5, keep=False)]
    process = case.start()
    case.server.wait_for_requests(2)
    process.send_signal(ending)
    assert process.wait() in (0, -ending)
    assert case.said.read_bytes() == b""
    assert len(case.server.accepted) == BATCH_SPANS
    assert case.offset() > 0
    case.check_all_arrives()
    assert len(case.server.accepted) == len(case.expected) > BATCH_SPANS


def test_a_worker_outlives_the_group_of_its_hook(case: Case) -> None:
    """Claude Code kills the whole group of a hook that takes too long, and so does a terminal that is closed."""
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


@pytest.mark.parametrize("descriptors", [4, 5, 6, 7])
def test_too_few_descriptors_at_any_point_lose_no_request(case: Case, descriptors: int) -> None:
    """Kept for the next hook: what could not be done stays asked for."""
    limit = f"(resource.RLIMIT_NOFILE, ({descriptors}, {descriptors}))"
    case.hook(first=f"import resource; resource.setrlimit{limit}")
    assert case.server.keys != case.expected, "the limit was not felt"
    assert len(list((case.state / "requests").glob("*.json"))) == 1
    case.check_all_arrives()


@pytest.mark.parametrize("size", [0, 1, 300, 4096, 20_480, 28_672])
def test_a_disk_that_is_full_at_any_point_does_not_harm_the_session(case: Case, size: int) -> None:
    """Kept for the next hook; no file can grow beyond so many bytes."""
    case.hook(first=f"import resource; resource.setrlimit(resource.RLIMIT_FSIZE, ({size}, {size}))")
    assert case.server.requests == [], "the limit was not felt"
    case.check_all_arrives()


OUT_OF_TIME = """
import time
from ccship.pipeline import sender
from ccship.sinks.spans import SpanSink
sender.BATCH_SPANS = 8
clock, deliver = time.monotonic, SpanSink.deliver
def deliver_for_ten_minutes(sink, observations):
    time.monotonic = lambda: clock() + 600
    return deliver(sink, observations)
SpanSink.deliver = deliver_for_ten_minutes
"""


def test_a_session_too_long_for_one_worker_stays_asked_for(case: Case) -> None:
    """What its time did not allow is sent by the next worker, and nothing twice."""
    conversation(12).write(case.transcript)
    case.hook(first=OUT_OF_TIME)
    assert 0 < len(case.server.keys) < len(case.expected)
    assert len(list((case.state / "requests").glob("*.json"))) == 1
    case.check_all_arrives()
    assert len(case.server.accepted) == len(case.expected)


def test_the_message_that_is_waited_for_is_that_of_the_newest_request(case: Case) -> None:
    """An older request may name a message that never comes."""
    requests = case.state / "requests"
    requests.mkdir(mode=0o700, parents=True)
    older = {"session_id": SESSION, "transcript_path": str(case.transcript)}
    older["last_message"] = hook.fingerprint_of("never written")
    (requests / f"{hook.request_prefix(SESSION)}-1-1.json").write_text(json.dumps(older))
    case.state.chmod(0o700)
    case.hook(stdin=case.payload(last_assistant_message="answer 3"))
    assert case.server.keys == case.expected
    assert "the last message is not on disk yet" not in case.log()
    assert list(requests.iterdir()) == []
