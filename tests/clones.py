"""Repositories as a stranger delivers them: made and cloned by git."""

import json
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from helpers import run_ccship
from lines import Lines

SHARED, LOCAL = ".claude/settings.json", ".claude/settings.local.json"


def git(*arguments: str | Path, cwd: Path) -> None:
    """Run git without anybody's own configuration."""
    environ = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    identity = ("-c", "user.name=x", "-c", "user.email=x@example.com", "-c", "protocol.file.allow=always")
    command = ["git", *identity, *arguments]
    subprocess.run(command, cwd=cwd, env=environ, check=True, capture_output=True)


def repository(folder: Path, files: Mapping[str, str]) -> Path:
    """A repository with these files in its one commit."""
    folder.mkdir(parents=True)
    git("init", "-q", ".", cwd=folder)
    write(folder, files)
    git("add", "-f", ".", cwd=folder)
    git("commit", "-q", "-m", "first", cwd=folder)
    return folder


def clone(folder: Path, files: Mapping[str, str]) -> Path:
    """A clone of such a repository, as the person has it."""
    origin = repository(folder / "origin", {"README": "x", **files})
    git("clone", "-q", origin, folder / "clone", cwd=folder)
    return folder / "clone"


def write(folder: Path, files: Mapping[str, str]) -> None:
    """Put files below a folder."""
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)


def env_of(**variables: Any) -> str:
    """The text of a settings file that sets variables."""
    return json.dumps({"env": variables})


def merged(environ: Mapping[str, str], project: Path) -> dict[str, str]:
    """The environment of a hook, as Claude Code makes it from the project's settings files."""
    found = dict(environ)
    for name in (SHARED, LOCAL):
        if (project / name).exists():
            settings = json.loads((project / name).read_text())
            found |= {key.partition("\0")[0]: str(value) for key, value in settings.get("env", {}).items()}
    return found | {"CLAUDE_PROJECT_DIR": str(project), "CLAUDECODE": "1"}


def session_in(project: Path, claude_dir: Path, text: str = "hello") -> Path:
    """A transcript of a session in a project."""
    lines = Lines(session="s1").prompt(text, cwd=str(project)).assistant("m1", "done", cwd=str(project))
    return lines.write(claude_dir / "projects" / "-demo" / "s1.jsonl")


def run_hook(transcript: Path, environ: Mapping[str, str], cwd: Path) -> None:
    """The hook and its worker, to their end."""
    payload = {"session_id": transcript.stem, "transcript_path": str(transcript), "cwd": str(cwd)}
    given = {**environ, "CC_LANGFUSE_FOREGROUND": "true"}
    done = run_ccship("hook", stdin=json.dumps(payload).encode(), environ=given, cwd=cwd)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
