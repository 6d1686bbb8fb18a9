"""A hook event of a session that has not changed since it was shipped: nothing is loaded, sent or forgotten."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from ccship.hook import fingerprint_of, lock_session, request_prefix
from ccship.transcript.flush import is_flushed
from ccship.transcript.records import Assistant
from ccship.transcript.tail import entries
from ccship.worker.unchanged import digest_of_inputs, is_remembered, remember
from conftest import FIXTURES
from faults.case import SESSION, Case, conversation
from helpers import run_ccship
from lines import Lines, tool
from loopback import LoopbackLangfuse, Reply

HEAVY = ("ccship.config", "ccship.worker.main", "git", "httpx", "json", "langfuse", "msgspec", "pydantic", "sqlite3")
PROGRAM = f"""
import os, sys
stdout = os.dup(1)
os._exit = lambda _: os.write(stdout, " ".join(sorted(set({HEAVY}) & sys.modules.keys())).encode())
from ccship import hook
hook.main()
"""
LONG_AGO = 1_700_000_000


@pytest.fixture
def case(tmp_path: Path, langfuse: LoopbackLangfuse) -> Case:
    case = Case(tmp_path, langfuse)
    age(case)
    return case


def age(case: Case) -> None:
    """Let all transcripts be old: a file that has just changed is not taken for unchanged."""
    for number, path in enumerate(sorted(case.transcript.parent.rglob("*.*"))):
        os.utime(path, (LONG_AGO + number, LONG_AGO + number))


def ship(case: Case, **more: object) -> None:
    """An event that ships what is new."""
    done = run_ccship("hook", stdin=case.payload(**more), environ=case.environ)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def loaded(case: Case, **more: object) -> str:
    """One more event: which heavy modules its worker loaded."""
    done = subprocess.run(
        [sys.executable, "-P", "-c", PROGRAM],
        input=case.payload(**more),
        env={**os.environ, **case.environ},
        capture_output=True,
        check=True,
    )
    return done.stdout.decode()


def requests(case: Case) -> list[Path]:
    return list((case.state / "requests").iterdir())


def test_an_unchanged_session_costs_no_import(case: Case) -> None:
    """Neither the SDK nor pydantic nor anything that reads transcripts; its request is answered."""
    ship(case)
    asked = len(case.server.requests)
    for event in ("Stop", "SubagentStop", "SessionEnd"):
        assert loaded(case, hook_event_name=event, last_assistant_message="answer 3") == ""
        assert requests(case) == []
    assert len(case.server.requests) == asked
    assert case.log().endswith(f"INFO {SESSION}: up to date\n")
    assert case.server.keys == case.expected


def appended(case: Case) -> None:
    conversation(5).write(case.transcript)


def rewritten(case: Case) -> None:
    """As long as before, by a program that keeps the time."""
    before = case.transcript.stat()
    other = case.transcript.with_name("other")
    other.write_bytes(case.transcript.read_bytes())
    os.utime(other, ns=(before.st_atime_ns, before.st_mtime_ns))
    other.replace(case.transcript)


def touched(case: Case) -> None:
    os.utime(case.transcript)


def subagent(case: Case) -> None:
    agent = Lines(session=SESSION).user("explore", uuid="x").assistant("m9", "found", uuid="y")
    agent.write(case.transcript.with_suffix("") / "subagents" / "agent-a1.jsonl")
    age(case)


def flat_subagent(case: Case) -> None:
    agent = Lines(session=SESSION).user("explore", uuid="x").assistant("m9", "found", uuid="y")
    agent.write(case.transcript.with_name("agent-a1.jsonl"))
    age(case)


def settings_variable(case: Case) -> None:
    case.environ["CC_LANGFUSE_TRACE_TAGS"] = "team:a"


def settings_file(case: Case) -> None:
    file = case.folder / "config.toml"
    file.write_text('trace_tags = ["team:a"]\n')
    case.environ["CC_LANGFUSE_CONFIG"] = str(file)


def no_state(case: Case) -> None:
    (case.state / "state.db").unlink()
    (case.state / "state.db-wal").unlink(missing_ok=True)
    (case.state / "state.db-shm").unlink(missing_ok=True)


def other_request(case: Case) -> None:
    """Of a session whose worker is gone."""
    path = conversation(1, f"{SESSION[:-1]}7").write(case.transcript.with_name(f"{SESSION[:-1]}7.jsonl"))
    age(case)
    request = {"session_id": path.stem, "transcript_path": str(path)}
    (case.state / "requests" / f"{request_prefix(path.stem)}-1-1.json").write_text(json.dumps(request))


@pytest.mark.parametrize(
    "change",
    [appended, rewritten, touched, subagent, flat_subagent, settings_variable, settings_file, no_state, other_request],
)
def test_whatever_changes_the_session_is_looked_at(case: Case, change: Callable[[Case], None]) -> None:
    """And then it is up to date again: the change is what made the difference."""
    ship(case)
    age(case)
    ship(case)
    assert loaded(case) == ""
    change(case)
    assert "ccship.worker.main" in loaded(case)
    assert requests(case) == []
    age(case)
    ship(case)
    assert loaded(case) == ""


def test_a_message_that_is_not_on_disk_yet_is_waited_for(case: Case) -> None:
    """The hook runs before the client writes it."""
    ship(case)
    assert "ccship.worker.main" in loaded(case, last_assistant_message="not written yet")


def test_a_message_of_a_subagent_is_looked_for_in_its_transcript(case: Case) -> None:
    """A client that names a transcript that does not exist gets no wait."""
    subagent(case)
    ship(case)
    agent = str(case.transcript.with_suffix("") / "subagents" / "agent-a1.jsonl")
    more = {"hook_event_name": "SubagentStop", "last_assistant_message": "found"}
    assert loaded(case, agent_transcript_path=agent, **more) == ""
    assert loaded(case, agent_transcript_path=f"{agent}.missing", **more) == ""
    assert "ccship.worker.main" in loaded(case, **more)


def test_a_session_start_looks_for_sessions_that_were_killed(case: Case) -> None:
    """However unchanged its own is."""
    ship(case)
    assert "ccship.worker.main" in loaded(case, hook_event_name="SessionStart")


def test_a_session_that_was_not_shipped_whole_is_shipped(case: Case) -> None:
    """The server was down; the next event finds the file unchanged and sends it."""
    case.server.script = [Reply(status=400)]
    case.environ["LANGFUSE_BASE_URL"], url = "http://127.0.0.1:9", case.environ["LANGFUSE_BASE_URL"]
    ship(case)
    case.environ["LANGFUSE_BASE_URL"] = url
    case.server.script.clear()
    case.pass_time()
    assert "langfuse" in loaded(case)
    assert case.server.keys == case.expected


def test_a_session_whose_subagent_waits_for_its_launch_is_not_done(case: Case) -> None:
    """Its launch may come, or an hour may pass, without a change on disk."""
    lines = Lines(session=SESSION).prompt("go").assistant("m1", tool("t1"))
    lines.seconds += 86_400 * 365 * 10
    lines.write(case.transcript)
    agent = Lines(session=SESSION)
    agent.seconds = lines.seconds + 60
    agent.user("explore", uuid="x").assistant("m9", "found", uuid="y")
    agent.write(case.transcript.with_suffix("") / "subagents" / "agent-a1.jsonl")
    age(case)
    ship(case)
    assert len(requests(case)) == 1
    assert "ccship.worker.main" in loaded(case)


def test_a_file_that_has_just_changed_has_no_digest(case: Case) -> None:
    """The clock of files has steps: another change in the same step would not show."""
    assert digest_of_inputs({}, str(case.state), str(case.transcript))
    os.utime(case.transcript)
    assert digest_of_inputs({}, str(case.state), str(case.transcript)) == ""


def test_no_digest_is_never_remembered(tmp_path: Path) -> None:
    """Not even after it was stored."""
    tmp_path.chmod(0o700)
    lock = lock_session(str(tmp_path), "s")
    assert lock is not None
    for digest in ("0" * 32, ""):
        assert not is_remembered(lock, digest)
        remember(str(tmp_path), "s", digest)
        assert is_remembered(lock, digest) == bool(digest)
    assert not is_remembered(lock, "0" * 32)
    os.close(lock)


def test_the_message_is_read_as_the_transcripts_reader_reads_it() -> None:
    """In all fixtures, every line of an answer."""
    found = 0
    for path in sorted((FIXTURES / "claude").rglob("*.jsonl")):
        with path.open("rb") as file:
            texts = [entry.parsed.text for entry in entries(file, 0) if isinstance(entry.parsed, Assistant)]
        for text in filter(str.strip, texts):
            found += 1
            assert is_flushed(str(path), fingerprint_of(text))
        assert not is_flushed(str(path), fingerprint_of("".join(texts) + "!"))
    assert found > 50


@pytest.mark.parametrize(
    "line",
    [b"[" * 100_000, b'{"type": "assistant"}', b'{"type": "assistant", "message": {"content": [1, {"type": "text"}]}}'],
)
def test_lines_of_another_form_contain_no_message(tmp_path: Path, line: bytes) -> None:
    """Nothing is raised."""
    path = tmp_path / "s.jsonl"
    path.write_bytes(line + b'"assistant"\n' + line + b'\n{"type": "assistant", "message": {"content": "yes"}}')
    assert is_flushed(str(path), fingerprint_of("yes"))
    assert not is_flushed(str(path), fingerprint_of("no"))
    assert not is_flushed(str(tmp_path), fingerprint_of("yes"))
    assert not is_flushed(str(tmp_path / "missing"), fingerprint_of("yes"))
