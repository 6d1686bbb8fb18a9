"""The store has versions: an older one is upgraded, a newer one is left alone, and neither is ever half done."""

import json
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from ccship.errors import StateError, StateTooNew
from ccship.observations.volatile import Volatile
from ccship.state import State
from ccship.state.migrations import VERSION
from ccship.state.snapshot import Account, accounts
from ccship.transcript.turns import ResumeState
from helpers import run_ccship
from record_state import MAIN, PROJECT, SERVER
from recorded_state import put_state, put_transcripts
from reliability.traced import Tracer
from reliability.tracer import DESTINATION, IS_POSSIBLE

VERSIONS = ["0.1.0"]
HERE = DESTINATION


@pytest.fixture(params=VERSIONS)
def state(request: pytest.FixtureRequest, tmp_path: Path, state_dir: Path) -> Path:
    """The store that a released version wrote."""
    claude_dir = put_transcripts(request.param, tmp_path / "claude")
    return put_state(request.param, state_dir, claude_dir, {SERVER: HERE})


def query(path: Path, sql: str, *values: object) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(path)) as db, db:
        return db.execute(sql, values).fetchall()


def shape(path: Path) -> list[tuple[Any, ...]]:
    return query(path, "SELECT name, sql FROM sqlite_master ORDER BY name")


def version_of(path: Path) -> int:
    return int(query(path, "PRAGMA user_version")[0][0])


Content = tuple[list[Account], list[tuple[Any, ...]], list[tuple[Any, ...]]]


def content(path: Path) -> Content:
    """All that a store holds, whatever its version."""
    shown = accounts(path.parent)  # before anybody else has taken back what was interrupted
    turns = query(path, "SELECT destination, uuid, session, settled FROM turns ORDER BY 1, 2")
    launches = query(path, "SELECT destination, session, tool_use_id, agent_id, trace FROM launches ORDER BY 1, 2, 3")
    return shown, turns, launches


def test_an_upgraded_store_is_a_new_one_with_all_that_was_in_it(state: Path, tmp_path: Path) -> None:
    """Table for table; what is shown of it is the same before and after."""
    before = content(state)
    assert sum(len(account.transcripts) for account in before[0]) == 24
    assert version_of(state) < VERSION
    with State(state.parent, HERE), State(tmp_path / "new", HERE):
        pass
    assert version_of(state) == version_of(tmp_path / "new" / "state.db") == VERSION
    assert shape(state) == shape(tmp_path / "new" / "state.db")
    assert content(state) == before
    assert list(state.parent.glob("*corrupt*")) == []


def test_a_store_is_shown_without_being_upgraded(state: Path) -> None:
    """`status` only reads."""
    before = state.read_bytes()
    assert accounts(state.parent)
    assert state.read_bytes() == before
    assert [path.name for path in state.parent.iterdir()] == ["state.db"]


def test_the_hashes_of_an_older_version_are_known_to_be_others(state: Path, tmp_path: Path) -> None:
    """Or they would be compared with those of this version, and everything that is open be sent again."""
    with State(state.parent, HERE) as opened:
        known = opened.transcript(tmp_path / "claude" / PROJECT / f"{MAIN}.jsonl", MAIN)
        assert known.is_outdated
        assert known.resume_state.turns == 3
        assert known.ids_sent(known.seen)
        opened.save(known)
        assert not opened.transcript(Path(known.path), MAIN).is_outdated


def test_facts_that_were_kept_in_the_carry_get_a_column(state: Path, tmp_path: Path) -> None:
    """Before there were migrations, the carry was the only place for them."""
    path = tmp_path / "claude" / PROJECT / f"{MAIN}.jsonl"
    resume_state = {"turns": 3, "volatile": {"u1": {"metadata": {"git_dirty": True}}}, "hashes": 3}
    query(state, "UPDATE transcripts SET carry = ? WHERE path = ?", json.dumps(resume_state).encode(), str(path))
    with State(state.parent, HERE) as opened:
        known = opened.transcript(path, MAIN)
    assert known.volatile == {"u1": Volatile(metadata={"git_dirty": True})}
    assert (known.resume_state.turns, known.is_outdated) == (3, False)
    assert query(state, "SELECT resume_state FROM transcripts WHERE path = ?", str(path)) == [('{"turns":3}',)]


def test_late_records_of_an_older_store_are_kept(state: Path) -> None:
    """Without them a reader at the cursor would take them for a turn of their own."""
    path = query(state, "SELECT path FROM transcripts WHERE id = 1")[0][0]
    query(state, "UPDATE transcripts SET carry = ? WHERE id = 1", b'{"turns": 3, "strays": {"u1": 700}}')
    with State(state.parent, HERE) as opened:
        assert opened.transcript(Path(path), MAIN).resume_state == ResumeState(3, {"u1": 700})


GARBAGE = ["no JSON", "[1]", "7", b"\xff\xfe", None, '{"hashes": "many"}', '{"turns": 1']


@pytest.mark.parametrize("resume_state", GARBAGE, ids=repr)
def test_a_row_that_somebody_else_wrote_stops_no_upgrade(state: Path, resume_state: object) -> None:
    """Its transcript is read again from the beginning; all other rows are as they were."""
    turns = content(state)[1]
    path = query(state, "SELECT path FROM transcripts WHERE id = 1")[0][0]
    query(state, "UPDATE transcripts SET carry = ? WHERE id = 1", resume_state)
    with State(state.parent, HERE) as opened:
        assert opened.transcript(Path(path), MAIN).resume_state.turns == 0
    assert query(state, "SELECT destination, uuid, session, settled FROM turns ORDER BY 1, 2") == turns
    assert list(state.parent.glob("*corrupt*")) == []


def test_a_new_store_has_the_newest_version(state_dir: Path) -> None:
    """There is one way to the newest tables, for new stores and old ones."""
    with State(state_dir, HERE):
        pass
    assert version_of(state_dir / "state.db") == VERSION


FOREIGN = {
    "another program's of no version": ("CREATE TABLE notes (text)", "PRAGMA user_version = 0"),
    "another program's of an old version": ("CREATE TABLE notes (text)", "PRAGMA user_version = 1"),
    "of a version that cannot be": ("CREATE TABLE notes (text)", "PRAGMA user_version = -7"),
}


@pytest.mark.parametrize("statements", FOREIGN.values(), ids=FOREIGN.keys())
def test_what_is_no_store_is_set_aside_as_it_was(state_dir: Path, statements: tuple[str, ...]) -> None:
    """And is not migrated first."""
    state_dir.mkdir(mode=0o700, parents=True)
    for statement in statements:
        query(state_dir / "state.db", statement)
    before = (state_dir / "state.db").read_bytes()
    with State(state_dir, HERE) as opened:
        assert opened.owner("u1") is None
    (aside,) = state_dir.glob("state.db.corrupt-*")
    assert aside.read_bytes() == before


def test_a_dry_run_sets_nothing_aside(state_dir: Path) -> None:
    """It begins with nothing, as the next run will."""
    state_dir.mkdir(mode=0o700, parents=True)
    (state_dir / "state.db").write_bytes(b"what is this?" * 100)
    with State(state_dir, HERE, rehearse=True) as opened:
        assert opened.owner("u1") is None
    assert [path.name for path in state_dir.iterdir()] == ["state.db"]


COMMANDS = {
    "status": ("status",),
    "backfill": ("backfill", "--yes"),
    "a dry run": ("backfill", "--dry-run"),
    "verify": ("verify",),
}


@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS.keys())
def test_a_newer_store_is_left_alone_and_the_message_says_what_to_do(
    state: Path, tmp_path: Path, command: tuple[str, ...]
) -> None:
    """By every command that needs it."""
    query(state, f"PRAGMA user_version = {VERSION + 1}")
    before = state.read_bytes()
    keys = {"LANGFUSE_PUBLIC_KEY": "pk-lf-x", "LANGFUSE_SECRET_KEY": "none", "LANGFUSE_BASE_URL": "http://127.0.0.1:9"}
    done = run_ccship(*command, environ={**keys, "CLAUDE_CONFIG_DIR": str(tmp_path / "claude")})
    assert done.returncode == 2
    assert f"{state} was written by a newer ccship" in done.stderr
    assert "update ccship; nothing was changed" in done.stderr
    assert state.read_bytes() == before
    assert sorted(path.name for path in state.parent.glob("state.db*")) == ["state.db"]


def test_a_store_that_is_busy_is_neither_shown_as_damaged_nor_upgraded(
    state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another process is at work."""
    monkeypatch.setattr("ccship.state.database._BUSY_SECONDS", 0)
    with closing(sqlite3.connect(state, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(StateError, match="cannot be used: database is locked"):
            accounts(state.parent)
        with pytest.raises(StateError, match="cannot be used: database is locked") as raised:
            State(state.parent, HERE)
    assert not isinstance(raised.value, StateTooNew)
    assert list(state.parent.glob("*corrupt*")) == []


def test_many_processes_upgrade_a_store_once(state: Path) -> None:
    """Hooks of several sessions come at the same moment."""
    before = content(state)
    program = "import sys; from pathlib import Path; from ccship.state import State; print('ready', flush=True);"
    program += f"sys.stdin.read(); State(Path({str(state.parent)!r}), {HERE!r})"
    crowd = [
        subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        for _ in range(6)
    ]
    for process in crowd:
        assert process.stdout
        assert process.stdout.readline() == b"ready\n"
    with closing(sqlite3.connect(state, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")  # they find the old version, all of them, and wait to upgrade it
        for process in crowd:
            assert process.stdin
            process.stdin.close()
        time.sleep(0.5)
        other.execute("ROLLBACK")
    assert [process.wait(60) for process in crowd] == [0] * 6
    assert content(state) == before
    assert version_of(state) == VERSION
    assert list(state.parent.glob("*corrupt*")) == []


@pytest.fixture
def tracer(tmp_path: Path) -> Iterator[Tracer]:
    with closing(Tracer(tmp_path, {})) as found:
        yield found


@pytest.mark.skipif(not IS_POSSIBLE, reason="needs Linux's ptrace and seccomp")
def test_killed_at_any_system_call_of_an_upgrade_nothing_is_lost(state: Path, tracer: Tracer, tmp_path: Path) -> None:
    """Before each write, sync and removal: what was in the store is shown at once, and the next run upgrades it."""
    original, before = tmp_path / "original.db", content(state)
    shutil.copy(state, original)
    killed, calls = tracer.open(state.parent)
    assert not killed
    assert {"pwrite64", "fdatasync", "unlink"} <= {call.removesuffix("at") for call in calls}
    torn = 0
    for point in range(1, len(calls) + 1):
        for path in state.parent.glob("state.db*"):
            path.unlink()
        shutil.copy(original, state)
        killed, _ = tracer.open(state.parent, point)
        assert killed
        torn += state.read_bytes() != original.read_bytes()
        assert content(state) == before
        with State(state.parent, HERE):
            pass
        assert version_of(state) == VERSION
        assert content(state) == before
        assert query(state, "PRAGMA integrity_check") == [("ok",)]
        assert list(state.parent.glob("*corrupt*")) == []
    assert torn, "never killed in the middle: the test does not bite"
