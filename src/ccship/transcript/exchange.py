"""An exchange: something that was asked and everything that was done about it.

A turn of a session is an exchange, and so is a subagent. Pure accumulation in file order, which is the order of
flushing and not of cause: results may stand before their tool call, lines of two calls may be mixed. Whatever decides
an id or a start time is taken from the record itself or from records that stand *before* it in the file, so that it
never changes when the file grows.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from ccship.transcript.classify import UserKind, classify
from ccship.transcript.records import (
    ApiRequest,
    Assistant,
    Attachment,
    Block,
    QueueOperation,
    Record,
    System,
    User,
    version_of,
)

EventKind: TypeAlias = Literal[
    "compaction", "api_retry", "api_error", "interrupted", "queued_prompt", "model_fallback", "hook_blocked",
    "permission_denied", "local_command",
]  # fmt: skip

KILLED = "interrupted"
"""The `toolDenialKind` of a result that was made up when a killed session was resumed, maybe days later."""

_QUEUED_COMMANDS_ARE_ATTACHMENTS = (2, 1, 91)


@dataclass(slots=True)
class Given:
    """Text or results that the model was given: `position` orders it among the calls, in records of the exchange."""

    position: int
    record: Record
    blocks: list[Block]


@dataclass(slots=True)
class LLMCall:
    """One request to a model and its response. `start_ns`: when it was sent, as well as the transcript knows."""

    message_id: str
    position: int
    start_ns: int | None
    request: ApiRequest | None
    lines: list[Assistant] = field(default_factory=list)


@dataclass(slots=True)
class ToolCall:
    """One tool_use block, the line it stands on, and the line that brought its result."""

    tool_use_id: str
    name: str
    input: Any
    requested: Assistant
    message_id: str
    result: User | None = None
    result_block: Block | None = None

    @property
    def launched(self) -> str | None:
        """The subagent that this call launched, or the folder of a workflow's, once its result tells."""
        outcome = self.result.tool_use_result if self.result else None
        if not isinstance(outcome, dict):
            return None
        named = outcome.get("agentId") or outcome.get("runId")
        return named if isinstance(named, str) else None


@dataclass(slots=True)
class Event:
    """Something that happened to the exchange at one moment."""

    kind: EventKind
    record: Record
    key: str
    detail: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Exchange:
    """What was asked (`opening`) and all that followed, subagents of 1.0 written inline (`sidechains`) included.

    `error`: the API error it ended with. `is_closed`: Claude Code itself ended it, with an error or on a resume.
    `was_killed`: the session ended in a running tool; what closed it was written when the session was resumed.
    """

    opening: Record
    given: list[Given] = field(default_factory=list)
    calls: dict[str, LLMCall] = field(default_factory=dict)
    tools: dict[str, ToolCall] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)
    sidechains: list["Exchange"] = field(default_factory=list)
    uuids: dict[str, int | None] = field(default_factory=dict)
    end_ns: int | None = None
    error: Assistant | None = None
    is_closed: bool = False
    was_killed: bool = False
    _queue: list[QueueOperation] = field(default_factory=list)
    _results: dict[str, tuple[User, Block]] = field(default_factory=dict)
    _requests: dict[str, ApiRequest] = field(default_factory=dict)
    _position: int = 0
    _last_given_ns: int | None = None

    @property
    def start_ns(self) -> int | None:
        """When it was asked, in ns since the epoch; None while no record of it has a time."""
        return self.opening.time_ns or next((time for time in self.uuids.values() if time is not None), None)

    @property
    def is_interrupted(self) -> bool:
        """Whether the person stopped it."""
        return any(event.kind == "interrupted" for event in self.events)

    @property
    def was_answered(self) -> bool:
        """Whether a response, an error or an interrupt followed what was asked."""
        return bool(self.calls) or self.is_closed or self.is_interrupted

    def origin(self, session: str) -> str | None:
        """The session that this was copied from, as far as its lines tell; None when it is `session`'s own."""
        first = next((call.lines[0] for call in self.calls.values()), None)
        if first is not None and first.is_copy:
            return first.request_session_id or first.made_by_session
        named = self.opening.session_id
        return named if named != session else None

    @property
    def has_open_tools(self) -> bool:
        """Whether a tool was called and its result is not there."""
        return any(tool.result is None for tool in self.tools.values())

    def note(self, record: Record) -> int:
        """Remember that a record belongs here; returns its position."""
        self._position += 1
        if record.uuid:
            self.uuids[record.uuid] = record.time_ns
        return self._position

    def add_request(self, request: ApiRequest) -> None:
        """An HTTP attempt; the lines of its response point at it by id.

        One that follows the end was made for the next prompt, which a resumed client writes down after it.
        """
        if not self.is_closed:
            self._requests[request.id] = request

    def retries(self) -> Iterator[ApiRequest]:
        """Attempts without response, once a later attempt has one or the exchange ended without.

        Not at once: a response may be flushed after the next request.
        """
        answered = {call.request.id for call in self.calls.values() if call.request}
        requests = list(self._requests.values())
        last = max((n for n, request in enumerate(requests) if request.id in answered), default=0)
        for request in requests[: len(requests) - 1 if self.is_closed else last]:
            if request.id not in answered:
                yield request

    def add_queue_operation(self, operation: QueueOperation) -> None:
        """A prompt typed while the model worked. Up to 2.1.63 it is nowhere else; later it comes as an attachment."""
        if operation.operation == "enqueue":
            self._queue.append(operation)
        elif self._queue:
            enqueued = self._queue.pop(0)
            text = str(enqueued.content or "")
            is_only_here = version_of(self.opening) < _QUEUED_COMMANDS_ARE_ATTACHMENTS
            if operation.operation == "remove" and is_only_here and enqueued.time_ns and text[:1] not in ("", "<"):
                self.events.append(Event("queued_prompt", enqueued, f"queue:{enqueued.time_ns}", {"prompt": text}))

    def give(self, record: Record, blocks: list[Block] | None = None) -> None:
        """A message to the model: a prompt, a reminder, a summary."""
        position = self.note(record)
        self.given.append(Given(position, record, record.blocks if blocks is None else blocks))
        if record.time_ns is not None:
            self._last_given_ns = record.time_ns

    def add_result(self, record: User) -> None:
        """Tool results, one a line as a rule; they are also what the next call is given."""
        self.give(record)
        for block in record.tool_results:
            self.complete(str(block.get("tool_use_id")), record, block)
            if record.tool_denial_kind and record.tool_denial_before_run:
                tool_use_id = str(block.get("tool_use_id"))
                self.events.append(
                    Event("permission_denied", record, f"denied:{tool_use_id}", {"tool_id": tool_use_id})
                )
        if record.tool_denial_kind == KILLED:
            self.was_killed = True
        else:
            self._touch(record)

    def complete(self, tool_use_id: str, record: User, block: Block) -> None:
        """Join a result with its tool call, in whichever order they come."""
        tool = self.tools.get(tool_use_id)
        if tool is None:
            self._results[tool_use_id] = (record, block)
        elif tool.result is None:
            tool.result, tool.result_block = record, block
            if record.tool_denial_kind != KILLED:
                self._touch(record)

    def add(self, record: Record) -> None:
        """Take a record of any type."""
        match record:
            case Assistant():
                self.add_assistant(record)
            case User():
                self.add_user(record, classify(record))
            case System():
                self.add_system(record)
            case Attachment():
                self.add_attachment(record)
            case ApiRequest():
                self.add_request(record)
            case QueueOperation():
                self.add_queue_operation(record)
            case _:
                self.note(record)

    def add_user(self, record: User, kind: UserKind) -> None:
        """Take a user line of a kind that `classify` told."""
        match kind:
            case "tool_result":
                self.add_result(record)
            case "interrupt":
                self.interrupt(record)
            case "local_output":
                self.note(record)
            case _:
                self.give(record)

    def add_assistant(self, record: Assistant) -> None:
        """A line of an LLM response, or of what Claude Code said in its place."""
        if not record.is_llm_output:
            self._add_synthetic(record)
            return
        assert record.message is not None  # noqa: S101 - is_llm_output has looked
        message_id = str(record.message.id)
        if record.uuid in self.uuids:
            return  # the same line again: in-file copies of some versions
        position = self._position + 1
        call = self.calls.get(message_id)
        if call is None:
            request = self._requests.get(record.request_ref or "")
            call = LLMCall(message_id, position, self._sent_ns(record, request), request)
            self.calls[message_id] = call
        call.lines.append(record)
        self.note(record)
        self._touch(record)
        for block in record.blocks:
            if block.get("type") == "tool_use" and block.get("id") not in self.tools:
                self._add_tool(record, block, message_id)

    def forget_call(self, message_id: str | None) -> None:
        """Drop a call that was made elsewhere: a forked subagent repeats the one that launched it."""
        if message_id is not None and self.calls.pop(message_id, None) is not None:
            self.tools = {key: tool for key, tool in self.tools.items() if tool.message_id != message_id}

    def add_event(
        self, kind: EventKind, record: Record, *, key: str | None = None, detail: dict[str, Any] | None = None
    ) -> None:
        """Note something that happened; `key` identifies it where the record has no uuid."""
        self.note(record)
        if key or record.uuid:
            self.events.append(Event(kind, record, key or str(record.uuid), detail or {}))

    def interrupt(self, record: User) -> None:
        """The person stopped it."""
        self.add_event("interrupted", record)
        self._touch(record)

    def add_system(self, record: System) -> None:
        """Keep the few notes that tell something about the work."""
        match record.subtype:
            case "compact_boundary" | "microcompact_boundary":
                self.add_event("compaction", record, detail=record.compact_metadata)
            case "api_error":
                self.add_event("api_retry", record, detail=_retry(record))
                self._touch(record)
            case "model_refusal_fallback":
                self.add_event("model_fallback", record)
            case _:
                self.note(record)

    def add_attachment(self, record: Attachment) -> None:
        """Most attachments are reminders of Claude Code's own; a queued prompt is the person's, a block the hook's."""
        match record.attachment.get("type"):
            case "queued_command":
                prompt = record.attachment.get("prompt")
                blocks = prompt if isinstance(prompt, list) else [{"type": "text", "text": str(prompt or "")}]
                self.give(record, [block for block in blocks if isinstance(block, dict)])
                self.add_event("queued_prompt", record)
            case "hook_blocking_error":
                self.add_event("hook_blocked", record)
            case _:
                self.note(record)

    def counts(self) -> Counter[str]:
        """How many LLM calls, tool calls and failed tool calls there are, inline subagents included."""
        counts = Counter(
            llm_call_count=len(self.calls),
            tool_count=len(self.tools),
            tool_error_count=sum(1 for tool in self.tools.values() if (tool.result_block or {}).get("is_error")),
        )
        for sidechain in self.sidechains:
            counts.update(sidechain.counts())
        return counts

    def _add_tool(self, record: Assistant, block: Block, message_id: str) -> None:
        tool_use_id = str(block.get("id"))
        tool = ToolCall(tool_use_id, str(block.get("name")), block.get("input"), record, message_id)
        self.tools[tool_use_id] = tool
        if tool_use_id in self._results:
            tool.result, tool.result_block = self._results.pop(tool_use_id)

    def _add_synthetic(self, record: Assistant) -> None:
        """Claude Code speaks itself: an API error, or "No response requested." when a killed session is resumed."""
        self.note(record)
        self.is_closed = True
        if record.is_api_error_message and record.uuid:
            self.error = record
            self.events.append(Event("api_error", record, record.uuid))
            self._touch(record)

    def _sent_ns(self, record: Assistant, request: ApiRequest | None) -> int | None:
        """When a call was sent: the request's own time, else its parent's, else that of what it was given last."""
        candidates = (
            request.time_ns if request else None,
            self.uuids.get(record.parent_uuid or ""),
            self._last_given_ns,
            self.opening.time_ns,
            record.time_ns,
        )
        sent = next((time for time in candidates if time is not None), None)
        if sent is None or record.time_ns is None:
            return sent
        return min(sent, record.time_ns)

    def _touch(self, record: Record) -> None:
        if record.time_ns is not None:
            self.end_ns = max(self.end_ns or 0, record.time_ns)


def _retry(record: System) -> dict[str, Any]:
    error = record.error if isinstance(record.error, dict) else {}
    return {
        "status": error.get("status"),
        "attempt": record.retry_attempt,
        "max_attempts": record.max_retries,
        "wait_ms": record.retry_in_ms,
    }
