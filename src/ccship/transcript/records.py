"""Typed records of a transcript, and types for lines that are not needed or cannot be read.

The shapes are those of Claude Code 1.0 to 2.1.329. To add a record type, add a subclass of `Record` with the needed
fields, a row in `RECORD_TYPES`, and a case where `turns` assigns records.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Generic, TypeAlias, TypeVar

import msgspec

from ccship.transcript.limits import FIRST_YEAR, LAST_YEAR, Milliseconds, Quantity

Block: TypeAlias = dict[str, Any]
"""A content block of the Messages API: `{"type": "text" | "tool_use" | ..., ...}`."""

SYNTHETIC_MODEL = "<synthetic>"
"""The model of assistant lines that Claude Code itself wrote, without an LLM call."""

MISFITS = "misfits found"
"""A key in a record's own dict. No field can have this name."""

_BLOCK_NAMES = ("type", "id", "tool_use_id", "name")
"""Keys of a block that identify it; turns use them as table keys."""

_NAME = (str, type(None))

_Value = TypeVar("_Value")

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_FIRST_MOMENT, _END = datetime(FIRST_YEAR, 1, 1, tzinfo=UTC), datetime(LAST_YEAR + 1, 1, 1, tzinfo=UTC)


class Computed(Generic[_Value]):
    """`functools.cached_property` without its lock, which in Python 3.11 takes longer than most of these values."""

    def __init__(self, compute: Callable[[Any], _Value]) -> None:
        self._compute = compute
        self._name = compute.__name__
        self.__doc__ = compute.__doc__

    def __get__(self, owner: Any, _: type | None = None) -> _Value:
        value = owner.__dict__[self._name] = self._compute(owner)
        return value


class CacheCreation(msgspec.Struct, frozen=True, gc=False):
    """Tokens written to the cache, by lifetime."""

    ephemeral_5m_input_tokens: Quantity | None = None
    ephemeral_1h_input_tokens: Quantity | None = None


class Usage(msgspec.Struct, frozen=True, gc=False):
    """Tokens of one line of an LLM call. `output_tokens` may be a placeholder on all lines but the last."""

    input_tokens: Quantity | None = None
    output_tokens: Quantity | None = None
    cache_read_input_tokens: Quantity | None = None
    cache_creation_input_tokens: Quantity | None = None
    cache_creation: CacheCreation | None = None
    service_tier: str | None = None
    speed: str | None = None
    iterations: list[Any] | None = None


class Message(msgspec.Struct, frozen=True, gc=False):
    """The Messages API message, or a part of it."""

    id: str | None = None
    model: str | None = None
    content: str | list[Any] | None = None
    stop_reason: str | None = None
    usage: Usage | None = None


class Record(msgspec.Struct, frozen=True, kw_only=True, rename="camel", dict=True):
    """Fields that any record may have. `timestamp` is UTC.

    `session_id` is usually the session of the file. Copies by a fork or a resume keep their original session there (up
    to 2.1.63), in `made_by_session` (from 2.1.199) or in `Assistant.request_session_id`.
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
    made_by_session: str | None = msgspec.field(default=None, name="session_id")
    is_sidechain: bool = False
    message: Message | None = None

    @Computed
    def time_ns(self) -> int | None:
        """The timestamp in ns since the epoch. Transcripts have a resolution of milliseconds."""
        if self.timestamp is None:
            return None
        return (self.timestamp - _EPOCH) // _MICROSECOND * 1000

    @property
    def misfits(self) -> tuple[str, ...]:
        """Names of fields that were dropped because of an unexpected type."""
        found: tuple[str, ...] = self.__dict__.get(MISFITS, ())
        return found  # not cached like the others: nearly every record has none

    @Computed
    def blocks(self) -> list[Block]:
        """The content of the message as blocks; a plain string is one text block."""
        return blocks_of(self.message.content) if self.message else []

    @Computed
    def text(self) -> str:
        """The text blocks of the message, joined by newlines."""
        return text_of(self.blocks)


class Assistant(Record, frozen=True):
    """A finished content block of an LLM response. All lines of a call share `message.id`."""

    request_id: str | None = None
    request_ref: str | None = None
    request_session_id: str | None = None
    effort: str | None = None
    error: str | None = None
    is_api_error_message: bool = False
    is_aborted_mid_stream: bool = False
    api_block_index: Quantity | None = None
    thinking_duration_ms: Milliseconds | None = None
    tool_input_stream_ms: Milliseconds | None = None
    attribution_skill: str | None = None
    advisor_model: str | None = None

    @property
    def is_copy(self) -> bool:
        """Whether its fields show that another session made it (from 2.1.199)."""
        made_by = self.request_session_id or self.made_by_session
        return made_by is not None and made_by != self.session_id

    @property
    def is_llm_output(self) -> bool:
        """Whether a model wrote this line, and not Claude Code."""
        return bool(self.message and self.message.id and self.message.model != SYNTHETIC_MODEL)


class User(Record, frozen=True):
    """A prompt, a tool result, or text that Claude Code gave to the model or showed to the user."""

    is_meta: bool = False
    is_compact_summary: bool = False
    prompt_source: str | None = None
    turn_origin: str | None = None
    permission_mode: str | None = None
    tool_use_result: Any = None
    tool_denial_kind: str | None = None
    tool_denial_before_run: bool = False
    permission_decision: dict[str, Any] | None = None
    plan_content: str | None = None

    @Computed
    def tool_results(self) -> list[Block]:
        """The tool_result blocks, usually one a line."""
        return [block for block in self.blocks if block.get("type") == "tool_result"]


class System(Record, frozen=True):
    """A note by Claude Code: a compaction, a failed request, a hook's outcome."""

    subtype: str | None = None
    content: Any = None
    error: Any = None
    retry_attempt: Quantity | None = None
    max_retries: Quantity | None = None
    retry_in_ms: Milliseconds | None = None
    compact_metadata: dict[str, Any] | None = None

    @property
    def is_asked_compaction(self) -> bool:
        """Whether it is a compaction that the user requested."""
        is_compaction = self.subtype in ("compact_boundary", "microcompact_boundary")
        return is_compaction and (self.compact_metadata or {}).get("trigger") == "manual"


class Attachment(Record, frozen=True):
    """Context for the model beside the prompt: reminders, queued prompts, hook output."""

    attachment: dict[str, Any] = {}


class ApiRequest(Record, frozen=True):
    """An HTTP attempt of an LLM call (2.1.329 and later). `timestamp`: when it was sent."""

    id: str
    params: dict[str, Any] = {}


class QueueOperation(Record, frozen=True):
    """A prompt or a notification that entered or left the prompt queue."""

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


class SessionNote(msgspec.Struct, frozen=True, rename="camel"):
    """A note about the session as a whole. It has no uuid, and the same line is written many times."""

    type: str
    custom_title: str | None = None
    ai_title: str | None = None
    pr_number: int | None = None
    pr_url: str | None = None


NOTES = frozenset({"ai-title", "custom-title", "pr-link"})
"""Line types that are session notes."""

BOOKKEEPING = frozenset(
    {
        "agent-color", "agent-name", "agent-setting", "api-request-blob", "api-request-shape",
        "atis-latch", "bridge-session", "cost-state", "file-history-delta", "file-history-snapshot",
        "fork-context-ref", "frame-link", "last-prompt", "mode", "permission-mode", "progress",
        "relocated", "summary", "tools-used", "worktree-state",
    }
)  # fmt: skip
"""Known line types that contain nothing to ship."""


@dataclass(frozen=True, slots=True)
class Skipped:
    """A well-formed line that is not needed. `known`: bookkeeping; otherwise of an unknown type."""

    type: str
    known: bool


@dataclass(frozen=True, slots=True)
class BadRecord:
    """Bytes that are not a record, and the reason."""

    reason: str


Parsed: TypeAlias = Record | SessionNote | Skipped | BadRecord


def is_dated_well(record: Record) -> bool:
    """Return whether the time of a record, if any, is within the limits."""
    return record.timestamp is None or _FIRST_MOMENT <= record.timestamp < _END


def version_of(record: Record) -> tuple[int, ...]:
    """Return the client's version as numbers; empty if the record has none."""
    return tuple(int(part) for part in re.findall(r"\d{1,9}", record.version or "")[:3])


def blocks_of(content: Any) -> list[Block]:
    """Return the content blocks of a message. A string is one text block; names that are not strings are dropped."""
    if isinstance(content, str):
        return [{"type": "text", "text": content}]
    return [_block(item) for item in content if isinstance(item, dict)] if isinstance(content, list) else []


def text_of(blocks: Iterable[Block]) -> str:
    """Return the text blocks, joined by newlines."""
    return "\n".join([str(block.get("text", "")) for block in blocks if block.get("type") == "text"])


def _block(item: Block) -> Block:
    for name in _BLOCK_NAMES:  # runs for every block: a generator would take three times as long
        if not isinstance(item.get(name, ""), _NAME):
            return {key: value for key, value in item.items() if key not in _BLOCK_NAMES or isinstance(value, _NAME)}
    return item
