"""Damage to what the state holds, and places that cannot be used."""

import os
import sqlite3
from collections.abc import Callable
from hashlib import blake2b
from pathlib import Path

import pytest

from ccship.hook import request_prefix
from faults.case import SESSION, Case, conversation
from lines import Lines

Break = Callable[[Path], object]

PAGE = 32768
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
def test_a_database_that_cannot_be_used_is_set_aside(case: Case, damage: Break) -> None:
    """Set aside: the very next hook sends all there is, under the ids it had."""
    case.hook()
    first = case.server.keys
    damage(case.state / "state.db")
    damaged = (case.state / "state.db").read_bytes()
    case.server.clear()
    conversation(8).write(case.transcript)
    case.hook()
    assert first < case.server.keys == case.expected
    assert [path.read_bytes() for path in case.state.glob("state.db.corrupt-*")] == [damaged]
    case.check_all_arrives()


WRONG: dict[str, Break] = {
    "when to try again": sql("UPDATE destinations SET retry_at = 'soon'"),
    "how often it failed": sql("UPDATE destinations SET failures = 'many', retry_at = 'never'"),
    "a launch": sql("INSERT INTO launches SELECT 1, session, 't', 'm', NULL, NULL, x'00', '-' FROM transcripts"),
    "a link": sql("UPDATE transcripts SET link = '{}'"),
    "counts that are a list": sql("UPDATE transcripts SET counts = '[1]'"),
    "a resume state that is a list": sql("UPDATE transcripts SET resume_state = '[1]'"),
    "a resume state of texts": sql('UPDATE transcripts SET resume_state = \'{"turns": "x"}\''),
    "hashes that are a number": sql("UPDATE transcripts SET spans = 7"),
    "an owner of bytes": sql("UPDATE turns SET session = x'ff', settled = 'maybe'"),
    "a cursor before the file": sql("UPDATE transcripts SET offset = -5"),
    "a cursor beyond any file": sql("UPDATE transcripts SET offset = 9e300"),
    "a cursor inside a line": sql("UPDATE transcripts SET offset = offset - 7"),
}


@pytest.mark.parametrize("damage", WRONG.values(), ids=WRONG.keys())
def test_a_value_that_makes_no_sense_stops_nothing(case: Case, damage: Break) -> None:
    """Sent again under the same ids: the very next hook sends what was added, and nothing is left to be done."""
    case.hook()
    first = case.server.keys
    before = (case.state / "state.db").read_bytes()
    damage(case.state / "state.db")
    assert (case.state / "state.db").read_bytes() != before
    conversation(8).write(case.transcript)
    case.hook()
    assert first < case.server.keys == case.expected
    assert list((case.state / "requests").iterdir()) == []


def test_a_wiped_state_sends_everything_again_under_the_same_keys(case: Case) -> None:
    """Sent again under the same ids: twice as many spans, not one key more."""
    case.hook()
    first, sent = case.server.keys, len(case.server.accepted)
    (case.state / "state.db").unlink()
    case.hook()
    assert len(case.server.accepted) == 2 * sent
    assert case.server.keys == first == case.expected


IN_THE_WAY: dict[str, Break] = {
    "a folder for the database": lambda state: (state / "state.db").mkdir(),
    "a pipe for the database": lambda state: os.mkfifo(state / "state.db"),
    "a file for the requests": lambda state: (state / "requests").touch(),
    "a file for the locks": lambda state: (state / "locks").touch(),
    "a folder for the lock": lambda state: (state / "locks" / LOCK).mkdir(parents=True, mode=0o700),
    "a folder for the log": lambda state: (state / "ccship.log").mkdir(),
}


@pytest.mark.parametrize("block", IN_THE_WAY.values(), ids=IN_THE_WAY.keys())
def test_a_state_that_cannot_be_written_does_not_harm_the_session(case: Case, block: Break) -> None:
    """Kept for the next hook; nothing is sent that could not be remembered."""
    case.state.mkdir(mode=0o700)
    block(case.state)
    case.hook()
    assert case.server.requests == []
    blocked = case.state.rename(case.state.with_name("blocked"))
    assert blocked.is_dir()
    case.check_all_arrives()


def test_a_log_on_a_full_disk_does_not_stop_the_delivery(case: Case) -> None:
    """Accepted; every line of it fails to be written."""
    case.hook(first="import logging; logging.FileHandler._open = lambda _: open('/dev/full', 'w')")
    assert not case.log()
    assert case.server.keys == case.expected


FULL_AFTER_ACCEPTANCE = """
import resource
from ccship.sinks import langfuse
judge = langfuse.judge
def accept(*answer):
    judge(*answer)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
langfuse.judge = accept
"""


def test_a_disk_that_fills_up_between_acceptance_and_commit_costs_a_replay(case: Case) -> None:
    """Kept for the next hook; what arrived and could not be written down comes again under the same keys."""
    case.hook(first=FULL_AFTER_ACCEPTANCE)
    assert case.server.keys == case.expected
    assert case.offset() == 0
    assert len(list((case.state / "requests").glob("*.json"))) == 1
    case.check_all_arrives()
    assert len(case.server.accepted) == 2 * len(case.expected)


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
def test_a_folder_in_the_state_that_others_control_is_refused(case: Case, plant: Break) -> None:
    """Nothing is written where a link points, nothing is sent."""
    case.state.mkdir(mode=0o700)
    plant(case.state)
    case.hook()
    assert case.server.requests == []
    assert list(case.state.parent.glob("elsewhere/*")) == []
    case.state.rename(case.state.with_name("refused"))
    case.check_all_arrives()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
def test_a_state_folder_of_somebody_else_is_refused(case: Case) -> None:
    """Its owner could read and change what is in it."""
    case.state.mkdir(mode=0o700)
    os.chown(case.state, 12_345, 12_345)
    case.hook()
    assert case.server.requests == []
    assert not (case.state / "state.db").exists()
    os.chown(case.state, os.geteuid(), os.getegid())
    case.check_all_arrives()


LINKED = ["ccship.log", "state.db", f"locks/{LOCK}"]


@pytest.mark.parametrize("name", LINKED)
def test_a_planted_link_is_not_written_through(case: Case, name: str) -> None:
    """It would let others choose what is overwritten."""
    victim = case.state.with_name("victim")
    victim.write_text(VICTIM)
    case.state.mkdir(mode=0o700)
    (case.state / name).parent.mkdir(mode=0o700, exist_ok=True)
    (case.state / name).symlink_to(victim)
    case.hook()
    assert victim.read_text() == VICTIM
    (case.state / name).unlink()
    case.check_all_arrives()


def test_two_versions_on_one_state_lose_nothing(case: Case) -> None:
    """What the older one may not touch, the newer one ships, asked by whatever session."""
    case.hook()
    sql("PRAGMA user_version = 99")(case.state / "state.db")
    before = (case.state / "state.db").read_bytes()
    conversation(8).write(case.transcript)
    sent = len(case.server.accepted)
    case.hook()
    assert (case.state / "state.db").read_bytes() == before
    assert len(case.server.accepted) == sent
    sql("PRAGMA user_version = 1")(case.state / "state.db")
    expected = case.expected
    other = Lines(session="another").prompt("hi").assistant("h1", "ho").write(case.transcript.with_name("o.jsonl"))
    case.hook(stdin=case.payload(transcript_path=str(other)))
    assert case.server.keys > expected
    assert list((case.state / "requests").iterdir()) == []


def test_a_request_of_another_version_is_understood(case: Case) -> None:
    """With fields that this one does not know, and without those that are optional."""
    other = Lines(session="another").prompt("hi").assistant("h1", "ho").write(case.transcript.with_name("o.jsonl"))
    (case.state / "requests").mkdir(parents=True, mode=0o700)
    case.state.chmod(0o700)
    request = case.state / "requests" / f"{request_prefix('o')}-1-1.json"
    request.write_text(f'{{"session_id": "o", "transcript_path": "{other}", "priority": {{"since": 9}}}}')
    case.hook()
    assert {span.attributes["session.id"] for span in case.server.accepted} == {SESSION, "another"}
    assert not request.exists()
