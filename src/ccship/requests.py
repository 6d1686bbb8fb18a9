"""What hooks asked for and no worker has done yet: one small file a hook, in the state folder.

A request names a session and how to tell that its last message is on disk. It holds no text. It is deleted only after
its session was shipped, so a session that is behind is one with a request.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, ValidationError

from ccship.hook import request_prefix


class Request(BaseModel):
    """One call of the hook. `last_message` is what `hook.fingerprint_of` gives for the message to wait for."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    session_id: str
    transcript_path: Path
    agent_transcript_path: Path | None = None
    event: str | None = None
    last_message: str | None = None

    @property
    def awaited(self) -> Path | None:
        """The file that will hold the last message; some versions name subagents that never write one."""
        if self.agent_transcript_path is None:
            return self.transcript_path
        return self.agent_transcript_path if self.agent_transcript_path.exists() else None


@dataclass(frozen=True, slots=True)
class Pending:
    """The requests of one session that were there at one moment, the newest first."""

    requests: tuple[Request, ...]
    files: tuple[Path, ...]

    @classmethod
    def of(cls, folder: Path, session_id: str | None = None) -> "list[Self]":
        """What waits in a folder, for one session or for all, the longest waiting session first."""
        pattern = f"{request_prefix(session_id)}-*.json" if session_id is not None else "*.json"
        found: dict[str, list[tuple[Path, Request]]] = {}
        for path in sorted(folder.glob(pattern), key=lambda it: it.name.split("-")[1:]):
            request = _read(path)
            if request is not None and session_id in (None, request.session_id):
                found.setdefault(request.session_id, []).append((path, request))
        return [
            cls(tuple(it for _, it in reversed(pairs)), tuple(path for path, _ in pairs)) for pairs in found.values()
        ]

    @property
    def newest(self) -> Request:
        """The request that says best what to wait for."""
        return self.requests[0]

    def done(self) -> None:
        """The session was shipped."""
        for path in self.files:
            path.unlink(missing_ok=True)

    def keep_newest(self) -> None:
        """The session could not be shipped: one request is enough to remember that."""
        for path in self.files[:-1]:
            path.unlink(missing_ok=True)


def _read(path: Path) -> Request | None:
    try:
        return Request.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return None  # another worker has done it
    except (OSError, ValidationError):
        path.unlink(missing_ok=True)
        return None
