"""One line of bytes -> records: whatever the bytes, nothing is raised and nothing is lost."""

import json
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ccship.transcript import parse
from ccship.transcript.records import RECORD_TYPES, Assistant, Attachment, BadRecord, Parsed, Record, Skipped, User


def parse_line(line: bytes) -> list[Parsed]:
    return [parsed for _, parsed in parse.parse_line(line)]


USER = b'{"type":"user","uuid":"u1","message":{"role":"user","content":"hello"}}'


def test_a_line_is_a_typed_record() -> None:
    """With the fields that are needed, in our own spelling."""
    (record,) = parse_line(b'{"type":"user","uuid":"u1","parentUuid":"u0","sessionId":"s","permissionMode":"plan"}')
    assert isinstance(record, User)
    assert (record.uuid, record.parent_uuid, record.session_id, record.permission_mode) == ("u1", "u0", "s", "plan")


def test_two_records_on_one_line_are_two_records() -> None:
    """A newline got lost when a file was restored and written on."""
    assert [record.uuid for record in parse_line(USER + USER) if isinstance(record, User)] == ["u1", "u1"]


def test_records_on_one_line_have_places_of_their_own() -> None:
    """A cursor between them must not read the first one again."""
    line = USER.replace(b"hello", b"h\xffllo \xc3\xa9") + b"\0 " + USER
    assert [at for at, _ in parse.parse_line(line)] == [0, line.rindex(USER)]


def test_a_record_before_broken_bytes_is_kept() -> None:
    """A torn write behind it loses nothing before it."""
    record, bad = parse_line(USER + b'{"type":"us')
    assert isinstance(record, User)
    assert isinstance(bad, BadRecord)


def test_a_field_of_another_type_is_dropped_and_named_the_record_is_kept() -> None:
    """A new client may turn a string into an object; its tokens count all the same."""
    line = {
        "type": "assistant",
        "effort": {"level": "high"},
        "message": {"id": "m1", "content": [], "usage": {"output_tokens": 7, "service_tier": ["new"]}},
    }
    (record,) = parse_line(json.dumps(line).encode())
    assert isinstance(record, Assistant)
    assert record.misfits == ("effort", "message.usage.service_tier")
    assert record.message
    assert record.message.usage
    assert record.message.usage.output_tokens == 7


SKIPPED = {
    "bookkeeping": (b'{"type":"file-history-snapshot"}', Skipped("file-history-snapshot", known=True)),
    "copies of subagents": (
        b'{"type":"progress","data":{"type":"agent_progress"}}',
        Skipped("progress/agent_progress", known=True),
    ),
    "a type from the future": (b'{"type":"thought-bubble"}', Skipped("thought-bubble", known=False)),
}


@pytest.mark.parametrize(("line", "expected"), SKIPPED.values(), ids=SKIPPED.keys())
def test_lines_that_are_not_needed_are_named(line: bytes, expected: Skipped) -> None:
    """So that they can be counted."""
    assert parse_line(line) == [expected]


def test_a_prompt_that_looks_like_bookkeeping_at_its_beginning_is_a_prompt() -> None:
    """Bookkeeping is told by its type alone, and that may stand anywhere in the line."""
    line = b'{"data":{"type":"progress"},"message":{"content":"{\\"type\\":\\"mode\\"}"},"uuid":"u1","type":"user"}'
    (record,) = parse_line(line)
    assert isinstance(record, User)


def test_a_record_behind_bookkeeping_on_its_line_is_kept() -> None:
    """What is skipped undecoded is skipped as a whole line only."""
    skipped, record = parse_line(b'{"type":"mode","mode":"normal"}' + USER)
    assert skipped == Skipped("mode", known=True)
    assert isinstance(record, User)


BAD = {
    "half a line": b'{"type":"user","uu',
    "no object": b"[1, 2]",
    "no type": b'{"uuid":"u1"}',
    "a type that is no string": b'{"type":7}',
    "deep nesting": b"[" * 10_000,
}


@pytest.mark.parametrize("line", BAD.values(), ids=BAD.keys())
def test_what_is_no_record_says_why(line: bytes) -> None:
    """Poison is data, not an exception."""
    assert any(isinstance(parsed, BadRecord) and parsed.reason for parsed in parse_line(line))


@pytest.mark.parametrize("digits", ["9" * 18, "9" * 19, "9" * 20, "-" + "9" * 20, "9" * 300])
def test_an_integer_of_any_length_can_be_encoded_again(digits: str) -> None:
    """Encoders take 64 bits; the line that lost its newline is read by a decoder that takes any number."""
    line = b'{"type":"attachment","attachment":{"n":%s}}' % digits.encode()
    for record in (*parse_line(line), *parse_line(line + line)):
        assert isinstance(record, Attachment)
        assert orjson.loads(orjson.dumps(record.attachment)) == {"n": pytest.approx(int(digits))}


SAVED = {
    "a byte order mark": b"\xef\xbb\xbf" + USER,
    "a carriage return": USER + b"\r\n",
    "NULs of a torn write": b"\0\0\0" + USER,
    "invalid UTF-8 in a text": USER.replace(b"hello", b"hel\xfflo"),
    "half a surrogate pair": USER.replace(b"hello", rb"hello \ud83d"),
    "a number of a million digits": USER.replace(b"{", b'{"n":' + b"1" * 1_000_000 + b",", 1),
}


@pytest.mark.parametrize("line", SAVED.values(), ids=SAVED.keys())
def test_damage_around_a_record_does_not_lose_it(line: bytes) -> None:
    """And what it holds can be encoded again."""
    (record,) = parse_line(line)
    assert isinstance(record, User)
    record.text.encode()


def test_a_blank_line_is_nothing() -> None:
    """Not even a bad record."""
    assert parse_line(b"  \n") == []


@given(st.binary(max_size=400))
def test_any_bytes_give_records_or_bad_records(line: bytes) -> None:
    """Never an exception."""
    assert all(isinstance(parsed, Record | Skipped | BadRecord) for parsed in parse_line(line))


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
fields = st.sampled_from(
    ["uuid", "parentUuid", "timestamp", "sessionId", "message", "toolUseResult", "attachment", "id", "params", "error"]
)


@given(st.sampled_from(sorted(RECORD_TYPES)), st.dictionaries(fields, json_values))
def test_any_shape_of_a_known_type_gives_a_record_or_a_bad_one(kind: str, shape: dict[str, Any]) -> None:
    """Whatever stands where something else is expected."""
    (parsed,) = parse_line(json.dumps({**shape, "type": kind}).encode())
    assert isinstance(parsed, Record | BadRecord)
