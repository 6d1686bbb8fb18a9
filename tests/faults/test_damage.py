"""Damage to what the state holds, and places that cannot be used: rows 26 to 31 and 44 of the fault matrix."""

import os
import sqlite3
from collections.abc import Callable
from hashlib import blake2b
from pathlib import Path

import pytest

from ccship.hook import request_prefix
from faults.case import SESSION, conversation
from faults.quick import QuickCase
from lines import Lines

Break = Callable[[Path], object]

PAGE = 4096
LOCK = blake2b(SESSION.encode(), digest_size=16).hexdigest()
VICTIM = "not ccship's to write\n"


def sql(*statements: str) -> Break:
    def run(path: Path) -> None:
        with sqlite3.connect(path) as db:
            for statement in statements:
                db.execute(statement)

    return run


def overwrite_pages(path: Path) -> None:
    content = path.read_bytes()
    path.write_bytes(content[:PAGE] + b"\xa5" * (len(content) - PAGE))


def overwrite_table(name: str) -> Break:
    def run(path: Path) -> None:
        with sqlite3.connect(path) as db:
            (page,) = db.execute("SELECT rootpage FROM sqlite_master WHERE name = ?", (name,)).fetchone()
        with path.open("r+b") as file:
            file.seek((page - 1) * PAGE)
            file.write(b"\xa5" * PAGE)

    return run


def halve(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def foreign(path: Path) -> None:
    path.unlink()
    sql("CREATE TABLE notes (text)", "PRAGMA user_version = 1")(path)


SET_ASIDE: dict[str, Break] = {
    "half": halve,
    "not a database": lambda path: path.write_bytes(b"what is this? " * 1000),
    "pages behind the first": overwrite_pages,
    "the page of the transcripts": overwrite_table("transcripts"),
    "the page of the turns": overwrite_table("turns"),
    "another program's": foreign,
    "a table is gone": sql("DROP TABLE transcripts"),
    "a column is gone": sql("ALTER TABLE transcripts DROP COLUMN counts"),
}


@pytest.mark.parametrize("damage", SET_ASIDE.values(), ids=SET_ASIDE.keys())
def test_a_database_that_cannot_be_used_is_set_aside(quick: QuickCase, damage: Break) -> None:
    """26: outcome Q: the very next hook sends all there is, under the ids it had."""
    quick.hook()
    first = quick.server.keys
    damage(quick.state / "state.db")
    damaged = (quick.state / "state.db").read_bytes()
    quick.server.clear()
    conversation(8).write(quick.transcript)
    quick.hook()
    assert first < quick.server.keys == quick.expected
    assert [path.read_bytes() for path in quick.state.glob("state.db.corrupt-*")] == [damaged]
    quick.check_all_arrives()


WRONG: dict[str, Break] = {
    "26 when to try again": sql("UPDATE destinations SET retry_at = 'soon'"),
    "26 how often it failed": sql("UPDATE destinations SET failures = 'many', retry_at = 'never'"),
    "26 a launch": sql("INSERT INTO launches SELECT 1, session, 't', 'm', NULL, NULL, x'00', '-' FROM transcripts"),
    "26 a link": sql("UPDATE transcripts SET link = '{}'"),
    "26 counts that are a list": sql("UPDATE transcripts SET counts = '[1]'"),
    "26 a carry that is a list": sql("UPDATE transcripts SET carry = '[1]'"),
    "26 a carry of texts": sql('UPDATE transcripts SET carry = \'{"turns": "x"}\''),
    "26 hashes that are a number": sql("UPDATE transcripts SET spans = 7"),
    "26 an owner of bytes": sql("UPDATE turns SET session = x'ff', settled = 'maybe'"),
    "27 a cursor before the file": sql("UPDATE transcripts SET offset = -5"),
    "27 a cursor beyond any file": sql("UPDATE transcripts SET offset = 9e300"),
    "27 a cursor inside a line": sql("UPDATE transcripts SET offset = offset - 7"),
}


@pytest.mark.parametrize("damage", WRONG.values(), ids=WRONG.keys())
def test_a_value_that_makes_no_sense_stops_nothing(quick: QuickCase, damage: Break) -> None:
    """26, 27: outcome R: the very next hook sends what was added, and nothing is left to be done."""
    quick.hook()
    first = quick.server.keys
    before = (quick.state / "state.db").read_bytes()
    damage(quick.state / "state.db")
    assert (quick.state / "state.db").read_bytes() != before
    conversation(8).write(quick.transcript)
    quick.hook()
    assert first < quick.server.keys == quick.expected
    assert list((quick.state / "requests").iterdir()) == []


def test_a_wiped_state_sends_everything_again_under_the_same_keys(quick: QuickCase) -> None:
    """32: outcome R: twice as many spans, not one key more."""
    quick.hook()
    first, sent = quick.server.keys, len(quick.server.accepted)
    (quick.state / "state.db").unlink()
    quick.hook()
    assert len(quick.server.accepted) == 2 * sent
    assert quick.server.keys == first == quick.expected


IN_THE_WAY: dict[str, Break] = {
    "a folder for the database": lambda state: (state / "state.db").mkdir(),
    "a pipe for the database": lambda state: os.mkfifo(state / "state.db"),
    "a file for the requests": lambda state: (state / "requests").touch(),
    "a file for the locks": lambda state: (state / "locks").touch(),
    "a folder for the lock": lambda state: (state / "locks" / LOCK).mkdir(parents=True, mode=0o700),
    "a folder for the log": lambda state: (state / "ccship.log").mkdir(),
}


@pytest.mark.parametrize("block", IN_THE_WAY.values(), ids=IN_THE_WAY.keys())
def test_a_state_that_cannot_be_written_does_not_harm_the_session(quick: QuickCase, block: Break) -> None:
    """30: outcome K; nothing is sent that could not be remembered."""
    quick.state.mkdir(mode=0o700)
    block(quick.state)
    quick.hook()
    assert quick.server.requests == []
    blocked = quick.state.rename(quick.state.with_name("blocked"))
    assert blocked.is_dir()
    quick.check_all_arrives()


def test_a_log_on_a_full_disk_does_not_stop_the_delivery(quick: QuickCase) -> None:
    """30: outcome A; every line of it fails to be written."""
    quick.hook(first="import logging; logging.FileHandler._open = lambda _: open('/dev/full', 'w')")
    assert not quick.log()
    assert quick.server.keys == quick.expected


FULL_AFTER_ACCEPTANCE = """
import resource
from ccship.sinks import langfuse
judge = langfuse.judge
def accept(*answer):
    judge(*answer)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
langfuse.judge = accept
"""


def test_a_disk_that_fills_up_between_acceptance_and_commit_costs_a_replay(quick: QuickCase) -> None:
    """30: outcome K; what arrived and could not be written down comes again under the same keys."""
    quick.hook(first=FULL_AFTER_ACCEPTANCE)
    assert quick.server.keys == quick.expected
    assert quick.offset() == 0
    assert len(list((quick.state / "requests").glob("*.json"))) == 1
    quick.check_all_arrives()
    assert len(quick.server.accepted) == 2 * len(quick.expected)


def elsewhere(path: Path) -> Path:
    return path.parent.parent / "elsewhere"


def link_folder(name: str) -> Break:
    def plant(state: Path) -> None:
        elsewhere(state / name).mkdir(mode=0o700)
        (state / name).symlink_to(elsewhere(state / name))

    return plant


def open_folder(name: str) -> Break:
    def plant(state: Path) -> None:
        (state / name).mkdir(exist_ok=True)
        (state / name).chmod(0o770)

    return plant


PLANTED: dict[str, Break] = {
    "a link for the requests": link_folder("requests"),
    "a link for the locks": link_folder("locks"),
    "requests that a group may write": open_folder("requests"),
    "locks that a group may write": open_folder("locks"),
    "a state that a group may write": open_folder("."),
}


@pytest.mark.parametrize("plant", PLANTED.values(), ids=PLANTED.keys())
def test_a_folder_in_the_state_that_others_control_is_refused(quick: QuickCase, plant: Break) -> None:
    """31: nothing is written where a link points, nothing is sent."""
    quick.state.mkdir(mode=0o700)
    plant(quick.state)
    quick.hook()
    assert quick.server.requests == []
    assert list(quick.state.parent.glob("elsewhere/*")) == []
    quick.state.rename(quick.state.with_name("refused"))
    quick.check_all_arrives()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
def test_a_state_folder_of_somebody_else_is_refused(quick: QuickCase) -> None:
    """31: its owner could read and change what is in it."""
    quick.state.mkdir(mode=0o700)
    os.chown(quick.state, 12_345, 12_345)
    quick.hook()
    assert quick.server.requests == []
    assert not (quick.state / "state.db").exists()
    os.chown(quick.state, os.geteuid(), os.getegid())
    quick.check_all_arrives()


LINKED = ["ccship.log", "state.db", f"locks/{LOCK}"]


@pytest.mark.parametrize("name", LINKED)
def test_a_planted_link_is_not_written_through(quick: QuickCase, name: str) -> None:
    """31: it would let others choose what is overwritten."""
    victim = quick.state.with_name("victim")
    victim.write_text(VICTIM)
    quick.state.mkdir(mode=0o700)
    (quick.state / name).parent.mkdir(mode=0o700, exist_ok=True)
    (quick.state / name).symlink_to(victim)
    quick.hook()
    assert victim.read_text() == VICTIM
    (quick.state / name).unlink()
    quick.check_all_arrives()


def test_two_versions_on_one_state_lose_nothing(quick: QuickCase) -> None:
    """28, 44: what the older one may not touch, the newer one ships, asked by whatever session."""
    quick.hook()
    sql("PRAGMA user_version = 99")(quick.state / "state.db")
    before = (quick.state / "state.db").read_bytes()
    conversation(8).write(quick.transcript)
    sent = len(quick.server.accepted)
    quick.hook()
    assert (quick.state / "state.db").read_bytes() == before
    assert len(quick.server.accepted) == sent
    sql("PRAGMA user_version = 1")(quick.state / "state.db")
    expected = quick.expected
    other = Lines(session="another").prompt("hi").assistant("h1", "ho").write(quick.transcript.with_name("o.jsonl"))
    quick.hook(stdin=quick.payload(transcript_path=str(other)))
    assert quick.server.keys > expected
    assert list((quick.state / "requests").iterdir()) == []


def test_a_request_of_another_version_is_understood(quick: QuickCase) -> None:
    """44: with fields that this one does not know, and without those that are optional."""
    other = Lines(session="another").prompt("hi").assistant("h1", "ho").write(quick.transcript.with_name("o.jsonl"))
    (quick.state / "requests").mkdir(parents=True, mode=0o700)
    quick.state.chmod(0o700)
    request = quick.state / "requests" / f"{request_prefix('o')}-1-1.json"
    request.write_text(f'{{"session_id": "o", "transcript_path": "{other}", "priority": {{"since": 9}}}}')
    quick.hook()
    assert {span.attributes["session.id"] for span in quick.server.accepted} == {SESSION, "another"}
    assert not request.exists()
