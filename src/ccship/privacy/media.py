"""Sets images and documents aside, so that redaction and bounds do not treat base64 as text.

Rules for credentials would match base64 by accident, and half an image is useless. Invalid media stay text.
"""

import re
from dataclasses import dataclass
from typing import Any

DEEPEST = 100
"""Levels of lists and dicts that are kept: deeper than any tool input, shallower than encoders allow."""

_TYPE = r"(?:image|audio|video)/[\w.+-]{1,60}|application/pdf"
_MEDIA_TYPE = re.compile(_TYPE)
_DATA_URI = re.compile(rf"data:(?P<type>{_TYPE});base64,(?P<data>[A-Za-z0-9+/\s]+={{0,2}}\s*)")
_TYPE_NAMES = ("media_type", "mime_type", "mimeType")
"""The keys for the media type beside `data`: Anthropic, Google, MCP. The SDK uploads most of these."""
_OPENINGS = frozenset("{[d")
"""The first characters of JSON and of data URIs."""
_BASE64 = re.compile(r"[A-Za-z0-9+/\s]*={0,2}\s*")


@dataclass(slots=True)
class Media:
    """Base64 text or a data URI that is sent unchanged."""

    text: str


def set_aside(value: Any, *, keep: bool, level: int = 0) -> Any:
    """Return a copy with media as `Media`, or, unless `keep`, as notes of their type and size.

    A note replaces values that are nested too deep.
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


def contents_of(value: Any) -> tuple[bool, bool]:
    """Return whether a value may contain media or is too deep, and whether a string in it may itself be JSON.

    Looks at keys and at the first characters of strings: searching the whole texts takes ten times as long.
    """
    may_hold_media = may_hold_json = False
    containers = 0
    nodes = [value]
    for node in nodes:  # grows while it is read
        kind = type(node)
        if kind is str:
            if node[:1] in _OPENINGS:
                may_hold_json = may_hold_json or node[0] != "d"
                may_hold_media = may_hold_media or node.startswith("data:")
        elif kind is dict:
            nodes += node.values()
            containers += 1
            if "data" in node and not node.keys().isdisjoint(_TYPE_NAMES):
                may_hold_media = True
        elif kind is list:
            nodes += node
            containers += 1
    return may_hold_media or containers > DEEPEST, may_hold_json


def put_back(value: Any) -> Any:
    """Return the value with media as text again."""
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
