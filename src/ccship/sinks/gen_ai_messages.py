"""Inputs and outputs of observations -> messages and texts of the `gen_ai` conventions, as JSON.

Pure. A message has a role and parts: text, reasoning, tool calls and their responses; other blocks are parts with the
type and fields that they have. Images and documents are parts without their bytes: a trace store is no place for them.
The capture mode `metadata` leaves digests, which are not messages, so that there are none.
"""

from collections.abc import Iterator
from typing import Any

import orjson

from ccship.privacy.capture import is_digest
from ccship.privacy.media import contents_of, set_aside

_FINISH_REASONS = {
    "end_turn": "stop",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "refusal": "content_filter",
    "stop_sequence": "stop",
    "tool_use": "tool_call",
}
"""Anthropic's stop reasons in the words of the conventions' message schema."""

UNKNOWN = "unknown"
"""The finish reason of a message without one: the schema requires it."""


def input_messages(value: Any) -> str | None:
    """Return an input as messages: of the user, unless it is a list of messages already."""
    if _is_absent(value):
        return None
    value = _without_media(value)
    is_list = isinstance(value, list) and all(isinstance(item, dict) and "role" in item for item in value)
    return _json([_message(item) for item in (value if is_list else [{"role": "user", "content": value}])])


def output_messages(value: Any, finish_reason: str) -> str | None:
    """Return an output as one message of the assistant. `finish_reason`: Anthropic's or the conventions' name."""
    if _is_absent(value):
        return None
    value = _without_media(value)
    message = value if isinstance(value, dict) and "role" in value else {"role": "assistant", "content": value}
    return _json([{**_message(message), "finish_reason": _FINISH_REASONS.get(finish_reason, finish_reason)}])


def event_messages(role: str, kind: str, text: Any, details: dict[str, Any]) -> str | None:
    """Return the text of an event as one message. A second part, of the type `kind`, has the details.

    An event without a text has no message.
    """
    if _is_absent(text):
        return None
    more = {key: value for key, value in details.items() if value != text}
    parts = [*_parts(_without_media(text)), *([{"type": kind, **more}] if more else [])]
    return _json([{"role": role, "parts": parts}])


def content(value: Any) -> str | None:
    """Return a tool's arguments or result: a text as it is, other values as JSON."""
    if _is_absent(value):
        return None
    return value if isinstance(value, str) else _json(_without_media(value))


def _message(message: dict[str, Any]) -> dict[str, Any]:
    role, content = message["role"], message.get("content")
    if role == "tool":
        response = {"type": "tool_call_response", "id": message.get("tool_call_id"), "response": content}
        return {"role": role, "parts": [response]}
    thoughts = [
        {"type": "reasoning", "content": thought.get("content")}
        for thought in message.get("thinking", ())
        if isinstance(thought, dict)
    ]
    calls = [_call(call) for call in message.get("tool_calls", ()) if isinstance(call, dict)]
    return {"role": role, "parts": [*thoughts, *_parts(content), *calls]}


def _call(call: dict[str, Any]) -> dict[str, Any]:
    function = call.get("function") or {}
    return {
        "type": "tool_call",
        "id": call.get("id"),
        "name": function.get("name"),
        "arguments": _opened(function.get("arguments")),
    }


def _opened(arguments: Any) -> Any:
    """Return arguments that are JSON as their value. A cut text is no JSON any more and stays a text."""
    if not isinstance(arguments, str):
        return arguments
    try:
        return orjson.loads(arguments)
    except orjson.JSONDecodeError:
        return arguments


def _parts(content: Any) -> Iterator[dict[str, Any]]:
    match content:
        case None | "":
            pass
        case list():
            for part in content:
                yield from _parts(part)
        case {"type": "text", "text": text}:
            yield {"type": "text", "content": text}
        case {"type": _}:
            yield content
        case _:
            yield {"type": "text", "content": content if isinstance(content, str) else _json(content)}


def _is_absent(value: Any) -> bool:
    """Return whether there is nothing to send: no value, or the digest of one that the capture mode removed."""
    return value is None or is_digest(value)


def _without_media(value: Any) -> Any:
    return set_aside(value, keep=False) if contents_of(value)[0] else value


def _json(value: Any) -> str:
    return orjson.dumps(value).decode()
