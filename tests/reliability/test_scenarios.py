"""A holder of the lock that sleeps and wakes, and a server that is down for fifty Stops."""

import signal

import pytest

from faults.case import SESSION, Case, conversation
from loopback import Reply
from reliability.test_crashes import work

STOPS = 50
DOWN = Reply(status=503, headers={"retry-after": "60"})
"""Longer than a worker waits within one run: it gives up after one request."""

pytestmark = pytest.mark.slow


def test_a_worker_that_wakes_up_ships_what_was_asked_for_while_it_was_stopped(case: Case) -> None:
    """A later hook finds the lock taken and exits 0; the holder sees its request once it goes on."""
    case.server.script = [Reply(delay_s=1, keep=True)]
    before = case.expected
    holder = case.start()
    try:
        case.server.wait_for_requests(1)
        holder.send_signal(signal.SIGSTOP)
        conversation(6).write(case.transcript)
        case.hook()
        assert "another process is shipping it" in case.log(), (
            "the holder was not stopped in time: the fault did not happen"
        )
        assert case.server.requests == [200]
        assert case.server.keys == before
        assert len(list((case.state / "requests").glob("*.json"))) == 2
    finally:
        holder.send_signal(signal.SIGCONT)
    assert holder.wait() == 0
    assert case.expected > before
    assert case.server.keys == case.expected
    assert list((case.state / "requests").glob("*")) == []


def test_the_first_stop_after_fifty_failed_ones_delivers_all_of_them(case: Case) -> None:
    """Each Stop of another session fails and ends; the next one, of one more session, ships them all."""
    case.server.script = [DOWN] * STOPS
    expected = case.expected
    own = case.transcript
    for n in range(STOPS):
        path = conversation(2, f"{SESSION[:-2]}{n + 10:02}").write(own.with_name(f"{SESSION[:-2]}{n + 10:02}.jsonl"))
        work(case, path)
        case.pass_time()
        case.transcript = path
        expected |= case.expected
        case.transcript = own
    assert case.server.requests == [503] * STOPS, "the server was not asked at each Stop"
    assert case.server.accepted == []
    assert len(list((case.state / "requests").glob("*.json"))) == STOPS
    case.hook()
    assert case.server.keys == expected
    assert len(case.server.accepted) == len(expected)
    assert list((case.state / "requests").glob("*")) == []
