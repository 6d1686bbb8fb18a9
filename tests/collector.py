"""A backend of our own on the loopback interface that takes OpenTelemetry's protocol over HTTP, at any path."""

import gzip
import json
import ssl
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

from answering import OK, Answering, Reply
from loopback import value_of

PROTOBUF = "application/x-protobuf"


@dataclass(frozen=True)
class Event:
    """An event of a span."""

    name: str
    at_ns: int
    attributes: dict[str, Any]


@dataclass(frozen=True)
class OtlpSpan:
    """A span as it came over the wire. `kind`: as a number of the protocol; `error`: the text of an error status."""

    trace_id: str
    span_id: str
    parent: str
    name: str
    kind: int
    start_ns: int
    end_ns: int
    attributes: dict[str, Any]
    events: tuple[Event, ...]
    resource: dict[str, Any]
    scope: str
    error: str | None

    @property
    def key(self) -> tuple[str, str, int]:
        """What must be the same at every replay."""
        return (self.trace_id, self.span_id, self.start_ns)

    @property
    def session(self) -> str:
        return str(self.attributes.get("gen_ai.conversation.id"))


class LoopbackOtlp(ThreadingHTTPServer):
    """Listens on a free port, with TLS if there is a context.

    `script` holds the answers to come; when it is empty, everything is accepted but the spans whose ids `partial`
    returns (a partial success). `refuse`: returns a status for requests that are refused as a whole. `hang`: every
    request waits for this event, a minute at most. `required`: headers without which the answer is 401.

    `accepted` has the spans that were stored, `requests` the status of every answer, `paths` and `headers` (names in
    lower case) what came with every request, before it waits.
    """

    daemon_threads = True
    request_queue_size = 256

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.script: list[Reply] = []
        self.partial: Callable[[Sequence[OtlpSpan]], set[str]] = lambda _: set()
        self.refuse: Callable[[Sequence[OtlpSpan]], int | None] = lambda _: None
        self.hang: threading.Event | None = None
        self.required: Mapping[str, str] = {}
        self.accepted: list[OtlpSpan] = []
        self.requests: list[int] = []
        self.paths: list[str] = []
        self.headers: list[dict[str, str]] = []
        self.lock = threading.Lock()
        self._scheme = "https" if tls else "http"
        if tls:
            # the handshake belongs to the thread of the request, so that one cannot delay the others
            self.socket = tls.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)

    @property
    def url(self) -> str:
        return f"{self._scheme}://127.0.0.1:{self.server_port}"

    @property
    def latest(self) -> dict[str, OtlpSpan]:
        """The last span of each id."""
        return {span.span_id: span for span in self.accepted}

    @property
    def keys(self) -> set[tuple[str, str, int]]:
        return {span.key for span in self.accepted}

    def table(self, **settings: object) -> str:
        """A `[[destinations]]` table of all projects, with this address unless the settings have another."""
        own = {"name": "otlp", "kind": "otlp", "projects": ["**"], "endpoint": self.url}
        lines = [f"{key} = {_toml(value)}" for key, value in {**own, **settings}.items() if value is not None]
        return "\n".join(["[[destinations]]", *lines, ""])

    def clear(self) -> None:
        self.accepted.clear()
        self.requests.clear()
        self.paths.clear()
        self.headers.clear()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Be quiet about clients that hang up or do not trust the certificate."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


class _Handler(Answering, BaseHTTPRequestHandler):
    server: LoopbackOtlp

    def do_POST(self) -> None:
        server = self.server
        body = self.rfile.read(int(self.headers["content-length"]))
        with server.lock:
            server.paths.append(self.path)
            server.headers.append({name.lower(): value for name, value in self.headers.items()})
        if server.hang is not None:
            server.hang.wait(60)
        if self.headers.get("content-type") != PROTOBUF:  # such as Langfuse's scores, which a collector does not take
            self.answer(Reply(status=404))
            return
        with server.lock:
            reply = self._reply(_spans(body, self.headers.get("content-encoding")))
            server.requests.append(reply.status)
        self.answer(reply)

    def do_GET(self) -> None:
        self.server.paths.append(self.path)
        self.answer(Reply(status=404))

    def _reply(self, spans: list[OtlpSpan]) -> Reply:
        server = self.server
        if any(self.headers.get(name) != value for name, value in server.required.items()):
            return Reply(status=401)
        if server.script:
            reply = server.script.pop(0)
            if reply.keep if reply.keep is not None else reply == OK:
                server.accepted += spans
            return reply
        if status := server.refuse(spans):
            return Reply(status=status)
        refused = server.partial(spans)
        server.accepted += [span for span in spans if span.span_id not in refused]
        response = ExportTraceServiceResponse()
        if count := sum(span.span_id in refused for span in spans):
            response.partial_success.rejected_spans = count
            response.partial_success.error_message = "refused by the test"
        return Reply(body=response.SerializeToString(), content_type=PROTOBUF)


@contextmanager
def loopback_otlp(tls: ssl.SSLContext | None = None) -> Iterator[LoopbackOtlp]:
    """A running server. On leaving, requests that still hang are released."""
    server = LoopbackOtlp(tls)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        if server.hang is not None:
            server.hang.set()
        server.shutdown()
        server.server_close()
        thread.join()


def _spans(body: bytes, encoding: str | None) -> list[OtlpSpan]:
    request = ExportTraceServiceRequest.FromString(gzip.decompress(body) if encoding == "gzip" else body)
    return [
        OtlpSpan(
            span.trace_id.hex(),
            span.span_id.hex(),
            span.parent_span_id.hex(),
            span.name,
            span.kind,
            span.start_time_unix_nano,
            span.end_time_unix_nano,
            _attributes(span.attributes),
            tuple(Event(event.name, event.time_unix_nano, _attributes(event.attributes)) for event in span.events),
            _attributes(resource.resource.attributes),
            scope.scope.name,
            span.status.message if span.status.code == span.status.STATUS_CODE_ERROR else None,
        )
        for resource in request.resource_spans
        for scope in resource.scope_spans
        for span in scope.spans
    ]


def _attributes(attributes: Any) -> dict[str, Any]:
    return {attribute.key: value_of(attribute.value) for attribute in attributes}


def _toml(value: object) -> str:
    """A value in TOML: JSON but for tables."""
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{json.dumps(key)} = {_toml(inner)}" for key, inner in value.items()) + " }"
    return json.dumps(value)
