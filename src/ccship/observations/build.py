"""Turns and subagents -> observations: ids, times, names and metadata."""

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath, PureWindowsPath
from types import MappingProxyType
from typing import Any

from ccship.identity import seeded_trace_id, span_id_of, trace_id_of
from ccship.models import family_of
from ccship.observations.chat import as_typed, content_of, messages_of
from ccship.observations.generations import generations
from ccship.observations.model import Level, Observation, Trace, present
from ccship.observations.tools import tool_level, tool_metadata
from ccship.transcript.exchange import KILLED, Event, Exchange, Given, LLMCall, ToolCall
from ccship.transcript.records import Assistant, Attachment, QueueOperation, System, User, text_of
from ccship.transcript.turns import Turn
from ccship.transcript.usage import usage_of

_SKILL = "Base directory for this skill:"
_PLAN = "Implement the following plan:"


@dataclass(frozen=True, slots=True)
class Labels:
    """What the person wants in every trace: their name, tags, metadata and so on; `trace_seed` fixes the ids."""

    user_id: str | None = None
    tags: tuple[str, ...] = ()
    metadata: dict[str, str] = field(default_factory=dict)
    trace_seed: str | None = None
    anthropic_base_url: str | None = None
    environment: str | None = None
    images: bool = True
    client_cost: bool = False


def trace_of(turn: Turn, session_id: str, labels: Labels) -> Trace:
    """The trace that a turn of a session is."""
    seed = labels.trace_seed
    return Trace(
        trace_id=seeded_trace_id(seed, turn.number) if seed else trace_id_of(turn.uuid),
        name=f"claude_turn_{turn.number}",
        session_id=session_id,
        user_id=labels.user_id,
        version=turn.exchange.opening.version,
        tags=(*_tags(turn.exchange), *labels.tags),
        environment=labels.environment,
    )


def observe_turn(
    turn: Turn,
    session_id: str,
    labels: Labels,
    *,
    git: Mapping[str, Any] = MappingProxyType({}),
    passing: Mapping[str, Any] = MappingProxyType({}),
) -> list[Observation]:
    """All observations of a turn, the root first, then in the order in which they began.

    `git`: what the repository says of the time of the turn; `passing`: what it says only now.
    """
    exchange = turn.exchange
    start_ns = exchange.start_ns
    if start_ns is None:
        return []
    trace = trace_of(turn, session_id, labels)
    opening = exchange.opening
    level, status = _outcome(exchange)
    root = Observation(
        trace=trace,
        span_id=span_id_of(trace.trace_id, "turn", ""),
        parent_span_id=None,
        type="agent",
        name="claude_turn",
        start_ns=start_ns,
        end_ns=max(start_ns, exchange.end_ns or 0),
        input=as_typed(opening),
        output=_final_text(exchange),
        metadata=present(
            {
                "source": "claude-code",
                "turn_number": turn.number,
                "claude_code_version": opening.version,
                "cwd": opening.cwd,
                "git_branch": opening.git_branch,
                "anthropic_base_url": labels.anthropic_base_url,
                "service_tier": _service_tier(exchange),
                "permission_mode": opening.permission_mode if isinstance(opening, User) else None,
                "entrypoint": opening.entrypoint,
                "trigger": _trigger(turn),
                **exchange.counts(),
                **git,
                **labels.metadata,
            }
        ),
        passing=dict(passing),
        level=level,
        status_message=status,
    )
    return [root, *_sorted(_inside(exchange, trace, root.span_id, images=labels.images))]


def observe_subagent(
    exchange: Exchange,
    trace: Trace,
    parent_span_id: str | None,
    agent_id: str,
    facts: dict[str, Any],
    *,
    images: bool = True,
) -> list[Observation]:
    """All observations of a subagent, its own first. `facts` is its `meta.json`, or what stands for it."""
    start_ns = exchange.start_ns
    if start_ns is None:
        return []
    level, status = _outcome(exchange)
    agent_type = str(facts.get("agentType") or "subagent")
    own = Observation(
        trace=trace,
        span_id=span_id_of(trace.trace_id, "agent", agent_id),
        parent_span_id=parent_span_id,
        type="agent",
        name=f"Agent: {agent_type}",
        start_ns=start_ns,
        end_ns=max(start_ns, exchange.end_ns or 0),
        input=_told(exchange),
        output=_final_text(exchange),
        metadata=present(
            {
                "agent_id": agent_id,
                "agent_type": agent_type,
                "description": facts.get("description"),
                "spawn_depth": facts.get("spawnDepth"),
                "parent_agent_id": facts.get("parentAgentId"),
                **exchange.counts(),
            }
        ),
        level=level,
        status_message=status,
    )
    return [own, *_sorted(_inside(exchange, trace, own.span_id, images=images))]


def _inside(exchange: Exchange, trace: Trace, parent: str, *, images: bool) -> Iterator[Observation]:
    """Calls and tools are siblings: a tool runs after the call that asked for it, not inside it."""
    for call, given in _with_input(exchange, images=images):
        yield from generations(call, given, trace, parent)
    for tool in exchange.tools.values():
        yield from _tool(tool, exchange, trace, parent, images=images)
    for event in exchange.events:
        yield from _event(event, trace, parent)
    for request in exchange.retries():
        yield from _event(
            Event("api_retry", request, request.id, {"model": request.params.get("model")}), trace, parent
        )
    for sidechain in exchange.sidechains:
        yield from _sidechain(sidechain, exchange, trace, parent, images=images)


def _with_input(exchange: Exchange, *, images: bool) -> Iterator[tuple[LLMCall, list[dict[str, Any]]]]:
    """Each call with the messages that are new since the call before it."""
    asked_by = {tool.tool_use_id: tool.message_id for tool in exchange.tools.values()}
    waiting = deque(sorted(exchange.given, key=lambda given: given.position))
    for call in sorted(exchange.calls.values(), key=lambda call: call.position):
        messages: list[dict[str, Any]] = []
        early: list[Given] = []
        while waiting and waiting[0].position < call.position:
            given = waiting.popleft()
            # a result may be flushed before the call that asked for it: it is news to the call after that
            if any(asked_by.get(block.get("tool_use_id", "")) == call.message_id for block in given.blocks):
                early.append(given)
            else:
                messages += messages_of(given.blocks, images=images)
        waiting.extendleft(reversed(early))
        yield call, messages


def _tool(tool: ToolCall, exchange: Exchange, trace: Trace, parent: str, *, images: bool) -> Iterator[Observation]:
    start_ns = tool.requested.time_ns
    if start_ns is None:
        return
    end_ns = tool.result.time_ns if tool.result else None
    if tool.result and tool.result.tool_denial_kind == KILLED:
        end_ns = exchange.end_ns  # its result was made up later, on the resume
    level, status = tool_level(tool)
    yield Observation(
        trace=trace,
        span_id=span_id_of(trace.trace_id, "tool", tool.tool_use_id),
        parent_span_id=parent,
        type="tool",
        name=f"Tool: {tool.name}",
        start_ns=start_ns,
        end_ns=max(start_ns, end_ns or 0),
        input=tool.input,
        output=content_of((tool.result_block or {}).get("content"), images=images),
        metadata=tool_metadata(tool),
        level=level,
        status_message=status,
    )


def _event(event: Event, trace: Trace, parent: str) -> Iterator[Observation]:
    time_ns = event.record.time_ns
    if time_ns is None:
        return
    level: Level = "DEFAULT"
    if event.kind in ("api_error", "permission_denied"):
        level = "ERROR"
    elif event.kind in ("api_retry", "interrupted", "hook_blocked", "model_fallback"):
        level = "WARNING"
    yield Observation(
        trace=trace,
        span_id=span_id_of(trace.trace_id, "event", event.key),
        parent_span_id=parent,
        type="event",
        name=event.kind,
        start_ns=time_ns,
        end_ns=time_ns,
        input=_event_text(event),
        metadata=present(event.detail),
        level=level,
    )


def _event_text(event: Event) -> str | None:
    """What was said at that moment, if anything."""
    match event.record:
        case Attachment(attachment={"prompt": str() as prompt}):
            return prompt
        case Attachment(attachment={"blockingError": {"blockingError": str() as error}}):
            return error
        case System(content=str() as content):
            return content
        case User() | Assistant() as record if event.kind != "permission_denied":
            return as_typed(record) or None
        case QueueOperation(content=str() as content):
            return content
        case _:
            return None


def _trigger(turn: Turn) -> str:
    """What started a turn, as finely as the transcript tells."""
    opening = turn.exchange.opening
    if turn.trigger == "slash_command" and any(given.record.text.startswith(_SKILL) for given in turn.exchange.given):
        return "skill"
    if turn.trigger == "prompt" and isinstance(opening, User):
        if opening.prompt_source == "queued":
            return "queued_prompt"
        if opening.plan_content or opening.text.startswith(_PLAN):
            return "plan"
    return turn.trigger or "continuation"


def _sidechain(
    sidechain: Exchange, owner: Exchange, trace: Trace, parent: str, *, images: bool
) -> Iterator[Observation]:
    """A subagent of 1.0, written into the session's own file: its prompt is the input of the tool that launched it."""
    prompt = sidechain.opening.text
    launching = (
        tool for tool in owner.tools.values() if isinstance(tool.input, dict) and tool.input.get("prompt") == prompt
    )
    tool = next(launching, None)
    if tool is not None:
        parent = span_id_of(trace.trace_id, "tool", tool.tool_use_id)
    facts = {"agentType": tool.input.get("subagent_type"), "description": tool.input.get("description")} if tool else {}
    agent_id = sidechain.opening.uuid or next(iter(sidechain.uuids), "")
    yield from observe_subagent(sidechain, trace, parent, agent_id, facts, images=images)


def _tags(exchange: Exchange) -> Iterator[str]:
    yield "claude-code"
    first = next((line for call in exchange.calls.values() for line in call.lines), None)
    if first and first.message and first.message.model:
        yield f"model:{family_of(first.message.model)}"
    if exchange.opening.cwd:
        yield f"project:{project_name(exchange.opening.cwd)}"
    if exchange.opening.git_branch:
        yield f"branch:{exchange.opening.git_branch}"
    if first and first.attribution_skill:
        yield f"skill:{first.attribution_skill}"


def project_name(cwd: str) -> str:
    """The last part of a working directory, of whichever system it comes from."""
    path = PureWindowsPath(cwd) if "\\" in cwd else PurePosixPath(cwd)
    return path.name or cwd


def _outcome(exchange: Exchange) -> tuple[Level, str | None]:
    if exchange.is_interrupted:
        return "WARNING", "interrupted by the user"
    if exchange.error is not None:
        return "ERROR", exchange.error.text or exchange.error.error or "API error"
    if exchange.was_killed:
        return "WARNING", "the session ended while a tool ran"
    if not exchange.calls and not exchange.sidechains:
        return "WARNING", "no response"
    return "DEFAULT", None


def _told(exchange: Exchange) -> str | None:
    """What a subagent was told: the first text it was given (a forked one begins with a response and a result)."""
    return next((as_typed(given.record) for given in exchange.given if text_of(given.blocks)), None)


def _final_text(exchange: Exchange) -> str | None:
    lines = [line for call in exchange.calls.values() for line in call.lines]
    texts = [text for line in reversed(lines) if (text := text_of(line.blocks))]
    if exchange.error is not None:
        return exchange.error.text or None
    return texts[0] if texts else None


def _service_tier(exchange: Exchange) -> str | None:
    return next((tier for call in exchange.calls.values() if (tier := usage_of(call.lines).service_tier)), None)


def _sorted(observations: Iterator[Observation]) -> list[Observation]:
    return sorted(observations, key=lambda observation: observation.start_ns)
