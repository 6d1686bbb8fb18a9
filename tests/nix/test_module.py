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

from ccship import registration
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
    (command,) = {it["command"] for groups in hooks.values() for group in groups for it in group["hooks"]}
    return str(command)


def at_home(files: Json) -> dict[str, str]:
    """Files by absolute path: home-manager takes both."""
    return {str(Path("/home/ada") / path): content for path, content in files.items()}


def test_by_default_it_links_a_plugin(world: str) -> None:
    """A manifest and the hooks, and nothing else; the command is installed, no config is written."""
    it = home(ccship(), world)
    files = {path: json.loads(content) for path, content in at_home(it["files"]).items()}
    assert set(files) == {f"{SKILL}/.claude-plugin/plugin.json", f"{SKILL}/hooks/hooks.json"}
    manifest = json.loads((ROOT / ".claude-plugin/plugin.json").read_text())
    assert files[f"{SKILL}/.claude-plugin/plugin.json"] == {
        key: manifest[key] for key in ("name", "version", "description")
    }
    assert files[f"{SKILL}/hooks/hooks.json"] == {"hooks": it["hooks"]}
    assert it["packages"] == [f"ccship-{manifest['version']}"]
    assert it["configFiles"] == {}
    assert not (it["settings"] or {}).get("hooks")


def test_nothing_happens_before_it_is_enabled(world: str) -> None:
    """Importing the module is no consent."""
    it = home(f"{{ {CLAUDE_CODE} }}", world)
    assert (it["packages"], it["files"], it["configFiles"]) == ([], {}, {})
    assert not it["settings"].get("hooks")


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
    assert {it.event for it in registration.registered({"hooks": hooks})} == set(events)


def test_the_command_is_the_fastest_there_is(world: str) -> None:
    """The Python that knows the package, by its path in the store, without site-packages."""
    command = command_in(home(ccship(), world)["hooks"])
    python, hook = (Path(word) for word in command.split() if word.startswith("/"))
    assert command == registration.command_of(python, hook)
    assert hook.is_relative_to(python.parent.parent)
    assert hook.name == "hook.py"


def test_with_claude_code_enabled_it_joins_its_settings(world: str) -> None:
    """And links no plugin, which would run everything twice."""
    it = home(ccship(beside=CLAUDE_CODE), world)
    assert it["registration"] == "settings"
    assert it["settings"]["hooks"] == it["hooks"]
    assert it["files"] == {}


def test_the_hooks_of_the_person_come_first(world: str) -> None:
    """In their order; other events of theirs are left alone."""
    theirs = 'programs.claude-code.settings.hooks = { Stop = [ "a" "b" ]; PreToolUse = [ "c" ]; };'
    it = home(ccship(beside=CLAUDE_CODE + theirs), world)
    assert it["settings"]["hooks"]["Stop"] == ["a", "b", *it["hooks"]["Stop"]]
    assert it["settings"]["hooks"]["PreToolUse"] == ["c"]
    assert it["settings"]["hooks"]["SessionEnd"] == it["hooks"]["SessionEnd"]


def test_the_plugin_can_be_had_beside_claude_code_s_own_module(world: str) -> None:
    """For a settings.json that Claude Code itself may change."""
    it = home(ccship('registration = "plugin";', CLAUDE_CODE), world)
    assert it["settings"] == {}
    assert set(map(str, at_home(it["files"]))) >= {f"{SKILL}/hooks/hooks.json"}


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
    "a public key in the store": ('publicKeyFile = "${./.}/key";', "publicKeyFile is in the store"),
    "a secret key in the store": ('secretKeyFile = "/nix/store/aaa-key";', "secretKeyFile is in the store"),
    "an environment in the store": ('environmentFile = "${./.}";', "environmentFile is in the store"),
    "a path that would go into the store": ("secretKeyFile = ./key;", "secretKeyFile' is not of type"),
    "a secret key in the settings": ('settings.secret_key = "x";', "settings holds a secret key"),
    "one in the wrong place": ('settings.public_key = "sk-" + "lf-x";', "settings holds a secret key"),
    "one of a destination": (
        'settings.destinations = [ { projects = [ "/a" ]; secret_key = "x"; } ];', "settings holds a secret key",
    ),
    "a destination's in the store": (
        'settings.destinations = [ { secret_key_file = "/nix/store/aaa-key"; } ];', "secret_key_file in the store",
    ),
    "an event that there is not": ('events = [ "Stopp" ];', "programs.ccship.events"),
    "no time at all": ("timeout = 0;", "programs.ccship.timeout' is not of type"),
    "an option that there is not": ('secretKey = "x";', "programs.ccship.secretKey' does not exist"),
    "hooks of one's own": ("hooks = { };", "programs.ccship.hooks' is read-only"),
    "settings that nobody writes": ('registration = "settings";', "programs.claude-code, which writes them, is not"),
    "a folder without a place": ('configDir = ".claude";', "configDir is .claude: say an absolute path"),
}  # fmt: skip


@pytest.mark.parametrize(("options", "message"), REFUSED.values(), ids=REFUSED.keys())
def test_what_cannot_be_meant_is_refused(options: str, message: str, world: str) -> None:
    """Before anything is built, and the text says what to do."""
    with pytest.raises(Refused) as refused:
        home(ccship(options), world)
    assert message in str(refused.value).replace("\n", " ")


@pytest.mark.parametrize(
    ("system", "place"),
    [
        ("x86_64-linux", "/home/ada/.config/ccship/config.toml"),
        ("aarch64-darwin", "/home/ada/Library/Application Support/ccship/config.toml"),
    ],
)
def test_settings_are_written_where_ccship_reads_them(system: str, place: str, world: str) -> None:
    """Linux has one place, macOS another."""
    it = home(ccship("settings.trace = true;"), world, system=json.dumps(system))
    configs = {str(Path("/home/ada/.config") / path): value for path, value in it["configFiles"].items()}
    files = {path: value for path, value in {**at_home(it["files"]), **configs}.items() if path.endswith(".toml")}
    assert files == {place: {"trace": True}}


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
    (written,) = it["configFiles"].values()
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
        rf"UV_PYTHON={store}/bin/python3 UV_PYTHON_DOWNLOADS=never {store}/bin/uv run --quiet --frozen"
        rf" --script {store}/hooks/ccship_hook.py \|\| exit 0",
        command,
    )
    assert it["packages"][0].startswith("ccship-script-")
    assert registration.hooks_of(command) == it["hooks"]


@pytest.mark.slow
def test_the_script_runs_from_the_store_and_offline_once_warm(tmp_path: Path, world: str) -> None:
    """Script, lock and package lie in one directory, in which nothing is written."""
    uv = shutil.which("uv") or pytest.skip("no uv to run it")
    source = evaluate("it.script", world, store=tmp_path / "store")
    folder = Path(f"{tmp_path}/store{source}")
    before = sorted(folder.rglob("*"))
    environ = {**os.environ, "UV_CACHE_DIR": UV_CACHE, "UV_PYTHON": sys.executable, "UV_PYTHON_DOWNLOADS": "never"}
    for more in ({}, {"UV_OFFLINE": "1"}):
        done = subprocess.run(
            [uv, "run", "--quiet", "--frozen", "--script", folder / "hooks/ccship_hook.py"],
            input=b"{}", env={**environ, **more, "PYTHONDONTWRITEBYTECODE": "1"},
            cwd=tmp_path, capture_output=True, check=False, timeout=300,
        )  # fmt: skip
        assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    assert sorted(folder.rglob("*")) == before


def test_the_package_is_built_of_what_the_lock_names(world: str) -> None:
    """Name by name; what nixpkgs lacks or has too old comes as the lock has it, by its hash."""
    lock = {it["name"]: it for it in tomllib.loads((ROOT / "uv.lock").read_text())["package"]}
    built = evaluate("it.built", world)
    for name, it in built.items():
        if name == "ccship" or it["url"]:
            here = {
                other["name"]
                for other in lock[name]["dependencies"]
                if "== 'emscripten'" not in other.get("marker", "")
            }
            assert set(it["dependencies"]) == here
    for name in ("langfuse", "genai-prices"):
        (wheel,) = lock[name]["wheels"]
        assert (built[name]["url"], f"sha256:{built[name]['sha256']}") == (wheel["url"], wheel["hash"])
