"""A transcript in a few lines: each call writes one, a second after the one before."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Self

BEGAN = datetime(2026, 1, 1, 12, 0, tzinfo=UTC)


class Lines:
    """Collects lines; `seconds` is the time of the next one, `last` the uuid of the one before."""

    def __init__(self, version: str = "2.1.329", session: str = "s1") -> None:
        self.lines: list[str] = []
        self.version = version
        self.session = session
        self.seconds = 0.0
        self.last: str | None = None

    def add(self, kind: str, **fields: Any) -> Self:
        """A line with uuid, parent, time, session and version; `fields` win."""
        uuid = fields.pop("uuid", f"{self.session}-{len(self.lines)}")
        line = {
            "type": kind,
            "uuid": uuid,
            "parentUuid": self.last,
            "timestamp": at(self.seconds),
            "sessionId": self.session,
            "version": self.version,
            "cwd": "/home/dev/demo",
            "gitBranch": "main",
            "isSidechain": False,
            **fields,
        }
        self.lines.append(json.dumps(line))
        self.last = uuid
        self.seconds += 1
        return self

    def plain(self, kind: str, **fields: Any) -> Self:
        """A line without uuid: bookkeeping, queue operations, requests."""
        self.lines.append(
            json.dumps({"type": kind, "timestamp": at(self.seconds), "sessionId": self.session, **fields})
        )
        self.seconds += 1
        return self

    def user(self, content: Any, **fields: Any) -> Self:
        """A user line."""
        return self.add("user", message={"role": "user", "content": content}, **fields)

    def prompt(self, text: Any, **fields: Any) -> Self:
        """A prompt as clients from 2.1.15 on write it."""
        return self.user(text, **{"permissionMode": "default", **fields})

    def assistant(
        self, message_id: str, *blocks: dict[str, Any] | str, usage: dict[str, Any] | None = None, **fields: Any
    ) -> Self:
        """A line of a response; a string is a text block."""
        content = [{"type": "text", "text": block} if isinstance(block, str) else block for block in blocks]
        message = {
            "id": message_id,
            "role": "assistant",
            "model": fields.pop("model", "claude-opus-4-5-20251101"),
            "content": content,
            "stop_reason": fields.pop("stop_reason", "end_turn"),
            "usage": {"input_tokens": 1, "output_tokens": 10, **(usage or {})},
        }
        return self.add("assistant", message=message, **fields)

    def synthetic(self, text: str, **fields: Any) -> Self:
        """What Claude Code says in the model's place."""
        return self.assistant("synthetic", text, model="<synthetic>", stop_reason="stop_sequence", **fields)

    def result(self, tool_use_id: str, content: Any = "done", *, is_error: bool = False, **fields: Any) -> Self:
        """A tool result."""
        block = {"type": "tool_result", "tool_use_id": tool_use_id, "content": content, "is_error": is_error}
        return self.user([block], **fields)

    def write(self, path: Path) -> Path:
        """The file."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(line + "\n" for line in self.lines))
        return path


def tool(tool_use_id: str, name: str = "Bash", **arguments: Any) -> dict[str, Any]:
    """A tool_use block."""
    return {"type": "tool_use", "id": tool_use_id, "name": name, "input": arguments}


def at(seconds: float) -> str:
    """A time as transcripts write it."""
    return (BEGAN + timedelta(seconds=seconds)).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def command(name: str, arguments: str = "", *, skill: bool = False) -> str:
    """The text of a slash command; one with a prompt of its own (a skill) names its message first."""
    tags = [f"<command-name>/{name}</command-name>", f"<command-message>{name}</command-message>"]
    return "\n".join(reversed(tags) if skill else tags) + f"\n<command-args>{arguments}</command-args>"
