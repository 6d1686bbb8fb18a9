"""Faults of the state."""

import os
import resource
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from faults.case import Case, conversation
from lines import Lines
from loopback import Reply

Break = Callable[[Path], object]

STDIN: dict[str, bytes] = {
    "empty": b"",
    "no JSON": b"{not json",
    "a number": b"7",
    "five megabytes": b'{"transcript_path": "' + b"x" * 5_000_000 + b'"}',
    "a path outside the projects folder": b'{"transcript_path": "/etc/passwd.jsonl"}',
    "a path that climbs out of it": b'{"transcript_path": "%s/../../../x.jsonl"}',
    "a path of another type": b'{"transcript_path": ["x"]}',
}


@pytest.mark.parametrize("stdin", STDIN.values(), ids=STDIN.keys())
def test_a_payload_that_makes_no_sense_is_dropped(case: Case, stdin: bytes) -> None:
    """Nothing is sent."""
    case.hook(stdin=stdin.replace(b"%s", str(case.transcript.parent).encode()))
    assert case.server.requests == []
    assert list((case.state / "requests").glob("*.json")) == []
    case.check_all_arrives()


def halve(path: Path) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])


def wrong_types(path: Path) -> None:
    with sqlite3.connect(path) as db:
        db.execute("UPDATE transcripts SET resume_state = 'no JSON', spans = 'no bytes', offset = 'far'")


STATES: dict[str, Break] = {
    "empty": lambda path: path.write_bytes(b""),
    "half": halve,
    "not a database": lambda path: path.write_bytes(b"what is this? " * 1000),
    "wrong types": wrong_types,
    "cursor beyond the file": lambda path: sql(path, "UPDATE transcripts SET offset = 10000000"),
    "cursor inside a line": lambda path: sql(path, "UPDATE transcripts SET offset = offset + 7"),
    "wiped": lambda path: shutil.rmtree(path.parent),
}


def sql(path: Path, statement: str) -> None:
    with sqlite3.connect(path) as db:
        db.execute(statement)


@pytest.mark.parametrize("damage", STATES.values(), ids=STATES.keys())
def test_a_broken_state_costs_nothing_but_a_replay(case: Case, damage: Break) -> None:
    """Set aside, or sent again under the same ids: everything is under the ids it had."""
    case.hook()
    first = case.server.keys
    before = (case.state / "state.db").read_bytes()
    damage(case.state / "state.db")
    assert not (case.state / "state.db").exists() or (case.state / "state.db").read_bytes() != before
    case.hook()
    case.check_all_arrives()
    assert case.server.keys == first


def test_what_is_no_database_is_set_aside_not_deleted(case: Case) -> None:
    """Somebody may want to look at it."""
    case.hook()
    (case.state / "state.db").write_bytes(b"what is this? " * 1000)
    case.hook()
    assert [path.read_bytes()[:4] for path in case.state.glob("state.db.corrupt-*")] == [b"what"]


def test_the_state_of_a_newer_version_is_not_touched_and_nothing_is_lost(case: Case) -> None:
    """Nothing is sent; the newer program, or this one after it was updated, ships what is left."""
    case.hook()
    first = case.server.keys
    case.server.clear()
    ours = version_of(case.state / "state.db")
    sql(case.state / "state.db", "PRAGMA user_version = 99")
    before = (case.state / "state.db").read_bytes()
    conversation(5).write(case.transcript)
    for _ in range(3):
        case.hook()
    assert (case.state / "state.db").read_bytes() == before
    assert list(case.state.glob("state.db?*")) == []
    assert case.server.requests == []
    assert "newer ccship" in case.log()
    assert "update ccship" in case.log()
    assert len(list((case.state / "requests").glob("*.json"))) == 1, "one request a session is enough"
    sql(case.state / "state.db", f"PRAGMA user_version = {ours}")
    Lines(session="another").prompt("go").assistant("m1", "done").write(case.transcript.with_name("another.jsonl"))
    case.hook(stdin=case.payload(transcript_path=str(case.transcript.with_name("another.jsonl"))))
    assert case.expected - first <= case.server.keys
    assert list((case.state / "requests").glob("*.json")) == []


def version_of(path: Path) -> int:
    with sqlite3.connect(path) as db:
        (version,) = db.execute("PRAGMA user_version").fetchone()
    return int(version)


def test_a_state_folder_deleted_while_it_is_used_is_made_anew(case: Case) -> None:
    """With the same permissions."""
    case.server.script = [Reply(delay_s=1, keep=True)]
    process = case.start()
    case.server.wait_for_requests(1)
    shutil.rmtree(case.state)
    assert process.wait(60) == 0
    case.check_all_arrives()
    assert case.state.stat().st_mode & 0o777 == 0o700


def limit_files() -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))


def test_a_full_disk_does_not_harm_the_session(case: Case) -> None:
    """Not a byte can be written; it is kept for the next hook."""
    assert case.run_limited(limit_files).returncode == 0
    assert case.server.keys == set()
    case.check_all_arrives()


def test_a_state_folder_that_cannot_be_made_does_not_harm_the_session(case: Case) -> None:
    """There is a file in its place."""
    case.state.write_text("in the way")
    case.hook()
    assert case.server.requests == []
    case.state.unlink()
    case.check_all_arrives()


def plant_link(state: Path) -> None:
    elsewhere = state.with_name("elsewhere")
    elsewhere.mkdir(mode=0o700)
    state.symlink_to(elsewhere)


def open_to_all(state: Path) -> None:
    state.mkdir()
    state.chmod(0o777)


PLANTED: dict[str, Break] = {"a link": plant_link, "a folder that others may write": open_to_all}


@pytest.mark.parametrize("plant", PLANTED.values(), ids=PLANTED.keys())
def test_a_state_folder_that_others_control_is_refused(case: Case, plant: Break) -> None:
    """Nothing is written there, nothing is sent."""
    plant(case.state)
    case.hook()
    assert case.server.requests == []
    assert list(case.state.rglob("*.json")) + list(case.state.rglob("*.db")) == []
    if case.state.is_symlink():
        case.state.unlink()
    else:
        case.state.chmod(0o700)
    case.check_all_arrives()


def test_a_database_that_is_a_link_is_refused(case: Case, tmp_path: Path) -> None:
    """A link would let others choose what is overwritten."""
    case.state.mkdir(mode=0o700)
    (tmp_path / "victim").write_bytes(b"")
    (case.state / "state.db").symlink_to(tmp_path / "victim")
    case.hook()
    assert (tmp_path / "victim").read_bytes() == b""
    assert case.server.requests == []
    os.unlink(case.state / "state.db")  # noqa: PTH108 - the link, not what it points to
    case.check_all_arrives()
