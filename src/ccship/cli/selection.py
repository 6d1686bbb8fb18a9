"""Which sessions a command is about."""

import re
from pathlib import Path

from ccship.errors import ConfigError
from ccship.transcript.discover import Session, sessions_at, sessions_of


def select(
    paths: list[Path], claude_dir: Path, *, session: str | None = None, project: str | None = None
) -> list[Session]:
    """The sessions at `paths`, else of the Claude config folder: those whose id begins so, whose project is named so.

    Raises:
        ConfigError: there are none.
    """
    found = sessions_at(paths) if paths else sessions_of(claude_dir)
    if not found:
        where = ", ".join(map(str, paths)) or str(claude_dir)
        raise ConfigError(
            f"no transcripts in {where}: they are .jsonl files, in Claude's config folder under projects/"
        )
    chosen = [
        it
        for it in found
        if (session is None or it.session_id.startswith(session)) and (project is None or _is_of(it, project))
    ]
    if not chosen:
        asked = " and ".join(
            f"--{name} {value}" for name, value in (("session", session), ("project", project)) if value is not None
        )
        raise ConfigError(f"none of the {len(found)} sessions matches {asked}")
    return chosen


def _is_of(session: Session, project: str) -> bool:
    """Claude names a project's folder after its path, with a dash for all but letters and digits."""
    wanted = re.sub(r"[^A-Za-z0-9]", "-", project.rstrip("/"))
    return any(wanted in part for path in session.paths for part in path.parts[:-1])
