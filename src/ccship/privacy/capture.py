"""Capture modes: which parts of an observation leave at all.

`full`: everything. `no-tool-io`: not what tools were given and gave back. `metadata`: no text, only names, ids, counts,
and the length and hash of what is left out. Works on redacted values; knows no rule.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, Literal, TypeAlias

from ccship.observations import Observation
from ccship.privacy.bounds import json_of, sha256_of

Capture: TypeAlias = Literal["full", "no-tool-io", "metadata"]
MODES: tuple[Capture, ...] = ("full", "no-tool-io", "metadata")

NAMES = frozenset(
    {
        "agent_id", "agent_type", "background_task_id", "claude_code_version", "command_name", "denial", "entrypoint",
        "fallback_from", "git_commit", "git_commits", "mcp_server", "mcp_tool", "model", "model_family", "model_id",
        "parent_agent_id", "permission_decision", "permission_mode", "permission_reasonType", "permission_source",
        "request_id", "resolved_model", "service_tier", "skill", "source", "stop_reason", "tool_id", "tool_name",
        "trigger",
    }
)  # fmt: skip
"""Metadata that are names and ids; all other texts of the metadata are what somebody said, typed or was shown."""

TAGS = ("model:", "project:", "skill:")
"""Tags that are names; a branch often says what it is about."""

_NAME = re.compile(r"[^\s]{1,200}")
_KEY = re.compile(r"[\w.-]{1,40}")
_TOOL_BLOCK = re.compile(r".*(?:tool_use|tool_result)")

_TOOL_TEXT = re.compile(
    r"<(?P<tag>bash-stdout|bash-stderr|local-command-stdout|local-command-stderr|result)>.*?(?:</(?P=tag)>|\Z)"
    r"|(?:Called the \w+ tool with|Result of calling the \w+ tool).*?(?=</system-reminder>|\Z)",
    re.DOTALL,
)
"""What tools gave, where Claude Code hands it to the model inside of a text."""


def captured(observation: Observation, mode: Capture, own: frozenset[str]) -> Observation:
    """What a mode leaves of an observation. `own`: texts of the person's own settings, which always stay."""
    match mode:
        case "full":
            return observation
        case "no-tool-io":
            return _without_tool_io(observation, own)
        case "metadata":
            return _without_text(observation, own)


def captured_tags(tags: Iterable[str], mode: Capture, own: frozenset[str]) -> tuple[str, ...]:
    """What a mode leaves of the tags of a trace."""
    kept = (tag for tag in tags if mode != "metadata" or tag == "claude-code" or tag in own or tag.startswith(TAGS))
    return tuple(kept)


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
        passing=_names(observation.passing, own, _digest),
    )


def _without_results(given: Any) -> Any:
    """The messages that a call was given, with the lengths of what tools gave. An advisor is given no messages."""
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
    """A response with the lengths of what it gave to tools; those that ran at the server stand in its content."""
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
    """Numbers, names, ids and the person's own; of the rest what `instead` says."""
    return {
        key: value if _is_name(key, value) or (isinstance(value, str) and value in own) else instead(value)
        for key, value in metadata.items()
        if _KEY.fullmatch(key) or key in own
    }


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
