"""ccship as it is put onto a machine: by `uv tool install`, or by whoever packages it with other versions."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import ccship
from ccship.claude_code import registration
from ccship.errors import ConfigError
from ccship.sinks.spans import check_sdk
from conftest import FIXTURES, ROOT, UV_CACHE
from loopback import LoopbackLangfuse

TRANSCRIPT = FIXTURES / "claude/projects/-home-dev-demo/9e4b124a-6f45-4c38-88d8-111ee2b7680b.jsonl"


@pytest.mark.parametrize("version", ["4.0.2", "4.14.2", "3.11.2", "4.14"])
def test_an_sdk_that_is_too_old_is_named(version: str) -> None:
    """Nixpkgs has had one; without this the first thing that it lacks would look like a bug."""
    with pytest.raises(ConfigError, match=rf"SDK is version {re.escape(version)}, ccship needs 4\.14\.3"):
        check_sdk(version)


@pytest.mark.parametrize("version", ["4.14.3", "4.20.0rc1", "5.0.4"])
def test_a_newer_sdk_is_taken(version: str) -> None:
    """Whatever else stands behind its numbers."""
    check_sdk(version)


@pytest.mark.slow
def test_installed_as_a_tool_it_registers_itself_and_ships(langfuse: LoopbackLangfuse, tmp_path: Path) -> None:
    """With the Python of the tool, which is there tomorrow; so nothing is warned of."""
    uv = shutil.which("uv") or pytest.skip("no uv to install it with")
    tools = tmp_path / "tools"
    environ = {
        **os.environ,
        "UV_CACHE_DIR": UV_CACHE,
        "UV_PYTHON": sys.executable,
        "UV_TOOL_DIR": str(tools),
        "UV_TOOL_BIN_DIR": str(tmp_path / "bin"),
    }
    environ.pop("VIRTUAL_ENV", None)

    def run(*command: str | Path, stdin: bytes = b"", **more: str) -> str:
        done = subprocess.run(
            command, input=stdin, env={**environ, **more}, cwd=tmp_path, capture_output=True, check=False, timeout=300
        )
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout.decode()

    run(uv, "tool", "install", "--quiet", ROOT)
    program = tmp_path / "bin/ccship"
    assert run(program, "--version").split() == ["ccship", ccship.__version__]

    done = json.loads(run(program, "install", "--json"))
    settings = json.loads((tmp_path / "home/.claude/settings.json").read_text())
    assert settings["hooks"] == done["hooks"]
    assert not any("goes with" in warning or "may empty" in warning for warning in done["warnings"])
    (command,) = {hook.command for hook in registration.registered(settings)}
    assert command.startswith(f"{tools}/ccship/bin/python")

    payload = json.dumps({"transcript_path": str(TRANSCRIPT), "hook_event_name": "Stop"}).encode()
    here = {**langfuse.environ, "CLAUDE_CONFIG_DIR": str(FIXTURES / "claude")}
    assert (
        run("/bin/sh", "-c", command, stdin=payload, TRACE_TO_LANGFUSE="true", CC_LANGFUSE_FOREGROUND="true", **here)
        == ""
    )
    assert {span.attributes["session.id"] for span in langfuse.accepted} == {TRANSCRIPT.stem}
