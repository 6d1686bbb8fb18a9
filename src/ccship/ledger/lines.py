"""Decodes the few fields of a transcript's lines that the ledger needs: a second, faster reader.

Pure. Unneeded values are skipped, not built. Damaged lines are decoded by `transcript.parse`. Tests check that both
readers give the same sums.
"""

import json
from typing import Any

import msgspec

from ccship.transcript.limits import Quantity

USED_TYPES = frozenset({"assistant", "user", "system", "pr-link"})
"""The types of lines that the ledger reads."""

_BRACE = ord("{")
_NOTHING = msgspec.Raw(b"")


class _Shape(msgspec.Struct, gc=False):
    """Base of the decoded fields; others are skipped. A `Raw` is a view of the line: use it before the next one."""


class CacheCreation(_Shape):
    """Tokens written to the cache, by lifetime."""

    ephemeral_5m_input_tokens: Quantity | None = None
    ephemeral_1h_input_tokens: Quantity | None = None


class Iteration(_Shape):
    """Tokens of an LLM call, or of one of its parts."""

    type: str | None = None
    model: str | None = None
    input_tokens: Quantity | None = None
    output_tokens: Quantity | None = None
    cache_read_input_tokens: Quantity | None = None
    cache_creation_input_tokens: Quantity | None = None
    cache_creation: CacheCreation | None = None


class Usage(Iteration):
    """The usage of a line."""

    speed: str | None = None
    iterations: list[Iteration] | None = None


class Block(_Shape):
    """A content block."""

    type: str | None = None
    id: str | None = None
    name: str | None = None
    tool_use_id: str | None = None
    is_error: bool | None = None
    text: msgspec.Raw = _NOTHING
    content: msgspec.Raw = _NOTHING


class _MissReason(_Shape):
    type: str | None = None


class _Diagnostics(_Shape):
    cache_miss_reason: _MissReason | None = None


class Message(_Shape):
    """A message of the Messages API."""

    id: str | None = None
    model: str | None = None
    stop_reason: str | None = None
    content: list[Block] | str | None = None
    usage: Usage | None = None
    diagnostics: _Diagnostics | None = None


class Line(_Shape, rename="camel"):
    """A line of a transcript."""

    type: str
    timestamp: str | None = None
    session_id: str | None = None
    uuid: str | None = None
    git_branch: str | None = None
    is_sidechain: bool | None = None
    is_meta: bool | None = None
    is_compact_summary: bool | None = None
    is_api_error_message: bool | None = None
    permission_mode: str | None = None
    prompt_source: str | None = None
    attribution_skill: str | None = None
    advisor_model: str | None = None
    subtype: str | None = None
    pr_url: str | None = None
    message: Message | str | None = None
    tool_use_result: msgspec.Raw = _NOTHING

    @property
    def blocks(self) -> list[Block]:
        """The content blocks of the message; none if the content is text."""
        content = self.message.content if isinstance(self.message, Message) else None
        return content if isinstance(content, list) else []

    @property
    def tool_results(self) -> list[Block]:
        """The tool_result blocks."""
        return [block for block in self.blocks if block.type == "tool_result"]

    @property
    def text(self) -> str:
        """The text of the message."""
        content = self.message.content if isinstance(self.message, Message) else None
        if isinstance(content, str):
            return content
        texts = [_text(block.text) for block in content or () if block.type == "text"]
        return "\n".join(text for text in texts if text is not None)


class _Typed(_Shape):
    type: str


_decode = msgspec.json.Decoder(Line).decode
_decode_type = msgspec.json.Decoder(_Typed).decode
_decode_block = msgspec.json.Decoder(Block, strict=False).decode
_decode_iteration = msgspec.json.Decoder(Iteration, strict=False).decode
_decode_loosely = msgspec.json.Decoder(Line, strict=False).decode
_FAILURES = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)


def decode(raw: bytes | memoryview) -> list[tuple[int, Line]]:
    """Return the records of a line, each with its offset in the line.

    Usually one record; several if a newline was lost, none if it is not needed.
    """
    try:
        line = _decode(raw)
    except _FAILURES:
        return _salvaged(bytes(raw))
    return [(_indent(raw), line)] if line.type in USED_TYPES else []


def is_whole(raw: bytes) -> bool:
    """Return whether a line without newline is one complete JSON object. It cannot grow."""
    try:
        return isinstance(msgspec.json.decode(raw, type=dict[str, msgspec.Raw]), dict)
    except _FAILURES:
        return False


def _indent(raw: bytes | memoryview) -> int:
    return 0 if raw[0] == _BRACE else len(bytes(raw)) - len(bytes(raw).lstrip())


def _salvaged(raw: bytes) -> list[tuple[int, Line]]:
    """Return the records of a damaged line, without fields of an unexpected type."""
    try:
        if _decode_type(raw).type not in USED_TYPES:
            return []
    except _FAILURES:
        pass  # it may contain a whole record
    from ccship.transcript.parse import parse_line  # noqa: PLC0415 - slow to import, and damage is rare
    from ccship.transcript.records import Record, SessionNote  # noqa: PLC0415

    lines = []
    for offset, record in parse_line(raw):
        if isinstance(record, SessionNote):
            fields = _note(raw[offset:])
        else:
            fields = _plain(msgspec.to_builtins(record)) if isinstance(record, Record) else {}
        if fields.get("type") in USED_TYPES:
            lines.append((offset, _decode_loosely(msgspec.json.encode(fields))))
    return lines


def _note(raw: bytes) -> dict[str, Any]:
    """Return the fields of the session note with which some bytes begin: `SessionNote` lacks its time and session."""
    note, _ = json.JSONDecoder().raw_decode(raw.decode("utf-8", "replace"))
    names = ("type", "timestamp", "sessionId", "prUrl")
    # half a character, which JSON can contain, cannot be encoded again
    return {name: note[name].encode("utf-8", "replace").decode() for name in names if isinstance(note.get(name), str)}


def _plain(record: dict[str, Any]) -> dict[str, Any]:
    """Drop invalid items from the lists of a record, which `transcript.records` does not check."""
    message = record.get("message") or {}
    usage = message.get("usage") or {}
    content = message.get("content")
    message["content"] = content if isinstance(content, str) else _fitting(content, _decode_block)
    usage["iterations"] = _fitting(usage.get("iterations"), _decode_iteration)
    return record


def _fitting(items: Any, decode_item: Any) -> list[Any]:
    return [item for item in items if _fits(item, decode_item)] if isinstance(items, list) else []


def _fits(item: Any, decode_item: Any) -> bool:
    try:
        decode_item(msgspec.json.encode(item))
    except _FAILURES:
        return False
    return True


def _text(raw: msgspec.Raw) -> str | None:
    try:
        return msgspec.json.decode(raw, type=str)
    except _FAILURES:
        return None
