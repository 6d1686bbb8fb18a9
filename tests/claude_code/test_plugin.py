"""The repository as a Claude Code plugin: its manifest, its hooks, its options."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from urllib.parse import urlsplit

import pytest

import ccship
from ccship.claude_code import registration
from ccship.config import load
from ccship.config.table import SETTINGS
from conftest import FIXTURES, ROOT, UV_CACHE
from helpers import run_ccship
from loopback import LoopbackLangfuse

PLUGIN = json.loads((ROOT / ".claude-plugin/plugin.json").read_text())
MARKETPLACE = json.loads((ROOT / ".claude-plugin/marketplace.json").read_text())
HOOKS = json.loads((ROOT / "hooks/hooks.json").read_text())
LOCK = ROOT / "hooks/ccship_hook.py.lock"
COMMAND = 'uv run --quiet --frozen --script "${CLAUDE_PLUGIN_ROOT}/hooks/ccship_hook.py" || exit 0'
ASKED = {setting.key: setting for setting in SETTINGS if setting.in_plugin}


def test_the_plugin_registers_what_install_registers() -> None:
    """The same events and timeout, with the script that uv runs."""
    assert {"hooks": registration.hooks_of(COMMAND)} == HOOKS
    assert {hook.command for hook in registration.registered(HOOKS)} == {COMMAND}


def test_the_manifest_has_the_version_of_the_package() -> None:
    """Claude Code updates a plugin when its version changes."""
    assert PLUGIN["version"] == ccship.__version__


def test_the_marketplace_offers_this_repository() -> None:
    """Under the plugin's own name."""
    (offer,) = MARKETPLACE["plugins"]
    assert (offer["name"], offer["source"]) == (PLUGIN["name"], "./")


def test_the_plugin_asks_for_settings_that_there_are() -> None:
    """Secrets apart from the others; none has a default, which would beat what stands in config.toml."""
    options = PLUGIN["userConfig"]
    assert set(options) == set(ASKED)
    assert {key for key, option in options.items() if option.get("sensitive")} == {
        key for key, setting in ASKED.items() if setting.is_secret
    }
    assert not any("default" in option for option in options.values())


LAYERS = {
    "alone": ({"CLAUDE_PLUGIN_OPTION_CAPTURE": "metadata"}, "", "metadata"),
    "over the file": ({"CLAUDE_PLUGIN_OPTION_CAPTURE": "metadata"}, 'capture = "full"', "metadata"),
    "under a variable": (
        {"CLAUDE_PLUGIN_OPTION_CAPTURE": "metadata", "CC_LANGFUSE_CAPTURE": "no-tool-io"}, "", "no-tool-io",
    ),
    "not given": ({"CLAUDE_PLUGIN_OPTION_CAPTURE": ""}, 'capture = "metadata"', "metadata"),
}  # fmt: skip


@pytest.mark.parametrize(("options", "file", "holds"), LAYERS.values(), ids=LAYERS.keys())
def test_an_option_of_the_plugin_is_a_setting(options: dict[str, str], file: str, holds: str) -> None:
    """The weakest variable, but a variable."""
    Path(os.environ["CC_LANGFUSE_CONFIG"]).write_text(file)
    assert load({**os.environ, **options}).policy.capture == holds


def test_the_config_command_names_the_option() -> None:
    """As it names every other origin."""
    done = run_ccship("config", "--json", environ={"CLAUDE_PLUGIN_OPTION_BASE_URL": "https://langfuse.example"})
    (row,) = [shown for shown in json.loads(done.stdout)["settings"] if shown["setting"] == "base_url"]
    assert (row["value"], row["from"]) == ("https://langfuse.example", "CLAUDE_PLUGIN_OPTION_BASE_URL")


def options_of(langfuse: LoopbackLangfuse) -> dict[str, str]:
    """What Claude Code hands to the hook of a plugin that was given these keys and the consent."""
    keys = langfuse.environ
    options = {
        "TRACE": "true",
        "PUBLIC_KEY": keys["LANGFUSE_PUBLIC_KEY"],
        "SECRET_KEY": keys["LANGFUSE_SECRET_KEY"],
        "BASE_URL": keys["LANGFUSE_BASE_URL"],
    }
    return {f"CLAUDE_PLUGIN_OPTION_{name}": value for name, value in options.items()}


@pytest.mark.parametrize(("trace", "ships"), [("true", True), ("false", False), ("", False)])
def test_the_options_are_all_that_the_hook_needs(langfuse: LoopbackLangfuse, trace: str, ships: bool) -> None:
    """Keys and consent; without the consent nothing is sent."""
    transcript = next((FIXTURES / "claude/projects").rglob("9e4b124a*.jsonl"))
    payload = json.dumps({"transcript_path": str(transcript), "hook_event_name": "Stop"}).encode()
    environ = {
        **options_of(langfuse),
        "CLAUDE_PLUGIN_OPTION_TRACE": trace,
        "CLAUDE_CONFIG_DIR": str(FIXTURES / "claude"),
        "CC_LANGFUSE_FOREGROUND": "true",
    }
    done = run_ccship("hook", stdin=payload, environ=environ)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert bool(langfuse.accepted) == ships


def test_the_lock_of_the_script_is_current() -> None:
    """`--frozen` runs what stands in it, whatever pyproject.toml says."""
    if shutil.which("uv") is None:
        pytest.skip("no uv to ask")
    command = ["uv", "lock", "--check", "--script", "hooks/ccship_hook.py"]
    environ = {**os.environ, "UV_CACHE_DIR": UV_CACHE}
    done = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, check=False, timeout=120)
    if re.search(r"[Ff]ailed to fetch|dns error|offline|timed out", done.stderr):
        pytest.skip("no package registry to ask")
    assert done.returncode == 0, done.stderr


def test_the_locks_name_public_registries_only() -> None:
    """Made behind a mirror, they would name the mirror."""
    urls = re.findall(r'"(https?://[^"]+)"', LOCK.read_text() + (ROOT / "uv.lock").read_text())
    assert {urlsplit(url).hostname for url in urls} == {"pypi.org", "files.pythonhosted.org"}
