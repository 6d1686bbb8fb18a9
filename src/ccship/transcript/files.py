"""Which files are transcripts, by their names alone.

Loads and reads nothing, so that a report over thousands of them starts in milliseconds.
"""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from ccship.errors import ConfigError

_SUBAGENTS = "subagents"


def transcripts_of(claude_dir: Path) -> list[Path]:
    """All transcripts under a Claude config folder (`~/.claude`), those of subagents too."""
    projects = claude_dir / "projects"
    if not projects.is_dir():
        raise ConfigError(f"{claude_dir} has no projects folder: name the Claude config folder with --claude-dir")
    return [path for folder in sorted(projects.iterdir()) if folder.is_dir() for path in _in_project(folder)]


def transcripts_in(folder: Path) -> list[Path]:
    """All transcripts in a folder, however deep."""
    return sorted(path for path in folder.rglob("*.jsonl") if path.name != "journal.jsonl" and path.is_file())


def check_named(path: Path) -> None:
    """Say what is wrong with a path that somebody typed.

    Raises:
        ConfigError: it is neither a transcript nor a folder.
    """
    if not path.exists():
        raise ConfigError(f"{path} does not exist: name a transcript (.jsonl) or a folder of transcripts")
    if not path.is_dir() and (path.suffix != ".jsonl" or not path.is_file()):
        raise ConfigError(f"{path} is no transcript: their names end in .jsonl")


def session_folder_of(path: Path) -> Path | None:
    """The folder `<session id>/` that a subagent's transcript lies in; None for a main or flat one."""
    return next((parent.parent for parent in path.parents if parent.name == _SUBAGENTS), None)


def project_folder_name(directory: str) -> str:
    """The name that Claude Code gives to the folder of a working directory's sessions."""
    return re.sub(r"[^A-Za-z0-9]", "-", directory)


def none_found(where: Iterable[Path]) -> ConfigError:
    """What is said when there is nothing to read."""
    places = ", ".join(map(str, where))
    return ConfigError(f"no transcripts in {places}: they are .jsonl files, in Claude's config folder under projects/")


def _in_project(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.iterdir()):
        if path.suffix == ".jsonl":
            yield path
        elif path.is_dir() and (path / _SUBAGENTS).is_dir():
            yield from sorted((path / _SUBAGENTS).rglob("agent-*.jsonl"))
