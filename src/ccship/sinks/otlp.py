"""Spans -> one OTLP request, built in place.

Several times as fast as OpenTelemetry's own encoder, which builds each message apart and copies it into the next.
"""

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span, SpanFlags
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import SpanContext, SpanKind

_KINDS = {kind: Span.SpanKind.Value(f"SPAN_KIND_{kind.name}") for kind in SpanKind}
_MAX_INT = 2**63 - 1


def request_of(spans: Sequence[ReadableSpan]) -> ExportTraceServiceRequest:
    """Return the request for spans of one scope, without links: the spans of a sink have none."""
    request = ExportTraceServiceRequest()
    for resource, group in groupby(spans, key=_resource):
        _put_group(request, resource, list(group))
    return request


def _resource(span: ReadableSpan) -> Resource:
    return span.resource


def _put_group(request: ExportTraceServiceRequest, resource: Resource, spans: Sequence[ReadableSpan]) -> None:
    scope = spans[0].instrumentation_scope
    of_resource = request.resource_spans.add(schema_url=resource.schema_url)
    _put_all(of_resource.resource.attributes, resource.attributes)
    of_scope = of_resource.scope_spans.add()
    if scope is not None:
        of_scope.scope.name, of_scope.scope.version = scope.name, scope.version or ""
        of_scope.schema_url = scope.schema_url or ""
        _put_all(of_scope.scope.attributes, scope.attributes)
    for span in spans:
        _put_span(of_scope.spans.add(), span)


def _put_span(message: Span, span: ReadableSpan) -> None:
    if span.context is not None:
        message.trace_id = span.context.trace_id.to_bytes(16, "big")
        message.span_id = _span_id(span.context)
    if span.parent is not None:
        message.parent_span_id = _span_id(span.parent)
    message.name = span.name
    message.kind = _KINDS[span.kind]
    message.start_time_unix_nano = span.start_time or 0
    message.end_time_unix_nano = span.end_time or 0
    message.status.code = span.status.status_code.value  # type: ignore[assignment]
    message.status.message = span.status.description or ""
    message.dropped_attributes_count = span.dropped_attributes
    message.flags = SpanFlags.SPAN_FLAGS_CONTEXT_HAS_IS_REMOTE_MASK
    if span.parent is not None and span.parent.is_remote:
        message.flags |= SpanFlags.SPAN_FLAGS_CONTEXT_IS_REMOTE_MASK
    _put_all(message.attributes, span.attributes)
    for event in span.events:
        added = message.events.add(name=event.name, time_unix_nano=event.timestamp)
        _put_all(added.attributes, event.attributes)


def _span_id(context: SpanContext) -> bytes:
    return context.span_id.to_bytes(8, "big")


def _put_all(fields: Any, attributes: Mapping[str, Any] | None) -> None:
    for key, value in (attributes or {}).items():
        field = fields.add()
        field.key = key
        _put(field.value, value)


def _put(field: AnyValue, value: Any) -> None:
    match value:
        case str():
            field.string_value = value
        case bool():
            field.bool_value = value
        case int() if abs(value) <= _MAX_INT:
            field.int_value = value
        case int():  # the protocol has no larger numbers
            field.string_value = str(value)
        case float():
            field.double_value = value
        case None:  # in a list
            pass
        case _:
            for item in value:
                _put(field.array_value.values.add(), item)
