"""`ccship backfill`, run as a person runs it."""

import base64
import json
import subprocess
import sys
from pathlib import Path

import pytest

from conftest import FIXTURES
from helpers import HURRIED, run_ccship
from lines import Lines
from loopback import LoopbackLangfuse, Reply, spans_in_file

FIXTURE = FIXTURES / "claude"


def test_a_file_needs_no_server_and_says_how_to_look_at_it(tmp_path: Path) -> None:
    """The first command of the README."""
    done = run_ccship("backfill", "--claude-dir", FIXTURE, "--to", tmp_path / "traces.jsonl")
    assert done.returncode == 0, done.stderr
    assert "traces.jsonl contains one OTLP export request per line" in done.stdout
    spans = spans_in_file((tmp_path / "traces.jsonl").read_text())
    assert {span.type for span in spans} == {"agent", "generation", "tool", "event"}
    assert f"{len(spans)} observations" in done.stdout


def test_a_file_holds_what_a_server_gets(tmp_path: Path, langfuse: LoopbackLangfuse) -> None:
    """Both go through the same code; only the last step differs (and images, which a server keeps apart)."""
    environ = {**langfuse.environ, "CC_LANGFUSE_CAPTURE_IMAGES": "false"}
    run_ccship("backfill", "--claude-dir", FIXTURE, "--to", tmp_path / "traces.jsonl", environ=environ)
    done = run_ccship("backfill", "--claude-dir", FIXTURE, environ=environ)
    assert done.returncode == 0, done.stderr
    written = spans_in_file((tmp_path / "traces.jsonl").read_text())
    assert {span.key: span.attributes for span in written} == {span.key: span.attributes for span in langfuse.accepted}


def test_a_file_is_written_anew_and_leaves_no_state(tmp_path: Path, state_dir: Path) -> None:
    """The second time gives the same file, whole."""
    target = tmp_path / "traces.jsonl"
    target.write_text("what was there before")
    for _ in range(2):
        assert run_ccship("backfill", "--claude-dir", FIXTURE, "--to", target).returncode == 0
        content = target.read_bytes()
        assert spans_in_file(content.decode())
    assert target.read_bytes() == content
    assert not state_dir.exists()
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_a_disk_that_fills_up_leaves_the_file_that_was_there(tmp_path: Path) -> None:
    """A part of the new one would look like all of it."""
    target = tmp_path / "out" / "traces.jsonl"
    target.parent.mkdir()
    target.write_text("what was there before")
    small = ["sh", "-c", 'ulimit -f 40 && exec "$@"', "sh", sys.executable, "-m", "ccship"]
    done = subprocess.run(
        [*small, "backfill", "--claude-dir", FIXTURE, "--to", target],
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"ccship: {target} cannot be written")
    assert target.read_text() == "what was there before"
    assert list(target.parent.iterdir()) == [target]


def test_a_reader_that_has_seen_enough_is_no_failure_to_tell_of() -> None:
    """`--to - | head -1`: nothing was remembered, and nothing is to be sent again."""
    command = f"{sys.executable} -m ccship backfill --claude-dir {FIXTURE} --to - | head -c 1"
    done = subprocess.run(["/bin/sh", "-c", command], capture_output=True, text=True, check=False, timeout=60)
    assert (done.stdout, done.stderr) == ("{", "")


def test_stdout_can_be_the_file() -> None:
    """`--to -` prints spans and nothing else there."""
    done = run_ccship("backfill", "--claude-dir", FIXTURE, "--to", "-")
    assert spans_in_file(done.stdout)
    assert "observations" in done.stderr


def test_json_is_one_document(langfuse: LoopbackLangfuse) -> None:
    """For programs."""
    done = run_ccship("backfill", "--claude-dir", FIXTURE, "--json", environ=langfuse.environ)
    document = json.loads(done.stdout)
    assert document["ok"] is True
    assert document["observations"]["accepted"] == len(langfuse.accepted)


def test_a_dry_run_sends_nothing_and_tells_what_would_be_sent(langfuse: LoopbackLangfuse, state_dir: Path) -> None:
    """And with nothing left to send, it says that."""
    environ = langfuse.environ
    planned = run_ccship("backfill", "--claude-dir", FIXTURE, "--dry-run", "--json", environ=environ)
    assert langfuse.requests == []
    assert not state_dir.exists()
    run_ccship("backfill", "--claude-dir", FIXTURE, environ=environ)
    assert json.loads(planned.stdout)["observations"]["accepted"] == len(langfuse.accepted)
    again = run_ccship("backfill", "--claude-dir", FIXTURE, "--dry-run", "--json", environ=environ)
    assert "accepted" not in json.loads(again.stdout)["observations"]


def test_a_dry_run_to_a_file_prints_exactly_what_would_go_out(langfuse: LoopbackLangfuse, state_dir: Path) -> None:
    """What has arrived before is not in it; nothing is sent or remembered."""
    environ = {**langfuse.environ, "CC_LANGFUSE_CAPTURE_IMAGES": "false"}
    arguments = ("backfill", "--claude-dir", FIXTURE)
    run_ccship(*arguments, "--session", "dad1", environ=environ)
    before = state_dir.joinpath("state.db").read_bytes()
    langfuse.clear()
    planned = run_ccship(*arguments, "--dry-run", "--to", "-", environ=environ)
    assert planned.returncode == 0
    assert "would send" in planned.stderr
    assert langfuse.requests == []
    assert state_dir.joinpath("state.db").read_bytes() == before
    written = spans_in_file(planned.stdout)
    assert {span.attributes["session.id"] for span in written} > set()
    run_ccship(*arguments, environ=environ)
    assert {span.key: span.attributes for span in written} == {span.key: span.attributes for span in langfuse.accepted}


def test_without_keys_it_shows_the_dry_run_and_says_what_to_set(state_dir: Path) -> None:
    """Nothing was sent, so it did not succeed."""
    done = run_ccship("backfill", "--claude-dir", FIXTURE)
    assert done.returncode == 1
    assert "LANGFUSE_PUBLIC_KEY" in done.stderr
    assert "would send" in done.stdout


def test_a_session_and_a_project_can_be_chosen(langfuse: LoopbackLangfuse) -> None:
    """By the beginning of the id, and by a part of the path."""
    environ = langfuse.environ
    run_ccship("backfill", "--claude-dir", FIXTURE, "--session", "9e4b", "--project", "/home/dev", environ=environ)
    assert {span.attributes["session.id"] for span in langfuse.accepted} == {"9e4b124a-6f45-4c38-88d8-111ee2b7680b"}


def test_turns_can_be_chosen_by_time_without_losing_the_others(langfuse: LoopbackLangfuse) -> None:
    """The cursor does not pass a turn that was not wanted; the next run sends what is left, once."""
    environ = langfuse.environ
    day = ("backfill", "--claude-dir", FIXTURE, "--session", "dad1")
    run_ccship(*day, "--since", "2026-11-20T23:39:40Z", "--until", "2026-11-20T23:39:43Z", environ=environ)
    names = {span.attributes["langfuse.trace.name"] for span in langfuse.accepted}
    assert names == {"claude_turn_8", "claude_turn_9"}
    run_ccship(*day, environ=environ)
    everything = (FIXTURES / "observations" / "dad1e8b6-649a-4fc2-8adb-bbdc197f183e.jsonl").read_text().splitlines()
    assert len(langfuse.accepted) == len(langfuse.keys) == len(everything)


def test_resend_sends_everything_again_under_the_same_ids(langfuse: LoopbackLangfuse) -> None:
    """For a project that was emptied."""
    environ = langfuse.environ
    run_ccship("backfill", "--claude-dir", FIXTURE, environ=environ)
    first = langfuse.keys
    langfuse.clear()
    run_ccship("backfill", "--claude-dir", FIXTURE, "--resend", environ=environ)
    assert langfuse.keys == first


BAD_USAGE = {
    "a path that does not exist": (["nowhere.jsonl"], {}, "does not exist"),
    "a folder without transcripts": (["."], {}, "no transcripts in"),
    "a file that is no transcript": (["notes.txt"], {}, "is not a transcript"),
    "a Claude folder that is none": (["--claude-dir", "."], {}, "no projects folder"),
    "an unknown session": (["--claude-dir", FIXTURE, "--session", "ffff"], {}, "none of the"),
    "a time that is none": (["--claude-dir", FIXTURE, "--since", "yesterday"], {}, "is not a time"),
    "a URL that is none": (["--claude-dir", FIXTURE], {"LANGFUSE_BASE_URL": "langfuse"}, "LANGFUSE_BASE_URL"),
    "a folder that cannot be written": (["--claude-dir", FIXTURE, "--to", "no/such/x.jsonl"], {}, "cannot be written"),
    "a folder in the file's place": (["--claude-dir", FIXTURE, "--to", "."], {}, "is not a file"),
    "a device in the file's place": (["--claude-dir", FIXTURE, "--to", "/dev/null"], {}, "is not a file"),
    "a broken config file": (["--claude-dir", FIXTURE], {"CC_LANGFUSE_CONFIG": "notes.txt"}, "not valid TOML"),
}


@pytest.mark.parametrize(("arguments", "environ", "expected"), BAD_USAGE.values(), ids=BAD_USAGE.keys())
def test_wrong_usage_is_one_line_with_the_way_out(
    arguments: list[str], environ: dict[str, str], expected: str, tmp_path: Path
) -> None:
    """Exit code 2, no traceback."""
    work = tmp_path / "work"
    work.mkdir()
    (work / "notes.txt").write_text("what I did today")
    done = run_ccship("backfill", *arguments, environ=environ, cwd=work)
    assert done.returncode == 2
    assert expected in done.stderr
    assert done.stderr.count("\n") == 1


FAULTS = {
    "the keys are wrong": ([Reply(status=401)] * 9, "check LANGFUSE_PUBLIC_KEY and LANGFUSE_SECRET_KEY"),
    "there is no Langfuse": ([Reply(status=404)] * 9, "check LANGFUSE_BASE_URL"),
    "the server is broken": ([Reply(status=500)] * 9, "the server is busy (500)"),
    "the connection breaks": ([Reply(reset=True)] * 9, "does not answer"),
    "a proxy shows a page": ([Reply(body=b"<html>", content_type="text/html")] * 9, "not an acknowledgement"),
}


@pytest.mark.parametrize(("script", "expected"), FAULTS.values(), ids=FAULTS.keys())
def test_a_server_that_does_not_accept_is_one_line_and_nothing_is_lost(
    langfuse: LoopbackLangfuse, script: list[Reply], expected: str
) -> None:
    """Exit code 1; the next run sends all."""
    arguments = ("backfill", "--claude-dir", FIXTURE, "--session", "9e4b")
    langfuse.script = list(script)
    failed = run_ccship(*arguments, environ=langfuse.environ, first=HURRIED)
    assert failed.returncode == 1
    assert expected in failed.stderr
    assert "Traceback" not in failed.stderr
    langfuse.script.clear()
    assert run_ccship(*arguments, environ=langfuse.environ).returncode == 0
    assert len(langfuse.accepted) == len(langfuse.keys) > 0


def test_an_unreachable_server_is_said_and_nothing_is_lost() -> None:
    """Port 9 discards."""
    environ = {"LANGFUSE_PUBLIC_KEY": "pk", "LANGFUSE_SECRET_KEY": "sk", "LANGFUSE_BASE_URL": "http://127.0.0.1:9"}
    done = run_ccship("backfill", "--claude-dir", FIXTURE, environ=environ)
    assert done.returncode == 1
    assert "http://127.0.0.1:9/api/public/otel/v1/traces does not answer" in done.stderr
    assert "sent 0 turns and 0 subagents" in done.stdout
    assert done.stderr.count("an image or PDF did not arrive") == 1


def test_a_transcript_that_cannot_be_read_does_not_stop_the_others(
    claude_dir: Path, langfuse: LoopbackLangfuse
) -> None:
    """A link to nowhere is found, but cannot be opened."""
    (claude_dir / "projects/-home-dev-demo/gone.jsonl").symlink_to("/nowhere/gone.jsonl")
    done = run_ccship("backfill", "--claude-dir", claude_dir, environ=langfuse.environ)
    assert done.returncode == 1
    assert "gone.jsonl cannot be read" in done.stderr
    assert len({span.attributes["session.id"] for span in langfuse.accepted}) > 3


def test_no_secret_shows_up_in_what_is_printed(langfuse: LoopbackLangfuse) -> None:
    """Neither in errors nor in results."""
    langfuse.script = [Reply(status=401)]
    done = run_ccship("backfill", "--claude-dir", FIXTURE, environ=langfuse.environ)
    assert langfuse.secret_key not in done.stdout + done.stderr


def test_lines_that_cannot_be_read_and_unknown_types_are_reported(tmp_path: Path, langfuse: LoopbackLangfuse) -> None:
    """The types of a newer client; nothing of them is sent."""
    lines = Lines().prompt("go").plain("hologram").plain("hologram").plain("mirage").assistant("m1", "ok")
    lines.lines.append("not JSON")
    done = run_ccship("backfill", lines.write(tmp_path / "s1.jsonl"), environ=langfuse.environ)
    assert "1 line could not be parsed, 3 records of an unknown type" in done.stdout


PNG = base64.b64encode(b"\x89PNG" + bytes(range(256))).decode()


@pytest.mark.parametrize(
    ("data", "secret_key", "expected"),
    [
        (PNG, "sk-lf-wrong", "an image or PDF did not arrive (HTTP 401: check LANGFUSE_PUBLIC_KEY and LANGFUSE_SECRET"),
        (PNG[:-3], None, "an image or PDF is damaged in its transcript"),
    ],
)
def test_an_image_that_does_not_arrive_is_one_line_that_helps(
    tmp_path: Path, langfuse: LoopbackLangfuse, data: str, secret_key: str | None, expected: str
) -> None:
    """Neither HTTP headers nor the name of a function of the SDK."""
    image = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": data}}
    transcript = Lines().prompt([image]).assistant("m1", "ok").write(tmp_path / "s1.jsonl")
    environ = langfuse.environ | ({"LANGFUSE_SECRET_KEY": secret_key} if secret_key else {})
    done = run_ccship("backfill", transcript, environ=environ)
    assert expected in done.stderr
    assert "headers" not in done.stderr
    assert "_parse" not in done.stderr
