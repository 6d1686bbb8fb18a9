"""Edits JSON text in place: unchanged parts keep their bytes, order and formatting.

Pure. The text must be valid JSON. New values are formatted like their neighbours: indent, line ends, one line or many.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import takewhile
from json import JSONDecoder

_BLANK = " \t\r\n"
_DEFAULT_INDENT = "  "


@dataclass(frozen=True, slots=True)
class _Child:
    """A member of an object or an item of a list: `[start, end)`. The value begins at `value_at`."""

    key: str | int
    start: int
    value_at: int
    end: int


def put(text: str, path: Sequence[str], value: object) -> str:
    """Set the member at `path`; create missing objects."""
    at = _root(text)
    for depth, name in enumerate(path):
        child = _find(text, at, name)
        if child is None:
            for missing in reversed(path[depth + 1 :]):
                value = {missing: value}
            return _insert(text, at, f"{json.dumps(name)}: ", value)
        at = child.value_at
    assert child is not None  # noqa: S101 - a path has a name
    return text[:at] + _render(text, value, _indent_at(text, at)) + text[child.end :]


def append(text: str, path: Sequence[str], item: object) -> str:
    """Append an item to the list at `path`."""
    return _insert(text, _place(text, path).value_at, "", item)


def cut(text: str, path: Sequence[str | int]) -> str:
    """Remove the member or item at `path`, with its comma and whitespace."""
    at = _place(text, path[:-1]).value_at if path[:-1] else _root(text)
    children = list(_children(text, at))
    n = next(n for n, child in enumerate(children) if child.key == path[-1])
    if n > 0:
        start, end = children[n - 1].end, children[n].end
    elif len(children) > 1:
        start, end = children[0].start, children[1].start
    else:
        start, end = at + 1, _skip(text, children[0].end)
    return text[:start] + text[end:]


def _insert(text: str, at: int, prefix: str, value: object) -> str:
    """Add a child at the end of the container that opens at `at`."""
    children = list(_children(text, at))
    if children:
        blank = _blank_before(text, children[-1].start)
        indent = blank.rpartition("\n")[2] if "\n" in blank else None
        end = children[-1].end
        return f"{text[:end]},{blank}{prefix}{_render(text, value, indent)}{text[end:]}"
    end = _skip(text, at + 1)
    outer = _indent_at(text, at)
    if outer is None:
        return f"{text[: at + 1]}{prefix}{_render(text, value, None)}{text[end:]}"
    newline, inner = _newline(text), outer + _unit(text)
    return f"{text[: at + 1]}{newline}{inner}{prefix}{_render(text, value, inner)}{newline}{outer}{text[end:]}"


def _render(text: str, value: object, indent: str | None) -> str:
    """Format a value at an `indent`; on one line if it is None."""
    if indent is None:
        return json.dumps(value, ensure_ascii=False)
    return json.dumps(value, ensure_ascii=False, indent=_unit(text)).replace("\n", _newline(text) + indent)


def _place(text: str, path: Sequence[str | int]) -> _Child:
    at = _root(text)
    for key in path:
        child = _find(text, at, key)
        if child is None:
            raise KeyError(key)
        at = child.value_at
    return child  # type: ignore[return-value]  # a path has a key


def _find(text: str, at: int, key: str | int) -> _Child | None:
    """Return the child with a key; the last of several, as JSON readers do."""
    return next((child for child in reversed(list(_children(text, at))) if child.key == key), None)


def _children(text: str, at: int) -> Iterator[_Child]:
    """Yield the children of the container that opens at `at`."""
    decode = JSONDecoder().raw_decode
    close = "}" if text[at] == "{" else "]"
    at, n = _skip(text, at + 1), 0
    while text[at] != close:
        start, key = at, n
        if close == "}":
            key, at = decode(text, at)
            at = _skip(text, _skip(text, at) + 1)
        _, end = decode(text, at)
        yield _Child(key, start, at, end)
        at, n = _skip(text, end), n + 1
        if text[at] == ",":
            at = _skip(text, at + 1)


def _root(text: str) -> int:
    return _skip(text, 0)


def _skip(text: str, at: int) -> int:
    while at < len(text) and text[at] in _BLANK:
        at += 1
    return at


def _blank_before(text: str, at: int) -> str:
    return text[len(text[:at].rstrip(_BLANK)) : at]


def _indent_at(text: str, at: int) -> str | None:
    """Return the indent of the line of `at`; None in a text of a single line."""
    if "\n" not in text:
        return None
    line = text[text.rfind("\n", 0, at) + 1 :]
    return "".join(takewhile(lambda char: char in " \t", line))


def _unit(text: str) -> str:
    """Return one step of indent, as before the first member."""
    first = next(_children(text, _root(text)), None)
    blank = _blank_before(text, first.start) if first else ""
    return blank.rpartition("\n")[2] if "\n" in blank else _DEFAULT_INDENT


def _newline(text: str) -> str:
    return "\r\n" if "\r\n" in text else "\n"
