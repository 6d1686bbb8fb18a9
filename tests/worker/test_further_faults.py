"""What goes wrong around further destinations: folders, killed hooks, servers that stay down, and long waits."""

import os
import sqlite3
import subprocess
import time
from pathlib import Path

import pytest

from answering import Reply
from ccship import config
from ccship.config import Config
from ccship.hook import lock_name
from ccship.worker.further import Further
from ccship.worker.main import LIFE_S
from ccship.worker.spool import add_request
from collector import LoopbackOtlp
from faults.case import SESSION, Case, conversation
from helpers import HURRIED, run_ccship
from loopback import LoopbackLangfuse
from worker.test_further import also, arrived, configure, ids, wait_for

OTHER = "5e551011-0000-4000-8000-000000000002"


@pytest.fixture
def case(tmp_path: Path, langfuse: LoopbackLangfuse, otlp: LoopbackOtlp) -> Case:
    """A session with a further destination."""
    found = Case(tmp_path, langfuse)
    configure(found, also("tempo", otlp))
    return found


def tempo(case: Case) -> Config:
    return config.load({**os.environ, **case.environ}).routes[0].config


def other_session(case: Case, session: str = OTHER) -> Path:
    return conversation(session=session).write(case.transcript.with_name(f"{session}.jsonl"))


def test_a_spool_that_cannot_be_written_does_not_hold_up_the_first_destination(case: Case) -> None:
    """The log has the reason."""
    case.state.mkdir(mode=0o700)
    (case.state / "requests").mkdir(mode=0o700)
    tempo(case).requests_dir.write_text("")
    case.hook()
    assert case.server.keys == case.expected
    assert "cannot be created" in case.log()


def test_a_request_of_a_killed_hook_is_served_without_a_first_destination(case: Case, otlp: LoopbackOtlp) -> None:
    """The next event of another session finds it. It does not stay, or every event would look at it again."""
    for name in ("LANGFUSE_PUBLIC_KEY", "LANGFUSE_SECRET_KEY"):
        case.environ[name] = ""
    add_request(case.state / "requests", other_session(case))
    case.hook()
    assert {span.session for span in otlp.accepted} == {SESSION, OTHER}
    assert list((case.state / "requests").rglob("*.json")) == []


def test_an_event_starts_one_worker_for_all_sessions_that_wait(case: Case, otlp: LoopbackOtlp) -> None:
    """A destination that is down for a day has many of them; each worker would ask the server."""
    case.hook()
    otlp.clear()
    destination = tempo(case)
    for n in range(8):
        session = f"{OTHER[:-2]}{n + 10}"
        add_request(destination.requests_dir, other_session(case, session), lock=destination.lock_id(session))
    otlp.script = [Reply(status=503, headers={"retry-after": "3600"})] * 8
    case.hook()
    assert otlp.requests == [503]
    otlp.script = []
    case.pass_time()
    case.hook()
    assert len({span.session for span in otlp.accepted}) == 8
    assert list((case.state / "requests").rglob("*.json")) == []


def test_a_turn_that_only_the_first_destination_has_read_is_not_forgotten(case: Case, otlp: LoopbackOtlp) -> None:
    """The first one waits before it reads, the other does not; the hook of the last turn finds the first one done."""
    case.hook()
    conversation(5).write(case.transcript)
    with sqlite3.connect(case.state / "state.db") as db:
        db.execute("UPDATE destinations SET retry_at = ? WHERE name NOT LIKE '%tempo'", (time.time() + 4,))
    hook = case.start()
    wait_for(lambda: set(arrived(otlp)) == ids(case))
    assert len(case.server.keys) < len(case.expected)
    conversation(6).write(case.transcript)
    hook.wait()
    assert case.server.keys == case.expected
    run_ccship("hook", stdin=case.payload(), environ=case.environ, first=HURRIED)
    assert set(arrived(otlp)) == ids(case)


def test_the_foreground_does_not_wait_for_one_destination_after_the_other(
    case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The wait for all of them ends two minutes after the start."""
    now = 0.0

    class Hanging(subprocess.Popen[bytes]):
        def __init__(self) -> None:
            pass

        def __del__(self) -> None:
            pass

        def wait(self, timeout: float | None = None) -> int:
            nonlocal now
            now += timeout or 0
            raise subprocess.TimeoutExpired("worker", timeout or 0)

    found = Further(tempo(case), {}, is_active=True)
    found._started += [Hanging(), Hanging(), Hanging()]  # noqa: SLF001
    monkeypatch.setattr("ccship.worker.further.time.monotonic", lambda: now)
    found.wait(LIFE_S)
    assert now == LIFE_S


def test_a_backfill_has_the_locks_of_the_workers(case: Case, otlp: LoopbackOtlp) -> None:
    """A destination may be the first one of some projects and a further one of others; their locks differ."""
    other = other_session(case)
    other.write_text(other.read_text().replace("/home/dev/demo", "/home/dev/other"))
    mine: dict[str, object] = {
        "kind": "langfuse",
        "endpoint": None,
        "base_url": otlp.url,
        "headers": {},
        "name": "mine",
    }
    configure(
        case,
        otlp.table(projects=["/home/dev/other"], **mine),
        otlp.table(projects=["/home/dev/demo"], also=True, **mine),
    )
    assert run_ccship("backfill", "--yes", environ=case.environ).returncode == 0
    first, further = (route.config for route in config.load({**os.environ, **case.environ}).routes)
    locks = {SESSION, further.lock_id(SESSION), first.lock_id(OTHER)}
    assert {path.name for path in (case.state / "locks").iterdir()} == set(map(lock_name, locks))
