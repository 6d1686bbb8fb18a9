"""Observations -> spans of the Langfuse SDK, through its public interface only.

The SDK serialises, filters and batches, but `flush()` does not return which spans arrived. `AccountingExporter` records
that. The SDK is flushed after every batch, before its queue of 2048 spans can overflow.
"""

import gc
import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib import metadata
from typing import Any

import httpx
import langfuse
from langfuse import Langfuse
from langfuse import LangfuseOtelSpanAttributes as _Names
from opentelemetry import context as otel_context
from opentelemetry import trace as otel
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanLimits, TracerProvider
from opentelemetry.sdk.trace.id_generator import IdGenerator
from opentelemetry.sdk.trace.sampling import ALWAYS_ON
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags

from ccship import __version__
from ccship.errors import ConfigError, DeliveryError
from ccship.observations import Observation, Trace
from ccship.privacy.encoding import Encoded
from ccship.sinks import BATCH_SPANS, MIN_SDK, Delivery
from ccship.sinks.exporter import AccountingExporter

_TRACER_NAME = "langfuse-sdk"
"""The tracer whose spans the SDK exports. Its public-key attribute selects the project."""

_PROPAGATED_CHARS = 200
"""The SDK drops longer propagated values, and those that are not ASCII."""

_IS_APP_ROOT = "langfuse.internal.is_app_root"
"""Attribute that makes Langfuse treat an observation as a root: listed under Tracing, input of evaluators.

Newer SDKs set it on every span whose parent has ended, and here a span ends before the next one starts. It belongs on
the root of a turn, also below a span of another program.
"""

_OF_ENCLOSING = frozenset({_Names.TRACE_NAME})
"""Attributes that an attached turn does not set: they belong to the program whose trace it is in."""

_NEVER_S = 86_400.0
_MAX_ATTRIBUTES = 512

_CLASSES = {
    "agent": langfuse.LangfuseAgent,
    "generation": langfuse.LangfuseGeneration,
    "tool": langfuse.LangfuseTool,
    "event": langfuse.LangfuseEvent,
}


def check_sdk(version: str) -> None:
    """Check the SDK's version: a distribution may ship an older one.

    Raises:
        ConfigError: It is too old.
    """
    if tuple(int(part) for part in version.split(".")[:3] if part.isdecimal()) < MIN_SDK:
        needed = ".".join(map(str, MIN_SDK))
        raise ConfigError(f"the Langfuse SDK is version {version}, ccship needs {needed}: reinstall ccship")


class SpanSink:
    """A sink that makes SDK spans of observations; its exporter records which arrived."""

    def __init__(
        self,
        exporter: AccountingExporter,
        *,
        public_key: str,
        secret_key: str,
        base_url: str,
        upload_media: bool,
        http_client: httpx.Client | None = None,
    ) -> None:
        check_sdk(metadata.version("langfuse"))
        _silence_sdk_settings()
        # The SDK reads this from the environment only. Without uploads, images stay in the spans.
        os.environ["LANGFUSE_MEDIA_UPLOAD_ENABLED"] = str(upload_media)
        self._exporter = exporter
        self._ids = _GivenIds()
        provider = TracerProvider(
            id_generator=self._ids,
            sampler=ALWAYS_ON,
            resource=Resource({"service.name": "ccship", "service.version": __version__}),
            span_limits=SpanLimits(max_span_attributes=_MAX_ATTRIBUTES),
            shutdown_on_exit=False,
        )
        with _no_certificates():
            self._client = Langfuse(
                public_key=public_key,
                secret_key=secret_key,
                base_url=base_url,
                httpx_client=http_client or httpx.Client(),
                tracer_provider=provider,
                span_exporter=exporter,
                flush_at=2 * BATCH_SPANS,
                flush_interval=_NEVER_S,
            )
        self._tracer = provider.get_tracer(_TRACER_NAME, langfuse.__version__, attributes={"public_key": public_key})

    def deliver(self, spans: Sequence[Encoded]) -> Delivery:
        """Send a batch and wait until the server has answered for all of it."""
        self._exporter.delivery = Delivery()
        with _no_garbage_collection():
            trace: Trace | None = None
            of_trace: dict[str, Any] = {}
            try:
                for span in spans:
                    if span.observation.trace != trace:
                        trace = span.observation.trace
                        of_trace = _of_trace(trace)
                    self._start(span, of_trace).end(end_time=span.observation.end_ns)
            finally:
                self._client.flush()  # after an error too: otherwise the next batch would contain these spans
        failure = self._exporter.delivery.failure
        if failure is not None and not isinstance(failure, (DeliveryError, OSError)):
            raise failure  # a bug: fail this session, and no other
        return self._exporter.delivery

    def close(self) -> None:
        """Stop the SDK's threads."""
        self._client.shutdown()

    def _start(self, encoded: Encoded, of_trace: dict[str, Any]) -> otel.Span:
        """Start a span with all its attributes: each that is set later is checked several times."""
        observation = encoded.observation
        self._ids.next = (int(observation.trace.trace_id, 16), int(observation.span_id, 16))
        span = self._tracer.start_span(
            observation.name,
            context=_parent_context(observation),
            attributes={**of_trace, **_attributes(encoded)},
            start_time=observation.start_ns,
        )
        if not span.is_recording():
            raise ConfigError("OpenTelemetry is disabled by OTEL_SDK_DISABLED: unset this variable")
        if not observation.is_root:
            span.set_attribute(_IS_APP_ROOT, False)  # the SDK sets it when the span starts
        if observation.level == "ERROR":
            span.set_status(otel.Status(otel.StatusCode.ERROR, observation.status_message))
        raw = {"input": encoded.input, "output": encoded.output}
        media = {name: value for name, value in raw.items() if value is not None and not isinstance(value, str)}
        if media:  # the SDK finds and uploads it
            _CLASSES[observation.type](otel_span=span, langfuse_client=self._client, **media)
            if observation.trace.environment:  # the SDK has set its own
                span.set_attribute(_Names.ENVIRONMENT, observation.trace.environment)
        return span


def _attributes(encoded: Encoded) -> dict[str, Any]:
    """Return the attributes of a span as the SDK writes them, without values that may contain media."""
    observation = encoded.observation
    attributes: dict[str, Any] = {
        f"{_Names.OBSERVATION_METADATA}.{key}": value for key, value in encoded.attributes.items()
    }
    fields = {
        _Names.OBSERVATION_TYPE: observation.type,
        _Names.OBSERVATION_LEVEL: observation.level,
        _Names.OBSERVATION_STATUS_MESSAGE: observation.status_message,
        _Names.OBSERVATION_INPUT: encoded.input if isinstance(encoded.input, str) else None,
        _Names.OBSERVATION_OUTPUT: encoded.output if isinstance(encoded.output, str) else None,
        _Names.OBSERVATION_MODEL: observation.model,
        _Names.OBSERVATION_MODEL_PARAMETERS: _json(observation.model_parameters or None),
        _Names.OBSERVATION_USAGE_DETAILS: _json(observation.usage_details),
        _Names.OBSERVATION_COST_DETAILS: _json(observation.cost_details),
        _Names.OBSERVATION_COMPLETION_START_TIME: _json(_iso(observation.completion_start_ns)),
    }
    return attributes | {name: value for name, value in fields.items() if value is not None}


def _json(value: Any) -> str | None:
    return None if value is None else json.dumps(value)


def _iso(time_ns: int | None) -> str | None:
    if not time_ns:
        return None
    return datetime.fromtimestamp(time_ns / 1e9, UTC).isoformat().replace("+00:00", "Z")


@contextmanager
def _no_garbage_collection() -> Iterator[None]:
    """Pause the garbage collector while a batch is encoded: every object stays alive (about 20 % faster)."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


@contextmanager
def _no_certificates() -> Iterator[None]:
    """Let HTTP clients that are created now read no certificates, so that they trust no server.

    The SDK creates an asynchronous client, which ccship does not use; its certificates would take 20 ms to read.
    """
    names = ("SSL_CERT_FILE", "SSL_CERT_DIR")
    before = {name: os.environ.pop(name) for name in names if name in os.environ}
    os.environ["SSL_CERT_DIR"] = os.devnull
    try:
        yield
    finally:
        del os.environ["SSL_CERT_DIR"]
        os.environ.update(before)


class _GivenIds(IdGenerator):
    """Returns the ids in `next`; OpenTelemetry's interface takes no arguments."""

    next: tuple[int, int] = (0, 0)

    def generate_trace_id(self) -> int:
        return self.next[0]

    def generate_span_id(self) -> int:
        return self.next[1]


def _parent_context(observation: Observation) -> otel_context.Context:
    """Return a context with the parent's ids. Only roots lack one, or Langfuse shows no trace input and output."""
    context = otel_context.get_current()
    if observation.parent_span_id is None:
        return otel.set_span_in_context(otel.INVALID_SPAN, context)
    parent = SpanContext(
        trace_id=int(observation.trace.trace_id, 16),
        span_id=int(observation.parent_span_id, 16),
        is_remote=observation.is_root,
        trace_flags=TraceFlags(TraceFlags.SAMPLED),
    )
    return otel.set_span_in_context(NonRecordingSpan(parent), context)


def _of_trace(trace: Trace) -> dict[str, Any]:
    """Return the attributes that all spans of a trace have; Langfuse inherits none."""
    attributes: dict[str, Any] = {
        _Names.TRACE_SESSION_ID: _plain(trace.session_id),
        _Names.TRACE_NAME: _plain(trace.name),
        _Names.TRACE_TAGS: [_plain(tag) for tag in (*trace.tags, *trace.settings_tags)],
    }
    if trace.user_id:
        attributes[_Names.TRACE_USER_ID] = _plain(trace.user_id)
    if trace.version:
        attributes[_Names.VERSION] = _plain(trace.version)
    if trace.environment:
        attributes[_Names.ENVIRONMENT] = trace.environment
    if trace.parent:
        return {name: value for name, value in attributes.items() if name not in _OF_ENCLOSING}
    return attributes


def _plain(text: str) -> str:
    """Return ASCII of at most 200 characters: the SDK silently drops other values."""
    return text.encode("ascii", "backslashreplace").decode()[:_PROPAGATED_CHARS]


def _silence_sdk_settings() -> None:
    """Remove variables with which users sample, mask, disable or log the spans of their own programs.

    Claude Code strips `OTEL_*` from hooks; this lets a backfill from a shell act like the hook.
    """
    own = ("LANGFUSE_PUBLIC_KEY", "LANGFUSE_SECRET_KEY", "LANGFUSE_BASE_URL", "LANGFUSE_HOST")
    for name in list(os.environ):
        if name.startswith("OTEL_") or (name.startswith("LANGFUSE_") and name not in own):
            del os.environ[name]
