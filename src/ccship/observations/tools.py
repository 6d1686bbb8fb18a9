"""Metadata, level and status of tool calls: small facts of the result, never whole files."""

import re
from typing import Any

from ccship.observations.model import Level
from ccship.transcript.exchange import KILLED
from ccship.transcript.parts import ToolCall

_EXIT_CODE = re.compile(r"\A(?:Error: )?Exit code (\d+)")

_FACTS = {
    "durationMs": "duration_ms",
    "totalDurationMs": "duration_ms",
    "durationSeconds": "duration_s",
    "timedOutAfterMs": "timed_out_after_ms",
    "filePath": "file_path",
    "numFiles": "file_count",
    "numLines": "line_count",
    "numMatches": "match_count",
    "code": "http_status",
    "bytes": "bytes",
    "url": "url",
    "interrupted": "interrupted",
    "truncated": "truncated",
    "status": "status",
    "isAsync": "is_async",
    "agentId": "agent_id",
    "agentType": "agent_type",
    "backgroundTaskId": "background_task_id",
    "returnCodeInterpretation": "return_code_interpretation",
    "persistedOutputSize": "persisted_output_bytes",
    "commandName": "command_name",
    "resolvedModel": "resolved_model",
}
"""Keys of `toolUseResult` that become metadata fields, with the field names."""


def tool_metadata(tool: ToolCall) -> dict[str, Any]:
    """Return the flat metadata of a tool observation."""
    facts: dict[str, Any] = {"tool_name": tool.name, "tool_id": tool.tool_use_id}
    if tool.name.startswith("mcp__"):
        server, _, name = tool.name.removeprefix("mcp__").partition("__")
        facts |= {"mcp_server": server, "mcp_tool": name}
    if tool.result is None:
        return facts
    if decision := tool.result.permission_decision:
        named = ("decision", "source", "reasonType")
        facts |= {f"permission_{key}": decision[key] for key in named if decision.get(key)}
    if tool.result.tool_denial_kind:
        facts["denial"] = tool.result.tool_denial_kind
    outcome = tool.result.tool_use_result
    if isinstance(outcome, dict):
        for key in filter(outcome.__contains__, _FACTS):  # most results have few of them
            value = outcome[key]
            if value is not None and value is not False and not isinstance(value, dict | list):
                facts[_FACTS[key]] = value
        facts |= _patch_size(outcome.get("structuredPatch"))
    elif isinstance(outcome, str) and (code := _EXIT_CODE.match(outcome)):
        facts["exit_code"] = int(code[1])
    return facts


def tool_level(tool: ToolCall) -> tuple[Level, str | None]:
    """Return level and status message: an error if it failed or was denied, a warning if it was stopped."""
    block = tool.result_block or {}
    denial = tool.result.tool_denial_kind if tool.result else None
    if denial == KILLED:
        return "WARNING", "the session ended while this ran"
    if denial == "user-rejected" and tool.result and not tool.result.tool_denial_before_run:
        return "WARNING", "stopped by the user"
    if denial:
        return "ERROR", f"permission denied ({denial})"
    if not block.get("is_error"):
        return "DEFAULT", None
    return "ERROR", tool_error_text(block.get("content")) or "the tool failed"


def tool_error_text(content: Any) -> str:
    """Return the first line of a failed tool's message."""
    if isinstance(content, list):
        content = " ".join(str(block.get("text", "")) for block in content if isinstance(block, dict))
    text = re.sub(r"</?tool_use_error>", "", str(content or "")).strip()
    return text.splitlines()[0] if text else ""


def _patch_size(patch: Any) -> dict[str, int]:
    if not isinstance(patch, list):
        return {}
    lines = [
        line
        for hunk in patch
        if isinstance(hunk, dict) and isinstance(hunk.get("lines"), list)
        for line in hunk["lines"]
        if isinstance(line, str)
    ]
    return {
        "lines_added": sum(line.startswith("+") for line in lines),
        "lines_removed": sum(line.startswith("-") for line in lines),
    }
