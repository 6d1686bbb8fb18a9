"""What a child of the fork server shows is what a new interpreter shows."""

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from conftest import FIXTURES
from fork_server import READ_AT_START, READ_AT_START_PREFIXES
from helpers import run_anew, run_ccship
from loopback import LoopbackLangfuse

CLAUDE = FIXTURES / "claude"
TRANSCRIPT = next(CLAUDE.rglob("9e4b*.jsonl"))

COMMANDS: dict[str, tuple[str, ...]] = {
    "help": (),
    "version": ("--version",),
    "install": ("install",),
    "uninstall": ("uninstall",),
    "doctor": ("doctor",),
    "status": ("status", "--json"),
    "show": ("show", "9e4b"),
    "usage": ("usage", "--json"),
    "verify": ("verify", "--session", "9e4b"),
    "config": ("config", "--json"),
    "backfill": ("backfill", "--session", "9e4b"),
    "two processes": ("backfill", "--jobs", "2", "--yes"),
    "to a pipe": ("backfill", "--session", "9e4b", "--to", "-"),
    "wrong usage": ("backfill", "--nonsense"),
    "the hook": ("hook",),
}


@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS.keys())
def test_a_forked_command_does_what_a_new_process_does(
    command: tuple[str, ...], langfuse: LoopbackLangfuse, claude_dir: Path, state_dir: Path
) -> None:
    """Exit code, output, spans and files; each command is run in a new interpreter once at least: here."""
    stdin = json.dumps({"session_id": TRANSCRIPT.stem, "transcript_path": str(next(claude_dir.rglob("9e4b*.jsonl")))})
    environ = {**langfuse.environ, "CLAUDE_CONFIG_DIR": str(claude_dir), "TRACE_TO_LANGFUSE": "true"}
    environ["CC_LANGFUSE_FOREGROUND"] = "true"
    seen = []
    for run in (run_ccship, run_anew):
        done = run(*command, environ=environ, stdin=stdin.encode())
        files = {path.relative_to(state_dir).suffix for path in state_dir.rglob("*") if path.is_file()}
        said = [line for line in done.stdout.splitlines() if "milliseconds" not in line and " ms" not in line]
        seen.append(
            (done.returncode, said, done.stderr, sorted(langfuse.accepted, key=lambda span: span.span_id), files)
        )
        langfuse.clear()
        shutil.rmtree(state_dir, ignore_errors=True)
        (claude_dir / "settings.json").unlink(missing_ok=True)
    assert seen[0] == seen[1]


READS = """
import os, sys

def note(name):
    frame = sys._getframe(2)
    while frame.f_code.co_name != "<module>":
        frame = frame.f_back
    if not frame.f_globals["__name__"].startswith(warm_interpreter.ANEW):
        read.add(name)

class Recorder(os._Environ):
    def __getitem__(self, name):
        note(name)
        return super().__getitem__(name)

    def __contains__(self, name):
        note(name)
        return super().__contains__(name)

read = set()
import warm_interpreter
recorder = Recorder.__new__(Recorder)
vars(recorder).update(vars(os.environ))
os.environ = recorder
for name in warm_interpreter.WARM:
    warm_interpreter.import_module(name)
print(*read)
"""


def test_a_variable_that_is_read_at_an_import_is_not_set_for_a_child() -> None:
    """It would change nothing there: a new interpreter is started."""
    environ = {**os.environ, "PYTHONPATH": str(Path(__file__).parent)}
    done = subprocess.run([sys.executable, "-c", READS], env=environ, capture_output=True, text=True, check=True)
    read = {name for name in done.stdout.split() if not name.startswith(READ_AT_START_PREFIXES)}
    assert read
    assert read <= {*READ_AT_START, "HOME"}, "HOME is read, and not kept"


def test_a_child_has_a_world_of_its_own(tmp_path: Path) -> None:
    """Folder, umask, time zone, input and environment are those of the call, and none comes back."""
    first = """
import os, sys, time
print(os.getcwd(), oct(os.umask(0)), time.tzname[0], os.environ["OWN"], sys.stdin.read(), sys.argv[1:])
os.environ["OWN"] = "changed"
sys.exit(7)
"""
    for own in ("a", "b"):
        environ = {"TZ": "Asia/Tokyo", "OWN": own}
        umask = os.umask(0o027)
        try:
            done = run_ccship("x", "y", environ=environ, cwd=tmp_path, stdin=b"said", first=first)
        finally:
            os.umask(umask)
        assert (done.returncode, done.stderr) == (7, "")
        assert done.stdout == f"{tmp_path} 0o27 JST {own} said ['x', 'y']\n"


ENDINGS = {
    "a signal": ("import os; os.kill(os.getpid(), 9)", -signal.SIGKILL, ""),
    "an interrupt": ("raise KeyboardInterrupt", -signal.SIGINT, ""),
    "a bug": ("1 / 0", 1, "ZeroDivisionError: division by zero\n"),
    "a text": ("import sys; sys.exit('no')", 1, "no\n"),
    "a last word": ("import atexit, sys; atexit.register(print, 'end', file=sys.stderr); sys.exit()", 0, "end\n"),
}


@pytest.mark.parametrize(("first", "code", "said"), ENDINGS.values(), ids=ENDINGS.keys())
def test_a_child_ends_as_an_interpreter_does(first: str, code: int, said: str) -> None:
    """With the same exit code, and its last words."""
    for run in (run_ccship, run_anew):
        done = run("--version", first=first)
        assert done.returncode == code
        assert done.stderr.endswith(said)
