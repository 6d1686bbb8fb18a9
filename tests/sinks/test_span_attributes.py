"""The attributes of a span are those that the SDK's own classes write."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import langfuse
import msgspec
from langfuse import Langfuse, propagate_attributes
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider

from ccship.observations import Observation
from ccship.privacy.encoding import encode
from ccship.sinks.exporter import AccountingExporter
from ccship.sinks.spans import SpanSink
from conftest import FIXTURES
from helpers import observe

BASE_URL = "http://127.0.0.1:9"
CLASSES: dict[str, Any] = {
    "agent": langfuse.LangfuseAgent,
    "generation": langfuse.LangfuseGeneration,
    "tool": langfuse.LangfuseTool,
    "event": langfuse.LangfuseEvent,
}


class Keeping(AccountingExporter):
    """Keeps the spans and sends nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.kept: list[ReadableSpan] = []

    def send(self, spans: Sequence[ReadableSpan]) -> None:
        self.kept += spans
        self.delivery.accepted.update(f"{context.span_id:016x}" for span in spans if (context := span.context))


def test_a_span_has_the_attributes_that_the_classes_of_the_sdk_write() -> None:
    """For all observations of the fixtures, with a user, a cost, a time of the first token, and errors."""
    (session,) = (FIXTURES / "claude").rglob("dad1e8b6*.jsonl")
    observations = [changed(observation) for observation in observe(session)][:400]
    assert {observation.level for observation in observations} >= {"DEFAULT", "ERROR"}
    assert {observation.type for observation in observations} >= {"agent", "generation", "tool"}
    assert shown(ours(observations)) == shown(theirs(observations))


def changed(observation: Observation) -> Observation:
    """Add the fields that few observations have."""
    trace = replace(observation.trace, user_id="Zoë", settings_tags=("team:ü",))
    is_call = observation.type == "generation"
    more = {"cost_details": {"total": 0.25}, "completion_start_ns": observation.start_ns + 123_456_000}
    failed = {"level": "ERROR", "status_message": "it failed"} if observation.type == "tool" else {}
    return msgspec.structs.replace(observation, trace=trace, **(more if is_call else {}), **failed)


def ours(observations: list[Observation]) -> list[ReadableSpan]:
    keeping = Keeping()
    sink = SpanSink(keeping, public_key="pk-lf-ours", secret_key="sk", base_url=BASE_URL, upload_media=False)
    sink.deliver([encode(observation) for observation in observations])
    sink.close()
    return keeping.kept


def theirs(observations: list[Observation]) -> list[ReadableSpan]:
    keeping, provider = Keeping(), TracerProvider(shutdown_on_exit=False)
    client = Langfuse(
        public_key="pk-lf-theirs", secret_key="sk", base_url=BASE_URL, tracer_provider=provider, span_exporter=keeping
    )
    tracer = provider.get_tracer("langfuse-sdk", attributes={"public_key": "pk-lf-theirs"})
    for observation in observations:
        trace, encoded = observation.trace, encode(observation)
        fields: dict[str, Any] = {"input": encoded.input, "output": encoded.output, "level": observation.level}
        fields["status_message"] = observation.status_message
        if observation.type == "generation":
            first_ns = observation.completion_start_ns
            fields |= {
                name: getattr(observation, name) or None
                for name in ("model", "model_parameters", "usage_details", "cost_details")
            }
            fields["completion_start_time"] = datetime.fromtimestamp(first_ns / 1e9, UTC) if first_ns else None
        with propagate_attributes(
            session_id=trace.session_id,
            user_id="Zo\\xeb",
            trace_name=trace.name,
            tags=[*trace.tags, "team:\\xfc"],
            version=trace.version,
        ):
            span = tracer.start_span(observation.name)
            for key, value in encoded.attributes.items():
                span.set_attribute(f"langfuse.observation.metadata.{key}", value)
            CLASSES[observation.type](otel_span=span, langfuse_client=client, **fields).end()
    client.flush()
    client.shutdown()
    return keeping.kept


def shown(spans: list[ReadableSpan]) -> list[Any]:
    """The attributes but the mark of a root, and the status."""
    return [
        (
            span.name,
            {key: value for key, value in (span.attributes or {}).items() if not key.endswith("is_app_root")},
            span.status.status_code,
            span.status.description,
        )
        for span in spans
    ]
