"""The home-manager module: what it registers where, what it writes, and what it refuses."""

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from ccship import __version__ as ccship_version
from ccship.claude_code import registration
from ccship.config import load
from conftest import ROOT, UV_CACHE
from nix.evaluation import WORLDS, Json, Refused, evaluate, home, needs_nix

pytestmark = [needs_nix, pytest.mark.parametrize("world", WORLDS)]

CLAUDE_CODE = "programs.claude-code.enable = true;"
SKILL = "/home/ada/.claude/skills/ccship"
EVENTS = list(registration.EVENTS)


def ccship(options: str = "", beside: str = "") -> str:
    """A module that enables ccship."""
    return f"{{ programs.ccship = {{ enable = true; {options} }}; {beside} }}"


def command_in(hooks: Json) -> str:
    """The one command that all events run."""
    (command,) = {hook["command"] for groups in hooks.values() for group in groups for hook in group["hooks"]}
    return str(command)


def test_by_default_it_links_a_plugin(world: str) -> None:
    """A manifest and the hooks, and nothing else; the command is installed, no config is written."""
    it = home(ccship(), world)
    files = {path: json.loads(content) for path, content in it["files"].items()}
    assert set(files) == {f"{SKILL}/.claude-plugin/plugin.json", f"{SKILL}/hooks/hooks.json"}
    manifest = json.loads((ROOT / ".claude-plugin/plugin.json").read_text())
    assert files[f"{SKILL}/.claude-plugin/plugin.json"] == {
        key: manifest[key] for key in ("name", "version", "description")
    }
    assert files[f"{SKILL}/hooks/hooks.json"] == {"hooks": it["hooks"]}
    assert it["packages"] == [f"ccship-{manifest['version']}"]
    assert not (it["settings"] or {}).get("hooks")


def test_nothing_happens_before_it_is_enabled(world: str) -> None:
    """Importing the module is no consent."""
    it = home(f"{{ {CLAUDE_CODE} }}", world)
    assert (it["packages"], it["files"], it["variables"]) == ([], {}, {})
    assert not it["settings"].get("hooks")


def test_a_system_that_the_flake_does_not_build_for_gets_the_package_of_its_own_nixpkgs(world: str) -> None:
    """Such as an Intel Mac, which the nixpkgs of the flake no longer supports."""
    it = home(ccship(), world, system=json.dumps("x86_64-darwin"))
    assert it["packages"] == [f"ccship-{ccship_version}"]


WRITTEN = {
    "defaults": ("", EVENTS, 60),
    "other events": ('events = [ "Stop" "StopFailure" ];', ["Stop", "StopFailure"], 60),
    "another timeout": ("timeout = 5;", EVENTS, 5),
    "no timeout": ("timeout = null;", EVENTS, None),
}  # fmt: skip


@pytest.mark.parametrize(("options", "events", "timeout_s"), WRITTEN.values(), ids=WRITTEN.keys())
def test_the_hooks_are_those_that_install_would_write(
    options: str, events: list[str], timeout_s: int | None, world: str
) -> None:
    """For the same command, events and timeout; `ccship doctor` knows them as its own."""
    hooks = home(ccship(options), world)["hooks"]
    assert hooks == registration.hooks_of(command_in(hooks), events, timeout_s)
    assert {hook.event for hook in registration.registered({"hooks": hooks})} == set(events)


def test_an_existing_settings_file_is_left_alone_by_default(world: str) -> None:
    """With Claude Code's module too: home-manager refuses to replace the file, or sets its content aside with `-b`."""
    it = home(ccship("settings.trace = true;", CLAUDE_CODE), world)
    assert not it["writesSettings"]
    assert it["registration"] == "plugin"
    assert f"{SKILL}/hooks/hooks.json" in it["files"]


SETTINGS = 'registration = "settings";'


def test_the_hooks_can_be_added_to_claude_code_s_settings(world: str) -> None:
    """Then no plugin is linked, which would run everything twice."""
    it = home(ccship(SETTINGS, CLAUDE_CODE), world)
    assert it["settings"]["hooks"] == it["hooks"]
    assert it["files"] == {}


@pytest.mark.parametrize("registration", ["plugin", "none"])
def test_settings_of_claude_code_stay_as_they_are(registration: str, world: str) -> None:
    """Unless the hooks are to be added to them."""
    theirs = 'programs.claude-code.settings.model = "opus";'
    it = home(ccship(f'registration = "{registration}";', CLAUDE_CODE + theirs), world)
    assert it["settings"] == {"model": "opus"}


def test_the_hooks_of_the_person_come_first(world: str) -> None:
    """In their order; other events of theirs are left alone."""
    theirs = 'programs.claude-code.settings.hooks = { Stop = [ "a" "b" ]; PreToolUse = [ "c" ]; };'
    it = home(ccship(SETTINGS, CLAUDE_CODE + theirs), world)
    assert it["settings"]["hooks"]["Stop"] == ["a", "b", *it["hooks"]["Stop"]]
    assert it["settings"]["hooks"]["PreToolUse"] == ["c"]
    assert it["settings"]["hooks"]["SessionEnd"] == it["hooks"]["SessionEnd"]


CLIENTS = {
    "too old for plugins": ("2.1.156", "", True),
    "new enough": ("2.1.157", "", False),
    "too old, with the hooks in its settings": ("2.1.156", SETTINGS, False),
}


@pytest.mark.parametrize(("version", "options", "warned"), CLIENTS.values(), ids=CLIENTS.keys())
def test_a_client_that_would_ignore_the_plugin_is_warned_of(
    version: str, options: str, warned: bool, world: str
) -> None:
    """The text names both versions and the way out."""
    client = f'programs.claude-code.package = pkgs.git // {{ version = "{version}"; }};'
    it = home(f"{{ pkgs, ... }}: {ccship(options, CLAUDE_CODE + client)}", world)
    assert len(it["warnings"]) == warned
    for warning in it["warnings"]:
        assert "needs Claude Code 2.1.157" in warning
        assert "package is 2.1.156" in warning


def test_none_leaves_the_hooks_to_the_person(world: str) -> None:
    """They can be read off."""
    it = home(ccship('registration = "none";', CLAUDE_CODE), world)
    assert (it["settings"], it["files"]) == ({}, {})
    assert set(it["hooks"]) == set(EVENTS)
    assert it["packages"]


FOLDERS = {
    "our own": (ccship('configDir = "/srv/claude";'), "/srv/claude"),
    "Claude Code's": (ccship(beside='programs.claude-code.configDir = "/srv/claude";'), "/srv/claude"),
    "ours before Claude Code's": (
        ccship('configDir = "/srv/ours";', 'programs.claude-code.configDir = "/srv/claude";'), "/srv/ours",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("module", "folder"), FOLDERS.values(), ids=FOLDERS.keys())
def test_the_plugin_goes_where_claude_code_looks(module: str, folder: str, world: str) -> None:
    """Which is not always ~/.claude."""
    it = home(module, world)
    assert {str(Path(path).parents[1]) for path in it["files"]} == {f"{folder}/skills/ccship"}


OLDER = {"without programs.claude-code": "null", "without its configDir": "[ ]"}


@pytest.mark.parametrize("claude_code", OLDER.values(), ids=OLDER.keys())
def test_it_works_with_an_older_home_manager(claude_code: str, world: str) -> None:
    """Which must not be asked for what it does not know."""
    if world == "real":
        pytest.skip("the real one is as old as it is")
    it = home(ccship(), claudeCode=claude_code)
    assert {str(Path(path).parents[1]) for path in it["files"]} == {SKILL}


def test_both_names_of_the_module_may_be_imported(world: str) -> None:
    """As happens when two parts of a configuration each bring it."""
    names = "[ it.flake.homeModules.default it.flake.homeManagerModules.default ]"
    assert home(f"{{ imports = {names}; programs.ccship.enable = true; }}", world)["packages"]


REFUSED = {
    "two paths of one key": (
        'secretKeyFile = "/a"; settings.secret_key_file = "/b";',
        "settings.secret_key_file' has conflicting definition",
    ),
    "a public key in the store": ('publicKeyFile = "${./.}/key";', "publicKeyFile is in the store"),
    "a secret key in the store": ('secretKeyFile = "/nix/store/aaa-key";', "secretKeyFile is in the store"),
    "an environment in the store": ('environmentFile = "${./.}";', "environmentFile is in the store"),
    "a path that would go into the store": ("secretKeyFile = ./key;", "secretKeyFile' is not of type"),
    "a destination's in the store": (
        'settings.destinations = [ { projects = [ "/a" ]; secret_key_file = "/nix/store/aaa-key"; } ];',
        "destinations.0.secret_key_file is in the store",
    ),
    "an event that there is not": ('events = [ "Stopp" ];', "programs.ccship.events"),
    "no time at all": ("timeout = 0;", "programs.ccship.timeout' is not of type"),
    "an option that there is not": ('secretKey = "x";', "programs.ccship.secretKey' does not exist"),
    "hooks of one's own": ("hooks = { };", "programs.ccship.hooks' is read-only"),
    "settings that nobody writes": ('registration = "settings";', "programs.claude-code, which writes them, is not"),
    "a folder without a place": ('configDir = ".claude";', "configDir is .claude, which is not an absolute path"),
}  # fmt: skip


@pytest.mark.parametrize(("options", "message"), REFUSED.values(), ids=REFUSED.keys())
def test_what_cannot_be_meant_is_refused(options: str, message: str, world: str) -> None:
    """Before anything is built, and the text says what to do."""
    with pytest.raises(Refused) as refused:
        home(ccship(options), world)
    assert message in str(refused.value).replace("\n", " ")


LINUX, MACOS = "x86_64-linux", "aarch64-darwin"
PLACES = {
    "Linux": (LINUX, "", "/home/ada/.config", False),
    "macOS": (MACOS, "", "/home/ada/Library/Application Support", False),
    "Linux with XDG_CONFIG_HOME": (LINUX, "xdg.enable = true;", "/home/ada/.config", False),
    "macOS with XDG_CONFIG_HOME": (MACOS, "xdg.enable = true;", "/home/ada/.config", True),
    "Linux with another folder": (LINUX, 'xdg.configHome = "/home/ada/my config";', "/home/ada/my config", True),
}


@pytest.mark.parametrize(
    "options", ["", 'environmentFile = "~/of ada.env";'], ids=["alone", "with an environment file"]
)
@pytest.mark.parametrize(("system", "beside", "folder", "told"), PLACES.values(), ids=PLACES.keys())
def test_settings_are_written_where_ccship_reads_them(
    system: str, beside: str, folder: str, told: bool, options: str, tmp_path: Path, world: str
) -> None:
    """In a folder that it would not find without the variables of the session, it is told where they are."""
    (Path.home() / "of ada.env").write_text("KEY='of ada'\n")
    module = ccship(f"settings.trace = true; {options}", beside)
    arguments = {"system": json.dumps(system)}
    it = evaluate(f"it.home [ ({module}) ]", world, arguments, store=tmp_path / "store")
    place = f"{folder}/ccship/config.toml"
    assert {path: value for path, value in it["files"].items() if path.endswith(".toml")} == {place: {"trace": True}}
    assert it["variables"] == ({"CC_LANGFUSE_CONFIG": place} if told else {})
    command = command_in(it["hooks"])
    own = registration.without_environment_file(command)
    assert own == evaluate("it.commands", world, arguments)["ccship"]["hook"]
    line = command.replace(own, "printenv CC_LANGFUSE_CONFIG KEY").replace("/nix/", f"{tmp_path}/store/nix/")
    environ = {name: value for name, value in os.environ.items() if name != "CC_LANGFUSE_CONFIG"}
    done = subprocess.run(["/bin/sh", "-c", line], env=environ, capture_output=True, text=True, check=False, timeout=60)
    assert done.stdout.splitlines() == [*([place] if told else []), *(["of ada"] if options else [])]


def test_keys_are_read_from_their_files_when_ccship_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, world: str
) -> None:
    """`~` and variables are expanded then, as agenix needs it; what is written names the files and holds no key."""
    canary = "pk-lf-of ada", "sk-lf-of ada"
    (tmp_path / "home/public").write_text(canary[0])
    (tmp_path / "secret").write_text(canary[1])
    options = 'publicKeyFile = "~/public"; secretKeyFile = "\\${RUNTIME}/secret"; settings.trace = true;'
    it = home(ccship(options), world)
    assert not any(key in json.dumps(it) for key in canary)
    written = it["files"]["/home/ada/.config/ccship/config.toml"]
    toml = "".join(f"{key} = {json.dumps(value)}\n" for key, value in written.items())
    assert tomllib.loads(toml) == written
    Path(os.environ["CC_LANGFUSE_CONFIG"]).write_text(toml)
    monkeypatch.setenv("RUNTIME", str(tmp_path))
    config = load()
    assert (config.public_key, config.secret_key, config.opted_in) == (*canary, True)


ENVIRONMENTS = {
    "as a shell reads it": ("KEY='of ada'\n", "of ada\n"),
    "missing": (None, ""),
    "no shell's language": ("if then (\n", ""),
    "that exits": ("exit 2\n", ""),
}


@pytest.mark.parametrize("place", ["~/of ada.env", "$HOME/of ada.env", "$(echo $HOME)/of ada.env"])
@pytest.mark.parametrize(("content", "printed"), ENVIRONMENTS.values(), ids=ENVIRONMENTS.keys())
def test_an_environment_file_reaches_the_hook_or_nothing_happens(
    content: str | None, printed: str, place: str, world: str
) -> None:
    """Exit code 2, which a shell has for a file that it cannot read, would stop Claude from stopping."""
    if content is not None:
        (Path.home() / "of ada.env").write_text(content)
    plain, command = (
        command_in(home(ccship(options), world)["hooks"]) for options in ("", f"environmentFile = {json.dumps(place)};")
    )
    assert plain in command
    line = command.replace(plain, "printenv KEY")
    done = subprocess.run(["/bin/sh", "-c", line], capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stdout) == (0, printed)


SCRIPT = "package = it.packages.ccship-script;"


def test_the_script_variant_is_run_by_uv_as_its_lock_says(world: str) -> None:
    """With the Python of the store, and without another one from the net."""
    it = home(ccship(SCRIPT), world)
    command = command_in(it["hooks"])
    store = r"/nix/store/[^ ]+"
    assert re.fullmatch(
        rf"UV_PYTHON={store}/bin/python3 UV_PYTHON_DOWNLOADS=never PYTHONPYCACHEPREFIX=\S+ {store}/bin/uv run --quiet"
        r" --frozen"
        rf" --script {store}/hooks/ccship_hook.py \|\| exit 0",
        command,
    )
    assert it["packages"][0].startswith("ccship-script-")
    assert registration.hooks_of(command) == it["hooks"]


@pytest.mark.slow
def test_the_script_runs_from_the_store_and_offline_once_warm(tmp_path: Path, world: str) -> None:
    """Script, lock and package are in one directory, in which nothing is written, no bytecode either."""
    uv = shutil.which("uv") or pytest.skip("no uv to run it")
    source = evaluate("it.script", world, store=tmp_path / "store")
    folder = Path(f"{tmp_path}/store{source}")
    folder.chmod(0o755)
    for path in folder.rglob("*"):
        path.chmod(0o755 if path.is_dir() else 0o644)
    before = sorted(folder.rglob("*"))
    command = command_in(home(ccship(SCRIPT), world)["hooks"])
    command = re.sub(r"/nix/store/\S+/bin/uv\b", uv, command).replace(source, str(folder))
    command = re.sub(r"/nix/store/\S+/bin/python3\b", sys.executable, command)
    environ = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    for more in ({}, {"UV_OFFLINE": "1"}):
        done = subprocess.run(
            ["/bin/sh", "-c", command],
            input=b"{}", env={**environ, "UV_CACHE_DIR": UV_CACHE, **more},
            cwd=tmp_path, capture_output=True, check=False, timeout=300,
        )  # fmt: skip
        assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    assert sorted(folder.rglob("*")) == before
    assert list((Path.home() / ".cache/ccship/bytecode").rglob("hook.*.pyc"))
