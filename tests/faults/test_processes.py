"""Faults of processes and their surroundings."""

import os
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from faults.case import SESSION, Case
from helpers import run_ccship
from loopback import Reply


def test_killed_before_the_request_nothing_is_lost(case: Case) -> None:
    """Kept for the next hook; it still waited for a last message."""
    process = case.start(last_assistant_message="not written yet")
    wait_for(case.state / "ccship.log")
    process.kill()
    assert process.wait() == -signal.SIGKILL
    assert case.server.requests == []
    case.check_all_arrives()


ENDINGS = {"SIGKILL": signal.SIGKILL, "SIGTERM": signal.SIGTERM, "SIGINT": signal.SIGINT}


@pytest.mark.parametrize("ending", ENDINGS.values(), ids=ENDINGS.keys())
def test_ended_between_acceptance_and_reply_the_replay_is_absorbed(case: Case, ending: signal.Signals) -> None:
    """The server has it, nobody knows; it comes again under the same keys."""
    case.server.script = [Reply(delay_s=2, keep=True)]
    process = case.start()
    case.server.wait_for_requests(1)
    accepted = len(case.server.accepted)
    process.send_signal(ending)
    process.wait()
    assert case.offset() == 0
    case.check_all_arrives()
    assert len(case.server.accepted) == 2 * accepted, "there was no replay: the fault did not happen"


KILLED_AT_COMMIT = """
import os, signal
from ccship.state import State
State.save = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
"""


def test_killed_between_acceptance_and_commit_the_replay_is_absorbed(case: Case) -> None:
    """The reply was read, the cursor not yet moved."""
    assert case.run(first=KILLED_AT_COMMIT).returncode == -signal.SIGKILL
    assert case.server.keys == case.expected
    case.check_all_arrives()
    assert len(case.server.accepted) == 2 * len(case.expected)


def test_a_hook_killed_by_its_time_out_loses_nothing(case: Case) -> None:
    """Claude Code ends hooks that take too long."""
    case.server.script = [Reply(delay_s=9)]
    process = case.start()
    case.server.wait_for_requests(1)
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(1)
    process.kill()
    process.wait()
    assert case.server.requests == [200]
    case.server.accepted.clear()
    case.check_all_arrives()


def test_a_worker_that_is_stopped_holds_up_nobody_but_its_session(case: Case) -> None:
    """A later hook leaves its request and goes; when the holder is gone, it is done."""
    case.server.script = [Reply(delay_s=1)]
    holder = case.start()
    case.server.wait_for_requests(1)
    holder.send_signal(signal.SIGSTOP)
    case.hook()
    assert "another process is shipping it" in case.log()
    assert case.server.requests == [200]
    holder.kill()
    holder.wait()
    case.server.accepted.clear()
    case.check_all_arrives()


LIMITS: dict[str, Callable[[], None]] = {
    "address space": lambda: resource.setrlimit(resource.RLIMIT_AS, (90 * 2**20, 90 * 2**20)),
    "descriptors": lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (6, 6)),
    "processes' files": lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (512, 512)),
}


@pytest.mark.parametrize("limit", LIMITS.values(), ids=LIMITS.keys())
def test_scarce_resources_do_not_harm_the_session(case: Case, limit: Callable[[], None]) -> None:
    """It is kept, and the next hook sends it."""
    done = case.run_limited(limit)
    assert (done.stdout, done.stderr, done.returncode) == (b"", b"", 0)
    assert case.server.keys != case.expected, "the limit was not felt"
    case.check_all_arrives()


SURROUNDINGS = {
    "another time zone": {"TZ": "Pacific/Kiritimati"},
    "one with half hours and summer time": {"TZ": "Australia/Lord_Howe"},
    "an odd locale": {"LC_ALL": "xx_YY.nonsense", "LANG": "C", "PYTHONIOENCODING": "ascii"},
    "another hash seed": {"PYTHONHASHSEED": "12345"},
    "no user": {"USER": "", "LOGNAME": ""},
    "no home": {"HOME": "/nowhere"},
    "OpenTelemetry switched off": {"OTEL_SDK_DISABLED": "true", "OTEL_TRACES_SAMPLER": "always_off"},
    "the SDK told not to trace": {"LANGFUSE_TRACING_ENABLED": "false", "LANGFUSE_SAMPLE_RATE": "0"},
}


@pytest.mark.parametrize("environ", SURROUNDINGS.values(), ids=SURROUNDINGS.keys())
def test_the_same_spans_whatever_surrounds_them(case: Case, environ: dict[str, str]) -> None:
    """Ids, types and start times come from the transcript alone."""
    case.hook()
    first = case.server.keys
    shutil.rmtree(case.state)
    case.server.clear()
    case.hook(environ=environ)
    assert case.server.keys == first == case.expected


CLOCK = """
import time
real = time.time
time.time = lambda: real() - 86_400
"""


def test_a_clock_that_is_a_day_off_changes_no_key(case: Case) -> None:
    """Nothing that is sent comes from it."""
    case.hook(first=CLOCK)
    assert case.server.keys == case.expected


def test_a_proxy_that_is_gone_is_a_connection_error(case: Case) -> None:
    """Proxy variables are obeyed, as everywhere."""
    case.hook(environ={"HTTP_PROXY": "http://127.0.0.1:9", "NO_PROXY": ""})
    assert case.server.requests == []
    assert "does not answer" in case.log()
    case.check_all_arrives()


@pytest.mark.parametrize("missing", ["LANGFUSE_PUBLIC_KEY", "LANGFUSE_SECRET_KEY", "TRACE_TO_LANGFUSE"])
def test_without_keys_or_consent_nothing_is_sent_and_the_log_says_why(case: Case, missing: str) -> None:
    """Nothing is sent."""
    case.state.mkdir(mode=0o700)
    (case.state / "ccship.log").touch(mode=0o600)
    case.hook(environ={missing: ""})
    assert case.server.requests == []
    assert ("not opted in" if missing.startswith("TRACE") else "no keys") in case.log()
    case.check_all_arrives()


@pytest.mark.parametrize("count", [8, pytest.param(100, marks=pytest.mark.slow)])
def test_many_hooks_at_once_are_one_delivery(case: Case, count: int) -> None:
    """One worker at a time; all that was asked for is shipped, once."""
    environ = {**os.environ, **case.environ, "CC_LANGFUSE_FOREGROUND": ""}
    hook = Path(sys.modules["ccship"].__file__ or "").parent / "hook.py"
    hooks = []
    for _ in range(count):
        process = subprocess.Popen(
            [sys.executable, "-I", "-S", hook], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environ
        )
        assert process.stdin
        process.stdin.write(case.payload())
        process.stdin.close()
        hooks.append(process)
    assert {process.wait() for process in hooks} == {0}
    while list((case.state / "requests").glob("*")):
        time.sleep(0.1)
    assert case.server.keys == case.expected
    assert len(case.server.accepted) == len(case.expected)


def test_a_backfill_beside_a_hook_sends_nothing_twice(case: Case) -> None:
    """Both take the same lock."""
    case.server.script = [Reply(delay_s=1, keep=True)]
    process = case.start()
    case.server.wait_for_requests(1)
    done = run_ccship("backfill", "--session", SESSION[:8], environ=case.environ)
    assert (process.wait(), done.returncode) == (0, 0)
    assert len(case.server.accepted) == len(case.expected)


def wait_for(path: Path) -> None:
    while not path.exists():
        time.sleep(0.01)
