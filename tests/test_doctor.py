"""`ccship doctor`: each finding, and a first-time user's way to none."""

import json
import os
import subprocess
import time
import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ccship.claude_code import Client
from ccship.config import load
from ccship.doctor import CHECKS, Facts, checks
from ccship.doctor.facts import Deadline, Placed, Probe
from ccship.doctor.server import Server
from ccship.registration import EVENTS, Registered, hooks_of
from ccship.shares import Books
from ccship.sinks import MIN_SDK
from ccship.state.books import DeadLetter
from ccship.survey import Standing, Standings, Survey
from conftest import FIXTURES, ROOT
from helpers import call_ccship, fake_client, run_ccship
from loopback import LoopbackLangfuse, Reply

NOW = 1_800_000_000.0
COMMAND = "/opt/python -I -S /opt/ccship/hook.py || exit 0"
SETTINGS = Path("/home/ada/.claude/settings.json")
URL = "https://langfuse.example"
CONFIG = load(
    {
        "CC_LANGFUSE_CONFIG": "/nowhere",
        "LANGFUSE_PUBLIC_KEY": "pk",
        "LANGFUSE_SECRET_KEY": "key",
        "TRACE_TO_LANGFUSE": "true",
    }
)


def placed(command: str = COMMAND, events: tuple[str, ...] = EVENTS, file: Path = SETTINGS) -> tuple[Placed, ...]:
    return tuple(Placed(file, Registered(event, 0, 0, {"command": command})) for event in events)


def standing(**books: Any) -> Standing:
    return Standing("s1", "demo", (), Books(**books))


def surveyed(*sessions: Standing, letters: tuple[DeadLetter, ...] = ()) -> Survey:
    return Survey((Standings(URL, "pk", None, sessions, letters),), (), ())


def failed() -> Standing:
    session = standing(pending=3)
    session.last_error = "the server is busy (500)"
    return session


def well() -> Facts:
    """Everything as it should be."""
    return Facts(
        now=NOW,
        client=Client("/opt/claude", (2, 1, 329)),
        hooks=placed(),
        probes=(Probe(COMMAND, "", 0.02, ""),),
        config=CONFIG,
        servers=(Server("default", URL, None, 200, "4.16.0", 200, 0.4),),
        survey=surveyed(standing(shipped=3)),
        sdk=(4, 14, 3),
    )


DENIED = Server("default", URL, None, 200, "4.16.0", 401)
FINDINGS: dict[str, tuple[dict[str, Any], str, str, str]] = {
    "no client": ({"client": None}, "Claude Code is there", "no `claude`", "install Claude Code"),
    "a client that does not start": (
        {"client": Client("/opt/claude", None)}, "Claude Code is there", "does not tell its version", "--version",
    ),
    "broken settings": ({"settings_errors": ("x is no JSON",)}, "its settings can be read", "x is no JSON", "mend"),
    "hooks turned off": ({"hooks_disabled_in": SETTINGS}, "hooks are enabled", "disabled", "disableAllHooks"),
    "no hook": ({"hooks": (), "probes": ()}, "the hook is registered", "is not registered", "ccship install"),
    "half a hook": ({"hooks": placed(events=("Stop",))}, "the hook is registered", "SessionEnd", "ccship install"),
    "two hooks": (
        {"hooks": (*placed(), *placed("/usr/bin/ccship hook || exit 0", ("Stop",), Path("/p/settings.json")))},
        "it is registered once", "more than once at Stop: /home/ada/.claude/settings.json and /p/", "ccship uninstall",
    ),
    "a hook and a plugin": (
        {"plugins": ("ccship@acme",)}, "it is registered once", "plugin ccship@acme", "disable the plugin",
    ),
    "an old client": (
        {"hooks": placed(events=(*EVENTS, "StopFailure")), "client": Client("/opt/claude", (2, 1, 63))},
        "the client knows its events", "StopFailure", "ccship install",
    ),
    "a hook that may block": (
        {"hooks": placed("/opt/ccship hook")}, "it can never block Claude", "|| exit 0", "ccship install",
    ),
    "a command that is gone": (
        {"probes": (Probe(COMMAND, "/opt/python: not found", 0.0, ""),)},
        "it runs whatever the PATH", "/opt/python: not found", "ccship install",
    ),
    "a cold environment": ({"probes": (Probe(COMMAND, "", 4.2, ""),)}, "it starts at once", "4.2 s", "once more"),
    "a broken environment": (
        {"probes": (Probe(COMMAND, "", 0.1, "No module named orjson"),)},
        "it can load the worker", "orjson", "ccship install",
    ),
    "a setting that cannot be": (
        {"config_error": "DEBUG is 'perhaps'", "config": None, "servers": (), "survey": None},
        "the configuration is right", "perhaps", "ccship config",
    ),
    "no consent": ({"config": replace(CONFIG, opted_in=False)}, "you opted in", "no consent", "--opt-in"),
    "an excluded folder": ({"config": None, "excluded": True}, "you opted in", "never shipped", "CC_LANGFUSE_EXCLUDE"),
    "no keys": ({"config": replace(CONFIG, secret_key=None), "servers": ()}, "there are keys", "no keys", "SECRET_KEY"),
    "no server": (
        {"servers": (Server("default", URL, "ConnectError"),)}, "the server answers", "ConnectError", "BASE_URL",
    ),
    "another server": (
        {"servers": (Server("default", URL, None, 404),)}, "the server answers", "no Langfuse", "LANGFUSE_BASE_URL",
    ),
    "wrong keys": ({"servers": (DENIED,)}, "it accepts the keys", "does not accept the keys", "copy both keys"),
    "an old server": (
        {"servers": (Server("default", URL, None, 200, "2.93.0", 200),)}, "it is new enough", "2.93.0", "3.22 or later",
    ),
    "a clock behind": (
        {"servers": (Server("default", URL, None, 200, "4.16.0", 200, 3600.0),)},
        "the clocks agree", "3,600 s behind", "set the clock",
    ),
    "another SDK": ({"sdk": (3, 9, 0)}, "the SDK is the right one", "3.9.0", "anew"),
    "an open folder": (
        {"state_error": "chmod 700 it", "survey": None}, "the state is safe", "chmod 700 it", "ccship status",
    ),
    "a backlog": ({"waiting": (NOW - 60, NOW - 3600)}, "nobody waits", "sessions that wait: 1,", "ccship backfill"),
    "an error": ({"survey": surveyed(failed())}, "nothing failed", "is busy (500)", "ccship backfill"),
    "dead letters": (
        {"survey": surveyed(standing(), letters=(DeadLetter("t", "s", "n", "p", "refused (400)", NOW),))},
        "nothing was refused", "refused (400)", "--resend",
    ),
    "a deletion": (
        {"deadlines": (Deadline("s1", NOW + 86_400), Deadline("s2", NOW + 20 * 86_400))},
        "nothing is deleted unshipped", "deletes: 1, the first in 1.0 days", "ccship backfill",
    ),
    "unknown records": (
        {"survey": surveyed(standing(ignored={"unknown:9.9:hologram": 2, "mode": 1}))},
        "all records are known", "nobody knows here: 2 (9.9:hologram)", "update ccship",
    ),
}  # fmt: skip


def findings(facts: Facts) -> dict[str, checks.Finding]:
    found = {check.name: check.find(facts) for check in CHECKS if check.needs(facts)}
    return {name: finding for name, finding in found.items() if finding is not None}


def test_nothing_is_found_where_all_is_well() -> None:
    """And nothing is left out."""
    assert findings(well()) == {}
    assert all(check.needs(well()) for check in CHECKS)


@pytest.mark.parametrize(("change", "name", "problem", "mend"), FINDINGS.values(), ids=FINDINGS.keys())
def test_one_thing_wrong_is_one_finding(change: dict[str, Any], name: str, problem: str, mend: str) -> None:
    """It says what, and what to do, on one line each."""
    ((found, finding),) = findings(replace(well(), **change)).items()
    assert found == name
    assert problem in finding.problem
    assert mend in finding.mend
    assert "\n" not in finding.problem + finding.mend


def test_every_check_has_something_to_find() -> None:
    """A check that cannot fail is none."""
    assert {name for _, name, _, _ in FINDINGS.values()} == {check.name for check in CHECKS}


def test_the_sdk_is_the_one_that_is_required() -> None:
    """The range stands in two places."""
    (required,) = (
        line for line in tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
        if line.startswith("langfuse")
    )  # fmt: skip
    lowest, below = (".".join(map(str, version)) for version in (MIN_SDK, checks.SDK_BELOW))
    assert required == f"langfuse>={lowest},<{below}"


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
    assert "-> ccship install\n" in before.stdout
    assert "-> ccship install --opt-in\n" in before.stdout
    assert run_ccship("install", "--opt-in", environ=machine, cwd=project).returncode == 0
    after = run_ccship("doctor", environ=machine, cwd=project)
    assert after.returncode == 0, after.stdout
    assert after.stdout.splitlines() == [*(f"ok    {check.name}" for check in CHECKS), "All is well."]
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
    assert "0 missing, 0 doubled, 0 with other tokens" in verified.stdout


def checked(environ: dict[str, str], cwd: Path) -> dict[str, Any]:
    """The results by name: what is wrong, True where all is well, None where nobody looked."""
    done = call_ccship("doctor", "--json", environ=environ, cwd=cwd)
    document = json.loads(done.stdout)
    assert document["ok"] == (done.returncode == 0)
    return {row["check"]: row["problem"] or row["ok"] for row in document["checks"]}


ANSWERS = {
    "wrong keys": (Reply(body=b'{"status": "OK", "version": "4.16.0"}'), {"LANGFUSE_SECRET_KEY": "other"}, "accepts"),
    "a page": (Reply(body=b"<html>", content_type="text/html"), {}, "the server answers"),
    "an old one": (Reply(body=b'{"status": "OK", "version": "2.1.0"}'), {}, "new enough"),
    "a redirect": (Reply(status=302, headers={"location": "http://127.0.0.1:9"}), {}, "the server answers"),
    "a broken connection": (Reply(reset=True), {}, "the server answers"),
    "nobody there": (Reply(), {"LANGFUSE_BASE_URL": "http://127.0.0.1:9"}, "the server answers"),
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
    assert checked(machine, tmp_path)["you opted in"] is True
    (tmp_path / ".claude").mkdir()
    (tmp_path / ".claude/settings.json").write_text(json.dumps({"env": {"TRACE_TO_LANGFUSE": "false"}}))
    assert "no consent" in checked(machine, tmp_path)["you opted in"]


def test_a_command_that_needs_a_path_is_found(machine: dict[str, str], claude_dir: Path, tmp_path: Path) -> None:
    """A desktop's is short."""
    script = tmp_path / "bin" / "ccship"
    script.write_text("#!/bin/sh\nexit 0\n")
    script.chmod(0o755)
    (claude_dir / "settings.json").write_text(json.dumps({"hooks": hooks_of("ccship hook || exit 0")}))
    assert "not found" in checked(machine, tmp_path)["it runs whatever the PATH"]
    (claude_dir / "settings.json").write_text(json.dumps({"hooks": hooks_of(f"{script} hook || exit 0")}))
    assert checked(machine, tmp_path)["it runs whatever the PATH"] is True


def test_a_plugin_that_lies_in_the_skills_folder_counts(
    machine: dict[str, str], claude_dir: Path, tmp_path: Path
) -> None:
    """Beside the settings it would run the hook a second time."""
    manifest = claude_dir / "skills/ccship/.claude-plugin/plugin.json"
    manifest.parent.mkdir(parents=True)
    manifest.write_text('{"name": "ccship"}')
    assert checked(machine, tmp_path)["the hook is registered"] is True
    (claude_dir / "settings.json").write_text(json.dumps({"hooks": hooks_of("/opt/ccship/hook.py || exit 0")}))
    assert "plugin ccship" in checked(machine, tmp_path)["it is registered once"]


def test_what_claude_deletes_soon_is_found(machine: dict[str, str], claude_dir: Path, tmp_path: Path) -> None:
    """By the days that its settings give a transcript."""
    month_ago = time.time() - 29 * 86_400
    old = next(claude_dir.rglob("9e4b*.jsonl"))
    os.utime(old, (month_ago, month_ago))
    assert (
        "unshipped sessions that Claude Code deletes: 1," in checked(machine, tmp_path)["nothing is deleted unshipped"]
    )
    (claude_dir / "settings.json").write_text(json.dumps({"cleanupPeriodDays": 365}))
    assert checked(machine, tmp_path)["nothing is deleted unshipped"] is True
    call_ccship("backfill", environ=machine)
    (claude_dir / "settings.json").unlink()
    assert checked(machine, tmp_path)["nothing is deleted unshipped"] is True


def test_a_state_that_others_can_change_is_found(machine: dict[str, str], state_dir: Path, tmp_path: Path) -> None:
    """They could put anything there."""
    state_dir.mkdir()
    state_dir.chmod(0o777)
    assert "chmod 700" in checked(machine, tmp_path)["the state is safe"]


def test_broken_settings_do_not_stop_the_other_checks(
    machine: dict[str, str], claude_dir: Path, tmp_path: Path
) -> None:
    """They are the finding."""
    (claude_dir / "settings.json").write_text("{")
    found = checked(machine, tmp_path)
    assert "is not valid JSON" in found["its settings can be read"]
    assert found["it accepts the keys"] is True


def test_no_secret_is_shown(machine: dict[str, str], langfuse: LoopbackLangfuse, tmp_path: Path) -> None:
    """Not even where it is refused."""
    environ = {**machine, "LANGFUSE_PUBLIC_KEY": "other"}
    for arguments in (["doctor"], ["doctor", "--json"], ["status"]):
        done = call_ccship(*arguments, environ=environ, cwd=tmp_path)
        assert langfuse.secret_key not in done.stdout + done.stderr


def test_the_fixtures_are_left_as_they_are() -> None:
    """The folder of a person's client is not ours to change."""
    assert not (FIXTURES / "claude/settings.json").exists()
