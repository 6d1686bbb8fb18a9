"""Links subagents to the tool calls that launched them. Pure.

Client versions record the link differently: in the subagent's `meta.json`, in the tool's result, or not at all; then
the prompts are compared.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any

from ccship.observations import Trace, TraceSettings
from ccship.observations.identity import span_id_of, trace_id_of
from ccship.transcript.discover import agent_id_of
from ccship.transcript.exchange import Exchange
from ccship.transcript.records import Assistant
from ccship.unit import Launch, Link

LAUNCHING_TOOLS = frozenset({"Agent", "Task"})

COMPACTING = "acompact-"
"""Id prefix of the agent that compacts a conversation (since 2.1.38). No tool launches it."""

WARMING = "Warmup"
"""The prompt of agents that warm the cache (2.0.28 to 2.1). No tool launches them."""


@dataclass(frozen=True, slots=True)
class Linked:
    """The link of a subagent. `launched`: the tool call, if it launches no other subagent."""

    link: Link
    launched: str | None = None


def launches_of(exchange: Exchange, trace: Trace) -> Iterator[Launch]:
    """Yield the tool calls that launch subagents with transcripts of their own."""
    if exchange.sidechains:
        return  # 1.0: subagents are in the same file
    for tool in exchange.tools.values():
        if (tool.name in LAUNCHING_TOOLS or tool.launched) and isinstance(tool.input, dict):
            kind = tool.input.get("subagent_type")
            prompt = _digest(str(tool.input.get("prompt", "")))
            yield Launch(tool.tool_use_id, trace, tool.message_id, tool.launched, str(kind) if kind else None, prompt)


def link_of(
    path: Path,
    exchange: Exchange,
    facts: Mapping[str, Any],
    launches: Mapping[str, Launch],
    trace_settings: TraceSettings,
) -> Linked | None:
    """Return the link of a subagent to one of `launches`, or None.

    The result of a workflow names the folder of its subagents: one call launches several.
    """
    named = {agent_id_of(path), *(parent.name for parent in path.parents)}
    prompt = _digest(exchange.opening.text)
    launch = launches.get(str(facts.get("toolUseId")))
    launch = launch or next((known for known in launches.values() if known.agent_id in named), None)
    launch = launch or next(
        (known for known in launches.values() if not known.agent_id and known.prompt == prompt), None
    )
    if launch is not None:
        parent = span_id_of(launch.trace.trace_id, "tool", launch.tool_use_id)
        is_answered = launch.agent_id is None or launch.agent_id == agent_id_of(path)
        link = Link(launch.trace, parent, launch.agent_type, launch.message_id)
        return Linked(link, launch.tool_use_id if is_answered else None)
    is_unlaunched = agent_id_of(path).startswith(COMPACTING) or exchange.opening.text == WARMING
    return Linked(orphan(path, exchange, trace_settings)) if is_unlaunched else None


def orphan(path: Path, exchange: Exchange, trace_settings: TraceSettings, session: str | None = None) -> Link:
    """Return the link of a subagent that no tool call launched: a trace of its own, so that its cost is counted."""
    opening = exchange.opening
    agent_id = agent_id_of(path)
    trace = Trace(
        trace_id=trace_id_of(opening.uuid or agent_id),
        name="claude_subagent",
        session_id=opening.session_id or session or agent_id,
        user_id=trace_settings.user_id,
        version=opening.version,
        tags=("claude-code",),
        environment=trace_settings.environment,
        settings_tags=trace_settings.tags,
    )
    kind = "compaction" if agent_id.startswith(COMPACTING) else "warm-up" if opening.text == WARMING else None
    return Link(trace, None, kind)


def launching_call(exchange: Exchange) -> str | None:
    """Return the call that a forked subagent starts with: its launch, which the main transcript may repeat later."""
    opening = exchange.opening
    is_call = isinstance(opening, Assistant) and opening.is_llm_output and opening.message
    return opening.message.id if is_call and opening.message else None


def _digest(prompt: str) -> bytes:
    return blake2b(prompt.encode(), digest_size=8).digest()
