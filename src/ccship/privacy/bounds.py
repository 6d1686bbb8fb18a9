"""How much of a value leaves: every text is bounded, and so is the whole.

What is cut says how long it was and its sha256, so that two cut texts can be told apart. The same value gives the same
cut. Keys are bounded like texts; media (`Media`) are never cut.
"""

import hashlib
from typing import Any

import orjson

from ccship.privacy.media import Media

SHORTEST = 200
"""Characters that are left of a text at least: the note of what was cut takes half of them."""


def cut(value: Any, max_chars: int) -> Any:
    """A copy of a value in which no text has more than `max_chars` characters, and not fewer than `SHORTEST`."""
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
    """A copy of a value whose JSON has at most `max_bytes` without its media: ever shorter texts, then one cut text."""
    if len(json_of(value)) <= min(max_chars, max_bytes):
        return value  # so no text in it is longer
    shorter = cut(value, max_chars)
    if len(json_of(shorter)) <= max_bytes:
        return shorter
    if len(json_of(cut(value, SHORTEST))) > max_bytes:
        # too many texts, numbers or keys, not too long ones. Four bytes are the longest character.
        return _cut_text(json_of(value).decode(), max_bytes // 4)
    max_chars = min(max_chars, max_bytes)
    while len(json_of(shorter)) > max_bytes:
        max_chars = max(SHORTEST, max_chars // 2)
        shorter = cut(value, max_chars)
    return shorter


def json_of(value: Any) -> bytes:
    """A value as JSON with sorted keys; media stand as nothing."""
    return orjson.dumps(value, default=_nothing, option=orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS)


def sha256_of(text: str) -> str:
    """In hex, of the text in UTF-8."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _cut_text(text: str, max_chars: int) -> str:
    if len(text) <= max_chars:
        return text
    note = f"… [cut: {len(text)} characters, sha256 {sha256_of(text)}]"
    return text[: max(0, max_chars - len(note))] + note


def _nothing(value: Any) -> None:
    if not isinstance(value, Media):
        raise TypeError(type(value).__name__)
