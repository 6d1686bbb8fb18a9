"""What reaches an OTLP backend, and what is believed to have: real requests against a loopback server."""

import dataclasses
import json
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path

import pytest
from msgspec.structs import replace
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTracePartialSuccess,
    ExportTraceServiceResponse,
)

from answering import Reply
from ccship import config
from ccship.errors import ConfigError, Denied, Retryable
from ccship.observations.folded import fold_events
from ccship.privacy.encoding import Encoded, encode
from ccship.sinks import Delivery
from ccship.sinks.exporter import PATIENCE
from ccship.sinks.otlp_http import OtlpSink
from collector import PROTOBUF, LoopbackOtlp, OtlpSpan
from conftest import FIXTURES
from helpers import observe

SESSION = FIXTURES / "claude/projects/-home-dev-demo/dad1e8b6-649a-4fc2-8adb-bbdc197f183e.jsonl"

Sinks = Callable[..., OtlpSink]


@pytest.fixture
def sinks(tmp_path: Path) -> Iterator[Sinks]:
    """Sinks for the table of a server, which hurry."""
    with ExitStack() as stack:

        def make(server: LoopbackOtlp, refused: tuple[str, ...] = (), **more: object) -> OtlpSink:
            path = tmp_path / "config.toml"
            path.write_text(server.table(**more))
            (route,) = config.load({"CC_LANGFUSE_CONFIG": str(path)}).routes
            sink = OtlpSink(route.config, refused, dataclasses.replace(PATIENCE, first_wait_s=0.001))
            stack.callback(sink.close)
            return sink

        yield make


@pytest.fixture
def spans() -> list[Encoded]:
    """The spans of a session with tools, subagents and events."""
    return [encode(observation) for observation in fold_events(observe(SESSION))]


def ids(spans: list[Encoded]) -> set[str]:
    return {span.span_id for span in spans}


def test_spans_arrive_compressed_as_protobuf_with_the_headers_of_the_table(
    sinks: Sinks, otlp: LoopbackOtlp, spans: list[Encoded]
) -> None:
    """At the path of OpenTelemetry's protocol, and with no header of Langfuse's."""
    delivery = sinks(otlp, headers={"x-scope-orgid": "acme"}).deliver(spans)
    assert delivery == Delivery(accepted=ids(spans))
    assert otlp.latest.keys() == ids(spans)
    assert set(otlp.paths) == {"/v1/traces"}
    (headers,) = otlp.headers
    assert headers["x-scope-orgid"] == "acme"
    assert (headers["content-type"], headers["content-encoding"]) == (PROTOBUF, "gzip")
    assert not [name for name in headers if "langfuse" in name or name == "authorization"]


def test_the_path_of_an_endpoint_that_ends_in_traces_stays(
    sinks: Sinks, otlp: LoopbackOtlp, spans: list[Encoded]
) -> None:
    """Some vendors have paths of their own."""
    sinks(otlp, endpoint=f"{otlp.url}/api/v0.2/traces").deliver(spans[:1])
    assert otlp.paths == ["/api/v0.2/traces"]


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (Reply(status=401), Denied),
        (Reply(status=403), Denied),
        (Reply(status=404), Denied),
        (Reply(status=302, headers={"location": "/login"}), Retryable),
        (Reply(status=204, body=b""), Retryable),
        (Reply(body=b"<html>", content_type="text/html"), Retryable),
        (Reply(body=b"{}", content_type="text/plain"), Retryable),
        (Reply(body=b"\xff\xff", content_type=PROTOBUF), Retryable),
        (Reply(body=b"[]"), Retryable),
        (Reply(body=b'{"error": "no"}'), Retryable),
        (Reply(body=b'{"partialSuccess": {"rejectedSpans": 1e400}}'), Retryable),
        (Reply(status=408), Retryable),
        (Reply(status=429, headers={"retry-after": "3600"}), Retryable),
        (Reply(status=500), Retryable),
        (Reply(reset=True), Retryable),
    ],
    ids=lambda value: f"{value.status}-{value.body!r}" if isinstance(value, Reply) else "",
)
def test_what_is_not_an_acknowledgement_delivers_nothing(
    sinks: Sinks, otlp: LoopbackOtlp, spans: list[Encoded], reply: Reply, kind: type[Exception]
) -> None:
    """The cursor stays; no redirect is followed."""
    otlp.script = [reply] * 3
    delivery = sinks(otlp).deliver(spans)
    assert (delivery.accepted, delivery.rejected) == (set(), {})
    assert type(delivery.failure) is kind
    assert "LANGFUSE" not in str(delivery.failure)
    assert set(otlp.paths) == {"/v1/traces"}


@pytest.mark.parametrize(
    "reply",
    [
        Reply(body=b"", content_type=PROTOBUF),
        Reply(body=b"{}", content_type="application/json; charset=utf-8"),
        Reply(body=b'{"partialSuccess": {"rejectedSpans": "0"}}'),
        Reply(
            body=ExportTraceServiceResponse(
                partial_success=ExportTracePartialSuccess(error_message="deprecated")
            ).SerializeToString(),
            content_type=PROTOBUF,
        ),
    ],
    ids=["protobuf", "json", "none rejected", "warning"],
)
def test_an_acknowledgement_may_be_empty_or_a_warning(
    sinks: Sinks, otlp: LoopbackOtlp, spans: list[Encoded], reply: Reply
) -> None:
    """A message without rejected spans is a warning, by the protocol."""
    otlp.script = [reply]
    assert sinks(otlp).deliver(spans) == Delivery(accepted=ids(spans))


def refuse(otlp: LoopbackOtlp, *names: str) -> None:
    otlp.partial = lambda spans: {span.span_id for span in spans if span.name in names}


def test_refused_parts_are_found_and_rejected_with_the_reason(
    sinks: Sinks, otlp: LoopbackOtlp, spans: list[Encoded]
) -> None:
    """The server tells only how many; all others count as accepted."""
    refuse(otlp, "execute_tool Bash")
    delivery = sinks(otlp).deliver(spans)
    refused = {span.span_id for span in spans if span.observation.name == "Tool: Bash"}
    assert refused
    assert delivery.rejected == dict.fromkeys(refused, "refused by the server: refused by the test")
    assert delivery.accepted == ids(spans) - refused
    assert otlp.latest.keys() == ids(spans) - refused


def test_a_reason_is_shown_without_control_characters(sinks: Sinks, otlp: LoopbackOtlp, spans: list[Encoded]) -> None:
    """Terminals would obey them."""
    response = ExportTraceServiceResponse(
        partial_success=ExportTracePartialSuccess(rejected_spans=1, error_message="no\x1b[31m\x07\r\nspan")
    )
    otlp.script = [Reply(body=response.SerializeToString(), content_type=PROTOBUF)]
    assert sinks(otlp).deliver(spans[:1]).rejected == {spans[0].span_id: "refused by the server: no [31m span"}
    otlp.refuse = lambda _: 400
    otlp.script = [Reply(status=400), Reply(status=400, body=b"bad\x1b[31m")]
    assert str(sinks(otlp).deliver(spans[:1]).failure).endswith("the server answers: bad [31m")


def test_names_that_were_refused_before_are_sent_alone_so_nothing_arrives_twice(
    sinks: Sinks, otlp: LoopbackOtlp, spans: list[Encoded]
) -> None:
    """The dead letters of the state tell them to the next process."""
    refuse(otlp, "execute_tool Bash")
    sinks(otlp, refused=("Tool: Bash",)).deliver(spans)
    assert set(Counter(span.span_id for span in otlp.accepted).values()) == {1}


def test_the_largest_spans_are_asked_about_first(sinks: Sinks, otlp: LoopbackOtlp, spans: list[Encoded]) -> None:
    """A server with a limit refuses them, and no span arrives twice."""

    def size(span: OtlpSpan) -> int:
        return sum(len(value) for value in span.attributes.values() if isinstance(value, str))

    sinks(otlp).deliver(spans)
    longest = sorted(map(size, otlp.accepted))[-3]
    otlp.clear()
    otlp.partial = lambda spans: {span.span_id for span in spans if size(span) >= longest}
    delivery = sinks(otlp).deliver(spans)
    assert len(delivery.rejected) >= 3
    assert set(Counter(span.span_id for span in otlp.accepted).values()) == {1}


def test_a_request_that_is_refused_as_a_whole_is_not_sent_again(
    sinks: Sinks, otlp: LoopbackOtlp, spans: list[Encoded]
) -> None:
    """As many as it had: no span is in doubt."""
    otlp.partial = lambda spans: {span.span_id for span in spans}
    delivery = sinks(otlp).deliver(spans)
    assert delivery.rejected.keys() == ids(spans)
    assert len(otlp.requests) == 1


def test_a_server_that_fails_while_it_is_asked_leaves_the_rest_undelivered(
    sinks: Sinks, otlp: LoopbackOtlp, spans: list[Encoded]
) -> None:
    """What is in doubt is neither accepted nor rejected."""
    one = ExportTraceServiceResponse(partial_success=ExportTracePartialSuccess(rejected_spans=1)).SerializeToString()
    otlp.script = [Reply(body=one, content_type=PROTOBUF), *[Reply(status=503)] * 3]
    delivery = sinks(otlp).deliver(spans)
    assert delivery.accepted == set()
    assert delivery.rejected == {}
    assert isinstance(delivery.failure, Retryable)


def test_a_poisonous_span_is_found_by_halves(sinks: Sinks, otlp: LoopbackOtlp, spans: list[Encoded]) -> None:
    """400 means that the server has stored nothing of the request."""
    poison = spans[7].span_id
    otlp.refuse = lambda found: 400 if poison in {span.span_id for span in found} else None
    delivery = sinks(otlp).deliver(spans)
    assert delivery.rejected == {poison: "refused by the server (400)"}
    assert delivery.accepted == ids(spans) - {poison}
    assert set(Counter(span.span_id for span in otlp.accepted).values()) == {1}


def test_a_server_that_refuses_every_request_makes_no_dead_letters(
    sinks: Sinks, otlp: LoopbackOtlp, spans: list[Encoded]
) -> None:
    """A header is missing, as MLflow's is without one: the settings are to blame, not the spans."""
    otlp.refuse = lambda _: 422
    delivery = sinks(otlp).deliver(spans)
    assert (delivery.accepted, delivery.rejected) == (set(), {})
    assert isinstance(delivery.failure, Denied)
    assert "every request is refused (422): check the headers of destination otlp" in str(delivery.failure)
    assert len(otlp.requests) < 20


def test_a_server_that_refuses_only_requests_without_spans_takes_the_others(
    sinks: Sinks, otlp: LoopbackOtlp, spans: list[Encoded]
) -> None:
    """One span that it refuses holds up nothing."""
    poison = spans[0].span_id
    otlp.refuse = lambda found: 400 if not found or poison in {span.span_id for span in found} else None
    sink = sinks(otlp)
    assert isinstance(sink.deliver(spans[:1]).failure, Denied)  # it has not accepted any yet
    delivery = sink.deliver(spans)
    assert delivery.failure is None
    assert delivery.rejected == {poison: "refused by the server (400)"}
    assert delivery.accepted == ids(spans) - {poison}
    assert Counter(span.span_id for span in otlp.accepted) == Counter(delivery.accepted)
    assert sink.deliver(spans[:1]).rejected == {poison: "refused by the server (400)"}


def test_a_reason_does_not_repeat_the_headers(sinks: Sinks, otlp: LoopbackOtlp, spans: list[Encoded]) -> None:
    """It is stored and shown; a server may quote what it was sent."""
    body = b"bad credentials: Bearer abcdefgh12345"
    otlp.script = [
        Reply(status=422),
        Reply(status=422, body=body, content_type="text/plain"),
        *[Reply(status=422)] * 99,
    ]
    delivery = sinks(otlp, headers={"authorization": "Bearer abcdefgh12345"}).deliver(spans)
    assert "bad credentials: Bearer [header]" in str(delivery.failure)


def test_a_server_that_fails_at_the_probe_makes_no_dead_letters(
    sinks: Sinks, otlp: LoopbackOtlp, spans: list[Encoded]
) -> None:
    """Whether the spans or the settings are to blame is not known yet."""
    otlp.script = [Reply(status=422), Reply(status=503)]
    delivery = sinks(otlp).deliver(spans)
    assert (delivery.accepted, delivery.rejected) == (set(), {})
    assert isinstance(delivery.failure, Retryable)


def test_a_batch_that_takes_too_long_is_continued_by_the_next_run(
    sinks: Sinks, otlp: LoopbackOtlp, spans: list[Encoded], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server that refuses every size makes two requests of each; what was answered counts."""
    monkeypatch.setattr("ccship.sinks.exporter._DELIVERY_S", -1.0)
    delivery = sinks(otlp).deliver(spans)
    assert isinstance(delivery.failure, Retryable)
    assert delivery.rejected == {}


def test_a_span_that_is_too_large_alone_is_shortened_with_its_events(
    sinks: Sinks, otlp: LoopbackOtlp, spans: list[Encoded]
) -> None:
    """Times and tokens arrive."""
    root = spans[0].observation
    event = replace(root, type="event", name="queued_prompt", input="word " * 20_000, output=None)
    long = encode(replace(root, input="word " * 20_000, events=(event,)))
    otlp.refuse = lambda found: 413 if len(json.dumps([asdict(span) for span in found])) > 8_000 else None
    assert sinks(otlp).deliver([long]) == Delivery(accepted={long.span_id})
    (span,) = otlp.accepted
    assert span.end_ns == root.end_ns
    assert "characters, too large" in span.attributes["gen_ai.input.messages"]
    assert "characters, too large" in span.events[0].attributes["gen_ai.input.messages"]


def test_the_environment_variables_of_opentelemetry_reach_the_server(
    sinks: Sinks, otlp: LoopbackOtlp, spans: list[Encoded], tmp_path: Path
) -> None:
    """Address, headers, compression and timeout of a destination that says from_env."""
    path = tmp_path / "env.toml"
    path.write_text('[[destinations]]\nkind = "otlp"\nfrom_env = true\nprojects = ["**"]\n')
    environ = {
        "CC_LANGFUSE_CONFIG": str(path),
        "OTEL_EXPORTER_OTLP_ENDPOINT": otlp.url,
        "OTEL_EXPORTER_OTLP_HEADERS": "x-team=a%20b,x-two=2",
        "OTEL_EXPORTER_OTLP_COMPRESSION": "none",
    }
    (route,) = config.load(environ).routes
    sink = OtlpSink(route.config)
    assert sink.deliver(spans).accepted == ids(spans)
    sink.close()
    (headers,) = otlp.headers
    assert (headers["x-team"], headers["x-two"]) == ("a b", "2")
    assert "content-encoding" not in headers


def test_a_file_without_a_certificate_is_a_setting_to_correct(sinks: Sinks, otlp: LoopbackOtlp, tmp_path: Path) -> None:
    """It can be read, but it is something else."""
    (tmp_path / "ca.pem").write_text("nothing")
    with pytest.raises(ConfigError, match="check the certificates"):
        sinks(otlp, certificate=str(tmp_path / "ca.pem"))
