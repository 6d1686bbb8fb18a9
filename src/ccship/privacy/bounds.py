"""Bounds the length of texts and of whole values.

A note replaces the cut part, with its length and sha256 to distinguish cut texts. Equal values are cut equally. Keys
are bounded like texts; media (`Media`) are never cut.
"""

import hashlib
from typing import Any

import orjson

from ccship.privacy.media import Media

SHORTEST = 200
"""Smallest limit of a text in characters: the note takes half of it."""


def cut(value: Any, max_chars: int) -> Any:
    """Return a copy in which no text has more than `max_chars` characters (at least `SHORTEST`)."""
    match value:
        case str():
            return _cut_text(value, max_chars)
        case list():
            return [cut(item, max_chars) for item in value]
        case dict():
            return {_cut_text(str(key), max_chars): cut(item, max_chars) for key, item in value.items()}
        case _:
            return value


def cut_to_bytes(value: Any, max_chars: int, max_bytes: int) -> Any:
    """Return a copy whose JSON, without media, has at most `max_bytes`: shorter texts first, else one cut text."""
    if len(json_of(value)) <= min(max_chars, max_bytes):
        return value  # so no text in it is longer
    shorter = cut(value, max_chars)
    if len(json_of(shorter)) <= max_bytes:
        return shorter
    if len(json_of(cut(value, SHORTEST))) > max_bytes:
        # Too many texts, numbers or keys, none of them too long. A character has at most four bytes.
        return _cut_text(json_of(value).decode(), max_bytes // 4)
    max_chars = min(max_chars, max_bytes)
    while len(json_of(shorter)) > max_bytes:
        max_chars = max(SHORTEST, max_chars // 2)
        shorter = cut(value, max_chars)
    return shorter


def json_of(value: Any) -> bytes:
    """Return a value as JSON with sorted keys, without media."""
    return orjson.dumps(value, default=_nothing, option=orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS)


def sha256_of(text: str) -> str:
    """Return the sha256 of a text in UTF-8, in hex."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _cut_text(text: str, max_chars: int) -> str:
    if len(text) <= max_chars:
        return text
    note = f"… [cut: {len(text)} characters, sha256 {sha256_of(text)}]"
    return text[: max(0, max_chars - len(note))] + note


def _nothing(value: Any) -> None:
    if not isinstance(value, Media):
        raise TypeError(type(value).__name__)
