"""The worker enters what it ships in the ledger."""

import json
from pathlib import Path
from typing import Any

import pytest

from ccship.ledger.database import VERSION, open_ledger
from ccship.ledger.store import Ledger
from faults.case import Case, conversation
from helpers import run_ccship
from ledger.contents import rows_of


def total(case: Case, *arguments: str) -> dict[str, Any]:
    done = run_ccship("usage", "--json", *arguments, environ=case.environ)
    assert (done.returncode, done.stderr) == (0, "")
    document: dict[str, Any] = json.loads(done.stdout)
    return document


def test_a_session_that_was_shipped_is_in_the_ledger(case: Case) -> None:
    """Also when its transcript is gone before the first report; what is new is added."""
    case.hook()
    conversation(6).write(case.transcript)
    case.hook()
    case.transcript.unlink()
    document = total(case)
    assert (document["total"]["calls"], document["deleted_sessions"]) == (12, 1)


def test_the_report_finds_the_transcript_as_the_worker_named_it(case: Case, tmp_path: Path) -> None:
    """Also through a link to the config folder: one row, not two."""
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "claude")
    case.environ["CLAUDE_CONFIG_DIR"] = str(link)
    payload = json.loads(case.payload()) | {
        "transcript_path": str(link / case.transcript.relative_to(tmp_path / "claude"))
    }
    case.hook(stdin=json.dumps(payload).encode())
    ledger = Ledger(case.state / "ledger.db")
    before = rows_of(ledger)
    assert len(before["calls"]) == total(case)["total"]["calls"] == 8
    assert len(rows_of(ledger)["files"]) == len(before["files"]) == 1
    ledger.close()


def test_a_refusing_server_does_not_keep_calls_out(case: Case) -> None:
    """The ledger records what was used, not what was delivered."""
    case.environ["LANGFUSE_BASE_URL"] = "http://127.0.0.1:9"
    case.hook()
    assert total(case)["total"]["calls"] == 8


def garbage(path: Path) -> None:
    path.write_bytes(b"garbage" * 1000)


def newer(path: Path) -> None:
    db = open_ledger(path)
    db.execute(f"PRAGMA user_version = {VERSION + 1}")
    db.close()


def folder(path: Path) -> None:
    path.mkdir()


@pytest.mark.parametrize(
    ("break_it", "logged"),
    [(garbage, "was damaged: renamed it"), (newer, "was written by a newer ccship"), (folder, "cannot be opened")],
)
def test_a_ledger_that_cannot_be_used_stops_no_delivery(break_it: Any, logged: str, case: Case) -> None:
    """A line in the log, and everything arrives."""
    case.state.mkdir(mode=0o700)
    break_it(case.state / "ledger.db")
    case.check_all_arrives()
    assert logged in case.log()
