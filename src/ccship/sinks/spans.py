"""Observations -> spans of the Langfuse SDK, through its public interface only.

The SDK serialises, filters and batches; what it cannot do is say what arrived (`flush()` returns nothing). So it is
given an exporter that keeps account (`AccountingExporter`), and is flushed after every batch, well before its queue
of 2048 spans could overflow.
"""

import gc
import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from importlib import metadata
from typing import Any

import langfuse
import orjson
from langfuse import Langfuse, LangfuseOtelSpanAttributes, propagate_attributes
from opentelemetry import context as otel_context
from opentelemetry import trace as otel
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, SpanLimits, TracerProvider
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.id_generator import IdGenerator
from opentelemetry.sdk.trace.sampling import ALWAYS_ON
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags

from ccship import __version__
from ccship.errors import ConfigError
from ccship.observations import Observation, Trace
from ccship.privacy.media import may_hold_media
from ccship.sinks import BATCH_SPANS, MIN_SDK, Delivery

_TRACER_NAME = "langfuse-sdk"
"""The scope whose spans the SDK exports; with the public key as attribute it tells projects apart."""

_PROPAGATED_CHARS = 200
"""The SDK drops longer propagated values, and those that are not ASCII."""

_NEVER_S = 86_400.0
_MAX_ATTRIBUTES = 512

_CLASSES = {
    "agent": langfuse.LangfuseAgent,
    "generation": langfuse.LangfuseGeneration,
    "tool": langfuse.LangfuseTool,
    "event": langfuse.LangfuseEvent,
}


class AccountingExporter(SpanExporter):
    """An exporter that remembers what became of every span it was given."""

    def __init__(self) -> None:
        self.delivery = Delivery()

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Send the spans and enter the outcome in `delivery`."""
        try:
            self.send(spans)
        except Exception as error:  # noqa: BLE001 - the SDK would log it and say that all is well
            self.delivery.failure = self.delivery.failure or error  # type: ignore[assignment]
        return SpanExportResult.FAILURE if self.delivery.failure else SpanExportResult.SUCCESS

    def send(self, spans: Sequence[ReadableSpan]) -> None:
        """Send the spans; what is neither accepted nor rejected when it returns is still to be sent."""
        raise NotImplementedError


def check_sdk(version: str) -> None:
    """Refuse an SDK that knows less than is asked of it, as a distribution may bring one.

    Raises:
        ConfigError: with the version that is there, and the one that is needed.
    """
    if tuple(int(part) for part in version.split(".")[:3] if part.isdecimal()) < MIN_SDK:
        needed = ".".join(map(str, MIN_SDK))
        raise ConfigError(f"Langfuse's SDK is {version} here and ccship needs {needed}: install ccship anew")


class SpanSink:
    """A sink that makes SDK spans of observations and asks its exporter what arrived."""

    def __init__(
        self,
        exporter: AccountingExporter,
        *,
        public_key: str,
        secret_key: str,
        base_url: str,
        upload_media: bool,
    ) -> None:
        check_sdk(metadata.version("langfuse"))
        _silence_sdk_settings()
        # The SDK takes this from the environment only; without uploads, images stay in the spans.
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
        self._client = Langfuse(
            public_key=public_key,
            secret_key=secret_key,
            base_url=base_url,
            tracer_provider=provider,
            span_exporter=exporter,
            flush_at=2 * BATCH_SPANS,
            flush_interval=_NEVER_S,
        )
        self._tracer = provider.get_tracer(_TRACER_NAME, langfuse.__version__, attributes={"public_key": public_key})

    def deliver(self, observations: Sequence[Observation]) -> Delivery:
        """Send a batch and wait until the server has answered for all of it."""
        self._exporter.delivery = Delivery()
        with ExitStack() as stack, _no_garbage_collection():
            entered: Trace | None = None
            for observation in observations:
                if observation.trace != entered:
                    entered = observation.trace
                    stack.close()
                    stack.enter_context(_propagated(entered))
                self._start(observation).end(end_time=observation.end_ns)
            self._client.flush()
        return self._exporter.delivery

    def close(self) -> None:
        """Stop the SDK's threads."""
        self._client.shutdown()

    def _start(self, observation: Observation) -> "langfuse.LangfuseSpan | Any":
        self._ids.next = (int(observation.trace.trace_id, 16), int(observation.span_id, 16))
        span = self._tracer.start_span(
            observation.name,
            context=_parent_context(observation),
            attributes=_metadata(observation),
            start_time=observation.start_ns,
        )
        if not span.is_recording():
            raise ConfigError("OpenTelemetry is switched off (OTEL_SDK_DISABLED): unset it")
        fields: dict[str, Any] = {
            "input": _encoded(observation.input),
            "output": _encoded(observation.output),
            "level": observation.level,
            "status_message": observation.status_message,
        }
        if observation.type == "generation":
            started = observation.completion_start_ns
            fields |= {
                "model": observation.model,
                "model_parameters": observation.model_parameters or None,
                "usage_details": observation.usage_details,
                "cost_details": observation.cost_details,
                "completion_start_time": datetime.fromtimestamp(started / 1e9, UTC) if started else None,
            }
        started_span = _CLASSES[observation.type](otel_span=span, langfuse_client=self._client, **fields)
        if observation.trace.environment:
            # after the SDK has set its own, which is one for all that it sends
            span.set_attribute(LangfuseOtelSpanAttributes.ENVIRONMENT, observation.trace.environment)
        return started_span


def span_id_of(span: ReadableSpan) -> str:
    """The id of an SDK span, in hex; empty for the span that is none."""
    context = span.get_span_context()
    return f"{context.span_id:016x}" if context else ""


@contextmanager
def _no_garbage_collection() -> Iterator[None]:
    """Nothing of a batch is garbage before it was sent, and looking for some takes a fifth of the time."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


class _GivenIds(IdGenerator):
    """Hands out the ids it was told; OpenTelemetry's generator takes no arguments."""

    next: tuple[int, int] = (0, 0)

    def generate_trace_id(self) -> int:
        return self.next[0]

    def generate_span_id(self) -> int:
        return self.next[1]


def _metadata(observation: Observation) -> dict[str, str]:
    """As attributes. A plain string is right on every server; the SDK's own JSON quotes show up in older ones."""
    return {
        f"{LangfuseOtelSpanAttributes.OBSERVATION_METADATA}.{key}": value
        if isinstance(value, str)
        else orjson.dumps(value).decode()
        for key, value in {**observation.metadata, **observation.passing}.items()
    }


def _encoded(value: Any) -> Any:
    """The value as JSON, which takes the SDK ten times as long; what may hold media is left to it."""
    if value is None or isinstance(value, str):
        return value
    encoded = orjson.dumps(value)
    return value if may_hold_media(encoded) else encoded.decode()


def _parent_context(observation: Observation) -> otel_context.Context:
    """A context with the parent's ids; an empty parent only for roots, or Langfuse shows no trace input and output."""
    context = otel_context.get_current()
    if observation.parent_span_id is None:
        return otel.set_span_in_context(otel.INVALID_SPAN, context)
    parent = SpanContext(
        trace_id=int(observation.trace.trace_id, 16),
        span_id=int(observation.parent_span_id, 16),
        is_remote=False,
        trace_flags=TraceFlags(TraceFlags.SAMPLED),
    )
    return otel.set_span_in_context(NonRecordingSpan(parent), context)


def _propagated(trace: Trace) -> Any:
    return propagate_attributes(
        session_id=_plain(trace.session_id),
        user_id=_plain(trace.user_id) if trace.user_id else None,
        trace_name=_plain(trace.name),
        tags=[_plain(tag) for tag in trace.tags],
        version=_plain(trace.version) if trace.version else None,
    )


def _plain(text: str) -> str:
    """ASCII, and short: the SDK silently drops any other value."""
    return text.encode("ascii", "backslashreplace").decode()[:_PROPAGATED_CHARS]


def _silence_sdk_settings() -> None:
    """Variables that would sample, mask, disable or log our spans are meant for the person's own programs.

    Claude Code strips `OTEL_*` from hooks; doing the same here lets a backfill from a shell act like the hook.
    """
    own = ("LANGFUSE_PUBLIC_KEY", "LANGFUSE_SECRET_KEY", "LANGFUSE_BASE_URL", "LANGFUSE_HOST")
    for name in list(os.environ):
        if name.startswith("OTEL_") or (name.startswith("LANGFUSE_") and name not in own):
            del os.environ[name]
