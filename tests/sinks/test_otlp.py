"""A request has the bytes that OpenTelemetry's own encoder gives."""

from dataclasses import replace

import msgspec
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.sdk.trace import ReadableSpan

from ccship.observations import Parent, attached
from ccship.privacy.encoding import encode
from ccship.sinks.gen_ai import gen_ai_spans
from ccship.sinks.otlp import request_of
from ccship.sinks.spans import SpanSink
from conftest import FIXTURES
from helpers import observe
from sinks.gen_ai_spans import SESSIONS, encoded_of, spans_of
from sinks.test_span_attributes import BASE_URL, Keeping, changed

IMAGE = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AAAA"}}


def spans() -> list[ReadableSpan]:
    """Roots and children, errors, several tags, a value that may contain media, and some below a remote span."""
    (session,) = (FIXTURES / "claude").rglob("dad1e8b6*.jsonl")
    observations = [changed(observation) for observation in observe(session)][:400]
    observations[0] = msgspec.structs.replace(observations[0], input=[IMAGE])
    parent = Parent("c" * 32, "d" * 16)
    observations += [
        attached(msgspec.structs.replace(found, trace=replace(found.trace, parent=parent))) for found in observations
    ]
    keeping = Keeping()
    sink = SpanSink(keeping, public_key="pk-lf-otlp", secret_key="sk", base_url=BASE_URL, upload_media=False)
    sink.deliver([encode(observation) for observation in observations])
    sink.close()
    return keeping.kept


def test_a_request_is_that_of_opentelemetry() -> None:
    """Byte by byte."""
    found = spans()
    assert len(found) > 50
    assert {span.parent.is_remote for span in found if span.parent} == {True, False}
    assert request_of(found).SerializeToString() == encode_spans(found).SerializeToString()


def test_a_request_of_gen_ai_spans_is_that_of_opentelemetry() -> None:
    """With their kinds, their events and lists of texts."""
    found = [span for transcript in SESSIONS for span in spans_of(transcript)]
    assert {span.kind.name for span in found} == {"CLIENT", "INTERNAL"}
    assert [span for span in found if span.events]
    assert request_of(found).SerializeToString() == encode_spans(found).SerializeToString()


def test_each_environment_has_a_resource() -> None:
    """Turns that were sent before under another one may be in the same request."""
    encoded = encoded_of(SESSIONS[-1])[:3]
    other = encoded[2].observation
    moved = msgspec.structs.replace(other, trace=replace(other.trace, environment="other"))
    found = gen_ai_spans([*encoded[:2], encode(moved)])
    environments = [
        (resource.resource.attributes[1].value.string_value, len(resource.scope_spans[0].spans))
        for resource in request_of(found).resource_spans
    ]
    assert environments == [("staging", 2), ("other", 1)]


def test_no_span_has_links() -> None:
    """They would be left out."""
    assert not [span for span in (*spans(), *spans_of(SESSIONS[0])) if span.links]


def test_a_number_that_the_protocol_does_not_have_is_sent_as_text() -> None:
    """The output of a tool may contain any number; it must not hold up the session."""
    span = msgspec.structs.replace(
        encoded_of(SESSIONS[0])[0].observation, type="tool", metadata={"exit_code": 2**63, "http_status": [2**63, None]}
    )
    (attributes,) = [
        {attribute.key: attribute.value for attribute in span.attributes}
        for span in request_of(gen_ai_spans([encode(span)])).resource_spans[0].scope_spans[0].spans
    ]
    assert attributes["process.exit.code"].string_value == "9223372036854775808"
    assert [each.string_value for each in attributes["http.response.status_code"].array_value.values] == [
        "9223372036854775808", ""
    ]  # fmt: skip
