"""What is remembered between runs."""

import sqlite3
import stat
import subprocess
import sys
from collections import Counter
from contextlib import closing
from hashlib import blake2b
from pathlib import Path
from uuid import UUID

import pytest

from ccship.errors import StateError
from ccship.observations import Trace
from ccship.observations.line_outcomes import SHIPPED
from ccship.state import Claim, Owner, State
from ccship.state.rows import short_key
from ccship.transcript.tail import Position
from ccship.transcript.turns import ResumeState
from ccship.unit import BatchOutcome, Launch, Link, Open, Unit, UnitOutcome, Whole

TRACE = Trace("0" * 32, "claude_turn_1", "s", "ada", "2.1.329", ("a", "b"))


def test_a_transcript_is_remembered_as_it_was_saved(state_dir: Path, tmp_path: Path) -> None:
    """Cursor, resume state, counts, hashes and link."""
    with State(state_dir, "here") as state:
        known = state.transcript(tmp_path / "t.jsonl", "s")
        known.position = Position(10, 1, 2, b"12345678")
        known.resume_state = ResumeState(3, {"u1": 7})
        known.counts = Counter({SHIPPED: 4})
        known.spans = {b"abcdefgh", b"ijklmnop"}
        known.link = Link(TRACE, "1" * 16, "Explore")
        state.save(known)
    with State(state_dir, "here") as state:
        assert state.transcript(tmp_path / "t.jsonl", "s") == known


def test_links_to_one_file_are_one_transcript(state_dir: Path, tmp_path: Path) -> None:
    """One cursor per real file."""
    (tmp_path / "real.jsonl").touch()
    (tmp_path / "link.jsonl").symlink_to(tmp_path / "real.jsonl")
    with State(state_dir, "here") as state:
        known = state.transcript(tmp_path / "real.jsonl", "s")
        known.counts[SHIPPED] = 1
        state.save(known)
        assert state.transcript(tmp_path / "link.jsonl", "s") == known


def test_destinations_know_nothing_of_each_other(state_dir: Path, tmp_path: Path) -> None:
    """What one server has, another one lacks."""
    with State(state_dir, "here") as state:
        state.own("u1", "s", settled=True)
    with State(state_dir, "there") as state:
        assert state.owner("u1") is None
        assert state.transcript(tmp_path / "t.jsonl", "s").position is None


@pytest.mark.parametrize("session", ["first", str(UUID(int=7)), str(UUID(int=7)).replace("-", "")])
def test_a_settled_turn_stays_settled_and_with_its_session(state_dir: Path, session: str) -> None:
    """A copy that is seen later does not take it over, whatever a session is called."""
    with State(state_dir, "here") as state:
        state.own("u1", session, settled=False)
        state.own("u1", "second", settled=True)
        state.own("u1", "third", settled=False)
        assert state.owner("u1") == Owner(short_key(session), settled=True)


@pytest.mark.parametrize("session", ["9e4b124a-6f45-4c38-88d8-111ee2b7680b", "second"])
def test_a_turn_that_0_1_0_remembered_keeps_its_owner(state_dir: Path, session: str) -> None:
    """Its rows have sixteen bytes for the turn, and the session as it is or as a uuid."""
    stored = UUID(session).bytes if "-" in session else session
    with State(state_dir, "one") as state:
        with closing(sqlite3.connect(state_dir / "state.db")) as db, db:
            db.execute("INSERT INTO turns VALUES (1, ?, ?, 0)", (blake2b(b"u1", digest_size=16).digest(), stored))
        assert state.owner("u1") == Owner(short_key(session), settled=False)
        state.own("u1", session, settled=True)
        assert state.owner("u1") == Owner(short_key(session), settled=True)


def test_a_call_belongs_to_the_first_turn_that_claims_it(state_dir: Path) -> None:
    """Up to the latest time that this turn had calls."""
    with State(state_dir, "one") as state:
        assert state.claim("m1") is None
        state.own("u1", "s", settled=False, calls=("m1", 10))
        state.own("u1", "s", settled=True, calls=("m1", 20))
        state.own("u2", "t", settled=True, calls=("m1", 15))
        assert state.claim("m1") == Claim(short_key("u1"), short_key("s"), 20)
        assert state.owner("u2") == Owner(short_key("t"), settled=True)


def test_launches_wait_until_their_subagent_has_arrived(state_dir: Path) -> None:
    """Its file may come hours after the tool call that launched it."""
    launch = Launch("toolu_1", TRACE, "msg_1", None, "Explore", b"12345678")
    turn = Unit("/s.jsonl", "s", Open(1), launches=(launch,))
    subagent = Unit("/agent-a.jsonl", "s", Whole(Position(1, 0, 0, b""), None), launched="toolu_1")
    with State(state_dir, "here") as state:
        state.commit(BatchOutcome((UnitOutcome(turn, arrived=True),)))
    with State(state_dir, "here") as state:
        assert state.launches("s") == [launch]
        state.commit(BatchOutcome((UnitOutcome(subagent, arrived=False),)))
        assert state.launches("s") == [launch]
        state.commit(BatchOutcome((UnitOutcome(subagent, arrived=True),)))
        assert state.launches("s") == []


def test_only_its_owner_can_read_the_state(state_dir: Path) -> None:
    """It names files and projects."""
    with State(state_dir, "here") as state, state.lock("s"):
        modes = {path: stat.S_IMODE(path.stat().st_mode) for path in [state_dir, *state_dir.rglob("*")]}
    assert all(mode & 0o077 == 0 for mode in modes.values()), modes


BROKEN = {"not a database": b"what is this?" * 100, "half a database": b"SQLite format 3\0" + b"\0" * 90}


@pytest.mark.parametrize("content", BROKEN.values(), ids=BROKEN.keys())
def test_a_broken_state_is_set_aside(state_dir: Path, content: bytes) -> None:
    """And a new one begun: replays have the same ids."""
    state_dir.mkdir(mode=0o700, parents=True)
    (state_dir / "state.db").write_bytes(content)
    with State(state_dir, "here") as state:
        assert state.owner("u1") is None
    (aside,) = state_dir.glob("state.db.corrupt-*")
    assert aside.read_bytes() == content


def test_a_busy_state_is_not_taken_for_a_broken_one(state_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another process writes, or its disk stalls: neither opening nor using the state sets it aside."""
    monkeypatch.setattr("ccship.state.database._BUSY_SECONDS", 0)
    state = State(state_dir, "here")
    with closing(sqlite3.connect(state_dir / "state.db", isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(StateError, match="locked"):
            State(state_dir, "here")
        with pytest.raises(StateError, match=r"state\.db cannot be used: database is locked: run again"), state:
            state.own("u1", "s", settled=True)
        other.execute("COMMIT")
    assert list(state_dir.glob("state.db.*")) == []
    with State(state_dir, "here") as again:
        assert again.owner("u1") is None


def test_the_state_of_a_newer_program_is_not_touched(state_dir: Path) -> None:
    """It knows more than we do."""
    with State(state_dir, "here"):
        pass
    with sqlite3.connect(state_dir / "state.db") as db:
        db.execute("PRAGMA user_version = 99")
    before = (state_dir / "state.db").read_bytes()
    with pytest.raises(StateError, match="newer ccship"):
        State(state_dir, "here")
    assert (state_dir / "state.db").read_bytes() == before


def test_a_session_is_locked_against_other_processes(state_dir: Path) -> None:
    """And free again when its holder dies, however it dies."""
    hold = f"""
import sys, time
from pathlib import Path
from ccship.state import State
with State(Path({str(state_dir)!r}), "here") as state, state.lock("s"):
    print("locked", flush=True)
    time.sleep(60)
"""
    with State(state_dir, "here") as state:
        with subprocess.Popen([sys.executable, "-c", hold], stdout=subprocess.PIPE) as holder:
            assert holder.stdout
            assert holder.stdout.readline() == b"locked\n"
            with state.lock("s", wait_s=0) as mine:
                assert not mine
            with state.lock("another", wait_s=0) as mine:
                assert mine
            holder.kill()
            holder.wait()
        with state.lock("s", wait_s=5) as mine:
            assert mine


def test_a_rehearsal_knows_what_the_state_knows_and_changes_nothing(state_dir: Path) -> None:
    """For dry runs."""
    with State(state_dir, "here") as state:
        state.own("u1", "s", settled=True)
    with State(state_dir, "here", rehearse=True) as state:
        assert state.owner("u1") is not None
        state.own("u2", "s", settled=True)
    with State(state_dir, "here") as state:
        assert state.owner("u2") is None
