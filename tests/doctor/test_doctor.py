"""`ccship doctor` on a machine, and the way of a first-time user to no findings."""

import json
import os
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from ccship.claude_code import own_hook
from ccship.claude_code.installed import SCOPES, Scope, settings_file
from ccship.claude_code.registration import hooks_of
from ccship.doctor import CHECKS
from conftest import FIXTURES
from doctor.test_checks import OWN
from helpers import fake_client, run_ccship
from lines import Lines
from loopback import LoopbackLangfuse, Reply


@pytest.fixture
def machine(tmp_path: Path, claude_dir: Path, langfuse: LoopbackLangfuse) -> dict[str, str]:
    """The environment of somebody with a client, transcripts and a Langfuse, who keeps the keys in files."""
    for name, key in (("public", langfuse.public_key), ("secret", langfuse.secret_key)):
        (tmp_path / name).write_text(f"{key}\n")
    return {
        **fake_client(tmp_path, "2.1.329 (Claude Code)"),
        "CLAUDE_CONFIG_DIR": str(claude_dir),
        "LANGFUSE_BASE_URL": langfuse.url,
        "LANGFUSE_PUBLIC_KEY_FILE": str(tmp_path / "public"),
        "LANGFUSE_SECRET_KEY_FILE": str(tmp_path / "secret"),
        "CC_LANGFUSE_FOREGROUND": "true",
    }


def hook(environ: dict[str, str], settings: Path, transcript: Path, project: Path) -> None:
    """What Claude Code does at the end of a turn: run what is registered, with the `env` of its settings."""
    ((registered,),) = (group["hooks"] for group in json.loads(settings.read_text())["hooks"]["Stop"])
    local = json.loads((project / ".claude/settings.local.json").read_text())["env"]
    payload = {"session_id": transcript.stem, "transcript_path": str(transcript), "hook_event_name": "Stop"}
    done = subprocess.run(
        ["/bin/sh", "-c", registered["command"]],
        input=json.dumps(payload).encode(),
        env={**os.environ, **environ, **local},
        cwd=project,
        capture_output=True,
        check=False,
        timeout=120,
    )
    assert (done.returncode, done.stdout) == (0, b"")


def test_the_first_hour(machine: dict[str, str], claude_dir: Path, langfuse: LoopbackLangfuse, tmp_path: Path) -> None:
    """From nothing to the first trace, with nothing but what the commands say."""
    project = tmp_path / "demo"
    project.mkdir()
    before = run_ccship("doctor", environ=machine, cwd=project)
    assert before.returncode == 1
    assert "fix: ccship install\n" in before.stdout
    assert "fix: ccship install --opt-in\n" in before.stdout
    assert run_ccship("install", "--opt-in", environ=machine, cwd=project).returncode == 0
    after = run_ccship("doctor", environ=machine, cwd=project)
    assert after.returncode == 0, after.stdout
    details = {"keys accepted": f"project demo (Acme) at {langfuse.url}"}
    skipped = {"endpoints take spans": "-     endpoints take spans       skipped"}
    well = [
        skipped.get(check.name) or f"ok    {check.name:27}{details.get(check.name, '')}".rstrip() for check in CHECKS
    ]
    assert after.stdout.splitlines() == [*well, "no problems found"]
    transcript = next(claude_dir.rglob("9e4b*.jsonl"))
    hook(machine, claude_dir / "settings.json", transcript, project)
    assert {span.attributes["session.id"] for span in langfuse.accepted} == {transcript.stem}
    status = run_ccship("status", environ=machine, cwd=project)
    assert status.returncode == 0, status.stdout
    assert "9e4b124a" in status.stdout
    assert "0 pending" in status.stdout
    shown = run_ccship("show", "9e4b", environ=machine, cwd=project)
    assert shown.returncode == 0, shown.stderr
    assert "1 turn, 1 call" in shown.stdout
    used = run_ccship("usage", "--by", "session", environ=machine, cwd=project)
    assert used.returncode == 0, used.stderr
    assert transcript.stem in used.stdout
    verified = run_ccship("verify", "9e4b", environ=machine, cwd=project)
    assert verified.returncode == 0, verified.stdout
    assert "0 missing, 0 doubled, 0 with different tokens" in verified.stdout


def checked(environ: dict[str, str], cwd: Path) -> dict[str, Any]:
    """The results by name: what is wrong, True where all is well, None where nobody looked."""
    done = run_ccship("doctor", "--json", environ=environ, cwd=cwd)
    document = json.loads(done.stdout)
    assert document["ok"] == (done.returncode == 0)
    return {row["check"]: row["problem"] or row["ok"] for row in document["checks"]}


def test_mixed_keys_are_found_and_the_project_that_gets_the_traces_is_named(
    machine: dict[str, str], langfuse: LoopbackLangfuse, tmp_path: Path
) -> None:
    """The server accepts the secret key with whatever public key comes along."""
    mixed = {**machine, "LANGFUSE_PUBLIC_KEY": "pk-lf-of-another-server"}
    found = checked(mixed, tmp_path)
    assert found["keys accepted"] is True
    assert "traces go to project demo (Acme)" in found["keys belong together"]


def test_a_model_of_past_calls_without_a_price_is_named(
    machine: dict[str, str], langfuse: LoopbackLangfuse, tmp_path: Path
) -> None:
    """As long as neither the server nor ccship has one."""
    langfuse.priced = []
    transcript = Lines().prompt("go").assistant("m1", "ok", model="glm-99").write(tmp_path / "s1.jsonl")
    assert run_ccship("backfill", transcript, environ=machine).returncode == 0
    assert "glm-99" in checked(machine, tmp_path)["model prices known"]


ANSWERS = {
    "wrong keys": (
        Reply(body=b'{"status": "OK", "version": "4.16.0"}'),
        {"LANGFUSE_SECRET_KEY": "other"},
        "keys accepted",
    ),
    "a page": (Reply(body=b"<html>", content_type="text/html"), {}, "server reachable"),
    "an old one": (Reply(body=b'{"status": "OK", "version": "2.1.0"}'), {}, "server version"),
    "a redirect": (Reply(status=302, headers={"location": "http://127.0.0.1:9"}), {}, "server reachable"),
    "a broken connection": (Reply(reset=True), {}, "server reachable"),
    "nobody there": (Reply(), {"LANGFUSE_BASE_URL": "http://127.0.0.1:9"}, "server reachable"),
}


@pytest.mark.parametrize(("health", "environ", "name"), ANSWERS.values(), ids=ANSWERS.keys())
def test_what_servers_answer(
    health: Reply,
    environ: dict[str, str],
    name: str,
    machine: dict[str, str],
    langfuse: LoopbackLangfuse,
    tmp_path: Path,
) -> None:
    """Each in its own words, and none of them a traceback."""
    langfuse.health = health
    found = checked({**machine, **environ}, tmp_path)
    (wrong,) = (check for check in found if name in check)
    assert "127.0.0.1" in found[wrong]


def test_the_settings_of_claude_code_count_as_the_environment(
    machine: dict[str, str], claude_dir: Path, tmp_path: Path
) -> None:
    """The hook gets them, the shell does not."""
    (claude_dir / "settings.json").write_text(json.dumps({"env": {"TRACE_TO_LANGFUSE": "true"}}))
    assert checked(machine, tmp_path)["sending enabled"] is True
    (tmp_path / ".claude").mkdir()
    (tmp_path / ".claude/settings.json").write_text(json.dumps({"env": {"TRACE_TO_LANGFUSE": "false"}}))
    assert "not enabled" in checked(machine, tmp_path)["sending enabled"]


FOREIGN = {
    "beside ccship": "touch {marker}; ccship hook || exit 0",
    "behind our own": "{own}; touch {marker}",
    "a blank more": "{own} ",
    "with another file": "{own} || /opt/ccship/hook.py",
    "with variables that nobody chose": '(set -a; . "{evil}"; set +a; {own}) || exit 0',
    "of another Python": "{evil} -I -S /opt/ccship/hook.py || exit 0",
}


@pytest.mark.parametrize("scope", ["project", "local"])
@pytest.mark.parametrize("command", FOREIGN.values(), ids=FOREIGN.keys())
def test_a_command_of_the_project_s_settings_is_shown_and_never_run(
    command: str, scope: Scope, machine: dict[str, str], tmp_path: Path
) -> None:
    """Somebody who cloned a repository runs `ccship doctor` to see what is in it."""
    marker, evil = tmp_path / "marker", tmp_path / "evil.sh"
    evil.write_text(f"#!/bin/sh\ntouch {marker}\n")
    evil.chmod(0o755)
    command = command.format(marker=marker, evil=evil, own=own_hook.own_command())
    settings = settings_file(scope, tmp_path / "claude", tmp_path).path
    settings.parent.mkdir()
    settings.write_text(json.dumps({"hooks": hooks_of(command)}))
    found = checked(machine, tmp_path)
    assert f"{settings}: {json.dumps(command)}" in found[OWN]
    assert not marker.exists()


def test_the_screen_names_the_file_and_the_command(machine: dict[str, str], tmp_path: Path) -> None:
    """In a process of its own, with our own hook beside it."""
    command = f"touch {tmp_path}/marker; ccship hook || exit 0"
    settings = tmp_path / "demo/.claude/settings.json"
    settings.parent.mkdir(parents=True)
    settings.write_text(json.dumps({"hooks": hooks_of(command)}))
    run_ccship("install", environ=machine)
    done = run_ccship("doctor", environ=machine, cwd=tmp_path / "demo")
    assert (
        f"FAIL  {OWN:27}not run, because `ccship install` did not write this command: {settings}: "
        f"{json.dumps(command)}\n      fix: read it, it may come from the project's author;"
        " to remove it: ccship uninstall --scope project\n"
    ) in done.stdout
    assert "ok    worker starts" in done.stdout
    assert not (tmp_path / "marker").exists()


def test_our_own_command_is_one_in_every_scope(machine: dict[str, str], tmp_path: Path) -> None:
    """`install` writes it there."""
    for scope in SCOPES:
        run_ccship("install", "--scope", scope, environ=machine, cwd=tmp_path)
        found = checked(machine, tmp_path)
        assert (found[OWN], found["worker starts"]) == (True, True)


def test_a_plugin_that_lies_in_the_skills_folder_counts(
    machine: dict[str, str], claude_dir: Path, tmp_path: Path
) -> None:
    """Beside the settings it would run the hook a second time."""
    manifest = claude_dir / "skills/ccship/.claude-plugin/plugin.json"
    manifest.parent.mkdir(parents=True)
    manifest.write_text('{"name": "ccship"}')
    assert checked(machine, tmp_path)["hook registered"] is True
    (claude_dir / "settings.json").write_text(json.dumps({"hooks": hooks_of("/opt/ccship/hook.py || exit 0")}))
    assert "plugin ccship" in checked(machine, tmp_path)["hook registered once"]


def test_what_claude_deletes_soon_is_found(machine: dict[str, str], claude_dir: Path, tmp_path: Path) -> None:
    """By the days that its settings give a transcript."""
    month_ago = time.time() - 29 * 86_400
    old = next(claude_dir.rglob("9e4b*.jsonl"))
    os.utime(old, (month_ago, month_ago))
    assert "unshipped sessions that Claude Code will delete: 1," in checked(machine, tmp_path)["no expiring sessions"]
    (claude_dir / "settings.json").write_text(json.dumps({"cleanupPeriodDays": 365}))
    assert checked(machine, tmp_path)["no expiring sessions"] is True
    run_ccship("backfill", environ=machine)
    (claude_dir / "settings.json").unlink()
    assert checked(machine, tmp_path)["no expiring sessions"] is True


def test_a_state_that_others_can_change_is_found(machine: dict[str, str], state_dir: Path, tmp_path: Path) -> None:
    """They could put anything there."""
    state_dir.mkdir()
    state_dir.chmod(0o777)
    assert "chmod 700" in checked(machine, tmp_path)["state folder usable"]


def test_broken_settings_do_not_stop_the_other_checks(
    machine: dict[str, str], claude_dir: Path, tmp_path: Path
) -> None:
    """They are the finding."""
    (claude_dir / "settings.json").write_text("{")
    found = checked(machine, tmp_path)
    assert "is not valid JSON" in found["settings readable"]
    assert found["keys accepted"] is True


def test_no_secret_is_shown(machine: dict[str, str], langfuse: LoopbackLangfuse, tmp_path: Path) -> None:
    """Not even where it is refused."""
    environ = {**machine, "LANGFUSE_PUBLIC_KEY": "other"}
    for arguments in (["doctor"], ["doctor", "--json"], ["status"]):
        done = run_ccship(*arguments, environ=environ, cwd=tmp_path)
        assert langfuse.secret_key not in done.stdout + done.stderr


def test_the_fixtures_are_left_as_they_are() -> None:
    """The folder of a person's client is not ours to change."""
    assert not (FIXTURES / "claude/settings.json").exists()
