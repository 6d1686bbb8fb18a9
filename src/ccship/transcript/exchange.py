"""An exchange: a prompt, or a subagent's task, and everything that followed.

Records are added in file order. That is the order of flushing, not of cause: a result may precede its tool call, and
the lines of two calls may be mixed. Ids and start times come from the record itself or from records before it, so they
do not change when the file grows.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from ccship.transcript.classify import UserKind, classify
from ccship.transcript.parts import Event, EventKind, LLMCall, ModelInput, ToolCall
from ccship.transcript.records import (
    ApiRequest,
    Assistant,
    Attachment,
    Block,
    QueueOperation,
    Record,
    System,
    User,
    blocks_of,
    version_of,
)

KILLED = "interrupted"
"""The `toolDenialKind` of an invented result, written when a killed session is resumed, possibly days later."""

_QUEUED_COMMANDS_ARE_ATTACHMENTS = (2, 1, 91)

_BACKGROUND_TASK = '{"task_id"'
"""The first characters of a queue operation that reports on a background task (up to 2.1.90)."""

_WAITED = ("queued_command", "command_permissions")
"""Attachment types whose timestamp may be that of the command, up to four minutes before the model receives it."""

_LONGEST_COMPACTION_NS = 15 * 60 * 10**9
"""The longest observed compaction took seven minutes. After a longer pause it is not part of the work before it."""


@dataclass(slots=True)
class Exchange:
    """The record that opened an exchange (`opening`) and everything that followed.

    `sidechains`: subagents of 1.0, written inline. `folded`: events of folded turns, which called no model. `error`:
    the API error at its end. `is_closed`: Claude Code ended it, with an error or on a resume. `was_killed`: the session
    ended while a tool ran; its end was written on the resume.
    """

    opening: Record
    given: list[ModelInput] = field(default_factory=list)
    calls: dict[str, LLMCall] = field(default_factory=dict)
    tools: dict[str, ToolCall] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)
    folded: list[Event] = field(default_factory=list)
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
        """Start time in ns since the epoch; None while no record has a time."""
        return self.opening.time_ns or next((time for time in self.uuids.values() if time is not None), None)

    @property
    def is_interrupted(self) -> bool:
        """Whether the user interrupted it."""
        return any(event.kind == "interrupted" for event in self.events)

    @property
    def was_answered(self) -> bool:
        """Whether a response, an error or an interrupt followed the opening."""
        return bool(self.calls) or self.is_closed or self.is_interrupted

    @property
    def session_id(self) -> str | None:
        """The session of its calls, else of its opening: a resumed session may answer a copied prompt."""
        first = next((call.lines[0] for call in self.calls.values()), None)
        return (first and first.session_id) or self.opening.session_id

    def origin(self, session: str) -> str | None:
        """Return the session from which its lines were copied; None if they are `session`'s own."""
        first = next((call.lines[0] for call in self.calls.values()), None)
        if first is not None and first.is_copy:
            return first.request_session_id or first.made_by_session
        named = self.opening.session_id
        return named if named != session else None

    @property
    def has_open_tools(self) -> bool:
        """Whether a tool call has no result yet."""
        return any(tool.result is None for tool in self.tools.values())

    @property
    def extent(self) -> int:
        """A number that grows with everything that is added: records, lines, results, requests, subagents of 1.0."""
        results = sum(tool.result is not None for tool in self.tools.values())
        inline = sum(sidechain.extent for sidechain in self.sidechains)
        others = len(self.given) + len(self.events) + len(self._requests) + len(self._queue) + self.is_closed
        return len(self.uuids) + self._position + results + inline + others

    def note(self, record: Record) -> int:
        """Add the record's uuid; return its position."""
        self._position += 1
        if record.uuid:
            self.uuids[record.uuid] = self._given_ns(record)
        return self._position

    def add_request(self, request: ApiRequest) -> None:
        """Add an HTTP attempt. The lines of its response refer to it by id.

        An attempt after the end belongs to the next prompt: a resumed client writes the prompt after its request.
        """
        if not self.is_closed:
            self._requests[request.id] = request

    def retries(self) -> Iterator[ApiRequest]:
        """Yield attempts without a response, once a later attempt has one or the exchange is closed.

        An earlier answer could be wrong: a response may be flushed after the next request.
        """
        answered = {call.request.id for call in self.calls.values() if call.request}
        requests = list(self._requests.values())
        last = max((n for n, request in enumerate(requests) if request.id in answered), default=0)
        for request in requests[: len(requests) - 1 if self.is_closed else last]:
            if request.id not in answered:
                yield request

    def add_queue_operation(self, operation: QueueOperation) -> None:
        """Add a prompt that was typed while the model worked. Later clients write it as an attachment."""
        if operation.operation == "enqueue":
            self._queue.append(operation)
        elif self._queue:
            enqueued = self._queue.pop(0)
            text = str(enqueued.content or "")
            is_only_here = version_of(self.opening) < _QUEUED_COMMANDS_ARE_ATTACHMENTS
            is_prompt = bool(text) and not text.startswith(("<", _BACKGROUND_TASK))
            if operation.operation == "remove" and is_only_here and enqueued.time_ns and is_prompt:
                self.events.append(Event("queued_prompt", enqueued, f"queue:{enqueued.time_ns}", {"prompt": text}))

    def give(self, record: Record, blocks: list[Block] | None = None) -> None:
        """Add a message to the model: a prompt, a reminder, a summary."""
        position = self.note(record)
        self.given.append(ModelInput(position, record, record.blocks if blocks is None else blocks))
        given_ns = self._given_ns(record)
        if given_ns is not None:
            self._last_given_ns = given_ns

    def add_result(self, record: User) -> None:
        """Add tool results. They are also input of the next call."""
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
        """Join a result with its tool call, in either order."""
        tool = self.tools.get(tool_use_id)
        if tool is None:
            self._results[tool_use_id] = (record, block)
        elif tool.result is None:
            tool.result, tool.result_block = record, block
            if record.tool_denial_kind != KILLED:
                self._touch(record)

    def add(self, record: Record) -> None:
        """Add a record of any type."""
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
        """Add a user line of the kind that `classify` returned."""
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
        """Add a line of an LLM response, or one that Claude Code wrote in its place."""
        if not record.is_llm_output:
            self._add_synthetic(record)
            return
        assert record.message is not None  # noqa: S101 - is_llm_output is true
        message_id = str(record.message.id)
        if record.uuid in self.uuids:
            return  # some versions repeat a line in the same file
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
        """Remove a call of another exchange: a forked subagent repeats the call that launched it."""
        if message_id is not None and self.calls.pop(message_id, None) is not None:
            self.tools = {key: tool for key, tool in self.tools.items() if tool.message_id != message_id}

    def sidechain_of(self, record: Record) -> "Exchange":
        """Return the inline subagent (1.0) that a record continues or opens."""
        for sidechain in self.sidechains:
            if record.parent_uuid in sidechain.uuids:
                return sidechain
        sidechain = Exchange(record)
        self.sidechains.append(sidechain)
        return sidechain

    def add_event(
        self,
        kind: EventKind,
        record: Record,
        *,
        key: str | None = None,
        detail: dict[str, Any] | None = None,
        start_ns: int | None = None,
    ) -> None:
        """Add an event. `key` identifies it if the record has no uuid."""
        self.note(record)
        if key or record.uuid:
            self.events.append(Event(kind, record, key or str(record.uuid), detail or {}, start_ns))

    def interrupt(self, record: User) -> None:
        """Add an interruption by the user."""
        self.add_event("interrupted", record)
        self._touch(record)

    def add_system(self, record: System) -> None:
        """Add a system record. Only a few types are events."""
        match record.subtype:
            case "compact_boundary" | "microcompact_boundary":
                self._add_compaction(record)
            case "api_error":
                self.add_event("api_retry", record, detail=_retry(record))
                self._touch(record)
            case "model_refusal_fallback":
                self.add_event("model_fallback", record)
            case _:
                self.note(record)

    def add_attachment(self, record: Attachment) -> None:
        """Add an attachment. Most are reminders by Claude Code; some are prompts of the user or messages of a hook."""
        match record.attachment.get("type"):
            case "queued_command":
                prompt = record.attachment.get("prompt")
                self.give(record, blocks_of(prompt if isinstance(prompt, list) else str(prompt or "")))
                self.add_event("queued_prompt", record)
            case "hook_blocking_error":
                self.add_event("hook_blocked", record)
            case _:
                self.note(record)

    def counts(self) -> Counter[str]:
        """Count LLM calls, tool calls and failed tool calls, inline subagents included."""
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
        """Add a line by Claude Code itself: an API error, or "No response requested." after a killed session."""
        self.note(record)
        self.is_closed = True
        if record.is_api_error_message and record.uuid:
            self.error = record
            self.events.append(Event("api_error", record, record.uuid))
            self._touch(record)

    def _add_compaction(self, record: System) -> None:
        """Add a compaction. An automatic one is part of the work, one requested hours later is not.

        The latter starts at the end of the work as known from the records so far: a start time must never change.
        """
        start_ns, end_ns, time_ns = None, self.end_ns or self.start_ns, record.time_ns
        if end_ns is not None and time_ns is not None and time_ns > end_ns:
            detail = record.compact_metadata or {}
            if detail.get("trigger") == "manual" or time_ns > end_ns + _LONGEST_COMPACTION_NS:
                start_ns = end_ns
            else:
                self._touch(record)
        self.add_event("compaction", record, detail=record.compact_metadata, start_ns=start_ns)

    def _sent_ns(self, record: Assistant, request: ApiRequest | None) -> int | None:
        """Return when a call was sent: the time of its request, else of its parent, else of its last input."""
        candidates = (
            request.time_ns if request else None,
            self.uuids.get(record.parent_uuid or ""),
            self._last_given_ns,
            self.opening.time_ns,
            record.time_ns,
        )
        for sent_ns in candidates:
            if sent_ns is not None:
                return sent_ns if record.time_ns is None else min(sent_ns, record.time_ns)
        return None

    def _given_ns(self, record: Record) -> int | None:
        """Return when the model received a record. A record that waited in a queue is received after its parent."""
        if not isinstance(record, Attachment) or record.attachment.get("type") not in _WAITED:
            return record.time_ns
        times = (record.time_ns, self.uuids.get(record.parent_uuid or ""))
        return max((time for time in times if time is not None), default=None)

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
