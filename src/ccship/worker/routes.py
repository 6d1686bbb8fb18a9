"""Decides which requests a worker may ship, and to which destination."""

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from ccship.config import Config
from ccship.errors import ConfigError
from ccship.transcript.discover import Session, cwd_of, sessions_at
from ccship.worker.log import LOG
from ccship.worker.spool import Request


def outside_reason(root: Config, request: Request) -> str | None:
    """Return why a transcript must not be read: a request may name any file. None if it may be read."""
    projects = os.path.realpath(root.claude_dir / "projects")
    inside = os.path.realpath(request.transcript_path).startswith(projects + os.sep)
    return None if inside else f"the transcript is not under {projects}"


def destination_of(root: Config, request: Request, spool: Path) -> tuple[Config, str | None]:
    """Return the settings of the session's destination with this spool, and the reason if it must not be sent.

    If routing needs the working directory and the transcript does not contain it yet, wait for the last message.
    """
    if (root.routes or root.exclude) and not any(map(cwd_of, sessions_of(request))):
        request.wait_for_flush()
    settings: Config | None = root
    for session in sessions_of(request):
        settings = next((each for each in _destinations(root, session) if each.requests_dir == spool), None)
    if settings is None:
        return root, "its project is excluded, or no longer sent there"
    if not settings.opted_in:
        return settings, "not opted in: set TRACE_TO_LANGFUSE=true"
    if not settings.can_send and settings.refusal is None:
        return settings, f"no keys for the {settings.name} destination: set LANGFUSE_PUBLIC_KEY and LANGFUSE_SECRET_KEY"
    return settings, None


def _destinations(root: Config, session: Session) -> Iterator[Config]:
    """Yield the settings of a session's destinations, each when it is asked for: others may be invalid.

    Raises:
        ConfigError: Those of the first one are invalid.
    """
    cwd = cwd_of(session) if root.routes or root.exclude else None
    for route in root.also_for_project(cwd):
        with suppress(ConfigError):
            yield route.config
    if (first := root.for_project(cwd)) is not None:
        yield first


def belongs(root: Config, settings: Config, request: Request) -> bool:
    """Return whether a session may be read and goes to a destination; others have their own workers."""
    try:
        return outside_reason(root, request) is None and all(
            settings in _destinations(root, session) for session in sessions_of(request)
        )
    except ConfigError as error:
        LOG.error("%s: %s", request.session_id, error)
        return False


def sessions_of(request: Request) -> list[Session]:
    """Return the session of a request; empty while it has no transcript."""
    try:
        return sessions_at([request.transcript_path])
    except ConfigError:
        return []
