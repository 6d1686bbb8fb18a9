"""The state of every released version is taken over: nothing is sent again, nothing that waited is lost.

`fixtures/recorded/state-VERSION` holds what a version wrote, with settled and open turns, dead letters, a subagent
that is not there yet, a fork, and a server that failed. `record_state.py` says how it was made.
"""

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from helpers import run_ccship
from lines import Lines
from loopback import LoopbackLangfuse
from record_state import FAILING_SERVER, FORK, LATE, MAIN, PROJECT, SERVER, fork, main_session
from recorded_state import put_state, put_transcripts

VERSIONS = ["0.1.0"]


class Machine:
    """A machine on which another version has shipped everything there is."""

    def __init__(self, version: str, folder: Path, state_dir: Path, server: LoopbackLangfuse) -> None:
        self.server = server
        self.claude_dir = put_transcripts(version, folder / "claude")
        name = f"{server.url} {server.public_key}"
        names = {SERVER: name, FAILING_SERVER: f"{server.url} {server.public_key}-other"}
        self.state = put_state(version, state_dir, self.claude_dir, names)
        self.environ = {**server.environ, "CLAUDE_CONFIG_DIR": str(self.claude_dir)}
        self.main = self.claude_dir / PROJECT / f"{MAIN}.jsonl"
        self.fork = self.claude_dir / PROJECT / f"{FORK}.jsonl"

    def backfill(self) -> set[str]:
        """Ship what is new; returns the trace ids of what was sent."""
        self.server.clear()
        done = run_ccship("backfill", "--yes", environ=self.environ)
        assert done.returncode == 0, done.stderr
        return {span.trace_id for span in self.server.accepted}

    def hook(self, transcript: Path, **more: str) -> None:
        """Ship a session as Claude Code does."""
        payload = {"session_id": transcript.stem, "transcript_path": str(transcript), "hook_event_name": "Stop"}
        opted_in = {"TRACE_TO_LANGFUSE": "true", "CC_LANGFUSE_FOREGROUND": "true"}
        done = run_ccship("hook", stdin=json.dumps(payload).encode(), environ={**self.environ, **opted_in, **more})
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")

    def status(self) -> dict[str, Any]:
        """What `ccship status` shows, but for the times."""
        document: dict[str, Any] = json.loads(run_ccship("status", "--json", environ=self.environ).stdout)
        return document

    def rows(self, sql: str) -> list[Any]:
        """What the state answers."""
        with closing(sqlite3.connect(self.state)) as db:
            return db.execute(sql).fetchall()


@pytest.fixture(params=VERSIONS)
def machine(request: pytest.FixtureRequest, tmp_path: Path, state_dir: Path, langfuse: LoopbackLangfuse) -> Machine:
    return Machine(request.param, tmp_path, state_dir, langfuse)


LETTERS = "SELECT trace_id, span_id, name, reason, at FROM dead_letters ORDER BY span_id"
OWNERS = "SELECT destination, settled, count(*) FROM turns GROUP BY 1, 2 ORDER BY 1, 2"


def test_an_upgrade_sends_nothing_again_and_forgets_nothing(machine: Machine) -> None:
    """By hooks and by a backfill; owners, dead letters and the books stay."""
    before = machine.status(), machine.rows(LETTERS), machine.rows(OWNERS)
    assert len(before[1]) == 2
    machine.hook(machine.main)
    machine.hook(machine.fork)
    assert machine.server.requests == []
    assert machine.backfill() == set()
    assert machine.server.requests == []
    assert (machine.status(), machine.rows(LETTERS), machine.rows(OWNERS)) == before


def test_an_upgrade_sends_each_score_once_and_no_turn_with_it(machine: Machine) -> None:
    """Those of open turns at the next event, those of settled ones when they are asked for."""
    scores = machine.server.scores
    for transcript in (machine.main, machine.fork, machine.main):
        machine.hook(transcript)
    of_open = dict(scores.rows)
    assert scores.written == sum(1 + bool(row[2]) for row in of_open.values())
    for _ in range(2):
        done = run_ccship("backfill", "--signals-only", "--yes", environ=machine.environ)
        assert done.returncode == 0, done.stderr
    assert machine.server.requests == []
    assert of_open.items() < scores.rows.items()
    assert scores.written == sum(1 + bool(row[2]) for row in scores.rows.values())
    verified = run_ccship("verify", machine.main, "--json", environ=machine.environ)
    assert json.loads(verified.stdout)["different_scores"] == 0


def test_a_dry_run_shows_that_nothing_is_left_to_send(machine: Machine) -> None:
    """And leaves the file of the older version as it is."""
    before = machine.state.read_bytes()
    plan = json.loads(run_ccship("backfill", "--dry-run", "--json", environ=machine.environ).stdout)
    assert plan["turns"].get("sent", 0) == plan["observations"].get("accepted", 0) == 0
    assert machine.state.read_bytes() == before


def test_a_turn_that_was_open_can_still_change(machine: Machine) -> None:
    """After an upgrade only what changed is sent, and dead letters stay dead."""
    letters = machine.rows(LETTERS)
    assert machine.backfill() == set()
    main_session().assistant("m10", "one more thing").write(machine.main)
    assert len(machine.backfill()) == 1
    assert sorted(span.name for span in machine.server.accepted) == ["LLM call", "claude_turn"]
    assert machine.rows(LETTERS) == letters


def test_a_turn_that_went_on_during_the_upgrade_takes_no_settled_turn_along(machine: Machine) -> None:
    """The first look of the new version is at a file that has grown."""
    settled = machine.rows("SELECT count(*) FROM turns WHERE settled")
    main_session().assistant("m10", "one more thing").write(machine.main)
    machine.hook(machine.main)
    assert {span.attributes["langfuse.trace.name"] for span in machine.server.accepted} <= {
        "claude_turn_4",
        "claude_turn_5",
    }
    assert machine.rows("SELECT count(*) FROM turns WHERE settled") == settled


def test_a_subagent_that_was_waited_for_hangs_under_its_launch(machine: Machine) -> None:
    """Its transcript comes after the upgrade."""
    agent = Lines(session=MAIN).user("plan", uuid="p1").assistant("p2", "a plan", uuid="p3")
    agent.write(machine.claude_dir / PROJECT / MAIN / "subagents" / f"agent-{LATE}.jsonl")
    (launch,) = (json.loads(row[0]) for row in machine.rows("SELECT trace FROM launches WHERE tool_use_id = 't4'"))
    assert machine.backfill() == {launch["trace_id"]}
    assert sorted(span.name for span in machine.server.accepted) == ["Agent: Plan", "LLM call"]
    assert machine.rows("SELECT count(*) FROM launches WHERE tool_use_id = 't4'") == [(0,)]


def test_a_copy_of_a_turn_is_still_a_copy(machine: Machine) -> None:
    """A fork that goes on sends its own turns only."""
    fork().prompt("three").assistant("f2", "done with three").write(machine.fork)
    machine.backfill()
    assert {span.attributes["session.id"] for span in machine.server.accepted} == {FORK}
    roots = {span.attributes["langfuse.observation.input"] for span in machine.server.accepted if span.is_root}
    assert "one" not in roots
    assert "three" in roots


def test_what_a_server_did_not_take_is_sent_to_it(machine: Machine) -> None:
    """The session that was pending for another destination."""
    other = {"LANGFUSE_PUBLIC_KEY": f"{machine.server.public_key}-other"}
    machine.hook(machine.fork, **other)
    assert {span.attributes["session.id"] for span in machine.server.accepted} == {FORK}
    assert machine.rows("SELECT failures, retry_at FROM destinations WHERE name LIKE '%-other'") == [(0, None)]
