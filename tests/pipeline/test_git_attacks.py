"""A repository from a stranger: whatever its files say, reading git facts runs none of its programs."""

import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import pytest

from ccship.pipeline.git import Repositories
from helpers import run_ccship
from lines import Lines
from loopback import loopback_langfuse
from pipeline.attacks import ATTACKS, Trap, ask_about_signatures, sign, unfetched
from repositories import commit, new_repository
from test_hook import payload


class Run(Protocol):
    """One of the ways in which ccship looks at the repositories of a session."""

    def __call__(self, hostile: "Hostile", environ: Mapping[str, str] | None = None) -> object: ...


@dataclass(frozen=True)
class Hostile:
    """A session with a turn in every hostile repository."""

    transcript: Path
    marks: Path

    @property
    def marked(self) -> list[str]:
        return sorted(mark.name for mark in self.marks.iterdir())


def hostile_session(folder: Path, attacks: Mapping[str, Callable[[Trap], Path]]) -> Hostile:
    marks = folder / "marks"
    marks.mkdir(parents=True)
    lines = Lines()
    for n, (name, build) in enumerate(attacks.items()):
        (folder / str(n)).mkdir()
        cwd = build(Trap(name, folder / str(n), marks))
        lines.prompt("go", cwd=str(cwd)).assistant(f"m{n}", "done")
    return Hostile(lines.write(folder / "claude/projects/-demo/s1.jsonl"), marks)


@pytest.fixture(scope="module")
def everything(tmp_path_factory: pytest.TempPathFactory) -> Hostile:
    return hostile_session(tmp_path_factory.mktemp("hostile"), ATTACKS)


@pytest.fixture
def hostile(everything: Hostile) -> Hostile:
    """All of them, built once, without the marks of the test before."""
    for mark in everything.marks.iterdir():
        mark.unlink()
    return everything


def run_hook(hostile: Hostile, environ: Mapping[str, str] | None = None) -> list[dict[str, object]]:
    """The attributes of the turns that the hook sends."""
    with loopback_langfuse() as langfuse:
        wanted = {
            **langfuse.environ,
            "CLAUDE_CONFIG_DIR": str(hostile.transcript.parents[2]),
            "TRACE_TO_LANGFUSE": "true",
            "CC_LANGFUSE_FOREGROUND": "true",
        }
        done = run_ccship("hook", stdin=payload(hostile.transcript), environ={**wanted, **(environ or {})})
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
        return [span.attributes for span in langfuse.accepted if span.type == "agent"]


def run_command(*command: str) -> Run:
    def run(hostile: Hostile, environ: Mapping[str, str] | None = None) -> object:
        done = run_ccship(*(word.format(transcript=hostile.transcript) for word in command), environ=environ)
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


COMMANDS: dict[str, Run] = {
    "the hook": run_hook,
    "backfill --to": run_command("backfill", "{transcript}", "--to", "-"),
    "backfill --dry-run": run_command("backfill", "{transcript}", "--dry-run"),
    "backfill --dry-run --to": run_command("backfill", "{transcript}", "--dry-run", "--to", "-"),
    "show": run_command("show", "{transcript}"),
}


@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS.keys())
def test_no_repository_runs_a_program(command: Run, hostile: Hostile) -> None:
    """However it is unpacked or cloned, and whatever looks at it."""
    assert command(hostile)
    assert hostile.marked == []


def settings_file(path: Path, program: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"[log]\n\tshowSignature = true\n[gpg]\n\tprogram = {program}\n[core]\n\tfsmonitor = {program}\n")
    return path


def variables(trap: Trap) -> dict[str, dict[str, str]]:
    """What a project's settings can put into the environment of the hook."""
    program = trap.program()
    planted = trap.program(trap.folder / "bin/git")
    elsewhere = new_repository(trap.folder / "elsewhere")
    ask_about_signatures(elsewhere, program)
    asked = {"log.showSignature": "true", "gpg.program": str(program)}
    numbered = {f"GIT_CONFIG_{part}_{n}": pair[i] for n, pair in enumerate(asked.items())
                for i, part in enumerate(("KEY", "VALUE"))}  # fmt: skip
    return {
        "GIT_CONFIG_COUNT": {"GIT_CONFIG_COUNT": "2", **numbered},
        "GIT_CONFIG_PARAMETERS": {
            "GIT_CONFIG_PARAMETERS": " ".join(f"'{key}={setting}'" for key, setting in asked.items())
        },
        "GIT_CONFIG_GLOBAL": {"GIT_CONFIG_GLOBAL": str(settings_file(trap.folder / "config", program))},
        "GIT_CONFIG_SYSTEM": {"GIT_CONFIG_SYSTEM": str(settings_file(trap.folder / "config", program))},
        "HOME": {"HOME": str(settings_file(trap.folder / "home/.gitconfig", program).parent)},
        "XDG_CONFIG_HOME": {
            "XDG_CONFIG_HOME": str(settings_file(trap.folder / "xdg/git/config", program).parent.parent)
        },
        "GIT_DIR": {"GIT_DIR": str(elsewhere / ".git")},
        "GIT_COMMON_DIR": {"GIT_COMMON_DIR": str(elsewhere / ".git")},
        "GIT_EXEC_PATH": {"GIT_EXEC_PATH": str(planted.parent)},
        "GIT_SSH_COMMAND": {"GIT_SSH_COMMAND": str(program)},
        "GIT_PYTHON_GIT_EXECUTABLE": {"GIT_PYTHON_GIT_EXECUTABLE": str(planted)},
        "PATH": {"PATH": f".{os.pathsep}{os.environ['PATH']}"},
        "PATH, empty entry": {"PATH": f"{os.pathsep}{os.environ['PATH']}"},
    }


NAMES = (
    "GIT_CONFIG_COUNT", "GIT_CONFIG_PARAMETERS", "GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM", "HOME", "XDG_CONFIG_HOME",
    "GIT_DIR", "GIT_COMMON_DIR", "GIT_EXEC_PATH", "GIT_SSH_COMMAND", "GIT_PYTHON_GIT_EXECUTABLE", "PATH",
    "PATH, empty entry",
)  # fmt: skip

READ = (
    "import sys; from ccship.pipeline.git import Repositories as R; print(R(live=True).facts(*sys.argv[1:], 0, 10**19))"
)


@pytest.mark.parametrize("name", NAMES)
def test_no_variable_runs_a_program(name: str, tmp_path: Path) -> None:
    """A project's settings are its author's, and the hook gets their environment."""
    (tmp_path / "marks").mkdir()
    trap = Trap(name, tmp_path, tmp_path / "marks")
    repository = trap.repository()
    is_missing = name in ("GIT_EXEC_PATH", "GIT_SSH_COMMAND")
    if is_missing:
        unfetched(repository, "ssh://localhost/x")
    else:
        sign(repository)
    environ = {**os.environ, **variables(trap)[name]}
    trap.program(repository / "git")
    read = [sys.executable, "-c", READ, str(repository), "main"]
    done = subprocess.run(read, cwd=repository, env=environ, capture_output=True, text=True, check=True)
    assert list(trap.marks.iterdir()) == []
    assert ("git_repository" if is_missing else "git_commit") in done.stdout


@pytest.mark.parametrize(("command", "starts"), [("the hook", True), ("backfill --dry-run", False), ("show", False)])
def test_a_look_at_history_starts_no_git(command: str, starts: bool, hostile: Hostile, tmp_path: Path) -> None:
    """Only what is sent or written to a file has git facts."""
    first = Trap("git", tmp_path, hostile.marks).program(then='exec /usr/bin/env PATH="${PATH#*:}" git "$@"')
    first.rename(tmp_path / "git")
    COMMANDS[command](hostile, {"PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}"})
    assert hostile.marked == (["git"] if starts else [])


REDIRECTS = ("GIT_DIR", "GIT_WORK_TREE", "GIT_COMMON_DIR", "GIT_OBJECT_DIRECTORY", "GIT_INDEX_FILE", "GIT_NAMESPACE",
             "GIT_SHALLOW_FILE", "GIT_GRAFT_FILE", "GIT_CEILING_DIRECTORIES", "GIT_ALTERNATE_OBJECT_DIRECTORIES",
             "GIT_TRACE", "GIT_DEFAULT_HASH", "GIT_REPLACE_REF_BASE")  # fmt: skip


@pytest.mark.parametrize("name", REDIRECTS)
def test_no_variable_redirects_what_is_read(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not even to a file that git would write."""
    made = commit(new_repository(tmp_path / "demo"), "x", 1)
    monkeypatch.setenv(name, str(tmp_path / "elsewhere"))
    facts = Repositories(live=True).facts(str(tmp_path / "demo"), "main", 0, 10**19)
    assert (facts["git_commit"], facts["git_dirty"]) == (made, False)
    assert not (tmp_path / "elsewhere").exists()
