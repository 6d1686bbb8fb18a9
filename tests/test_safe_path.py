"""What lies in the folder that a command is typed in, or a hook runs in, is not imported."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from conftest import FIXTURES
from helpers import until
from installations import script
from loopback import LoopbackLangfuse

MODULES = ("langfuse", "git", "rich", "orjson", "httpx", "typer", "multiprocessing", "signal", "filelock", "pydantic")
PROGRAMS = {
    "ccship": [str(Path(sys.executable).with_name("ccship"))],
    "python -m ccship": [sys.executable, "-m", "ccship"],
}
TRANSCRIPT = FIXTURES / "claude/projects/-home-dev-demo/9e4b124a-6f45-4c38-88d8-111ee2b7680b.jsonl"
PAYLOAD = json.dumps({"transcript_path": str(TRANSCRIPT), "hook_event_name": "Stop"}).encode()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder full of modules that note who imported them."""
    folder = tmp_path / "demo"
    folder.mkdir()
    for name in MODULES:
        (folder / f"{name}.py").write_text(f"open({str(tmp_path / 'imported')!r}, 'a').write('{name}\\n')\n")
    return folder


@pytest.fixture
def environ(langfuse: LoopbackLangfuse) -> dict[str, str]:
    """Somebody who opted in and does not wait for the worker."""
    return {
        **os.environ,
        **langfuse.environ,
        "CLAUDE_CONFIG_DIR": str(FIXTURES / "claude"),
        "TRACE_TO_LANGFUSE": "true",
    }


def imported(folder: Path) -> str:
    path = folder.with_name("imported")
    return path.read_text() if path.exists() else ""


@pytest.mark.parametrize("program", PROGRAMS.values(), ids=PROGRAMS.keys())
@pytest.mark.parametrize("command", ["backfill --jobs 2", "doctor", "usage", "show 9e4b", "install"])
def test_a_command_imports_nothing_of_its_folder(
    command: str, program: list[str], folder: Path, environ: dict[str, str], tmp_path: Path, langfuse: LoopbackLangfuse
) -> None:
    """Nor do the processes that it starts."""
    if command == "install":
        environ = {**environ, "CLAUDE_CONFIG_DIR": str(tmp_path / "claude")}
    done = subprocess.run(
        [*program, *command.split()], env=environ, cwd=folder, capture_output=True, text=True, check=False, timeout=120
    )
    assert imported(folder) == ""
    assert done.returncode == (1 if command == "doctor" else 0), done.stderr
    assert bool(langfuse.accepted) == command.startswith("backfill")


@pytest.mark.parametrize("foreground", ["true", "false"])
@pytest.mark.parametrize("program", PROGRAMS.values(), ids=PROGRAMS.keys())
def test_the_hook_and_its_worker_import_nothing_of_the_session_s_folder(
    program: list[str], foreground: str, folder: Path, environ: dict[str, str], langfuse: LoopbackLangfuse
) -> None:
    """Whether it waits for the worker or not."""
    environ["CC_LANGFUSE_FOREGROUND"] = foreground
    subprocess.run([*program, "hook"], input=PAYLOAD, env=environ, cwd=folder, check=True, timeout=120)
    until(lambda: bool(langfuse.accepted), 60)
    until(lambda: not list((Path(environ["CC_LANGFUSE_STATE_DIR"]) / "requests").iterdir()), 60)
    assert imported(folder) == ""


def test_the_registered_hook_starts_its_worker_with_a_safe_path(
    folder: Path, environ: dict[str, str], tmp_path: Path, langfuse: LoopbackLangfuse
) -> None:
    """Whatever folder the system starts it in."""
    noted = tmp_path / "noted"
    customize = tmp_path / "customize/sitecustomize.py"
    script(customize, f"import sys\nopen({str(noted)!r}, 'a').write(f'{{sys.flags.safe_path}} {{sys.path[0]}}\\n')\n")
    hook = Path(sys.modules["ccship"].__file__ or "").with_name("hook.py")
    environ |= {"CC_LANGFUSE_FOREGROUND": "true", "PYTHONPATH": str(customize.parent)}
    command: list[str | Path] = [sys.executable, "-I", "-S", hook]
    subprocess.run(command, input=PAYLOAD, env=environ, cwd=folder, check=True, timeout=120)
    assert langfuse.accepted
    assert noted.read_text() == f"True {customize.parent}\n"
    assert imported(folder) == ""
