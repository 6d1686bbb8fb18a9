"""Content blocks -> the chat messages that Langfuse renders (OpenAI's shape)."""

import re
from collections.abc import Iterable, Sequence
from typing import Any

import orjson

from ccship.transcript.records import Block, Record

_COMMAND = re.compile(r"<command-name>(?P<name>[^<]*)</command-name>")
_ARGUMENTS = re.compile(r"<command-args>(?P<arguments>.*?)</command-args>", re.DOTALL)
_SUMMARY = re.compile(r"<summary>(?P<summary>.*?)</summary>", re.DOTALL)


def as_typed(record: Record) -> str:
    """A prompt as the person typed it: slash commands as `/name args`, notifications as their summary."""
    text = record.text
    if command := _COMMAND.search(text):
        arguments = _ARGUMENTS.search(text)
        return f"{command['name']} {arguments['arguments'] if arguments else ''}".strip()
    if text.lstrip().startswith("<task-notification") and (summary := _SUMMARY.search(text)):
        return summary["summary"].strip()
    return text or " ".join(f"[{block.get('type')}]" for block in record.blocks)


def messages_of(blocks: Sequence[Block], *, images: bool) -> list[dict[str, Any]]:
    """What the model was given, as messages: one `tool` message a result, one `user` message for the rest."""
    said = [block for block in blocks if block.get("type") != "tool_result"]
    messages: list[dict[str, Any]] = [
        {
            "role": "tool",
            "tool_call_id": block.get("tool_use_id"),
            # the tool's own observation holds the images
            "content": content_of(block.get("content"), images=False),
        }
        for block in blocks
        if block.get("type") == "tool_result"
    ]
    if said:
        messages.append({"role": "user", "content": content_of(said, images=images)})
    return messages


def assistant_message(blocks: Iterable[Block]) -> dict[str, Any]:
    """A response as one message: its text, its thinking, its tool calls."""
    thinking: list[str] = []
    calls: list[dict[str, Any]] = []
    rest: list[Block] = []
    for block in blocks:
        match block.get("type"):
            case "tool_use":
                function = {"name": block.get("name"), "arguments": orjson.dumps(block.get("input")).decode()}
                calls.append({"id": block.get("id"), "type": "function", "function": function})
            case "thinking":
                thinking.append(str(block.get("thinking") or ""))
            case "redacted_thinking":
                pass
            case _:
                rest.append(block)
    message: dict[str, Any] = {"role": "assistant", "content": content_of(rest, images=False) if rest else ""}
    if any(thinking):
        message["thinking"] = "\n".join(filter(None, thinking))
    if calls:
        message["tool_calls"] = calls
    return message


def content_of(content: Any, *, images: bool) -> Any:
    """Content for people: plain text where it is only text, else a list of parts.

    Images and documents stay in the shape that the SDK uploads as media; without `images`, a note of their type and
    size stands for them.
    """
    if not isinstance(content, list):
        return content
    parts = [_part(block, images=images) for block in content if isinstance(block, dict)]
    if all(part["type"] == "text" for part in parts):
        return "\n".join(str(part["text"]) for part in parts)
    return parts


def _part(block: Block, *, images: bool) -> dict[str, Any]:
    kind = str(block.get("type"))
    if kind == "text":
        return {"type": "text", "text": block.get("text", "")}
    source = block.get("source")
    if isinstance(source, dict) and source.get("type") == "base64":
        data = str(source.get("data", ""))
        if images and data:
            return {"type": kind, "source": {name: source.get(name) for name in ("type", "media_type", "data")}}
        return {"type": kind, "media_type": source.get("media_type"), "bytes": len(data) * 3 // 4}
    return {"type": kind, **{key: value for key, value in block.items() if key not in ("type", "signature")}}
