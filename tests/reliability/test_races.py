"""Two hooks of one session, one of them stopped before every system call in turn: no request is left behind.

The stopped hook does its work itself, so the other one runs before, between and after all that a worker does to
requests, lock and state. Nobody comes later: what these two do not ship is lost until the next event.
"""

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from faults.case import SESSION, Case
from fork_server import Child
from lines import Lines, tool
from loopback import LoopbackLangfuse, Reply
from reliability.traced import Tracer
from reliability.tracer import IS_POSSIBLE

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not IS_POSSIBLE, reason="needs Linux's ptrace and seccomp"),
]

SHARDS = 4
MOST_CALLS = 500
"""More than the hook makes in its foreground."""

LONG_AGO = 1_700_000_000


class Race:
    """A session that grows by a turn at a time."""

    def __init__(self, case: Case, tracer: Tracer) -> None:
        self.case = case
        self.tracer = tracer
        self.lines = Lines(session=SESSION)
        self.turns = 0
        case.transcript.write_text("")
        tracer.payload.write_bytes(case.payload())

    def turn(self) -> str:
        """The lines of one more turn."""
        n = self.turns = self.turns + 1
        self.lines.lines.clear()
        self.lines.prompt(f"prompt {n}", uuid=f"p{n}").assistant(f"m{n}", tool(f"t{n}"), uuid=f"a{n}")
        self.lines.result(f"t{n}", uuid=f"r{n}").assistant(f"n{n}", f"answer {n}", uuid=f"b{n}")
        return "".join(f"{line}\n" for line in self.lines.lines)

    def append(self) -> None:
        with self.case.transcript.open("a") as file:
            file.write(self.turn())

    def changed(self) -> None:
        """The hook has a turn to ship."""
        self.append()

    def unchanged(self) -> None:
        """The hook has nothing to ship, and knows it without loading the rest of the worker."""
        for _ in range(2):  # the second one finds a file that does not change any more
            os.utime(self.case.transcript, (LONG_AGO + self.turns, LONG_AGO + self.turns))
            self.tracer.hook()

    def run(self, pause_at: int) -> list[str]:
        """The hook, and at that call the other one with one more turn; the calls of the hook."""
        return self.tracer.hook_with_a_second(pause_at, self.case.transcript, self.turn())

    def shipped(self) -> int:
        """How many turns are on the server."""
        return sum(not span.parent for span in self.case.server.latest.values())


@pytest.fixture
def race(tmp_path: Path, langfuse: LoopbackLangfuse) -> Iterator[Race]:
    case = Case(tmp_path, langfuse)
    environ = {**case.environ, "SSL_CERT_FILE": "", "SSL_CERT_DIR": str(case.folder)}
    with closing(Tracer(case.folder, environ)) as tracer:
        yield Race(case, tracer)


LEAST = {Race.changed: {"flock", "close", "getdents64", "unlink", "rename"}, Race.unchanged: {"flock", "unlink"}}
"""Calls that each scenario has to stop at."""


@pytest.mark.parametrize("shard", range(SHARDS))
@pytest.mark.parametrize(("prepare", "least"), LEAST.items(), ids=lambda value: getattr(value, "__name__", ""))
def test_a_hook_that_comes_at_any_moment_of_another_is_answered(
    race: Race, prepare: Callable[[Race], None], least: set[str], shard: int
) -> None:
    """By the other one, or by itself: all turns arrive, no request is left."""
    race.append()
    race.tracer.hook()
    prepare(race)
    calls = race.run(1 << 30)  # never: to count the calls
    race.tracer.hook()
    race.turns -= 1
    assert least <= set(calls)
    for point in range(1 + shard, len(calls) + 1, SHARDS):
        prepare(race)
        if len(race.run(point)) < point:  # threads vary the last calls
            race.turns -= 1
            assert point > len(calls) - SHARDS * 5
            continue
        assert list((race.case.state / "requests").iterdir()) == [], f"a request is left behind at {calls[point - 1]}"
        assert race.shipped() == race.turns, f"a turn is left behind at {calls[point - 1]}"


def test_a_hook_that_finds_the_session_locked_at_any_moment_is_answered(race: Race) -> None:
    """The process that has the lock ends before each call of the hook in turn."""
    race.append()
    race.tracer.hook()
    point, calls = 0, ["" for _ in range(MOST_CALLS)]
    while point < len(calls):
        point += 1
        reply = threading.Event()
        race.case.server.script = [Reply(keep=True, after=reply)]
        race.append()
        asked = len(race.case.server.requests)
        holder = race.case.start()
        race.case.server.wait_for_requests(asked + 1)
        race.append()

        def end(reply: threading.Event = reply, holder: Child = holder) -> None:
            reply.set()
            holder.wait()

        calls = race.tracer.hook_paused(point, end)
        end()
        assert list((race.case.state / "requests").iterdir()) == [], f"a request is left behind at {calls[point - 1]}"
        assert race.shipped() == race.turns, f"a turn is left behind at {calls[point - 1]}"
    assert {"rename", "flock"} <= set(calls)
