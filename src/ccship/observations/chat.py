"""Content blocks -> chat messages in the shape that Langfuse renders (OpenAI's)."""

from collections.abc import Iterable, Sequence
from typing import Any

import orjson

from ccship.transcript.records import Block, text_of


def messages_of(blocks: Sequence[Block], *, images: bool) -> list[dict[str, Any]]:
    """Return the model's input as messages: one `tool` message per result, one `user` message for the rest."""
    said = [block for block in blocks if block.get("type") != "tool_result"]
    messages: list[dict[str, Any]] = [
        {
            "role": "tool",
            "tool_call_id": block.get("tool_use_id"),
            # the tool's own observation contains the images
            "content": content_of(block.get("content"), images=False),
        }
        for block in blocks
        if block.get("type") == "tool_result"
    ]
    if said:
        messages.append({"role": "user", "content": _with_image_urls(content_of(said, images=images))})
    return messages


def assistant_message(blocks: Iterable[Block]) -> dict[str, Any]:
    """Return a response as one message: text, thinking and tool calls.

    Thinking is a list of parts: Langfuse renders a message whose `thinking` is a string as a table.
    """
    thinking: list[dict[str, str]] = []
    calls: list[dict[str, Any]] = []
    rest: list[Block] = []
    for block in blocks:
        match block.get("type"):
            case "tool_use":
                function = {"name": block.get("name"), "arguments": orjson.dumps(block.get("input")).decode()}
                calls.append({"id": block.get("id"), "type": "function", "function": function})
            case "thinking":
                if text := str(block.get("thinking") or ""):
                    thinking.append({"type": "thinking", "content": text})
            case "redacted_thinking":
                pass
            case _:
                rest.append(block)
    message: dict[str, Any] = {"role": "assistant", "content": content_of(rest, images=False) if rest else ""}
    if thinking:
        message["thinking"] = thinking
    if calls:
        message["tool_calls"] = calls
    return message


def content_of(content: Any, *, images: bool) -> Any:
    """Return readable content: a string if it is only text, else a list of parts.

    The SDK uploads images and documents in this shape as media. Without `images`, a note of type and size replaces
    them.
    """
    if not isinstance(content, list):
        return content
    blocks = [block for block in content if isinstance(block, dict)]
    if all(block.get("type") == "text" for block in blocks):
        return text_of(blocks)
    return [_part(block, images=images) for block in blocks]


def _with_image_urls(content: Any) -> Any:
    """Convert images to `image_url` parts: Langfuse renders a message with other images as a table."""
    return [_as_image_url(part) for part in content] if isinstance(content, list) else content


def _as_image_url(part: dict[str, Any]) -> dict[str, Any]:
    match part:
        case {"type": "image", "source": {"media_type": media_type, "data": data}}:
            return {"type": "image_url", "image_url": {"url": f"data:{media_type};base64,{data}"}}
        case _:
            return part


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
