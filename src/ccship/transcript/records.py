"""What a line of a transcript may be: a typed record, or what stands for one that is not needed or cannot be read.

The shapes are those of Claude Code 1.0 to 2.1.329. To add a record type: a subclass of `Record` with the fields that
are needed, a row in `RECORD_TYPES`, and a case where `turns` assigns records.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Annotated, Any, TypeAlias

import msgspec

Block: TypeAlias = dict[str, Any]
"""A content block as the Messages API knows it: `{"type": "text" | "tool_use" | ..., ...}`."""

SYNTHETIC_MODEL = "<synthetic>"
"""The model of assistant lines that Claude Code wrote itself; no call was made for them."""

MISFITS = "misfits found"
"""The key in a record's own dict; no name that a field may have."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class CacheCreation(msgspec.Struct, frozen=True, gc=False):
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

    @property
    def misfits(self) -> tuple[str, ...]:
        """Names of fields that were dropped because they had another type than expected."""
        found: tuple[str, ...] = self.__dict__.get(MISFITS, ())
        return found  # not kept like the others: nearly every record has none

    @property
    def blocks(self) -> list[Block]:
        """The content blocks of the message, or none."""
        return self.message.blocks if self.message else []

    @cached_property
    def text(self) -> str:
        """The text blocks of the message, joined by newlines."""
        return text_of(self.blocks)


class Assistant(Record, frozen=True):
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


class User(Record, frozen=True):
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


class System(Record, frozen=True):
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


class Attachment(Record, frozen=True):
    """Context that was handed to the model beside the prompt: reminders, queued prompts, hook output."""

    attachment: dict[str, Any] = {}


class ApiRequest(Record, frozen=True):
    """One HTTP attempt of an LLM call (2.1.329 and later); `timestamp` is when it was sent."""

    id: str
    params: dict[str, Any] = {}
    query_source: str | None = None
    request_digest: str | None = None


class QueueOperation(Record, frozen=True):
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


def version_of(record: Record) -> tuple[int, ...]:
    """The client's version as numbers; empty where the record names none."""
    return tuple(int(part) for part in re.findall(r"\d+", record.version or "")[:3])


def text_of(blocks: Iterable[Block]) -> str:
    """The text blocks, joined by newlines."""
    return "\n".join([str(block.get("text", "")) for block in blocks if block.get("type") == "text"])
