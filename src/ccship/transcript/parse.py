"""One line of a transcript, as bytes -> typed records.

Contract: `parse_line` never raises, whatever the bytes. What cannot be read is a `BadRecord`, what is not needed is
`Skipped`; both are counted by the caller, so that every record is accounted for. Fields of an unexpected type are
dropped one by one (`Record.misfits`) instead of losing the record they stand in.
"""

import json
import re
from collections.abc import Iterator
from typing import Any

import msgspec
import orjson

from ccship.transcript.records import BOOKKEEPING, MISFITS, RECORD_TYPES, BadRecord, Parsed, Record, Skipped

_INT64_DIGITS = 18
_MAX_DIGITS = 300
"""A float holds no more; nobody counts further."""

_PLACE = re.compile(r" - at `(\$[^`]*)`$")
"""Where msgspec names the field that does not fit."""

_FIRST_TYPE = re.compile(rb'"type":"([a-z-]+)"')
_HEAD_BYTES = 512
_SKIPPED_TYPES = frozenset(kind.encode() for kind in BOOKKEEPING)


class _Data(msgspec.Struct):
    type: str


class _Head(msgspec.Struct):
    """All that is read of bookkeeping; its texts, a fifth of a transcript, are never decoded."""

    type: str
    data: _Data | None = None


_decode_head = msgspec.json.Decoder(_Head).decode


def parse_line(line: bytes) -> list[tuple[int, Parsed]]:
    """Read one physical line, without its newline: each record with its offset in the line.

    Mostly one record, two when a newline got lost, none when the line is blank.
    """
    if skipped := _skip(line):
        return [(0, skipped)]
    try:
        return [(0, _parse_object(orjson.loads(line)))]
    except orjson.JSONDecodeError:
        return list(_parse_damaged(line))


def _skip(line: bytes) -> Skipped | None:
    """What a line is that is bookkeeping, without decoding it; None where only decoding can tell."""
    found = _FIRST_TYPE.search(line, 0, _HEAD_BYTES)
    if found is None or found[1] not in _SKIPPED_TYPES:
        return None
    try:
        head = _decode_head(line)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    if head.type not in BOOKKEEPING:
        return None  # what was found stands further inside
    if head.type == "progress" and head.data is not None:
        return Skipped(f"progress/{head.data.type}", known=True)
    return Skipped(head.type, known=True)


def _parse_damaged(line: bytes) -> Iterator[tuple[int, Parsed]]:
    """Save what can be saved: records in a row without newline, stray bytes, NULs of a torn write."""
    text = line.decode("utf-8", "surrogateescape")  # keeps every byte, so that offsets can be told
    decoder = json.JSONDecoder(parse_int=_int64)
    at = 0
    while (at := _skip_padding(text, at)) < len(text):
        offset = len(text[:at].encode("utf-8", "surrogateescape"))
        try:
            raw, at = decoder.raw_decode(text, at)
        except (ValueError, RecursionError) as error:
            # ValueError is also what a number of a million digits gives
            yield offset, BadRecord(f"not JSON: {type(error).__name__}")
            return
        yield offset, _parse_object(_encodable(raw))


def _skip_padding(text: str, at: int) -> int:
    while at < len(text) and text[at] in " \t\r\n\0\ufeff":
        at += 1
    return at


def _int64(digits: str) -> int | float:
    """Integers as wide as any encoder behind us takes them."""
    if len(digits) > _MAX_DIGITS:
        raise ValueError("a number of too many digits")
    return int(digits) if len(digits) <= _INT64_DIGITS else float(digits)


def _encodable(value: Any) -> Any:
    """Half of a surrogate pair, as a string cut in the middle of an emoji has it, cannot be encoded again."""
    match value:
        case str():
            return value.encode("utf-8", "replace").decode()
        case list():
            return [_encodable(item) for item in value]
        case dict():
            return {_encodable(key): _encodable(item) for key, item in value.items()}
        case _:
            return value


def _parse_object(raw: Any) -> Parsed:
    if not isinstance(raw, dict):
        return BadRecord(f"a JSON {type(raw).__name__} where an object belongs")
    kind = raw.get("type")
    if not isinstance(kind, str):
        return BadRecord("no type")
    model = RECORD_TYPES.get(kind)
    if model is None:
        return Skipped(_detailed(kind, raw), known=kind in BOOKKEEPING)
    return _validate(model, raw)


def _detailed(kind: str, raw: dict[str, Any]) -> str:
    """`progress/agent_progress` says more than `progress`; the other types have no subtypes worth counting."""
    data = raw.get("data")
    if kind == "progress" and isinstance(data, dict) and isinstance(data.get("type"), str):
        return f"progress/{data['type']}"
    return kind[:80]


def _validate(model: type[Record], raw: dict[str, Any]) -> Parsed:
    try:
        return msgspec.convert(raw, model)
    except msgspec.ValidationError:
        return _validate_tolerantly(model, raw)


def _validate_tolerantly(model: type[Record], raw: dict[str, Any]) -> Parsed:
    """Without the fields that do not fit, as long as what is left is a record."""
    misfits: set[str] = set()
    while True:
        try:
            record = msgspec.convert(raw, model, strict=False)
        except msgspec.ValidationError as error:
            if (dropped := _drop(raw, str(error))) is None:
                return BadRecord(f"{raw.get('type')} without what makes it one")
            misfits.add(dropped)
        else:
            record.__dict__[MISFITS] = tuple(sorted(misfits))
            return record


def _drop(raw: dict[str, Any], error: str) -> str | None:
    """Remove the innermost object field that a validation error points at; returns its dotted name."""
    found = _PLACE.search(error)
    path: list[str] = []
    owner = node = raw
    for key in found[1].split(".")[1:] if found else ():
        if not isinstance(node, dict) or key not in node:
            break  # list positions stand behind the field's own name
        owner, node = node, node[key]
        path.append(key)
    if path:
        del owner[path[-1]]
    return ".".join(path) or None
