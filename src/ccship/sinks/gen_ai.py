"""Observations -> spans of the `gen_ai` semantic conventions (`conventions.VERSION`), as any backend reads them.

Pure: it reads no clock, starts no tracer and sends nothing. Ids, parents and times are those of Langfuse's spans, and
no span has attributes of both encodings: their usage keys mean different things. All names are those of the
conventions; what has no name there is left out: tags, trace names, costs, the metadata of the settings.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, assert_never

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import SpanContext, SpanKind, Status, StatusCode, TraceFlags

from ccship import __version__
from ccship.observations import Observation
from ccship.privacy.encoding import Encoded
from ccship.sinks import conventions as names
from ccship.sinks.gen_ai_messages import UNKNOWN, content, event_messages, input_messages, output_messages
from ccship.transcript.usage import cache_writes

AGENT = "claude-code"
"""The name of the agent whose invocations are turns, and of the service."""

_MAKER = "anthropic"
_PROVIDERS = {"msg_bdrk_": "aws.bedrock", "msg_vrtx_": "gcp.vertex_ai"}
"""Providers by the first nine characters of a message id, the only trace that they leave in a transcript.

Other calls, those through gateways included, count as Anthropic's: they have the format of its API.
"""

_ROOT = {
    "cwd": names.WORKING_DIRECTORY,
    "git_branch": names.BRANCH,
    "git_commit": names.COMMIT,
    "git_repository": names.REPOSITORY,
    "user_name": names.USER_NAME,
}
_SUBAGENT = {"agent_id": names.AGENT_ID, "agent_type": names.AGENT_NAME}
_TOOL = {
    "exit_code": names.EXIT_CODE,
    "file_path": names.FILE_PATH,
    "http_status": names.HTTP_STATUS,
    "tool_id": names.TOOL_CALL_ID,
    "tool_name": names.TOOL_NAME,
    "url": names.URL,
}
_EVENT = {
    "attempt": names.HTTP_RESEND_COUNT,
    "model": names.REQUEST_MODEL,
    "status": names.HTTP_STATUS,
    "tool_id": names.TOOL_CALL_ID,
}
"""Attributes of metadata fields. The other fields of an event are in its message."""

_OF_USER = frozenset({"interrupted", "local_command", "queued_prompt", "scheduled", "task_notification"})
"""Kinds of events whose text reaches the model as a message of the user."""

_SCOPE = InstrumentationScope("ccship", __version__, names.SCHEMA_URL)
_SAMPLED = TraceFlags(TraceFlags.SAMPLED)


def gen_ai_spans(spans: Sequence[Encoded]) -> list[ReadableSpan]:
    """Return the spans of a batch, in its order."""
    return [span_of(span.observation) for span in spans]


def span_of(observation: Observation) -> ReadableSpan:
    """Return the span of an observation that is redacted, captured and bounded."""
    attributes = attributes_of(observation)
    return ReadableSpan(
        name=_name(observation, attributes),
        context=_context(observation, observation.span_id),
        parent=_context(observation, observation.parent_span_id) if observation.parent_span_id else None,
        resource=_resource(observation.trace.environment),
        attributes=attributes,
        events=[
            Event(event.name, present(dict(_event(event))), timestamp=event.start_ns) for event in observation.events
        ],
        kind=SpanKind.CLIENT if observation.type == "generation" else SpanKind.INTERNAL,
        status=Status(StatusCode.ERROR, observation.status_message) if _failed(observation) else Status(),
        start_time=observation.start_ns,
        end_time=observation.end_ns,
        instrumentation_scope=_SCOPE,
    )


def attributes_of(observation: Observation) -> dict[str, Any]:
    """Return the attributes of an observation's span."""
    trace = observation.trace
    shared = {
        names.CONVERSATION_ID: trace.session_id,
        names.SESSION_ID: trace.session_id,
        names.USER_ID: trace.user_id,
    }
    return present({**shared, **dict(_own(observation))})


def present(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """Return the attributes without None, and without digests of texts that the capture mode removed."""
    return {name: value for name, value in attributes.items() if value is not None and not isinstance(value, dict)}


def _own(observation: Observation) -> Iterator[tuple[str, Any]]:
    match observation.type:
        case "agent":
            yield from _agent(observation)
        case "generation":
            yield from _chat(observation)
        case "tool":
            yield from _tool(observation)
        case "event":
            yield from _event(observation)
        case _:
            assert_never(observation.type)


def _agent(observation: Observation) -> Iterator[tuple[str, Any]]:
    is_failed = _failed(observation)
    yield names.OPERATION_NAME, "invoke_agent"
    yield names.PROVIDER_NAME, _MAKER
    if "agent_id" not in observation.metadata:  # a turn, which may have a parent in another program
        yield names.AGENT_NAME, AGENT
        yield names.AGENT_VERSION, observation.trace.version
        yield from _named(_ROOT, {**observation.metadata, **observation.volatile})
    else:
        yield from _named(_SUBAGENT, observation.metadata)
    yield names.ERROR_TYPE, "api_error" if is_failed else None
    yield names.INPUT_MESSAGES, input_messages(observation.input)
    yield names.OUTPUT_MESSAGES, output_messages(observation.output, "error" if is_failed else "stop")


def _chat(observation: Observation) -> Iterator[tuple[str, Any]]:
    metadata, parameters = observation.metadata, observation.model_parameters or {}
    response_id = observation.response_id or ""
    model, stop_reason = metadata.get("model_id") or None, metadata.get("stop_reason")
    stop_reason = stop_reason if isinstance(stop_reason, str) else None
    yield names.OPERATION_NAME, "chat"
    yield names.PROVIDER_NAME, _PROVIDERS.get(response_id[:9], _MAKER)
    yield names.REQUEST_MODEL, metadata.get("fallback_from") or model
    yield names.REQUEST_MAX_TOKENS, parameters.get("max_tokens")
    yield names.RESPONSE_MODEL, model
    yield names.RESPONSE_ID, response_id or None
    yield names.RESPONSE_FINISH_REASONS, (stop_reason,) if stop_reason else None
    yield names.RESPONSE_TIME_TO_FIRST_CHUNK, _seconds_to_first_chunk(observation)
    yield from usage_of(observation.usage_details or {})
    yield names.INPUT_MESSAGES, input_messages(observation.input)
    yield names.OUTPUT_MESSAGES, output_messages(observation.output, stop_reason or UNKNOWN)


def usage_of(details: Mapping[str, int]) -> Iterator[tuple[str, int]]:
    """Yield the usage of a call with Langfuse's keys (`details`), each of which excludes the others.

    The conventions count all input together, and give what the cache served and stored as parts of it.
    """
    if details:
        read, written = details.get("cache_read_input_tokens", 0), cache_writes(details)
        yield names.USAGE_INPUT, details.get("input", 0) + read + written
        yield names.USAGE_OUTPUT, details.get("output", 0)
        yield names.USAGE_CACHE_READ, read
        yield names.USAGE_CACHE_CREATION, written


def _tool(observation: Observation) -> Iterator[tuple[str, Any]]:
    metadata = observation.metadata
    yield names.OPERATION_NAME, "execute_tool"
    yield names.TOOL_TYPE, "function"
    yield from _named(_TOOL, metadata)
    if "mcp_server" in metadata:
        yield names.MCP_METHOD, "tools/call"
    if _failed(observation):
        yield names.ERROR_TYPE, "permission_denied" if "denial" in metadata else "tool_error"
    yield names.TOOL_CALL_ARGUMENTS, content(observation.input)
    yield names.TOOL_CALL_RESULT, content(observation.output)


def _event(observation: Observation) -> Iterator[tuple[str, Any]]:
    """Yield the attributes of an event, in its parent or, without one, of its own span."""
    yield from _named(_EVENT, observation.metadata)
    role = "user" if observation.name in _OF_USER else "system"
    rest = {key: value for key, value in observation.metadata.items() if key not in _EVENT}
    yield names.INPUT_MESSAGES, event_messages(role, observation.name, observation.input, rest)


def _named(attributes: Mapping[str, str], metadata: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    return ((name, metadata[key]) for key, name in attributes.items() if key in metadata)


def _name(observation: Observation, attributes: Mapping[str, Any]) -> str:
    match observation.type:
        case "agent":
            subject = attributes.get(names.AGENT_NAME)
        case "generation":
            subject = attributes.get(names.REQUEST_MODEL)
        case "tool":
            subject = attributes.get(names.TOOL_NAME)
        case "event":
            return observation.name
        case _:
            assert_never(observation.type)
    operation = attributes[names.OPERATION_NAME]
    return f"{operation} {subject}" if subject else str(operation)


def _failed(observation: Observation) -> bool:
    return observation.level == "ERROR" and observation.type != "event"


def _seconds_to_first_chunk(observation: Observation) -> float | None:
    first_ns = observation.completion_start_ns
    return (first_ns - observation.start_ns) / 1e9 if first_ns else None


def _context(observation: Observation, span_id: str) -> SpanContext:
    return SpanContext(int(observation.trace.trace_id, 16), int(span_id, 16), is_remote=False, trace_flags=_SAMPLED)


@lru_cache(maxsize=16)
def _resource(environment: str | None) -> Resource:
    """Return the resource of a deployment environment. The version of the client differs between turns."""
    attributes = {names.SERVICE_NAME: AGENT, names.DEPLOYMENT_ENVIRONMENT: environment}
    return Resource({name: value for name, value in attributes.items() if value}, names.SCHEMA_URL)
