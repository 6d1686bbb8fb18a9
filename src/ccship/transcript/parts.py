"""The parts of an exchange: model input, LLM calls, tool calls, events. `exchange` fills them.

The garbage collector leaves them out (`gc=False`): they refer to records, which never refer back.
"""

from typing import Any, Literal, TypeAlias

import msgspec

from ccship.transcript.records import ApiRequest, Assistant, Block, Record, User

EventKind: TypeAlias = Literal[
    "compaction", "api_retry", "api_error", "interrupted", "queued_prompt", "model_fallback", "hook_blocked",
    "permission_denied", "local_command", "task_notification", "scheduled",
]  # fmt: skip


class ModelInput(msgspec.Struct, gc=False):
    """Text or results for the model. `position` orders it among the calls."""

    position: int
    record: Record
    blocks: list[Block]


class LLMCall(msgspec.Struct, gc=False):
    """A request to a model and its response. `start_ns`: when it was sent, as precisely as the transcript tells."""

    message_id: str
    position: int
    start_ns: int | None
    request: ApiRequest | None
    lines: list[Assistant] = []

    @property
    def blocks(self) -> list[Block]:
        """The content of its lines. A line that an old resume repeated under a new uuid counts once."""
        if len(self.lines) == 1:
            return self.lines[0].blocks
        blocks = [block for line in self.lines for block in line.blocks]
        if len({(block.get("type"), block.get("id")) for block in blocks}) == len(blocks):
            return blocks  # no two are alike, as in nearly all calls
        distinct = {msgspec.json.encode(line.blocks): line.blocks for line in self.lines}
        return [block for blocks in distinct.values() for block in blocks]

    def has_line(self, record: Assistant) -> bool:
        """Return whether the call contains this line under another uuid. Rewritten history keeps its times."""
        return any(line.timestamp == record.timestamp and line.blocks == record.blocks for line in self.lines)


class ToolCall(msgspec.Struct, gc=False):
    """A tool_use block, its line, and the line with its result."""

    tool_use_id: str
    name: str
    input: Any
    requested: Assistant
    message_id: str
    result: User | None = None
    result_block: Block | None = None

    @property
    def launched(self) -> str | None:
        """The subagent that the call launched, or the folder of a workflow's; None until it has a result."""
        outcome = self.result.tool_use_result if self.result else None
        if not isinstance(outcome, dict):
            return None
        named = outcome.get("agentId") or outcome.get("runId")
        return named if isinstance(named, str) else None


class Event(msgspec.Struct, gc=False):
    """An event at one moment. `start_ns`: set if it differs from the time of the record."""

    kind: EventKind
    record: Record
    key: str
    detail: dict[str, Any] = {}
    start_ns: int | None = None
