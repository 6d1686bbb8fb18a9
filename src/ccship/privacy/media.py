"""Images and documents on their way through: set aside whole, so that nobody reads or cuts them as text.

Credential shapes are for text: in base64 they would find nothing but accidents, and half an image is none. What claims
to be media and is not stays text.
"""

import re
from dataclasses import dataclass
from typing import Any

DEEPEST = 100
"""Levels of lists and dicts that are kept: far beyond what any tool is given, well below what encoders refuse."""

_TYPE = r"(?:image|audio|video)/[\w.+-]{1,60}|application/pdf"
_MEDIA_TYPE = re.compile(_TYPE)
_DATA_URI = re.compile(rf"data:(?P<type>{_TYPE});base64,(?P<data>[A-Za-z0-9+/\s]+={{0,2}}\s*)")
_TYPE_NAMES = ("media_type", "mime_type", "mimeType")
"""What Anthropic, Google and MCP call the type of media, beside their `data`; the SDK uploads most of these."""
_BASE64 = re.compile(r"[A-Za-z0-9+/\s]*={0,2}\s*")


@dataclass(slots=True)
class Media:
    """Base64 text, or a data URI, that is to leave as it is."""

    text: str


def set_aside(value: Any, *, keep: bool, level: int = 0) -> Any:
    """A copy of a value in which media are `Media`, or, unless they are to be kept, notes of their type and size.

    What is nested deeper than anybody would read is left out with a note.
    """
    match value:
        case str() if value.startswith("data:") and (uri := _DATA_URI.fullmatch(value)):
            return Media(value) if keep else _note(uri["type"], uri["data"])
        case list() if level < DEEPEST:
            return [set_aside(item, keep=keep, level=level + 1) for item in value]
        case dict() if level < DEEPEST:
            return _dict(value, keep=keep, level=level + 1)
        case list() | dict():
            return f"[left out: nested deeper than {DEEPEST} levels]"
        case _:
            return value


def may_hold_media(json: bytes | None) -> bool:
    """Whether `set_aside` may have something to do in a value, by its JSON; a walk takes fifty times as long."""
    return (
        json is None
        or b"base64" in json
        or b'imeType"' in json
        or b'mime_type"' in json
        or json.count(b"[") + json.count(b"{") > DEEPEST
    )


def may_hold_json(json: bytes | None) -> bool:
    """Whether a string of a value may be a JSON object or list, by the value's JSON: it begins like one."""
    return json is None or b'"{' in json or b'"[' in json


def put_back(value: Any) -> Any:
    """The value with its media as text again."""
    match value:
        case Media():
            return value.text
        case list():
            return [put_back(item) for item in value]
        case dict():
            return {key: put_back(item) for key, item in value.items()}
        case _:
            return value


def _dict(value: dict[Any, Any], *, keep: bool, level: int) -> Any:
    kind, data = next((value[name] for name in _TYPE_NAMES if name in value), None), value.get("data")
    if not (
        isinstance(kind, str) and isinstance(data, str) and _MEDIA_TYPE.fullmatch(kind) and _BASE64.fullmatch(data)
    ):
        return {key: set_aside(item, keep=keep, level=level) for key, item in value.items()}
    if not keep:
        return _note(kind, data)
    rest = {key: set_aside(item, keep=keep, level=level) for key, item in value.items() if key != "data"}
    return {**rest, "data": Media(data)}


def _note(kind: str, data: str) -> dict[str, Any]:
    return {"media_type": kind, "bytes": len(data) * 3 // 4}
