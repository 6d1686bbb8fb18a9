"""The hook killed at every system call that leaves a trace: SQLite's own writes and syncs, sends, replies."""

import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing

import pytest

from ccship.ledger.store import Ledger
from faults.case import SESSION, Case, conversation
from ledger.contents import recount, rows_of
from lines import Lines, tool
from loopback import Span
from record_state import MAIN, PROJECT, SERVER, main_session
from recorded_state import put_state, put_transcripts
from reliability.traced import Tracer
from reliability.tracer import IS_POSSIBLE, LEDGER
from scored import ScoreTable

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not IS_POSSIBLE, reason="needs Linux's ptrace and seccomp"),
]

SHARDS = 4


@pytest.fixture
def tracer(case: Case, request: pytest.FixtureRequest) -> Iterator[Tracer]:
    ledger = {LEDGER: "1"} if request.node.callspec.params["scenario"] is branched else {}
    # the system's certificates, read anew for each request, would take most of the time
    environ = {**case.environ, "SSL_CERT_FILE": "", "SSL_CERT_DIR": str(case.folder), **ledger}
    with closing(Tracer(case.folder, environ)) as found:
        found.payload.write_bytes(case.payload())
        yield found


def new(case: Case, _: Tracer) -> None:
    """A session that nobody has shipped yet."""
    conversation(4).write(case.transcript)


def grown(case: Case, tracer: Tracer) -> None:
    """A session that was shipped and went on: turns settle, the cursor moves, hashes are kept."""
    conversation(4).write(case.transcript)
    tracer.hook()
    conversation(8).write(case.transcript)


def branched(case: Case, tracer: Tracer) -> None:
    """A session whose subagent's transcript came after its turn was shipped; the smallest, so with the ledger."""
    lines = Lines(session=SESSION).prompt("go").assistant("m1", tool("t1", "Agent", prompt="explore"))
    lines.result("t1", toolUseResult={"isAsync": True, "agentId": "bg"}).assistant("m2", "launched")
    lines.write(case.transcript)
    tracer.hook()
    lines.prompt("more").assistant("m3", "yes").write(case.transcript)
    agent = Lines(session=SESSION)
    for n in range(4):
        agent.user("explore" if not n else f"go on {n}", uuid=f"u{n}").assistant(f"a{n}", "found", uuid=f"v{n}")
    agent.write(case.transcript.with_suffix("") / "subagents" / "agent-bg.jsonl")


def upgraded(case: Case, tracer: Tracer) -> None:
    """A session that 0.1.0 has shipped, and that went on: the state is upgraded first."""
    claude_dir = put_transcripts("0.1.0", case.folder / "claude")
    put_state("0.1.0", case.state, claude_dir, {SERVER: f"{case.server.url} {case.server.public_key}"})
    case.transcript = claude_dir / PROJECT / f"{MAIN}.jsonl"
    main_session().prompt("six").assistant("m10", tool("t6")).result("t6").write(case.transcript)
    tracer.payload.write_bytes(case.payload())


LEAST = {new: 120, grown: 85, branched: 55, upgraded: 85}
"""How many calls a scenario has to die at, at least: over 300 in all."""


@pytest.mark.parametrize("shard", range(SHARDS))
@pytest.mark.parametrize(("scenario", "least"), LEAST.items(), ids=lambda value: getattr(value, "__name__", None))
def test_killed_at_any_system_call_the_next_hook_makes_it_whole(
    case: Case, tracer: Tracer, scenario: Callable[[Case, Tracer], None], least: int, shard: int
) -> None:
    """Before each write, sync, rename, removal, send and reply: nothing is lost, torn, or under two keys."""
    scenario(case, tracer)
    before, sent, scored = case.folder / "before", list(case.server.accepted), ScoreTable()
    scored.rows, scored.latest_ms = dict(case.server.scores.rows), dict(case.server.scores.latest_ms)
    if case.state.exists():
        shutil.copytree(case.state, before)
    killed, calls = tracer.hook()
    whole, undisturbed = case.server.latest, len(case.server.accepted)
    scores = dict(case.server.scores.rows)
    assert not killed
    assert len(calls) >= least, "too few calls: nothing is swept"
    assert {"write", "pwrite64", "fdatasync", "connect", "sendto", "recvfrom"} <= set(calls)
    assert {"rename", "renameat", "renameat2"} & set(calls)
    assert {"unlink", "unlinkat"} & set(calls)
    replays = 0
    for point in points_of(calls)[shard::SHARDS]:
        shutil.rmtree(case.state)
        if before.exists():
            shutil.copytree(before, case.state)
        case.server.clear()
        case.server.accepted += sent
        case.server.scores.restore(scored)
        killed, _ = tracer.hook(point)
        assert killed or point > len(calls) - SHARDS, f"nothing was killed at {point}"  # threads vary the last calls
        assert not tracer.hook()[0]
        check(case, whole)
        assert case.server.scores.rows == scores
        if scenario is branched:
            check_ledger(case)
        replays += len(case.server.accepted) > undisturbed
    assert replays, "never killed between acceptance and commit: the test does not bite"


def points_of(calls: list[str]) -> list[int]:
    """The numbers of the calls to die at: all, but every fourth of the writes of pages, which are the most."""
    return [n for n, call in enumerate(calls, 1) if n % 4 == 0 or call != "pwrite64"]


def check(case: Case, whole: dict[str, Span]) -> None:
    """What arrived is what an undisturbed run sends, no span has two keys, the state is sound, nobody asks for more."""
    assert case.server.latest == whole
    assert len(case.server.keys) == len(whole)
    assert list((case.state / "requests").glob("*.json")) == []
    assert list(case.state.glob("*corrupt*")) == []
    with closing(sqlite3.connect(case.state / "state.db")) as db:
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def check_ledger(case: Case) -> None:
    """The ledger is sound, and what it lacks is entered by the next report."""
    paths = sorted(case.transcript.parent.rglob("*.jsonl"))
    with closing(Ledger(case.state / "ledger.db")) as ledger:
        assert ledger.catch_up(paths) == []
        assert rows_of(ledger) == recount(paths)
        assert ledger.db.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
