"""The hook is run before it is registered: what would send nothing never reaches the settings."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

import ccship
from ccship.claude_code import own_hook, registration
from helpers import fake_client, run_ccship
from installations import bare_python, environment

SOURCE = Path(ccship.__file__).parents[1]
CLIENT = "2.1.329 (Claude Code)"


def run(
    python: Path, *arguments: str, options: tuple[str, ...] = (), **environ: str
) -> subprocess.CompletedProcess[str]:
    """Run the program with another interpreter, in an empty project."""
    project = Path.home() / "demo"
    project.mkdir(exist_ok=True)
    command: list[str | Path] = [python, *options, "-P", "-m", "ccship", *arguments]
    return subprocess.run(
        command, env={"HOME": str(Path.home()), **environ}, cwd=project,
        capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip


@pytest.fixture
def settings(tmp_path: Path) -> Path:
    """The user's settings."""
    path = tmp_path / "home/.claude/settings.json"
    path.parent.mkdir()
    path.write_text('{"model": "opus"}')
    return path


HOMELESS = {
    "in the Nix store": ("nix/store/abc-python3-3.13.7", "programs.ccship.enable = true;"),
    "elsewhere": ("opt/python", "uv tool install --force ccship, then ccship install"),
}


@pytest.mark.parametrize("dry_run", [[], ["--dry-run"]], ids=["", "dry run"])
@pytest.mark.parametrize(("place", "remedy"), HOMELESS.values(), ids=HOMELESS.keys())
def test_a_python_that_cannot_load_the_worker_is_not_registered(
    place: str, remedy: str, dry_run: list[str], settings: Path, tmp_path: Path
) -> None:
    """Its packages come from the program's own start script, as nixpkgs' `buildPythonApplication` has it."""
    python = bare_python(tmp_path / place)
    packages = ":".join(filter(None, sys.path))
    done = run(python, "install", "--opt-in", *dry_run, PYTHONPATH=packages)
    assert (done.returncode, done.stdout) == (2, "")
    assert "settings unchanged" in done.stderr
    assert f"{python} cannot import it (ModuleNotFoundError: No module named 'ccship')" in done.stderr
    assert remedy in done.stderr
    assert [path.name for path in settings.parent.iterdir()] == ["settings.json"]
    assert settings.read_text() == '{"model": "opus"}'
    told = json.loads(run(python, "doctor", "--json", PYTHONPATH=packages).stdout)["checks"]
    (mend,) = (row["mend"] for row in told if row["check"] == "hook registered")
    assert remedy in mend


def test_doctor_does_not_advise_what_led_to_a_broken_registration(settings: Path, tmp_path: Path) -> None:
    """`ccship install` would write the same again."""
    python = bare_python(tmp_path / "nix/store/abc-python3-3.13.7")
    command = registration.command_of(python, SOURCE / "ccship/hook.py")
    settings.write_text(json.dumps({"hooks": registration.hooks_of(command)}))
    told = json.loads(run(python, "doctor", "--json", PYTHONPATH=":".join(filter(None, sys.path))).stdout)["checks"]
    (row,) = (row for row in told if row["check"] == "worker starts")
    assert "No module named 'ccship'" in row["problem"]
    assert "programs.ccship.enable = true;" in row["mend"]


@pytest.mark.parametrize(
    ("command", "complaint"),
    [("echo '{}'", "does not work: {}."), ("/gone/python || exit 1", "not found"), ("exit 3", "exit code 3")],
)
def test_a_hook_that_fails_or_prints_is_not_registered(
    command: str, complaint: str, settings: Path, tmp_path: Path
) -> None:
    """Claude Code obeys what a hook prints."""
    done = run(environment(tmp_path / "env"), "install", options=(f"-Xccship_hook={command}",))
    assert done.returncode == 2
    assert complaint in done.stderr
    assert settings.read_text() == '{"model": "opus"}'


def test_the_environment_names_no_hook(settings: Path) -> None:
    """The settings of a project can set variables."""
    run_ccship("install", environ={"CCSHIP_HOOK": "evil", "ccship_hook": "evil"})
    commands = {hook.command for hook in registration.registered(json.loads(settings.read_text()))}
    assert commands == {own_hook.own_command()}


def link_plugin(settings: Path) -> None:
    manifest = settings.with_name("skills") / "ccship/.claude-plugin/plugin.json"
    manifest.parent.mkdir(parents=True)
    manifest.write_text('{"name": "ccship"}')


PLUGINS = {
    "enabled": ('{"enabledPlugins": {"ccship@acme": true}}', False, CLIENT, "ccship@acme"),
    "linked": ("{}", True, CLIENT, "ccship"),
    "linked, with a client that nobody finds": ("{}", True, "what?", "ccship"),
}


@pytest.mark.parametrize(("content", "linked", "client", "name"), PLUGINS.values(), ids=PLUGINS.keys())
def test_beside_a_plugin_nothing_is_registered(
    content: str, linked: bool, client: str, name: str, settings: Path, tmp_path: Path
) -> None:
    """The hook would run twice; the consent is given all the same."""
    settings.write_text(content)
    if linked:
        link_plugin(settings)
    environ = fake_client(tmp_path, client)
    done = run_ccship("install", "--opt-in", cwd=tmp_path, environ=environ)
    assert done.returncode == 0
    assert f"hook not registered: the plugin {name} already registers it\n" in done.stdout
    assert settings.read_text() == content
    assert json.loads((tmp_path / ".claude/settings.local.json").read_text()) == {"env": {"TRACE_TO_LANGFUSE": "true"}}
    for scope in ("user", "local"):
        document = json.loads(run_ccship("install", "--json", "--scope", scope, cwd=tmp_path, environ=environ).stdout)
        assert (document["plugins"], document["hooks"], document["files"]) == ([name], {}, [])


NO_PLUGINS = {
    "turned off": ('{"enabledPlugins": {"ccship@acme": false, "ccship-like@acme": true}}', False, CLIENT),
    "linked, with a client that ignores it": ("{}", True, "2.1.156 (Claude Code)"),
}


@pytest.mark.parametrize(("content", "linked", "client"), NO_PLUGINS.values(), ids=NO_PLUGINS.keys())
def test_a_plugin_that_does_not_run_does_not_count(
    content: str, linked: bool, client: str, settings: Path, tmp_path: Path
) -> None:
    """Nothing else would ship."""
    settings.write_text(content)
    if linked:
        link_plugin(settings)
    run_ccship("install", environ=fake_client(tmp_path, client))
    assert list(registration.registered(json.loads(settings.read_text())))


def test_a_plugin_of_one_project_does_not_stop_the_others(settings: Path, tmp_path: Path) -> None:
    """A repository's settings say nothing about all projects."""
    shared = tmp_path / "demo/.claude/settings.json"
    shared.parent.mkdir(parents=True)
    shared.write_text('{"enabledPlugins": {"ccship@acme": true}}')
    assert "already registers it" in run_ccship("install", "--scope", "local", cwd=tmp_path / "demo").stdout
    run_ccship("install", cwd=tmp_path / "demo")
    assert list(registration.registered(json.loads(settings.read_text())))
