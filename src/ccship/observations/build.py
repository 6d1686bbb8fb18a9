"""Builds the observations of turns and subagents: ids, times, names and metadata."""

import re
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from operator import attrgetter
from pathlib import PurePosixPath, PureWindowsPath
from types import MappingProxyType
from typing import Any

from msgspec.structs import replace

from ccship.observations.chat import content_of, messages_of
from ccship.observations.costs import CostMode
from ccship.observations.generations import generations
from ccship.observations.identity import seeded_trace_id, span_id_of, trace_id_of
from ccship.observations.model import Level, Observation, Parent, Trace, iso_utc, present
from ccship.observations.tools import tool_level, tool_metadata
from ccship.pricing.model_names import family_of
from ccship.transcript.exchange import KILLED, Exchange
from ccship.transcript.parts import Event, LLMCall, ModelInput, ToolCall
from ccship.transcript.records import Assistant, Attachment, QueueOperation, Record, System, User, text_of
from ccship.transcript.turns import Turn
from ccship.transcript.typed import as_typed, context_of
from ccship.transcript.usage import usage_of

_SKILL = "Base directory for this skill:"
_SKILL_NAME = re.compile(r"[\w:./@-]{1,100}")
_PLAN = "Implement the following plan:"


TRACE_NAME = "claude_turn_{n}"
TRACE_NAME_FIELDS = ("n", "project", "branch", "trigger")
"""Fields of a template for trace names. Langfuse's dashboards group by trace name."""

_UNKNOWN = "unknown"

_PROJECTS = 256
"""Cache size of project names: a session has a few working directories."""

_POSITION = attrgetter("position")


@dataclass(frozen=True, slots=True)
class TraceSettings:
    """Settings that apply to every trace: name, user, tags, metadata and so on. `trace_seed` fixes the ids."""

    trace_name: str = TRACE_NAME
    user_id: str | None = None
    tags: tuple[str, ...] = ()
    metadata: dict[str, str] = field(default_factory=dict)
    trace_seed: str | None = None
    anthropic_base_url: str | None = None
    user_name: str | None = None
    namespace: str | None = None
    environment: str | None = None
    images: bool = True
    cost: CostMode = "auto"


def trace_of(turn: Turn, session_id: str, trace_settings: TraceSettings, parent: Parent | None = None) -> Trace:
    """Return the trace of a turn. `parent`: the span of another program that contains the turn."""
    seed, opening = trace_settings.trace_seed, turn.exchange.opening
    return Trace(
        trace_id=seeded_trace_id(seed, turn.number) if seed else trace_id_of(turn.uuid),
        name=trace_settings.trace_name.format(
            n=turn.number,
            project=project_name(opening.cwd) if opening.cwd else _UNKNOWN,
            branch=opening.git_branch or _UNKNOWN,
            trigger=_trigger(turn),
        ),
        session_id=session_id,
        user_id=trace_settings.user_id,
        version=opening.version,
        tags=(*_tags(turn.exchange), *(f"pr:{number}" for number in turn.pull_requests)),
        environment=trace_settings.environment,
        settings_tags=trace_settings.tags,
        parent=parent,
    )


def observe_turn(
    turn: Turn, trace: Trace, *, volatile: Mapping[str, Any] = MappingProxyType({}), images: bool = True
) -> list[Observation]:
    """Return all observations of a turn: the root, then the others by start time.

    `volatile`: metadata of the root that is not in the transcript.
    """
    exchange = turn.exchange
    start_ns = exchange.start_ns
    if start_ns is None:
        return []
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
        input=None if isinstance(opening, Assistant) else as_typed(opening),
        output=_final_text(exchange),
        metadata=present(
            {
                "source": "claude-code",
                "turn_number": turn.number,
                "claude_code_version": opening.version,
                "cwd": opening.cwd,
                "git_branch": opening.git_branch,
                "service_tier": _service_tier(exchange),
                "permission_mode": opening.permission_mode if isinstance(opening, User) else None,
                "entrypoint": opening.entrypoint,
                "trigger": _trigger(turn),
                "session_title": turn.title,
                "pr_url": next(reversed(turn.pull_requests.values()), None),
                **context_of(opening),
                **exchange.counts(),
            }
        ),
        volatile=dict(volatile),
        level=level,
        status_message=status,
    )
    return [root, *_sorted(_inside(exchange, root, images=images))]


def observe_subagent(
    exchange: Exchange,
    trace: Trace,
    parent_span_id: str | None,
    agent_id: str,
    facts: dict[str, Any],
    *,
    images: bool = True,
) -> list[Observation]:
    """Return all observations of a subagent, its own first. `facts`: its `meta.json` or equivalent."""
    start_ns = exchange.start_ns
    if start_ns is None:
        return []
    level, status = _outcome(exchange)
    told = _told(exchange)
    agent_type = str(facts.get("agentType") or "subagent")
    own = Observation(
        trace=trace,
        span_id=span_id_of(trace.trace_id, "agent", agent_id),
        parent_span_id=parent_span_id,
        type="agent",
        name=f"Agent: {agent_type}",
        start_ns=start_ns,
        end_ns=max(start_ns, exchange.end_ns or 0),
        input=as_typed(told) if told else None,
        output=_final_text(exchange),
        metadata=present(
            {
                "agent_id": agent_id,
                "agent_type": agent_type,
                "description": facts.get("description"),
                "spawn_depth": facts.get("spawnDepth"),
                "parent_agent_id": facts.get("parentAgentId"),
                **(context_of(told) if told else {}),
                **exchange.counts(),
            }
        ),
        level=level,
        status_message=status,
    )
    return [own, *_sorted(_inside(exchange, own, images=images))]


def _inside(exchange: Exchange, own: Observation, *, images: bool) -> Iterator[Observation]:
    """Yield the observations inside an exchange; `own` is its own observation. None starts before `own`.

    A transcript may give a child an earlier time: a command typed hours before the prompt that sent it, or a request
    recorded a few ms before its prompt.
    """
    for child in _children(exchange, own.trace, own.span_id, images=images):
        if child.start_ns >= own.start_ns:
            yield child
        else:
            yield _starting_at(child, own.start_ns)


def _starting_at(child: Observation, start_ns: int) -> Observation:
    completion_ns = child.completion_start_ns
    occurred = {"occurred_at": iso_utc(child.start_ns)} if child.type == "event" else {}
    return replace(
        child,
        start_ns=start_ns,
        end_ns=max(start_ns, child.end_ns),
        completion_start_ns=completion_ns and max(start_ns, completion_ns),
        metadata={**occurred, **child.metadata},
    )


def _children(exchange: Exchange, trace: Trace, parent: str, *, images: bool) -> Iterator[Observation]:
    """Yield calls and tools as siblings: a tool runs after the call that requested it, not inside it."""
    for call, given in _with_input(exchange, images=images):
        yield from generations(call, given, trace, parent)
    for tool in exchange.tools.values():
        yield from _tool(tool, exchange, trace, parent, images=images)
    for event in (*exchange.folded, *exchange.events):
        yield from _event(event, trace, parent)
    for request in exchange.retries():
        yield from _event(
            Event("api_retry", request, request.id, {"model": request.params.get("model")}), trace, parent
        )
    for sidechain in exchange.sidechains:
        yield from _sidechain(sidechain, exchange, trace, parent, images=images)


def _with_input(exchange: Exchange, *, images: bool) -> Iterator[tuple[LLMCall, list[dict[str, Any]]]]:
    """Yield each call with the messages that are new since the previous call."""
    asked_by = {tool.tool_use_id: tool.message_id for tool in exchange.tools.values()}
    waiting = deque(sorted(exchange.given, key=_POSITION))
    for call in sorted(exchange.calls.values(), key=_POSITION):
        messages: list[dict[str, Any]] = []
        early: list[ModelInput] = []
        while waiting and waiting[0].position < call.position:
            given = waiting.popleft()
            # a result may be flushed before the call that requested it: it is input of the next call
            if call.message_id in [asked_by.get(block.get("tool_use_id", "")) for block in given.blocks]:
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
        end_ns = exchange.end_ns  # its result was invented on the resume
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
    start_ns = time_ns if event.start_ns is None else event.start_ns
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
        start_ns=start_ns,
        end_ns=start_ns,
        input=_event_text(event),
        metadata=present(
            {
                **event.detail,
                **(context_of(event.record) if isinstance(event.record, User) else {}),
                "occurred_at": iso_utc(time_ns) if start_ns != time_ns else None,
            }
        ),
        level=level,
    )


def _event_text(event: Event) -> str | None:
    """Return the text of an event, if it has any."""
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
    """Return what started a turn, as precisely as the transcript tells."""
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
    """Build a subagent of 1.0, written inline: its prompt is the input of the tool that launched it."""
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
    for skill in dict.fromkeys(filter(_SKILL_NAME.fullmatch, _skills(exchange))):
        yield f"skill:{skill}"


def _skills(exchange: Exchange) -> Iterator[str]:
    """Yield the skills of a turn: of its opening, of its calls, and those that the model loaded."""
    is_command = exchange.opening.text.lstrip().startswith("<command-")
    if is_command and any(given.record.text.startswith(_SKILL) for given in exchange.given):
        yield as_typed(exchange.opening).partition(" ")[0].removeprefix("/")
    for call in exchange.calls.values():
        yield from (line.attribution_skill for line in call.lines if line.attribution_skill)
    for tool in exchange.tools.values():
        if tool.name == "Skill" and isinstance(tool.input, dict):
            yield str(tool.input.get("skill") or "")


@lru_cache(_PROJECTS)
def project_name(cwd: str) -> str:
    """Return the last part of a working directory, on any operating system."""
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


def _told(exchange: Exchange) -> Record | None:
    """Return the task of a subagent: its first text (a forked one begins with a response and a result)."""
    return next((given.record for given in exchange.given if text_of(given.blocks)), None)


def _final_text(exchange: Exchange) -> str | None:
    """Return the text of the last response with text. Older clients also wrote blocks of only line breaks."""
    if exchange.error is not None:
        return exchange.error.text or None
    for call in reversed(exchange.calls.values()):
        if text := text_of(call.blocks):
            return text_of(block for block in call.blocks if text_of([block]).strip()) or text
    return None


def _service_tier(exchange: Exchange) -> str | None:
    return next((tier for call in exchange.calls.values() if (tier := usage_of(call.lines).service_tier)), None)


def _sorted(observations: Iterator[Observation]) -> list[Observation]:
    return sorted(observations, key=attrgetter("start_ns"))
