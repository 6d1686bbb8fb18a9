"""Parses one line of a transcript: bytes -> typed records.

`parse_line` never raises. Unreadable bytes become a `BadRecord`, unneeded lines become `Skipped`, so the caller can
count every line. Fields of an unexpected type or beyond the limits (`transcript.limits`) are dropped (`Record.misfits`)
and the rest of the record is kept. Every returned value can be encoded again.
"""

import json
import math
import re
from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import orjson

from ccship.transcript.direct import may_be_deep, parse_directly
from ccship.transcript.limits import MAX_DEPTH
from ccship.transcript.records import (
    BOOKKEEPING,
    MISFITS,
    NOTES,
    RECORD_TYPES,
    BadRecord,
    Parsed,
    Record,
    SessionNote,
    Skipped,
    is_dated_well,
)

_INT64_DIGITS = 18
_MAX_DIGITS = 300
"""The most digits of a float."""

_PLACE = re.compile(r" - at `(\$[^`]*)`$")
"""msgspec's location of the field that does not fit."""

_TOO_DEEP = f"[nested more than {MAX_DEPTH} levels deep]"


def parse_line(line: bytes) -> list[tuple[int, Parsed]]:
    """Parse one physical line, without its newline; return each record with its offset in the line.

    Usually one record; two if a newline was lost, none if the line is blank.
    """
    parsed = parse_directly(line)
    return [(0, parsed)] if parsed else parse_unusual(line)


def parse_unusual(line: bytes) -> list[tuple[int, Parsed]]:
    """Parse a line that `parse_directly` does not parse."""
    try:
        raw = orjson.loads(line)
    except orjson.JSONDecodeError:
        return list(_parse_damaged(line))
    return [(0, _parse_bounded(raw) if may_be_deep(line) else _parse_object(raw))]


def parse_facts(content: bytes) -> dict[str, Any]:
    """Parse a small file that is one JSON object, such as a subagent's `meta.json`; empty if it is anything else."""
    try:
        raw = _bounded(orjson.loads(content))
    except orjson.JSONDecodeError:
        return {}
    return raw if isinstance(raw, dict) else {}


def _parse_damaged(line: bytes) -> Iterator[tuple[int, Parsed]]:
    """Recover records from a damaged line: records without newline, stray bytes, NULs of a torn write."""
    text = line.decode("utf-8", "surrogateescape")  # keeps every byte, so offsets stay right
    decoder = json.JSONDecoder(parse_int=_int64, parse_float=_finite, parse_constant=_finite)
    at = 0
    while (at := _skip_padding(text, at)) < len(text):
        offset = len(text[:at].encode("utf-8", "surrogateescape"))
        try:
            raw, at = decoder.raw_decode(text, at)
        except (ValueError, RecursionError) as error:
            yield offset, BadRecord(f"not JSON: {type(error).__name__}")
            return
        yield offset, _parse_bounded(raw, repair=_encodable)


def _skip_padding(text: str, at: int) -> int:
    while at < len(text) and text[at] in " \t\r\n\0\ufeff":
        at += 1
    return at


def _int64(digits: str) -> int | float | None:
    """Parse an integer; a float beyond 64 bits, None beyond all floats: encoders take nothing larger."""
    if len(digits) > _MAX_DIGITS:
        return None
    return int(digits) if len(digits) <= _INT64_DIGITS else float(digits)


def _finite(text: str) -> float | None:
    """Parse a float; None for infinity and NaN, which JSON does not have."""
    number = float(text)
    return number if math.isfinite(number) else None


def _bounded(value: Any, levels: int = MAX_DEPTH) -> Any:
    """Replace values that are nested too deep to be encoded again."""
    return _cut(value, levels) if _is_deep(value, levels) else value


def _is_deep(value: Any, levels: int) -> bool:
    level = [value] if isinstance(value, dict | list) else []
    for _ in range(levels):
        inner: list[Any] = []
        for node in level:
            items = node.values() if isinstance(node, dict) else node
            inner += [item for item in items if isinstance(item, (dict, list))]
        if not inner:
            return False
        level = inner
    return bool(level)


def _cut(value: Any, levels: int) -> Any:
    if not isinstance(value, dict | list):
        return value
    if levels == 0:
        return _TOO_DEEP
    if isinstance(value, list):
        return [_cut(item, levels - 1) for item in value]
    return {key: _cut(item, levels - 1) for key, item in value.items()}


def _encodable(value: Any) -> Any:
    """Replace lone surrogates, left by a string cut in the middle of an emoji: they cannot be encoded again."""
    match value:
        case str():
            return value.encode("utf-8", "replace").decode()
        case list():
            return [_encodable(item) for item in value]
        case dict():
            return {_encodable(key): _encodable(item) for key, item in value.items()}
        case _:
            return value


def _parse_bounded(raw: Any, repair: Callable[[Any], Any] = lambda value: value) -> Parsed:
    """Parse a value that may be nested too deep; `repair` is applied to the rest of it."""
    bounded = _bounded(raw)
    parsed = _parse_object(repair(bounded))
    if bounded is not raw and isinstance(parsed, Record):
        parsed.__dict__[MISFITS] = (*parsed.misfits, "nesting")
    return parsed


def _parse_object(raw: Any) -> Parsed:
    if not isinstance(raw, dict):
        return BadRecord(f"not an object but a JSON {type(raw).__name__}")
    kind = raw.get("type")
    if not isinstance(kind, str):
        return BadRecord("no type")
    model = RECORD_TYPES.get(kind)
    if kind in NOTES:
        return _note(kind, raw)
    if model is None:
        return Skipped(_detailed(kind, raw), known=kind in BOOKKEEPING)
    return _validate(model, raw)


def _note(kind: str, raw: dict[str, Any]) -> Parsed:
    try:
        return msgspec.convert(raw, SessionNote)
    except msgspec.ValidationError:
        return Skipped(kind, known=True)


def _detailed(kind: str, raw: dict[str, Any]) -> str:
    """Return the type, with the subtype for `progress` (`progress/agent_progress`)."""
    data = raw.get("data")
    if kind == "progress" and isinstance(data, dict) and isinstance(data.get("type"), str):
        return f"progress/{data['type']}"
    return kind[:80]


def _validate(model: type[Record], raw: dict[str, Any]) -> Parsed:
    try:
        record = msgspec.convert(raw, model)
    except msgspec.ValidationError:
        return _validate_tolerantly(model, raw)
    return record if is_dated_well(record) else _validate_tolerantly(model, raw)


def _validate_tolerantly(model: type[Record], raw: dict[str, Any]) -> Parsed:
    """Validate without the fields that do not fit, if the rest is a record."""
    misfits: set[str] = set()
    while True:
        try:
            record: Record | None = msgspec.convert(raw, model, strict=False)
        except msgspec.ValidationError as error:
            if (dropped := _drop(raw, str(error))) is None:
                return BadRecord(f"{raw.get('type')} without its required fields")
            misfits.add(dropped)
            continue
        except ValueError:  # `datetime` raises it for seconds beyond its range
            record = None
        if record is not None and is_dated_well(record):
            record.__dict__[MISFITS] = tuple(sorted(misfits))
            return record
        if raw.pop("timestamp", None) is None:
            return BadRecord(f"{raw.get('type')} with values that cannot be converted")
        misfits.add("timestamp")


def _drop(raw: dict[str, Any], error: str) -> str | None:
    """Remove the innermost object field at which a validation error points; return its dotted name."""
    found = _PLACE.search(error)
    path: list[str] = []
    owner = node = raw
    for key in found[1].split(".")[1:] if found else ():
        if not isinstance(node, dict) or key not in node:
            break  # the list index follows the field's own name
        owner, node = node, node[key]
        path.append(key)
    if path:
        del owner[path[-1]]
    return ".".join(path) or None
