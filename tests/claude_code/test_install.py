"""`ccship install` and `uninstall`, run as a person runs them."""

import json
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ccship.claude_code import registration
from helpers import fake_client, run_ccship
from installations import environment
from settings_files import SETTINGS

SETTINGS_JSON = Path("home/.claude/settings.json")


@pytest.fixture
def settings(tmp_path: Path) -> Path:
    """The settings of the person at whose home the test plays; not there yet."""
    path = tmp_path / SETTINGS_JSON
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def hooks_in(path: Path) -> dict[str, list[str]]:
    """Event -> commands, of all hooks in a settings file."""
    hooks = json.loads(path.read_text()).get("hooks", {})
    return {event: [hook["command"] for group in groups for hook in group["hooks"]] for event, groups in hooks.items()}


def ours_in(path: Path) -> set[str]:
    """The events at which ccship is registered, each once."""
    events = [hook.event for hook in registration.registered(json.loads(path.read_text()))]
    assert len(events) == len(set(events))
    return set(events)


@pytest.mark.parametrize("content", SETTINGS.values(), ids=SETTINGS.keys())
def test_install_then_uninstall_gives_the_same_bytes(content: bytes, settings: Path) -> None:
    """And the second install changes nothing."""
    settings.write_bytes(content)
    assert run_ccship("install").returncode == 0
    installed = settings.read_bytes()
    assert installed != content
    assert ours_in(settings) == set(registration.EVENTS)
    assert "already up to date" in run_ccship("install").stdout
    assert settings.read_bytes() == installed
    assert run_ccship("uninstall").returncode == 0
    assert settings.read_bytes() == content
    assert [path.name for path in settings.parent.iterdir()] == ["settings.json"]


@pytest.mark.parametrize("content", SETTINGS.values(), ids=SETTINGS.keys())
def test_install_changes_no_byte_of_what_was_there(content: bytes, settings: Path) -> None:
    """What it said before it says still, and its bytes stand there in their order."""
    settings.write_bytes(content)
    run_ccship("install")
    before, after = json.loads(content), json.loads(settings.read_bytes())
    assert list(after)[: len(before)] == list(before)
    assert {**after, "hooks": None} == {**before, "hooks": None}
    for event, groups in before.get("hooks", {}).items():
        assert after["hooks"][event][: len(groups)] == groups
    written = iter(settings.read_bytes())
    assert all(byte in written for byte in content if byte not in b" \r\n\t")


@pytest.mark.parametrize("content", SETTINGS.values(), ids=SETTINGS.keys())
def test_what_others_changed_since_stays(content: bytes, settings: Path) -> None:
    """Uninstall takes out what is ours, whatever else has been written meanwhile."""
    settings.write_bytes(content)
    run_ccship("install")
    changed = json.loads(settings.read_bytes())
    changed["model"] = "opus"
    changed["hooks"]["Stop"].append({"hooks": [{"type": "command", "command": "say done"}]})
    settings.write_text(json.dumps(changed, indent=4))
    run_ccship("uninstall")
    left = json.loads(settings.read_bytes())
    assert left["model"] == "opus"
    assert "say done" in hooks_in(settings)["Stop"]
    assert not list(registration.registered(left))


def test_the_bytes_come_back_without_the_backup_too(settings: Path) -> None:
    """It is needed only where an object was empty."""
    settings.write_bytes(SETTINGS["hooks of others"])
    run_ccship("install")
    settings.with_name("settings.json.ccship-backup").unlink()
    run_ccship("uninstall")
    assert settings.read_bytes() == SETTINGS["hooks of others"]


def test_a_file_that_install_made_goes_with_uninstall(settings: Path) -> None:
    """Nothing is left of a try."""
    run_ccship("install")
    assert settings.exists()
    run_ccship("uninstall")
    assert list(settings.parent.iterdir()) == []


def test_the_registered_command_runs_from_anywhere(settings: Path, tmp_path: Path) -> None:
    """Without a PATH, without a word, with exit code 0; a path that is gone is no exit code 2 either."""
    run_ccship("install")
    (command,) = hooks_in(settings)["Stop"]
    for line in (command, command.replace("hook.py", "gone.py")):
        done = subprocess.run(
            ["/bin/sh", "-c", line], input=b"{}", env={}, cwd=tmp_path, capture_output=True, check=False, timeout=60
        )
        assert (done.returncode, done.stdout) == (0, b"")
    assert command.startswith(f"{sys.executable} -I -S /")


CLIENTS = {
    "2.1.329 (Claude Code)": True,
    "2.1.80 (Claude Code)": True,
    "2.1.79 (Claude Code)": False,
    "1.0.120 (Claude Code)": False,
    "what?": False,
}


@pytest.mark.parametrize(("version", "knows"), CLIENTS.items(), ids=CLIENTS.keys())
def test_only_events_that_the_client_knows_are_registered(
    version: str, knows: bool, settings: Path, tmp_path: Path
) -> None:
    """Up to 2.1.100 one unknown name silently disables the whole file."""
    run_ccship("install", environ=fake_client(tmp_path, version))
    assert ours_in(settings) == {*registration.EVENTS, *(["StopFailure"] if knows else [])}


OLDER = {
    "of the checkout": "/opt/ccship/hooks/ccship_hook.py || exit 0",
    "of another Python": "'/opt/my tools/bin/python' -I -S '/opt/my tools/lib/ccship/hook.py' || exit 0",
    "of the command": "/opt/bin/ccship hook || exit 0",
    "of a wrapper": "/opt/store/ccship-0.1/bin/ccship-hook || exit 0",
}


@pytest.mark.parametrize("command", OLDER.values(), ids=OLDER.keys())
def test_an_older_registration_is_replaced(command: str, settings: Path) -> None:
    """Twice registered is twice the work."""
    older = registration.hooks_of(command, ["Stop", "PreCompact"], 10)
    older["Stop"][0]["hooks"].append({"type": "command", "command": "notify-send done"})
    settings.write_text(json.dumps({"hooks": older}, indent=2))
    run_ccship("install")
    assert ours_in(settings) == set(registration.EVENTS)
    commands = hooks_in(settings)
    assert "notify-send done" in commands["Stop"]
    assert command not in [text for event in commands.values() for text in event]


FOREIGN = ["notify-send ccship", "/opt/bin/ccship-hooks-of-mine", "/home/ccship/hook.sh", "echo my ccship status"]


@pytest.mark.parametrize("command", FOREIGN)
def test_what_only_sounds_like_ccship_is_left_alone(command: str) -> None:
    """It is somebody else's."""
    assert not list(registration.registered({"hooks": registration.hooks_of(command)}))


def test_the_scopes_are_three_files(settings: Path, tmp_path: Path) -> None:
    """The person's, the project's, and the person's in the project."""
    project = tmp_path / "demo"
    project.mkdir()
    for scope in ("user", "project", "local"):
        run_ccship("install", "--scope", scope, cwd=project)
    files = (settings, project / ".claude/settings.json", project / ".claude/settings.local.json")
    assert all(ours_in(path) == set(registration.EVENTS) for path in files)


def test_another_config_folder_can_be_named(tmp_path: Path) -> None:
    """By option or by Claude Code's own variable."""
    run_ccship("install", "--claude-dir", tmp_path / "a")
    run_ccship("install", environ={"CLAUDE_CONFIG_DIR": str(tmp_path / "b")})
    assert ours_in(tmp_path / "a/settings.json") == ours_in(tmp_path / "b/settings.json") == set(registration.EVENTS)


def test_opting_in_is_said_to_the_project_alone(settings: Path, tmp_path: Path) -> None:
    """And taken back by the twin of the option."""
    local = tmp_path / ".claude/settings.local.json"
    done = run_ccship("install", "--opt-in", cwd=tmp_path)
    assert "Sending is enabled for this project" in done.stdout
    assert "until you opt in" not in done.stdout
    assert json.loads(local.read_text()) == {"env": {"TRACE_TO_LANGFUSE": "true"}}
    assert "env" not in json.loads(settings.read_text())
    run_ccship("uninstall", "--opt-in", cwd=tmp_path)
    assert not local.exists()
    assert not settings.exists()


def test_opting_in_keeps_the_other_variables(tmp_path: Path) -> None:
    """Hook and consent may stand in one file."""
    local = tmp_path / ".claude/settings.local.json"
    local.parent.mkdir()
    content = '{\n\t"env": {"DEBUG": "1", "TRACE_TO_LANGFUSE": "false"},\n\t"model": "opus"\n}'
    local.write_text(content)
    run_ccship("install", "--scope", "local", "--opt-in", cwd=tmp_path)
    assert json.loads(local.read_text())["env"] == {"DEBUG": "1", "TRACE_TO_LANGFUSE": "true"}
    run_ccship("uninstall", "--scope", "local", "--opt-in", cwd=tmp_path)
    assert json.loads(local.read_text()) == {"env": {"DEBUG": "1"}, "model": "opus"}


def test_a_dry_run_shows_the_difference_and_writes_nothing(settings: Path) -> None:
    """As `diff -u` would."""
    content = SETTINGS["hooks of others"]
    settings.write_bytes(content)
    done = run_ccship("install", "--dry-run")
    assert settings.read_bytes() == content
    assert done.stdout.startswith(f"--- {settings}\n+++ {settings}\n@@")
    assert all(line[0] in " +-@" for line in done.stdout.splitlines())
    assert "+" in {line[0] for line in done.stdout.splitlines()[2:]}


def test_the_backup_is_what_was_there(settings: Path) -> None:
    """With its mode."""
    settings.write_bytes(SETTINGS["hooks of others"])
    settings.chmod(0o600)
    run_ccship("install")
    backup = settings.with_name("settings.json.ccship-backup")
    assert backup.read_bytes() == SETTINGS["hooks of others"]
    assert {stat.S_IMODE(path.stat().st_mode) for path in (backup, settings)} == {0o600}


def test_a_link_stays_a_link(settings: Path, tmp_path: Path) -> None:
    """Those who keep their dotfiles in a repository link to them."""
    real = tmp_path / "dotfiles" / "settings.json"
    real.parent.mkdir()
    real.write_bytes(SETTINGS["permissions"])
    settings.symlink_to(real)
    run_ccship("install")
    assert settings.is_symlink()
    assert ours_in(real) == set(registration.EVENTS)
    assert [path.name for path in real.parent.iterdir()] == ["settings.json"]


REFUSED = {
    "broken JSON": (b'{"hooks": {', "is not valid JSON (Expecting property name"),
    "comments": (b'{\n  // mine\n  "model": "opus"\n}', "is not valid JSON"),
    "an empty file": (b"", "is not valid JSON"),
    "a list": (b"[]", "is not a JSON object"),
    "hooks that are a list": (b'{"hooks": []}', "`hooks` is not an object"),
    "an event that is an object": (b'{"hooks": {"Stop": {}}}', "`hooks.Stop` is not a list"),
    "an env that is a list": (b'{"env": []}', "`env` is not an object"),
    "bytes that are no text": (b"\xff{}", "is not UTF-8"),
    "deep nesting": (b'{"a":' * 100_000, "is not valid JSON"),
}


@pytest.mark.parametrize("command", ["install", "uninstall"])
@pytest.mark.parametrize(("content", "expected"), REFUSED.values(), ids=REFUSED.keys())
def test_settings_that_are_not_understood_are_left_alone(
    command: str, content: bytes, expected: str, settings: Path
) -> None:
    """One line that says what to mend, exit code 2."""
    settings.write_bytes(content)
    done = run_ccship(command)
    assert done.returncode == 2
    assert expected in done.stderr
    assert str(settings) in done.stderr
    assert done.stderr.count("\n") == 1
    assert settings.read_bytes() == content
    assert [path.name for path in settings.parent.iterdir()] == ["settings.json"]


def test_a_link_into_the_store_is_left_to_home_manager(settings: Path, tmp_path: Path) -> None:
    """It would be written over at the next switch."""
    real = tmp_path / "nix/store/abc-home-manager-files/settings.json"
    real.parent.mkdir(parents=True)
    real.write_text("{}")
    settings.symlink_to(real)
    done = run_ccship("install")
    assert (done.returncode, done.stdout) == (2, "")
    assert "home-manager" in done.stderr
    assert real.read_text() == "{}"


def test_what_is_read_only_is_left_so(settings: Path) -> None:
    """The file's mode is a wish."""
    settings.write_text("{}")
    settings.chmod(0o400)
    done = run_ccship("install")
    assert done.returncode == 2
    assert f"{settings} is read-only" in done.stderr
    assert settings.read_text() == "{}"


def test_nothing_is_written_where_one_of_two_files_may_not_be(settings: Path, tmp_path: Path) -> None:
    """Half an installation helps nobody."""
    local = tmp_path / ".claude/settings.local.json"
    local.parent.mkdir()
    local.write_text("{")
    assert run_ccship("install", "--opt-in", cwd=tmp_path).returncode == 2
    assert not settings.exists()


def test_a_broken_configuration_does_not_keep_the_hook_in(settings: Path, tmp_path: Path) -> None:
    """Whoever wants to get rid of it can."""
    run_ccship("install")
    (tmp_path / "home/config.toml").write_text("what?")
    assert run_ccship("uninstall").returncode == 0
    assert not settings.exists()


PLACES = {
    "uv/archive-v0/x": "uv tool install ccship",
    "nix/store/x": "programs.ccship.enable = true;",
}


@pytest.mark.parametrize(("place", "expected"), PLACES.items(), ids=PLACES.keys())
def test_a_python_that_will_be_gone_is_warned_of(place: str, expected: str, tmp_path: Path) -> None:
    """What is registered must be there tomorrow."""
    python = environment(tmp_path / place)
    command = [str(python), "-m", "ccship", "install", "--dry-run"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0
    assert expected in done.stderr


def test_no_secret_is_written_into_settings(settings: Path, tmp_path: Path) -> None:
    """What is printed says where they belong."""
    secret = "sk-lf-" + "canary" * 4
    done = run_ccship("install", "--opt-in", environ={"LANGFUSE_SECRET_KEY": secret}, cwd=tmp_path)
    assert "LANGFUSE_SECRET_KEY_FILE" in done.stdout
    written = "".join(path.read_text() for path in tmp_path.rglob("*") if path.is_file())
    assert secret not in written + done.stdout + done.stderr


def test_json_says_what_was_done(settings: Path) -> None:
    """For programs."""
    settings.write_text("{}")
    document = json.loads(run_ccship("install", "--json").stdout)
    assert document["files"] == [
        {"path": str(settings), "changed": True, "backup": f"{settings}.ccship-backup"},
    ]
    assert document["hooks"] == json.loads(settings.read_text())["hooks"]
    assert json.loads(run_ccship("uninstall", "--json").stdout)["files"][0]["changed"] is True


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=12,
)
GROUPS = st.lists(
    st.fixed_dictionaries(
        {"hooks": st.lists(st.fixed_dictionaries({"type": st.just("command"), "command": st.text(max_size=5)}))},
        optional={"matcher": st.text(max_size=3)},
    ),
    min_size=1,
    max_size=3,
)
HOOKS = st.dictionaries(st.sampled_from(["Stop", "PreToolUse", "SessionEnd"]), GROUPS, min_size=1)
INDENTS = st.sampled_from([None, 0, 1, 2, 4, "\t"])


@given(
    rest=st.dictionaries(st.text(max_size=4), JSON, max_size=3).filter(lambda rest: "hooks" not in rest),
    hooks=st.none() | HOOKS,
    indent=INDENTS,
    ascii_only=st.booleans(),
    crlf=st.booleans(),
    end=st.sampled_from(["", "\n", "\n\n"]),
)
def test_whatever_the_settings_registering_and_unregistering_is_nothing(
    rest: dict[str, Any], hooks: dict[str, Any] | None, indent: Any, ascii_only: bool, crlf: bool, end: str
) -> None:
    """Of any formatting; empty objects aside, which the backup brings back."""
    env = rest.pop("env", None)
    settings = {**rest, **({"env": env} if isinstance(env, dict) else {}), **({"hooks": hooks} if hooks else {})}
    text = json.dumps(settings or {"a": 1}, indent=indent, ensure_ascii=ascii_only) + end
    text = text.replace("\n", "\r\n") if crlf else text
    wanted = registration.hooks_of("/opt/bin/ccship hook || exit 0")
    registered = registration.register(text, wanted)
    assert {hook.event for hook in registration.registered(json.loads(registered))} == set(wanted)
    assert registration.register(registered, wanted) == registered
    assert ("\r\n" in registered) == ("\r\n" in text)
    assert registered.count("\n") - registered.count("\r\n") == (0 if crlf else registered.count("\n"))
    assert registration.unregister(registered) == text
