"""Steps: the tool calls of a turn with their outcomes, as far as signals need them.

Texts are bounded here, once: no pattern ever sees more.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from ccship.transcript.exchange import KILLED, Exchange
from ccship.transcript.parts import ToolCall
from ccship.transcript.records import Block, text_of

Outcome: TypeAlias = Literal["open", "done", "failed", "rejected", "denied", "stopped"]
"""`open`: no result. `rejected`: a person said no. `denied`: a rule or hook did. `stopped`: it was cut short."""

SHELLS = ("Bash", "PowerShell")

_COMMAND_CHARS = 20_000
_HEAD_CHARS, _TAIL_CHARS = 4_000, 8_000
"""Runners print their summary last, errors of the shell come first."""

_REJECTED = (
    "The user doesn't want to proceed with this tool use",
    "The user doesn't want to take this action",
)
_DENIED = (
    "Permission to use ",
    "Permission for this action has been denied",
    "Permission denied by ",
    "Claude requested permissions to",
    "This command requires approval",
    "PreToolUse:",
    "Hook PreToolUse:",
    "Operation stopped by hook",
    "Operation blocked by hook",
)
_STOPPED = (
    "<tool_use_error>Sibling tool call errored",
    "Cancelled: parallel tool call",
    "[Request interrupted by user",
)
"""First words of results that Claude Code wrote; versions before 2.1.205 have no `toolDenialKind`."""

_IN_BACKGROUND = "running in background with ID"
_IN_BACKGROUND_CHARS = 200


@dataclass(frozen=True, slots=True)
class Step:
    """A tool call. `text`: of its result; `seconds`: from request to result, None if unknown or invented."""

    tool: ToolCall
    outcome: Outcome
    arguments: dict[str, Any]
    text: str
    in_background: bool
    seconds: float | None

    @property
    def name(self) -> str:
        """The tool's name."""
        return self.tool.name

    @property
    def command(self) -> str:
        """The shell command; empty for other tools."""
        return str(self.arguments.get("command", ""))[:_COMMAND_CHARS] if self.name in SHELLS else ""

    @property
    def has_run(self) -> bool:
        """Whether the tool ran to its end, with or without success."""
        return self.outcome in ("done", "failed")


def steps_of(exchange: Exchange) -> Iterator[Step]:
    """Yield the steps of an exchange in file order."""
    for tool in exchange.tools.values():
        arguments = tool.input if isinstance(tool.input, dict) else {}
        text = _result_text(tool.result_block or {})
        yield Step(
            tool,
            _outcome(tool, text),
            arguments,
            text,
            bool(arguments.get("run_in_background")) or _IN_BACKGROUND in text[:_IN_BACKGROUND_CHARS],
            _seconds(tool),
        )


def _outcome(tool: ToolCall, text: str) -> Outcome:
    if tool.result is None:
        return "open"
    kind = tool.result.tool_denial_kind
    if kind == KILLED:
        return "stopped"
    if (tool.result_block or {}).get("is_error"):
        if kind == "user-rejected" or text.startswith(_REJECTED):
            return "rejected"
        if kind is not None or text.startswith(_DENIED):
            return "denied"
        if not text.startswith(_STOPPED):
            return "failed"
    return "stopped" if text.startswith(_STOPPED) else "done"


def _result_text(block: Block) -> str:
    content = block.get("content")
    if isinstance(content, list):
        content = text_of(part for part in content if isinstance(part, dict))
    text = content if isinstance(content, str) else ""
    if len(text) <= _HEAD_CHARS + _TAIL_CHARS:
        return text
    return f"{text[:_HEAD_CHARS]}\n{text[-_TAIL_CHARS:]}"


def _seconds(tool: ToolCall) -> float | None:
    if tool.result is None or tool.result.tool_denial_kind == KILLED:
        return None
    ended, began = tool.result.time_ns, tool.requested.time_ns
    return None if ended is None or began is None else max(0.0, (ended - began) / 1e9)
