"""Capture modes: which parts of an observation are sent.

`full`: everything. `no-tool-io`: everything except the input and output of tools. `metadata`: no text, only names, ids,
counts, and the length and hash of removed text. Applied after redaction; independent of its rules.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any, Literal, TypeAlias

from msgspec.structs import replace

from ccship.observations import Observation
from ccship.privacy.bounds import json_of, sha256_of

Capture: TypeAlias = Literal["full", "no-tool-io", "metadata"]
MODES: tuple[Capture, ...] = ("full", "no-tool-io", "metadata")

NAMES = frozenset(
    {
        "agent_id", "agent_type", "background_task_id", "claude_code_version", "command_name", "denial", "entrypoint",
        "fallback_from", "git_commit", "git_commits", "mcp_server", "mcp_tool", "model", "model_family", "model_id",
        "namespace", "parent_agent_id", "permission_decision", "permission_mode", "permission_reasonType",
        "permission_source", "request_id", "resolved_model", "service_tier", "skill", "source", "stop_reason",
        "teammate", "tool_id", "tool_name", "trigger", "user_name",
    }
)  # fmt: skip
"""Metadata fields with names and ids. All other texts in the metadata are content."""

TAGS = ("model:", "pr:", "project:", "skill:")
"""Tags that are names. Branches are not: their names often describe the work."""

_NAME = re.compile(r"[^\s]{1,200}")
_KEY = re.compile(r"[\w.-]{1,40}")
_TOOL_BLOCK = re.compile(r".*(?:tool_use|tool_result)")

_TOOL_TEXT = re.compile(
    r"<(?P<tag>bash-stdout|bash-stderr|local-command-stdout|local-command-stderr|result)>.*?(?:</(?P=tag)>|\Z)"
    r"|(?:Called the \w+ tool with|Result of calling the \w+ tool).*?(?=</system-reminder>|\Z)",
    re.DOTALL,
)
"""Output of tools inside texts that Claude Code gives to the model."""


def captured(observation: Observation, mode: Capture, own: frozenset[str]) -> Observation:
    """Return the parts of an observation that a mode sends. `own`: texts of the user's settings, always sent."""
    match mode:
        case "full":
            return observation
        case "no-tool-io":
            return _without_tool_io(observation, own)
        case "metadata":
            return _without_text(observation, own)


def captured_tags(tags: Iterable[str], mode: Capture, own: frozenset[str]) -> tuple[str, ...]:
    """Return the tags of a trace that a mode sends."""
    kept = (tag for tag in tags if mode != "metadata" or tag == "claude-code" or tag in own or tag.startswith(TAGS))
    return tuple(kept)


def is_digest(value: Any) -> bool:
    """Return whether a value is the length and hash with which the mode `metadata` replaces a text."""
    return isinstance(value, dict) and value.keys() == {"characters", "sha256"}


def _without_tool_io(observation: Observation, own: frozenset[str]) -> Observation:
    match observation.type:
        case "tool":
            return replace(
                observation,
                input=_length(observation.input),
                output=_length(observation.output),
                status_message=_said_briefly(observation.status_message),
                metadata=_names(observation.metadata, own, _length),
            )
        case "generation":
            return replace(
                observation,
                input=_without_results(observation.input),
                output=_without_arguments(observation.output),
            )
        case "agent" | "event":
            return replace(observation, input=_without_tool_text(observation.input))


def _without_text(observation: Observation, own: frozenset[str]) -> Observation:
    return replace(
        observation,
        input=_digest(observation.input),
        output=_digest(observation.output),
        status_message=_said(observation.status_message),
        metadata=_names(observation.metadata, own, _digest),
        volatile=_names(observation.volatile, own, _digest),
    )


def _without_results(given: Any) -> Any:
    """Replace tool results in the messages of a call with their lengths. An advisor has no messages."""
    if not isinstance(given, list):
        return _length(given)
    return [
        {
            **message,
            "content": (_length if message.get("role") == "tool" else _without_tool_text)(message.get("content")),
        }
        for message in given
        if isinstance(message, dict)
    ]


def _without_arguments(message: Any) -> Any:
    """Replace tool arguments in a response with their lengths; those of server tools are in its content."""
    if not isinstance(message, dict):
        return message
    changed = {**message, "content": _without_tool_text(message.get("content"))}
    if "tool_calls" in message:
        changed["tool_calls"] = [
            {**call, "function": {**call["function"], "arguments": _length(call["function"].get("arguments"))}}
            for call in message["tool_calls"]
        ]
    return changed


def _without_tool_text(content: Any) -> Any:
    match content:
        case str():
            return _TOOL_TEXT.sub(lambda found: f"[{len(found[0])} characters of a tool]", content)
        case list():
            return [_without_tool_text(part) for part in content]
        case {"type": str() as kind} if _TOOL_BLOCK.fullmatch(kind):
            rest = {key: value for key, value in content.items() if key not in ("type", "id", "name", "tool_use_id")}
            named = {key: value for key, value in content.items() if key not in rest}
            return {**named, **(_length(rest) or {})}
        case {"type": "text", "text": str() as text}:
            return {**content, "text": _without_tool_text(text)}
        case _:
            return content


def _names(metadata: Mapping[str, Any], own: frozenset[str], instead: Any) -> dict[str, Any]:
    """Keep numbers, names, ids and `own` texts; apply `instead` to the rest."""
    return {
        key: value if _is_name(key, value) or is_digest(value) or _is_own(value, own) else instead(value)
        for key, value in metadata.items()
        if _KEY.fullmatch(key) or key in own
    }


def _is_own(value: Any, own: frozenset[str]) -> bool:
    return isinstance(value, str) and value in own


def _is_name(key: str, value: Any) -> bool:
    match value:
        case str():
            return key in NAMES and bool(_NAME.fullmatch(value))
        case list():
            return all(isinstance(item, str) and _is_name(key, item) for item in value)
        case dict():
            return False
        case _:
            return True


def _length(value: Any) -> dict[str, int] | None:
    return None if value is None else {"characters": len(_text(value))}


def _digest(value: Any) -> dict[str, Any] | None:
    if value is None:
        return None
    text = _text(value)
    return {"characters": len(text), "sha256": sha256_of(text)}


def _said_briefly(status: str | None) -> str | None:
    return None if status is None else f"{len(status)} characters"


def _said(status: str | None) -> str | None:
    return None if status is None else f"{len(status)} characters, sha256 {sha256_of(status)}"


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json_of(value).decode()
