"""The plugin in the real client: the repository's own, installed and linked, and the one that home-manager links."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import ccship.hook
from ccship.claude_code import registration
from conftest import ROOT, UV_CACHE
from e2e.client import CLAUDE, Client, needs_client, roots, session
from e2e.messages import ScriptedModel
from loopback import LoopbackLangfuse
from nix.evaluation import home, needs_nix

pytestmark = [pytest.mark.e2e, needs_client]

OURS = shutil.ignore_patterns(".*cache", ".git", ".venv", "__pycache__", ".hypothesis")


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """The repository as somebody clones it; of a folder, the client takes everything."""
    return Path(shutil.copytree(ROOT, tmp_path / "repository", ignore=OURS))


@pytest.fixture
def client(tmp_path: Path, model: ScriptedModel, langfuse: LoopbackLangfuse) -> Client:
    """A client with no hook of ours; its settings name the state folder, the plugin is told the rest or nothing."""
    it = Client(tmp_path / "client", model, langfuse, hooked=False)
    # uv wants to know more of its machine than the hook: certificates, proxies, where a shim of it leads.
    it.environ = {**os.environ, **it.environ, "UV_CACHE_DIR": UV_CACHE}
    write_settings(it, {})
    return it


def write_settings(client: Client, environ: dict[str, str]) -> None:
    settings = {"env": {"CC_LANGFUSE_STATE_DIR": str(client.state), **environ}}
    (client.config / "settings.json").write_text(json.dumps(settings))


def run(client: Client, *arguments: str | Path, stdin: str = "") -> str:
    """Run a command of the client, which must do what it is told."""
    assert CLAUDE
    done = subprocess.run(
        [CLAUDE, *arguments], env=client.environ, cwd=client.work, input=stdin,
        capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def ships(client: Client) -> None:
    """A session of two turns arrives, and its state is where it was told to be."""
    known = session()
    client.say("SCENE:plain one", "--session-id", known)
    client.settled()
    client.say("SCENE:tools two", "--resume", known)
    assert roots(client.settled()) == ["SCENE:plain one", "SCENE:tools two"]


def test_the_client_finds_the_plugin_valid(client: Client, repository: Path) -> None:
    """And sees a hook at each event."""
    said = run(client, "plugin", "validate", repository)
    assert "Validation passed" in said
    assert all(f"hooks: {event} command" in said for event in registration.EVENTS)


def test_an_installed_plugin_ships_with_what_it_was_told(
    client: Client, repository: Path, langfuse: LoopbackLangfuse
) -> None:
    """Keys come from its own options, and the secret one is not in the settings."""
    run(client, "plugin", "install", "ccship", "--marketplace", repository)
    keys = langfuse.environ
    told = {
        "trace": "true",
        "public_key": keys["LANGFUSE_PUBLIC_KEY"],
        "secret_key": keys["LANGFUSE_SECRET_KEY"],
        "base_url": keys["LANGFUSE_BASE_URL"],
    }
    run(client, "plugin", "configure", "ccship@ccship", "--values-stdin", stdin=json.dumps(told))
    assert keys["LANGFUSE_SECRET_KEY"] not in (client.config / "settings.json").read_text()
    ships(client)


def test_a_linked_repository_ships(client: Client, repository: Path, langfuse: LoopbackLangfuse) -> None:
    """By a link among the skills, with keys from the environment."""
    (client.config / "skills").mkdir()
    (client.config / "skills/ccship").symlink_to(repository)
    write_settings(client, {**langfuse.environ, "TRACE_TO_LANGFUSE": "true"})
    ships(client)


@needs_nix
def test_the_plugin_that_home_manager_links_ships(client: Client, langfuse: LoopbackLangfuse, tmp_path: Path) -> None:
    """Each of its files is a link into the store; the Python of the store is stood for by ours."""
    at = json.dumps(str(client.config))
    files = home(f"{{ programs.ccship = {{ enable = true; configDir = {at}; }}; }}")["files"]
    command = registration.command_of(Path(sys.executable), Path(ccship.hook.__file__))
    for n, (path, content) in enumerate(files.items()):
        stored = tmp_path / f"stored-{n}"
        stored.write_text(re.sub(r"/nix/store/[^\"]* \|\| exit 0", command, content))
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        Path(path).symlink_to(stored)
    write_settings(client, {**langfuse.environ, "TRACE_TO_LANGFUSE": "true"})
    ships(client)
