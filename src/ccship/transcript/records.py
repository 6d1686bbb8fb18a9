"""One line of a transcript, as bytes -> typed records.

Contract: `parse_line` never raises, whatever the bytes. What cannot be read is a `BadRecord`, what is not needed is
`Skipped`; both are counted by the caller, so that every record is accounted for. Fields of an unexpected type are
dropped one by one (`Record.misfits`) instead of losing the record they stand in.

The shapes are those of Claude Code 1.0 to 2.1.329. To add a record type: a subclass of `Record` with the fields that
are needed, a row in `RECORD_TYPES`, and a case where `turns` assigns records.
"""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Annotated, Any, TypeAlias

import msgspec
import orjson

Block: TypeAlias = dict[str, Any]
"""A content block as the Messages API knows it: `{"type": "text" | "tool_use" | ..., ...}`."""

SYNTHETIC_MODEL = "<synthetic>"
"""The model of assistant lines that Claude Code wrote itself; no call was made for them."""

_INT64_DIGITS = 18
_MAX_DIGITS = 300
"""A float holds no more; nobody counts further."""
_PLACE = re.compile(r" - at `(\$[^`]*)`$")
"""Where msgspec names the field that does not fit."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class CacheCreation(msgspec.Struct, frozen=True):
    """Tokens written to the cache, by the time they are kept."""

    ephemeral_5m_input_tokens: int | None = None
    ephemeral_1h_input_tokens: int | None = None


class Usage(msgspec.Struct, frozen=True):
    """Tokens of one line of an LLM call; `output_tokens` may be a placeholder on all lines but the last."""

    input_tokens: int | None = None
    output_tokens: int | None = None
    cache_read_input_tokens: int | None = None
    cache_creation_input_tokens: int | None = None
    cache_creation: CacheCreation | None = None
    service_tier: str | None = None
    speed: str | None = None
    iterations: list[Any] | None = None


class Message(msgspec.Struct, frozen=True, dict=True):
    """The Messages API message that a line carries, or a part of it."""

    id: str | None = None
    role: str | None = None
    model: str | None = None
    content: str | list[Any] | None = None
    stop_reason: str | None = None
    usage: Usage | None = None

    @cached_property
    def blocks(self) -> list[Block]:
        """The content as blocks; a plain string is one text block."""
        if isinstance(self.content, str):
            return [{"type": "text", "text": self.content}]
        return [block for block in self.content or () if isinstance(block, dict)]


class Record(msgspec.Struct, frozen=True, kw_only=True, rename="camel", dict=True):
    """What every record may have. `timestamp` is UTC.

    `session_id` is the session of the file as a rule; copies that a fork or resume made keep the session they come
    from there (up to 2.1.63), in `made_by_session` (from 2.1.199) or in `Assistant.request_session_id`.
    """

    type: str
    uuid: str | None = None
    parent_uuid: str | None = None
    timestamp: Annotated[datetime, msgspec.Meta(tz=True)] | None = None
    session_id: str | None = None
    version: str | None = None
    cwd: str | None = None
    git_branch: str | None = None
    entrypoint: str | None = None
    agent_id: str | None = None
    made_by_session: str | None = msgspec.field(default=None, name="session_id")
    is_sidechain: bool = False
    message: Message | None = None

    @cached_property
    def time_ns(self) -> int | None:
        """The timestamp in nanoseconds since the epoch; transcripts have millisecond resolution."""
        if self.timestamp is None:
            return None
        return (self.timestamp - _EPOCH) // _MICROSECOND * 1000

    @cached_property
    def misfits(self) -> tuple[str, ...]:
        """Names of fields that were dropped because they had another type than expected."""
        return ()

    @property
    def blocks(self) -> list[Block]:
        """The content blocks of the message, or none."""
        return self.message.blocks if self.message else []

    @cached_property
    def text(self) -> str:
        """The text blocks of the message, joined by newlines."""
        return text_of(self.blocks)


class Assistant(Record):
    """One finished content block of an LLM response; all lines of a call share `message.id`."""

    request_id: str | None = None
    request_ref: str | None = None
    request_session_id: str | None = None
    effort: str | None = None
    error: str | None = None
    is_api_error_message: bool = False
    api_error_status: int | None = None
    is_aborted_mid_stream: bool = False
    api_block_index: int | None = None
    thinking_duration_ms: float | None = None
    tool_input_stream_ms: float | None = None
    attribution_skill: str | None = None
    advisor_model: str | None = None

    @property
    def is_copy(self) -> bool:
        """Whether the line says that it was made in another session (from 2.1.199)."""
        made_by = self.request_session_id or self.made_by_session
        return made_by is not None and made_by != self.session_id

    @property
    def is_llm_output(self) -> bool:
        """Whether a model wrote this line (and not Claude Code in its name)."""
        return bool(self.message and self.message.id and self.message.model != SYNTHETIC_MODEL)


class User(Record):
    """A prompt, a tool result, or text that Claude Code gave to the model or showed to the person."""

    is_meta: bool = False
    is_compact_summary: bool = False
    prompt_id: str | None = None
    prompt_source: str | None = None
    permission_mode: str | None = None
    turn_origin: str | None = None
    tool_use_result: Any = None
    tool_denial_kind: str | None = None
    tool_denial_before_run: bool = False
    permission_decision: dict[str, Any] | None = None
    interrupted_message_id: str | None = None
    plan_content: str | None = None
    source_tool_use_id: str | None = msgspec.field(default=None, name="sourceToolUseID")

    @property
    def tool_results(self) -> list[Block]:
        """The tool_result blocks; Claude Code writes one a line."""
        return [block for block in self.blocks if block.get("type") == "tool_result"]


class System(Record):
    """Something Claude Code noted: a compaction, a failed request, a hook's outcome."""

    subtype: str | None = None
    content: Any = None
    level: str | None = None
    error: Any = None
    retry_attempt: int | None = None
    max_retries: int | None = None
    retry_in_ms: float | None = None
    compact_metadata: dict[str, Any] | None = None
    original_model: str | None = None
    fallback_model: str | None = None


class Attachment(Record):
    """Context that was handed to the model beside the prompt: reminders, queued prompts, hook output."""

    attachment: dict[str, Any] = {}


class ApiRequest(Record):
    """One HTTP attempt of an LLM call (2.1.329 and later); `timestamp` is when it was sent."""

    id: str
    params: dict[str, Any] = {}
    query_source: str | None = None
    request_digest: str | None = None


class QueueOperation(Record):
    """A prompt or a notification entered or left the queue of what is to be said next."""

    operation: str | None = None
    content: Any = None


RECORD_TYPES: dict[str, type[Record]] = {
    "assistant": Assistant,
    "user": User,
    "system": System,
    "attachment": Attachment,
    "api-request": ApiRequest,
    "queue-operation": QueueOperation,
}

BOOKKEEPING = frozenset(
    {
        "agent-color", "agent-name", "agent-setting", "ai-title", "api-request-blob", "api-request-shape",
        "atis-latch", "bridge-session", "cost-state", "custom-title", "file-history-delta", "file-history-snapshot",
        "fork-context-ref", "frame-link", "last-prompt", "mode", "permission-mode", "pr-link", "progress",
        "relocated", "summary", "tools-used", "worktree-state",
    }
)  # fmt: skip
"""Line types that are known and hold nothing to ship."""


@dataclass(frozen=True, slots=True)
class Skipped:
    """A well-formed line that is not needed; `known` tells bookkeeping from a type never seen before."""

    type: str
    known: bool


@dataclass(frozen=True, slots=True)
class BadRecord:
    """Bytes that are no record, and why."""

    reason: str


Parsed: TypeAlias = Record | Skipped | BadRecord


def parse_line(line: bytes) -> list[tuple[int, Parsed]]:
    """Read one physical line, without its newline: each record with its offset in the line.

    Mostly one record, two when a newline got lost, none when the line is blank.
    """
    try:
        return [(0, _parse_object(orjson.loads(line)))]
    except orjson.JSONDecodeError:
        return list(_parse_damaged(line))


def version_of(record: Record) -> tuple[int, ...]:
    """The client's version as numbers; empty where the record names none."""
    return tuple(int(part) for part in re.findall(r"\d+", record.version or "")[:3])


def text_of(blocks: Iterable[Block]) -> str:
    """The text blocks, joined by newlines."""
    return "\n".join(str(block.get("text", "")) for block in blocks if block.get("type") == "text")


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
            record.__dict__["misfits"] = tuple(sorted(misfits))
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
