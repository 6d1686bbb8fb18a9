"""The spool of requests: one small file per call of the hook, in the state folder.

A request contains the session, and a fingerprint of its last message to recognise it on disk; no text. It is deleted
after the session is shipped, so every session with a backlog has a request.
"""

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, ValidationError

from ccship.hook import PARENT_VARIABLES, REQUEST_VERSION, request_prefix
from ccship.storage import private, write_whole
from ccship.transcript.flush import wait_for_flush


class Request(BaseModel):
    """One call of the hook. `last_message`: the fingerprint, by `hook.fingerprint_of`, of the message to wait for.

    `lock`: what its worker locks, if that is not the session.
    `size`: of the transcript at that time; None if no hook wrote the request, or an older one. `traceparent`,
    `parent_trace_id`, `parent_span_id`: the parent of the run, as its variables name it; `project_dir`: its project.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    session_id: str
    transcript_path: Path
    agent_transcript_path: Path | None = None
    event: str | None = None
    last_message: str | None = None
    lock: str | None = None
    size: int | None = None
    traceparent: str | None = None
    parent_trace_id: str | None = None
    parent_span_id: str | None = None
    project_dir: str | None = None

    @property
    def parent_variables(self) -> dict[str, str]:
        """The variables that name the parent of the run, and its project; empty as a rule."""
        found = {name: value for field, name in PARENT_VARIABLES.items() if (value := getattr(self, field))}
        return {**found, "CLAUDE_PROJECT_DIR": self.project_dir} if found and self.project_dir else {}

    @property
    def awaited(self) -> Path | None:
        """The file to wait for; None if it names a subagent without a file, as some versions of Claude Code do."""
        if self.agent_transcript_path is None:
            return self.transcript_path
        return self.agent_transcript_path if self.agent_transcript_path.exists() else None

    def wait_for_flush(self) -> bool:
        """Wait until the last message is on disk; return False if it does not come."""
        awaited = self.awaited
        return wait_for_flush(str(awaited) if awaited else None, self.last_message)


@dataclass(frozen=True, slots=True)
class Pending:
    """The requests of one session as of one moment, newest first; `files`: their files, oldest first."""

    requests: tuple[Request, ...]
    files: tuple[Path, ...]

    @classmethod
    def of(cls, folder: Path, session_id: str | None = None) -> "list[Self]":
        """Read the pending requests of one session or of all, the session that waits longest first."""
        pattern = f"{request_prefix(session_id)}-*.json" if session_id is not None else "*.json"
        by_session: dict[str, list[tuple[Path, Request]]] = {}
        for path in sorted(folder.glob(pattern), key=lambda file: file.name.split("-")[1:]):
            request = _read(path)
            if request is not None and session_id in (None, request.session_id):
                by_session.setdefault(request.session_id, []).append((path, request))
        return [
            cls(tuple(request for _, request in reversed(pairs)), tuple(path for path, _ in pairs))
            for pairs in by_session.values()
        ]

    @property
    def by_time(self) -> Iterator[tuple[int, Request]]:
        """The requests, oldest first, with their times (ns since the epoch)."""
        for path, request in zip(self.files, reversed(self.requests), strict=True):
            yield int(path.name.split("-")[1]), request

    @property
    def newest(self) -> Request:
        """The newest request: its last message is the one to wait for."""
        return self.requests[0]

    def done(self) -> None:
        """Delete all requests: the session is shipped."""
        for path in self.files:
            path.unlink(missing_ok=True)

    def keep_newest(self) -> None:
        """Delete all requests but the newest: the session is not shipped, and one request is enough to retry it."""
        for path in self.files[:-1]:
            path.unlink(missing_ok=True)


class _Version(BaseModel):
    version: int = REQUEST_VERSION


def add_request(folder: Path, transcript: Path, lock: str | None = None) -> None:
    """Add a request for a session that no hook requests. Written under a temporary name, then renamed."""
    request = Request(session_id=transcript.stem, transcript_path=transcript, lock=lock)
    name = f"{request_prefix(request.session_id)}-{time.time_ns()}-{os.getpid()}"
    write_whole(private(folder) / f"{name}.json", request.model_dump_json().encode())


def _read(path: Path) -> Request | None:
    try:
        content = path.read_bytes()
        if _Version.model_validate_json(content).version > REQUEST_VERSION:
            return None  # written by a newer hook, for a newer worker
        return Request.model_validate_json(content)
    except FileNotFoundError:
        return None  # another worker deleted it
    except (OSError, ValidationError):
        path.unlink(missing_ok=True)
        return None
