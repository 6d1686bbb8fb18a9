"""The hook, run as Claude Code runs it."""

import json
import os
import select
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from ccship.hook import REQUEST_VERSION, request_prefix
from conftest import FIXTURES, ROOT, UV_CACHE
from helpers import run_ccship, until
from loopback import LoopbackLangfuse, Reply

TRANSCRIPT = FIXTURES / "claude/projects/-home-dev-demo/9e4b124a-6f45-4c38-88d8-111ee2b7680b.jsonl"
SCRIPT = ROOT / "hooks" / "ccship_hook.py"


def payload(transcript: Path, **more: object) -> bytes:
    """What Claude Code writes to the hook's stdin."""
    return json.dumps(
        {
            "session_id": transcript.stem,
            "transcript_path": str(transcript),
            "cwd": "/home/dev/demo",
            "hook_event_name": "Stop",
            **more,
        }
    ).encode()


@pytest.fixture
def opted_in(langfuse: LoopbackLangfuse) -> dict[str, str]:
    """The environment of somebody who wants this session traced, and waits for it."""
    return {
        **langfuse.environ,
        "CLAUDE_CONFIG_DIR": str(FIXTURES / "claude"),
        "TRACE_TO_LANGFUSE": "true",
        "CC_LANGFUSE_FOREGROUND": "true",
    }


def test_the_hook_ships_the_session_it_is_called_for(
    langfuse: LoopbackLangfuse, opted_in: dict[str, str], state_dir: Path
) -> None:
    """Silently, and with exit code 0."""
    done = run_ccship("hook", stdin=payload(TRANSCRIPT), environ=opted_in)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert {span.attributes["session.id"] for span in langfuse.accepted} == {TRANSCRIPT.stem}
    assert [line.split()[2] for line in (state_dir / "ccship.log").read_text().splitlines()] == ["INFO"]


def test_nothing_is_sent_by_somebody_who_did_not_opt_in(langfuse: LoopbackLangfuse, opted_in: dict[str, str]) -> None:
    """Keys alone are not consent."""
    done = run_ccship("hook", stdin=payload(TRANSCRIPT), environ={**opted_in, "TRACE_TO_LANGFUSE": ""})
    assert done.returncode == 0
    assert langfuse.requests == []


HARMLESS = {
    "no payload": b"",
    "no JSON": b"{",
    "a list": b"[]",
    "no transcript": b"{}",
    "deep nesting": b"[" * 100_000,
    "a payload without end": b'{"transcript_path": "' + b"x" * 5_000_000,
}


@pytest.mark.parametrize("stdin", HARMLESS.values(), ids=HARMLESS.keys())
def test_no_payload_harms_the_session(stdin: bytes, opted_in: dict[str, str]) -> None:
    """Exit code 2 would stop Claude from stopping."""
    done = run_ccship("hook", stdin=stdin, environ=opted_in)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_the_foreground_does_not_load_json() -> None:
    """It is four fifths of what the rest takes; the scanner below it reads the same."""
    code = """
import sys
import ccship.hook as hook
parsed = hook.parse_json(sys.stdin.buffer.read())
print("json" in sys.modules, parsed, hook._dump({"a": "\\u00e9\\"", "b": None, "c": 1}))
"""
    payload = ' {"transcript_path": "/t/\\u00fc.jsonl", "n": [1, -2.5e3, true, null, {"x": "\\ud83d\\ude00"}]}\n'
    done = subprocess.run([sys.executable, "-c", code], input=payload, capture_output=True, text=True, check=True)
    loaded, _, rest = done.stdout.partition(" ")
    assert loaded == "False"
    assert rest.strip() == f"{json.loads(payload)} {json.dumps({'a': 'é' + chr(34), 'b': None, 'c': 1})}"


def test_a_server_that_fails_does_not_harm_the_session(langfuse: LoopbackLangfuse, opted_in: dict[str, str]) -> None:
    """And the next hook sends what is missing."""
    langfuse.script = [Reply(status=500)] * 3
    done = run_ccship("hook", stdin=payload(TRANSCRIPT), environ=opted_in)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert langfuse.accepted == []
    run_ccship("hook", stdin=payload(TRANSCRIPT), environ=opted_in)
    assert langfuse.accepted


OTHER_REQUESTS = {
    "of 0.1.0": ({}, 0),
    "of a newer version": ({"version": REQUEST_VERSION + 1, "transcript_path": {"in": "another form"}}, 1),
    "of no version at all": ({"version": "none"}, 0),
}


@pytest.mark.parametrize(("changes", "left"), OTHER_REQUESTS.values(), ids=OTHER_REQUESTS.keys())
def test_a_request_of_a_newer_version_is_left_for_its_worker(
    changes: dict[str, Any], left: int, langfuse: LoopbackLangfuse, opted_in: dict[str, str], state_dir: Path
) -> None:
    """One of an older version is done, and what makes no sense is dropped."""
    run_ccship("hook", stdin=payload(TRANSCRIPT), environ={**opted_in, "LANGFUSE_BASE_URL": "nonsense"})
    (ours,) = (state_dir / "requests").iterdir()
    request = json.loads(ours.read_text())
    assert request.pop("version") == REQUEST_VERSION
    other = ours.with_name(f"{request_prefix(TRANSCRIPT.stem)}-1-1.json")
    other.write_text(json.dumps({**request, **changes}))
    run_ccship("hook", stdin=payload(TRANSCRIPT), environ=opted_in)
    assert langfuse.accepted
    assert list((state_dir / "requests").iterdir()) == [other][:left]


def test_the_last_message_is_waited_for(langfuse: LoopbackLangfuse, opted_in: dict[str, str], tmp_path: Path) -> None:
    """At Stop the final lines are usually not on disk yet."""
    lines = TRANSCRIPT.read_bytes().splitlines(keepends=True)
    transcript = tmp_path / "projects" / "demo" / TRANSCRIPT.name
    transcript.parent.mkdir(parents=True)
    last = max(n for n, line in enumerate(lines) if b'"assistant"' in line)
    transcript.write_bytes(b"".join(lines[:last]))
    message = json.loads(lines[last])["message"]["content"][0]["text"]
    late = tmp_path / "late"
    late.write_bytes(b"".join(lines[last:]))
    with subprocess.Popen(["/bin/sh", "-c", f"sleep 1; cat '{late}' >> '{transcript}'"]):
        environ = {**opted_in, "CLAUDE_CONFIG_DIR": str(tmp_path)}
        run_ccship("hook", stdin=payload(transcript, last_assistant_message=message), environ=environ)
    assert message in str([span.attributes.get("langfuse.observation.output") for span in langfuse.accepted])


def test_a_transcript_in_a_folder_of_a_like_name_is_not_looked_into(
    langfuse: LoopbackLangfuse, opted_in: dict[str, str], tmp_path: Path, state_dir: Path
) -> None:
    """`projects-other` is not `projects`: a payload may name only what Claude Code keeps."""
    (tmp_path / "projects").mkdir()
    transcript = tmp_path / "projects-other" / "demo" / TRANSCRIPT.name
    transcript.parent.mkdir(parents=True)
    shutil.copy(TRANSCRIPT, transcript)
    run_ccship("hook", stdin=payload(transcript), environ={**opted_in, "CLAUDE_CONFIG_DIR": str(tmp_path)})
    assert langfuse.requests == []
    assert "the transcript is not under" in (state_dir / "ccship.log").read_text()


def test_the_worker_keeps_nothing_open_that_the_hook_was_given(
    langfuse: LoopbackLangfuse, opted_in: dict[str, str], state_dir: Path
) -> None:
    """Claude Code waits for its pipes and sockets to be closed, and the worker outlives the hook."""
    langfuse.script = [Reply(delay_s=2, keep=True)]
    environ = {**os.environ, **opted_in, "CC_LANGFUSE_FOREGROUND": ""}
    ours, given = os.pipe()
    with (
        os.fdopen(ours),
        subprocess.Popen(
            [sys.executable, "-m", "ccship", "hook"], stdin=subprocess.PIPE, env=environ, pass_fds=[given]
        ) as hook,
    ):
        os.close(given)
        hook.communicate(payload(TRANSCRIPT))
        langfuse.wait_for_requests(1)
        assert list((state_dir / "requests").iterdir()) != []
        closed, _, _ = select.select([ours], [], [], 0)
    assert closed == [ours]
    until(lambda: not list((state_dir / "requests").iterdir()), patience_s=60)


@pytest.mark.skipif(shutil.which("uv") is None, reason="the script is run by uv")
def test_the_script_ships_from_a_checkout_whatever_folder_it_is_called_from(
    langfuse: LoopbackLangfuse, opted_in: dict[str, str], tmp_path: Path
) -> None:
    """As it is registered: an absolute path, the project's folder as working directory."""
    environ = {**os.environ, **opted_in, "UV_CACHE_DIR": UV_CACHE}
    environ.pop("VIRTUAL_ENV", None)
    done = subprocess.run(
        [SCRIPT], input=payload(TRANSCRIPT), cwd=tmp_path, env=environ, capture_output=True, check=False, timeout=300
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    assert {span.attributes["session.id"] for span in langfuse.accepted} == {TRANSCRIPT.stem}
