"""Decodes lines of known types straight into records, without what is not needed of them.

Several times as fast as a dict that is then checked, and gives the same records: a line that does not fit, or has
anything unusual, is left to `parse`.
"""

import re
from collections.abc import Callable
from functools import cache
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

import msgspec
from msgspec.structs import fields

from ccship.transcript.limits import MAX_DEPTH
from ccship.transcript.records import BOOKKEEPING, RECORD_TYPES, Parsed, Record, Skipped, is_dated_well

_FIRST_TYPE = re.compile(rb'"type":"([a-z-]+)"')
_HEAD_BYTES = 512

_KINDS = {kind.encode(): kind for kind in (*BOOKKEEPING, *RECORD_TYPES)} | {b"message": "assistant"}
"""Types of lines by the first type in them; responses have that of their message before their own."""

_LEVELS = 4
"""Levels of nesting in a field without a type. One line in two hundred has more; each level doubles the time that it
takes to create a decoder.
"""

_INT64 = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]


class _Data(msgspec.Struct):
    type: str


class _Head(msgspec.Struct):
    """The fields that are decoded of bookkeeping lines. Their texts, a fifth of a transcript, are skipped."""

    type: str
    data: _Data | None = None


_decode_head = msgspec.json.Decoder(_Head).decode


def parse_directly(line: bytes) -> Parsed | None:
    """Parse a line of a known type; None if it is anything else, or the result might differ from that of `parse`."""
    found = _FIRST_TYPE.search(line, 0, _HEAD_BYTES)
    kind = _KINDS.get(found[1]) if found else None
    if kind is None or may_be_deep(line):
        return None
    try:
        return _skipped(line) if kind in BOOKKEEPING else _record(line, kind)
    except (msgspec.MsgspecError, UnicodeDecodeError, ValueError, RecursionError):
        return None


def may_be_deep(line: bytes) -> bool:
    """Return whether a line has enough brackets to be nested too deep."""
    # `count` takes twice as long
    return 2 * len(line) - len(line.replace(b"{", b"")) - len(line.replace(b"[", b"")) > MAX_DEPTH


def _skipped(line: bytes) -> Skipped | None:
    head = _decode_head(line)
    if head.type not in BOOKKEEPING:
        return None  # the match is inside a nested value
    if head.type == "progress" and head.data is not None:
        return Skipped(f"progress/{head.data.type}", known=True)
    return Skipped(head.type, known=True)


def _record(line: bytes, kind: str) -> Record | None:
    record = _decoder(kind)(line)
    return record if record.type == kind and is_dated_well(record) else None


@cache
def _decoder(kind: str) -> Callable[[bytes], Record]:
    return msgspec.json.Decoder(_strict(RECORD_TYPES[kind])).decode


@cache
def _strict(model: type[msgspec.Struct]) -> Any:
    """Return a subclass whose fields take only values that can be encoded again: no integers beyond 64 bits."""
    changed = [
        (field.name, strict, field.default if field.default_factory is msgspec.NODEFAULT else field.default_factory())
        for field in fields(model)
        if (strict := _strict_type(field.type, _LEVELS)) != field.type
    ]
    return msgspec.defstruct(model.__name__, changed, bases=(model,), frozen=True) if changed else model


def _strict_type(kind: Any, levels: int) -> Any:
    if kind is Any:
        return _json(levels)
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return _strict(kind)
    origin, arguments = get_origin(kind), get_args(kind)
    if origin in (Union, UnionType):
        return Union[tuple(_strict_type(argument, levels) for argument in arguments)]  # noqa: UP007
    if origin in (list, dict):
        return origin[tuple(_strict_type(argument, levels - 1) for argument in arguments)]
    return kind


def _json(levels: int) -> Any:
    """Return the type of JSON values with at most so many levels of lists and objects."""
    scalar = None | bool | _INT64 | float | str
    if not levels:
        return scalar
    item = _json(levels - 1)
    return scalar | list[item] | dict[str, item]  # type: ignore[valid-type]
