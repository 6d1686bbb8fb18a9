"""Which files are transcripts, by their names alone.

Loads and reads nothing, so that a report over thousands of them starts in milliseconds.
"""

import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from ccship.errors import ConfigError

_SUBAGENTS = "subagents"
_AGENT = re.compile(r"agent-.*\.jsonl", re.DOTALL)


def transcripts_of(claude_dir: Path) -> list[Path]:
    """All transcripts under a Claude config folder (`~/.claude`), those of subagents too."""
    projects = claude_dir / "projects"
    if not projects.is_dir():
        raise ConfigError(f"{claude_dir} has no projects folder: name the Claude config folder with --claude-dir")
    return [Path(path) for project in _folders(str(projects)) for path in _in_project(project)]


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
    if _SUBAGENTS not in path.parts:
        return None
    return next((parent.parent for parent in path.parents if parent.name == _SUBAGENTS), None)


def project_folder_name(directory: str) -> str:
    """The name that Claude Code gives to the folder of a working directory's sessions."""
    return re.sub(r"[^A-Za-z0-9]", "-", directory)


def none_found(where: Iterable[Path]) -> ConfigError:
    """What is said when there is nothing to read."""
    places = ", ".join(map(str, where))
    return ConfigError(f"no transcripts in {places}: they are .jsonl files, in Claude's config folder under projects/")


def _in_project(project: str) -> Iterator[str]:
    # without Path: there are thousands, and each would take as long as reading ten kilobytes
    with os.scandir(project) as found:
        yield from sorted(entry.path for entry in found if entry.name.endswith(".jsonl"))
    for session in _folders(project):
        for folder, _, names in os.walk(f"{session}/{_SUBAGENTS}"):
            yield from (f"{folder}/{name}" for name in sorted(names) if _AGENT.fullmatch(name))


def _folders(folder: str) -> list[str]:
    with os.scandir(folder) as found:
        return sorted(entry.path for entry in found if entry.is_dir())
