"""The fixtures' sessions as a destination of the kind `otlp` gets them."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import SpanContext

from ccship.observations import TraceSettings
from ccship.pipeline.plan import Options
from ccship.pipeline.ship import Shipper
from ccship.privacy import MODES, Capture, Policy
from ccship.privacy.encoding import Encoded
from ccship.sinks import Delivery
from ccship.sinks.gen_ai import gen_ai_spans
from ccship.state import State
from ccship.transcript.discover import sessions_at
from conftest import FIXTURES
from helpers import KeepingSink

SESSIONS = sorted(path for path in (FIXTURES / "claude").rglob("*.jsonl") if not path.name.startswith("agent-"))
CAPTURES: tuple[Capture, ...] = MODES
SETTINGS = TraceSettings(user_id="ada", user_name="Ada", environment="staging", tags=("t:a",), metadata={"team": "a"})


class _EncodedSink(KeepingSink):
    def __init__(self) -> None:
        super().__init__()
        self.encoded: list[Encoded] = []

    def deliver(self, spans: Sequence[Encoded]) -> Delivery:
        self.encoded += spans
        return super().deliver(spans)


def encoded_of(path: Path, capture: Capture = "full", *, folds_events: bool = True) -> list[Encoded]:
    """What a sink gets of a transcript and its subagents."""
    sink = _EncodedSink()
    options = Options(SETTINGS, folds_events=folds_events)
    Shipper(sink, State(None, "test"), options, policy=Policy(capture)).ship(sessions_at([path]))
    return sink.encoded


def spans_of(path: Path, capture: Capture = "full") -> list[ReadableSpan]:
    """Its `gen_ai` spans."""
    return gen_ai_spans(encoded_of(path, capture))


def shown(span: ReadableSpan) -> dict[str, Any]:
    """A span as a golden file has it."""
    return {
        "trace_id": f"{context_of(span).trace_id:032x}",
        "span_id": f"{context_of(span).span_id:016x}",
        "parent": f"{span.parent.span_id:016x}" if span.parent else None,
        "name": span.name,
        "kind": span.kind.name,
        "start_ns": span.start_time,
        "end_ns": span.end_time,
        "status": [span.status.status_code.name, span.status.description],
        "attributes": dict(span.attributes or {}),
        "events": [[event.timestamp, event.name, dict(event.attributes or {})] for event in span.events],
        "resource": dict(span.resource.attributes),
    }


def context_of(span: ReadableSpan) -> SpanContext:
    context: SpanContext | None = span.context
    assert context is not None
    return context
