"""A Langfuse of our own on the loopback interface: decodes what arrives, keeps what it accepted, answers by script."""

import base64
import gzip
import json
import re
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from google.protobuf.json_format import Parse
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from answering import OK, Answering, Reply
from scored import CONFIGS, INGESTION, READ_SCORES, SCORES, ScoreServer

__all__ = ["HEALTH", "OK", "TRACES", "LoopbackLangfuse", "Reply", "Span", "loopback_langfuse", "spans_in_file"]

TRACES = "/api/public/otel/v1/traces"
MEDIA = "/api/public/media"
PROJECTS = "/api/public/projects"
HEALTH = "/api/public/health"
MODELS = "/api/public/models"


@dataclass(frozen=True)
class Span:
    """A span as it came over the wire."""

    trace_id: str
    span_id: str
    parent: str
    name: str
    start_ns: int
    end_ns: int
    attributes: dict[str, Any]

    @property
    def type(self) -> str:
        return str(self.attributes["langfuse.observation.type"])

    @property
    def key(self) -> tuple[str, str, str, int]:
        """What must be the same at every replay."""
        return (self.trace_id, self.span_id, self.type, self.start_ns)

    @property
    def is_root(self) -> bool:
        """What Langfuse makes of it: a root has no parent, or is marked as one."""
        return not self.parent or self.attributes.get("langfuse.internal.is_app_root") in (True, "true")

    @property
    def usage(self) -> dict[str, int]:
        return dict(json.loads(self.attributes.get("langfuse.observation.usage_details", "{}")))


class LoopbackLangfuse(ThreadingHTTPServer):
    """Listens on a free port. `script` holds the answers to come; when it is empty, everything is accepted.

    What was accepted can be read back; `reads` holds answers to come instead, `has_v2` tells a new server. `priced`:
    patterns of the models that it has prices for, None for a server without such a list; `price_lists`: how often the
    list was asked for. `replaced_tokens`: each call has an older version with so many tokens that is not merged yet.
    `scores` has the scores, `score_script` holds the answers to come for them.
    `contacts` has the path and the credentials of every request of any kind.
    """

    daemon_threads = True
    request_queue_size = 256

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.public_key = f"pk-lf-{self.server_port}-{time.time_ns()}"
        self.secret_key = "sk-lf-loopback"
        self.script: list[Reply] = []
        self.refused_spans: dict[str, int] = {}
        self.max_spans: int | None = None
        self.max_bytes: int | None = None
        self.health = Reply(body=b'{"status": "OK", "version": "4.16.0"}')
        self.accepted: list[Span] = []
        self.media: dict[str, bytes] = {}
        self.uploads_to = self.url
        self.uploads: list[dict[str, str]] = []
        self.requests: list[int] = []
        self.contacts: list[tuple[str, str | None]] = []
        self.open_requests: Counter[str] = Counter()
        self.most_at_once = 0
        self.bodies: list[bytes] = []
        self.reads: list[Reply] = []
        self.has_v2 = True
        self.page = 50
        self.priced: list[str] | None = [".*"]
        self.price_lists = 0
        self.replaced_tokens: int | None = None
        self.scores = ScoreServer()
        self.score_script: list[Reply] = []
        self.lock = threading.Lock()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    @property
    def environ(self) -> dict[str, str]:
        """What a program needs to send here."""
        return {
            "LANGFUSE_PUBLIC_KEY": self.public_key,
            "LANGFUSE_SECRET_KEY": self.secret_key,
            "LANGFUSE_BASE_URL": self.url,
        }

    @property
    def keys(self) -> set[tuple[str, str, str, int]]:
        return {span.key for span in self.accepted}

    @property
    def latest(self) -> dict[str, Span]:
        """The spans as Langfuse shows them: the last of an id replaces the ones before."""
        return {span.span_id: span for span in self.accepted}

    def wait_for_requests(self, count: int) -> None:
        """Return when so many requests have come in since the last `clear`."""
        while len(self.requests) < count:
            time.sleep(0.01)

    def clear(self) -> None:
        self.accepted.clear()
        self.requests.clear()


class _Handler(Answering, BaseHTTPRequestHandler):
    server: LoopbackLangfuse

    def parse_request(self) -> bool:
        """Keep what anybody asked for, and with which credentials."""
        parsed = super().parse_request()
        if parsed:
            self.server.contacts.append((self.path, self.headers.get("authorization")))
        return parsed

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        if self.path == MEDIA:
            if self._is_known():
                self._grant_upload(json.loads(body))
            else:
                self.answer(Reply(status=401))
            return
        if self.path in (INGESTION, SCORES, CONFIGS):
            self.answer(self._written(json.loads(body)))
            return
        if self.path != TRACES:
            self.answer(Reply(status=404))
            return
        size = len(gzip.decompress(body)) if self.headers.get("content-encoding") == "gzip" else len(body)
        spans = _decode(body, self.headers.get("content-encoding"), self.headers.get("content-type", ""))
        server = self.server
        with server.lock:
            reply = server.script.pop(0) if server.script else self._judge(spans, size)
            server.requests.append(reply.status)
            server.bodies.append(body)
            if reply.keep if reply.keep is not None else replace(reply, delay_s=0) == OK:
                server.accepted += spans
            sessions = {str(span.attributes.get("session.id")) for span in spans}
            server.open_requests.update(sessions)
            server.most_at_once = max([server.most_at_once, *(server.open_requests[session] for session in sessions)])
        try:
            self.answer(reply)
        finally:
            with server.lock:
                server.open_requests.subtract(sessions)

    def do_PUT(self) -> None:
        self.server.uploads.append({name.lower(): value for name, value in self.headers.items()})
        self.server.media[self.path] = self.rfile.read(int(self.headers["content-length"]))
        self.answer(OK)

    def do_PATCH(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        self.answer(OK)

    def _written(self, content: Any) -> Reply:
        server = self.server
        if not self._is_known():
            return Reply(status=401)
        with server.lock:
            reply = server.score_script.pop(0) if server.score_script else OK
            if reply != OK:
                return reply
            status, answer = server.scores.answer(self.path, content)
        return Reply(status=status, body=json.dumps(answer).encode())

    def _grant_upload(self, asked: dict[str, Any]) -> None:
        path = f"/upload/{asked['sha256Hash'].replace('/', '_')}"
        known = path in self.server.media
        media_id = asked["sha256Hash"].replace("+", "-").replace("/", "_")[:22]
        grant = {"mediaId": media_id, "uploadUrl": None if known else self.server.uploads_to + path}
        self.answer(Reply(status=201, body=json.dumps(grant).encode()))

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        if url.path == HEALTH:
            self.answer(self.server.health)
        elif url.path == MODELS:
            self.answer(self._models(int(dict(parse_qsl(url.query))["page"])))
        elif self.server.reads and url.path not in (PROJECTS, CONFIGS, READ_SCORES):
            self.answer(self.server.reads.pop(0))
        elif url.path == PROJECTS and str(self.headers.get("authorization")).startswith("Bearer "):
            # as Langfuse 4.16 does: a public key alone may read nothing, one that it does not know is not accepted
            known = self.headers["authorization"] == f"Bearer {self.server.public_key}"
            self.answer(Reply(status=403 if known else 401))
        elif not self._is_known():
            self.answer(Reply(status=401))
        elif url.path == CONFIGS or (url.path == READ_SCORES and self.server.has_v2):
            found = self.server.scores.found(url.path, dict(parse_qsl(url.query)))
            self.answer(Reply(body=json.dumps(found).encode()))
        elif url.path == PROJECTS:
            self.answer(Reply(body=b'{"data": [{"id": "p1", "name": "demo", "organization": {"name": "Acme"}}]}'))
        else:
            found = self._read(url.path, dict(parse_qsl(url.query)))
            self.answer(Reply(body=json.dumps(found).encode()) if found else Reply(status=404))

    def _models(self, page: int) -> Reply:
        """One model a page: a client that reads the first page only misses the rest."""
        server = self.server
        server.price_lists += 1
        if server.priced is None:
            return Reply(status=404)
        if not self._is_known():
            return Reply(status=401)
        unpriced: dict[str, Any] = {"modelName": "free", "matchPattern": "(?i)^free$", "prices": {}, "inputPrice": None}
        priced = [
            {"modelName": model, "matchPattern": model, "prices": {"input": {"price": 1e-6}}, "inputPrice": 1e-6}
            for model in server.priced
        ]
        models = [unpriced, *priced]
        found = {"data": models[page - 1 : page], "meta": {"page": page, "totalPages": len(models)}}
        return Reply(body=json.dumps(found).encode())

    def _read(self, path: str, asked: dict[str, str]) -> dict[str, Any] | None:
        """What the two read APIs answer; a row is replaced by a later one of the same ids and start time only."""
        rows = list({(span.trace_id, span.span_id, span.start_ns): span for span in self.server.accepted}.values())
        if path == "/api/public/v2/observations" and self.server.has_v2:
            mine = [
                _row(span, self.server.priced)
                for span in rows
                if span.attributes.get("session.id") == asked["sessionId"]
            ]
            if self.server.replaced_tokens is not None:
                older = {"usageDetails": {"input": self.server.replaced_tokens}, "updatedAt": "2026-01-01T00:00:00Z"}
                mine = [version for row in mine for version in (row | older, row, row | older)]
            start, limit = int(asked.get("cursor", 0)), min(int(asked["limit"]), self.server.page)
            more = start + limit < len(mine)
            return {"data": mine[start : start + limit], "meta": {"cursor": str(start + limit)} if more else {}}
        trace_id = path.rpartition("/")[2]
        mine = [_row(span, self.server.priced) for span in rows if span.trace_id == trace_id]
        return {"id": trace_id, "observations": mine} if mine else None

    def _is_known(self) -> bool:
        """Whether the secret key is right: Langfuse does not compare the public key."""
        scheme, _, encoded = str(self.headers.get("authorization")).partition(" ")
        return scheme == "Basic" and base64.b64decode(encoded).decode().partition(":")[2] == self.server.secret_key

    def _judge(self, spans: list[Span], size: int) -> Reply:
        """What the server itself thinks of a request, when nobody scripted an answer."""
        server = self.server
        if not self._is_known():
            return Reply(status=401)
        too_many = server.max_spans is not None and len(spans) > server.max_spans
        if too_many or (server.max_bytes is not None and size > server.max_bytes):
            return Reply(status=413)
        for span in spans:
            if span.span_id in server.refused_spans:
                return Reply(status=server.refused_spans[span.span_id])
        return OK


def _row(span: Span, priced: list[str] | None) -> dict[str, Any]:
    """A row as the read APIs give it: a cost that was sent is taken as it is, else known models have a price."""
    model = span.attributes.get("langfuse.observation.model.name")
    sent = json.loads(span.attributes.get("langfuse.observation.cost_details", "{}"))
    is_priced = any(re.search(pattern, model or "") for pattern in priced or ())
    cost = sent["total"] if sent else sum(span.usage.values()) / 1e6 if is_priced else 0
    at = datetime.fromtimestamp(span.start_ns / 1e9, UTC)
    return {
        "id": span.span_id,
        "traceId": span.trace_id,
        "type": span.type.upper(),
        "startTime": at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "usageDetails": {**span.usage, "total": sum(span.usage.values())} if span.usage else {},
        "updatedAt": "2026-01-02T00:00:00Z",
        "providedModelName": model,
        "totalCost": cost,
    }


@contextmanager
def loopback_langfuse() -> Iterator[LoopbackLangfuse]:
    """A running server."""
    server = LoopbackLangfuse()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def spans_in_file(text: str) -> list[Span]:
    """The spans of a file of OTLP JSON lines."""
    return [span for line in text.splitlines() for span in _decode(line.encode(), None, "application/json")]


def _decode(body: bytes, encoding: str | None, content_type: str) -> list[Span]:
    if encoding == "gzip":
        body = gzip.decompress(body)
    if content_type == "application/json":
        request = Parse(_base64_ids(body), ExportTraceServiceRequest())
    else:
        request = ExportTraceServiceRequest.FromString(body)
    return [
        Span(
            span.trace_id.hex(),
            span.span_id.hex(),
            span.parent_span_id.hex(),
            span.name,
            span.start_time_unix_nano,
            span.end_time_unix_nano,
            {attribute.key: value_of(attribute.value) for attribute in span.attributes},
        )
        for resource in request.resource_spans
        for scope in resource.scope_spans
        for span in scope.spans
    ]


def _base64_ids(body: bytes) -> str:
    """OTLP JSON has ids in hex; protobuf's parser wants base64."""
    request = json.loads(body)
    for resource in request["resourceSpans"]:
        for scope in resource["scopeSpans"]:
            for span in scope["spans"]:
                for name in ("traceId", "spanId", "parentSpanId"):
                    if name in span:
                        span[name] = base64.b64encode(bytes.fromhex(span[name])).decode()
    return json.dumps(request)


def value_of(value: Any) -> Any:
    """Return an attribute's value."""
    kind = value.WhichOneof("value")
    if kind == "array_value":
        return [value_of(item) for item in value.array_value.values]
    return getattr(value, kind)
