"""Select sessions by path, id and project."""

from pathlib import Path

from ccship.errors import ConfigError
from ccship.transcript.discover import Session, sessions_at, sessions_of
from ccship.transcript.files import none_found, project_folder_name


def select(
    paths: list[Path], claude_dir: Path, *, session: str | None = None, project: str | None = None
) -> list[Session]:
    """Return the sessions at `paths`, or all of the Claude config folder, that match both filters.

    Args:
        paths: Transcripts or folders; empty for the Claude config folder.
        claude_dir: The Claude config folder.
        session: A prefix of the session id.
        project: A part of the project's path.

    Raises:
        ConfigError: no session matches.
    """
    candidates = sessions_at(paths) if paths else sessions_of(claude_dir)
    if not candidates:
        raise none_found(paths or [claude_dir])
    chosen = [
        candidate
        for candidate in candidates
        if (session is None or candidate.session_id.startswith(session))
        and (project is None or _is_of(candidate, project))
    ]
    if not chosen:
        filters = " and ".join(
            f"--{name} {value}" for name, value in (("session", session), ("project", project)) if value is not None
        )
        raise ConfigError(
            f"none of the {len(candidates)} sessions matches {filters}: ccship usage --by session lists them"
        )
    return chosen


def _is_of(session: Session, project: str) -> bool:
    """Compare with the folder name that Claude Code derives from a path: a dash for all but letters and digits."""
    folder_part = project_folder_name(project.rstrip("/"))
    return any(folder_part in part for path in session.paths for part in path.parts[:-1])
