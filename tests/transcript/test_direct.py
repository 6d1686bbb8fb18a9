"""A line that is decoded straight into a record gives the record that checking it field by field gives."""

import json
from typing import Any

import pytest

from ccship.transcript.direct import parse_directly
from ccship.transcript.parse import parse_line
from ccship.transcript.records import RECORD_TYPES
from conftest import FIXTURES

LINES = [
    line
    for path in sorted((FIXTURES / "claude").rglob("*.jsonl"))
    for line in path.read_bytes().splitlines()
    if json.loads(line)["type"] in RECORD_TYPES
]

ODD: list[Any] = [None, 1.0, -1, "", "1", [], {}, [{"type": 5}], 2**64, [[2**70]], "2300-01-01T00:00:00Z", "\ud83d"]


def fields_of(value: Any) -> Any:
    names = getattr(value, "__struct_fields__", None)
    return {name: fields_of(getattr(value, name)) for name in sorted(names)} if names else value


def parsed(line: bytes) -> str:
    """As text: an integer equals a float, but is encoded differently."""
    return repr([(fields_of(record), getattr(record, "misfits", ())) for _, record in parse_line(line)])


def spaced(line: dict[str, Any]) -> bytes:
    """The same line as clients never write it, so that it is checked field by field."""
    encoded = json.dumps(line).encode()
    assert parse_directly(encoded) is None
    return encoded


def compact(line: dict[str, Any]) -> bytes:
    return json.dumps(line, separators=(",", ":")).encode()


def test_nearly_every_line_is_decoded_directly() -> None:
    """Otherwise each would be decoded twice."""
    assert sum(parse_directly(line) is not None for line in LINES) > 0.9 * len(LINES)


def test_both_ways_give_the_same_record() -> None:
    """Every line of the fixtures."""
    for line in LINES:
        assert parsed(line) == parsed(spaced(json.loads(line)))


@pytest.mark.parametrize("odd", ODD, ids=repr)
def test_both_ways_give_the_same_record_of_a_line_with_an_odd_value(odd: Any) -> None:
    """In place of each field, and inside of those whose content is free."""
    for line in [json.loads(line) for line in LINES[:40]]:
        for key in line:
            assert parsed(compact(line | {key: odd})) == parsed(spaced(line | {key: odd}))
            if isinstance(line[key], dict):
                inner = line | {key: line[key] | {"content": [odd], "input": {"n": odd}}}
                assert parsed(compact(inner)) == parsed(spaced(inner))


@pytest.mark.parametrize(
    "line",
    [
        b'{"snapshot":{"type":"user"},"type":"system"}',
        b'{"message":{"type":"message"},"type":"user"}',
        b'{"type":"user","toolUseResult":1e999}',
        b'{"type":"user"}{"type":"user"}',
        b'{"type":"user","cwd":"\xff"}',
        b'{"type":"api-request"}',
    ],
)
def test_a_line_that_is_not_what_it_seems_is_left_to_the_slow_way(line: bytes) -> None:
    """Another type than the first in it, two records, broken bytes, a required field that is missing."""
    assert parse_directly(line) is None
