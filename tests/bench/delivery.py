"""Spans a second through our sink, beside the bare encode-and-POST of the same spans, to another process."""

import gzip
import multiprocessing
import socket
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from multiprocessing.connection import Connection
from pathlib import Path

import httpx
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.sdk.trace import ReadableSpan

from bench.generate import claude_dir
from bench.growth import backfill
from bench.mark import Mark
from bench.parse import cpu
from ccship import config
from ccship.privacy import Policy, Protection
from ccship.privacy.encoding import Encoded, encode
from ccship.sinks import BATCH_BYTES, BATCH_SPANS
from ccship.sinks.connection import LANGFUSE_TRACES
from ccship.sinks.exporter import AccountingExporter
from ccship.sinks.langfuse import LangfuseSink
from ccship.sinks.spans import SpanSink
from helpers import KeepingSink, ship_to

MEGABYTES = 20
ROUNDS = 4

_HEADERS = {"content-type": "application/x-protobuf", "content-encoding": "gzip"}


def through_the_sink() -> Mark:
    """CPU of the sending process; both ways compress alike and send the same batches over one connection."""
    batches = _batches()
    spans = _spans_of(batches)
    count = sum(map(len, batches))
    with _server() as url, httpx.Client() as client:
        environ = {"LANGFUSE_PUBLIC_KEY": "pk-lf-bench", "LANGFUSE_SECRET_KEY": "sk-lf-bench", "LANGFUSE_BASE_URL": url}
        sink = LangfuseSink(config.load(environ))
        spent = [
            (cpu(lambda: _deliver(sink, batches)), cpu(lambda: _post(client, url, spans))) for _ in range(ROUNDS + 1)
        ][1:]
        sink.close()
    ours, theirs = zip(*spent, strict=True)
    return Mark("delivery / bare encode-and-POST", count / min(ours), count / min(theirs), 0.5, "spans/s")


def jobs(megabytes: float = 200) -> Mark:
    """Wall time of a whole backfill, redaction and all; wants four cores, and a server that needs little of them."""
    with tempfile.TemporaryDirectory() as folder, _server() as url:
        claude_dir(Path(folder) / "claude", megabytes, session_megabytes=3)
        environ = {
            "CLAUDE_CONFIG_DIR": f"{folder}/claude",
            "HOME": folder,
            "LANGFUSE_PUBLIC_KEY": "pk-lf-bench",
            "LANGFUSE_SECRET_KEY": "sk-lf-bench",
            "LANGFUSE_BASE_URL": url,
        }
        one, four = (backfill("--yes", "--jobs", count, environ=environ).wall_s for count in ("1", "4"))
    return Mark(f"backfill of {megabytes:g} MB with 4 jobs / with 1", megabytes / four, megabytes / one, 2.5, "MB/s")


def _deliver(sink: LangfuseSink, batches: list[list[Encoded]]) -> None:
    for batch in batches:
        assert len(sink.deliver(batch).accepted) == len(batch)


def _post(client: httpx.Client, url: str, batches: list[list[ReadableSpan]]) -> None:
    for spans in batches:
        body = gzip.compress(encode_spans(spans).SerializeToString(), compresslevel=1)
        client.post(url + LANGFUSE_TRACES, content=body, headers=_HEADERS).raise_for_status()


def _batches() -> list[list[Encoded]]:
    """Protected as they would be, in batches as the sender makes them."""
    kept = KeepingSink()
    with tempfile.TemporaryDirectory() as folder:
        ship_to(kept, [claude_dir(Path(folder), MEGABYTES)])
    batches: list[list[Encoded]] = [[]]
    size = 0
    for span in map(encode, map(Protection(Policy()).observation, kept.sent)):
        size += span.size
        if batches[-1] and (len(batches[-1]) == BATCH_SPANS or size > BATCH_BYTES):
            batches.append([])
            size = span.size
        batches[-1].append(span)
    return batches


def _spans_of(batches: list[list[Encoded]]) -> list[list[ReadableSpan]]:
    """What the SDK makes of them."""
    keeping = _Keeping()
    sink = SpanSink(keeping, public_key="pk-lf-kept", secret_key="sk", base_url="http://127.0.0.1:9", upload_media=True)
    for batch in batches:
        sink.deliver(batch)
    sink.close()
    return keeping.batches


class _Keeping(AccountingExporter):
    def __init__(self) -> None:
        super().__init__()
        self.batches: list[list[ReadableSpan]] = []

    def send(self, spans: Sequence[ReadableSpan]) -> None:
        self.batches.append(list(spans))


@contextmanager
def _server() -> Iterator[str]:
    """A server that reads what comes, keeps nothing and says that all is well."""
    start = multiprocessing.get_context("spawn")
    here, there = start.Pipe()
    process = start.Process(target=_serve, args=(there,), daemon=True)
    process.start()
    try:
        yield f"http://127.0.0.1:{here.recv()}"
    finally:
        process.kill()
        process.join()


def _serve(pipe: Connection) -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Accepting)
    pipe.send(server.server_port)
    server.serve_forever()


class _Accepting(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def setup(self) -> None:
        super().setup()
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_: object) -> None:
        pass
