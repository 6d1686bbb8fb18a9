"""Langfuse: OTLP over HTTP, with a strict reading of the answer.

Accepted means: status 200 from the endpoint itself, a protobuf or JSON body, no error in it. OpenTelemetry's own
exporter also calls a redirect, a login page and a partial success a success; each of these loses spans.
"""

import gzip
import json
import random
import threading
import time
from collections.abc import Sequence
from typing import ClassVar

import httpx
import langfuse
from google.protobuf.message import DecodeError
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.sdk.trace import ReadableSpan

from ccship import __version__
from ccship.config import Config
from ccship.errors import ConfigError, Denied, Rejected, Retryable, TooLarge
from ccship.sinks.answers import check_status
from ccship.sinks.sdk_log import tell_of_sdk
from ccship.sinks.spans import AccountingExporter, SpanSink, span_id_of

ENDPOINT = "/api/public/otel/v1/traces"

_ATTEMPTS = 3
"""Requests for one batch before giving up: the transcript is still there for the next run."""

_TIMEOUT_S = 10.0
_DEADLINE_S = 30.0
"""For one whole request: a server that sends a byte a second never meets a read timeout."""

_FIRST_WAIT_S = 0.5
_MAX_WAIT_S = 5.0
_MAX_REPLY_BYTES = 64 * 1024

_SHORTER_CHARS = (20_000, 1_000)
"""What is left of a text when a single span is too large for the server, and when it still is."""


class LangfuseSink(SpanSink):
    """Delivers to a Langfuse server; one for each public key and process."""

    _served: ClassVar[dict[str, str]] = {}

    def __init__(self, config: Config) -> None:
        if not config.public_key or not config.secret_key:
            raise ConfigError("no keys: set LANGFUSE_PUBLIC_KEY and LANGFUSE_SECRET_KEY")
        if (taken := self._served.setdefault(config.public_key, config.base_url)) != config.base_url:
            # the SDK keeps one client for each public key, and what it is given later would go to the first server
            raise ConfigError(
                f"{config.public_key} is the public key of {taken} and of {config.base_url}: a key is for one server"
            )
        tell_of_sdk()
        exporter = LangfuseExporter(config.public_key, config.secret_key, config.base_url)
        try:
            super().__init__(
                exporter,
                public_key=config.public_key,
                secret_key=config.secret_key,
                base_url=config.base_url,
                upload_media=True,
            )
        except (OSError, ValueError, ImportError, httpx.InvalidURL) as error:
            # the SDK makes its HTTP client at once, from the variables that every HTTP client reads
            raise ConfigError(
                f"no connection can be made ({error}): check SSL_CERT_FILE and the proxy variables (ALL_PROXY, ...)"
            ) from error


class LangfuseExporter(AccountingExporter):
    """Sends batches; halves those that are too large or hold something the server refuses."""

    def __init__(self, public_key: str, secret_key: str, base_url: str) -> None:
        super().__init__()
        self._client: httpx.Client | None = None
        self._url = base_url.rstrip("/") + ENDPOINT
        self._auth = httpx.BasicAuth(public_key, secret_key)
        self._headers = {
            "content-type": "application/x-protobuf",
            "content-encoding": "gzip",
            "user-agent": f"ccship/{__version__}",
            "x-langfuse-sdk-name": "python",
            "x-langfuse-sdk-version": langfuse.__version__,
            "x-langfuse-public-key": public_key,
            "x-langfuse-ingestion-version": "4",
        }

    def send(self, spans: Sequence[ReadableSpan]) -> None:
        """Send spans until each is accepted or rejected, or nothing more can be done now."""
        if self.delivery.failure is not None:
            return  # the server is down: do not hammer it with the rest of the queue
        try:
            if len(spans) == 1:
                self._send_alone(spans[0])
            else:
                self._post_patiently(encode_spans(spans))
        except (TooLarge, Rejected) as error:
            if len(spans) == 1:
                self.delivery.rejected[span_id_of(spans[0])] = str(error)
                return
            half = len(spans) // 2
            self.send(spans[:half])
            self.send(spans[half:])
        except (Retryable, Denied) as error:
            self.delivery.failure = error
        else:
            self.delivery.accepted.update(map(span_id_of, spans))

    def _send_alone(self, span: ReadableSpan) -> None:
        """A span that is too large even alone loses the ends of its largest fields; its times and tokens arrive."""
        request = encode_spans([span])
        for longest in _SHORTER_CHARS:
            try:
                self._post_patiently(request)
            except TooLarge:
                _shorten(request, longest)
            else:
                return
        self._post_patiently(request)

    def _post_patiently(self, request: ExportTraceServiceRequest) -> None:
        body = gzip.compress(request.SerializeToString(), compresslevel=1)
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                self._post(body)
            except Retryable as error:
                wait_s = max(_backoff_s(attempt), error.retry_after_s or 0)
                if attempt == _ATTEMPTS or wait_s > _MAX_WAIT_S:
                    raise
                time.sleep(wait_s)
            else:
                return

    def shutdown(self) -> None:
        """Close the connection."""
        if self._client is not None:
            self._client.close()

    def _post(self, body: bytes) -> None:
        # One client for all requests: making one reads the system's certificates, which takes longer than a request.
        client = self._client = self._client or httpx.Client(timeout=_TIMEOUT_S, follow_redirects=False)
        # Closing the client is the only public way to end a request at a deadline.
        timer = threading.Timer(_DEADLINE_S, client.close)
        timer.daemon = True
        timer.start()
        try:
            with client.stream("POST", self._url, content=body, headers=self._headers, auth=self._auth) as reply:
                judge(reply.status_code, reply.headers, _read_bounded(reply))
        except (httpx.HTTPError, OSError, RuntimeError) as error:
            # RuntimeError: the deadline closed the client before the connection was made
            raise Retryable(f"{self._url} does not answer: {type(error).__name__}") from error
        except httpx.InvalidURL as error:
            raise Denied(f"{self._url} is no address ({error}): check LANGFUSE_BASE_URL") from error
        finally:
            timer.cancel()
            if client.is_closed:
                self._client = None


def _shorten(request: ExportTraceServiceRequest, longest: int) -> None:
    """Cut every text of a request to so many characters, and say how long it was."""
    for resource in request.resource_spans:
        for scope in resource.scope_spans:
            for span in scope.spans:
                for attribute in span.attributes:
                    text = attribute.value.string_value
                    if len(text) > longest:
                        attribute.value.string_value = f"{text[:longest]}… ({len(text)} characters, too large)"


def judge(status: int, headers: httpx.Headers, body: bytes) -> None:
    """Return when the reply says that all was accepted; raise what it says otherwise.

    Raises:
        Retryable: not accepted now, or an answer that is not an acknowledgement although it looks like one.
        Denied: keys or address are wrong.
        TooLarge: the request was too large.
        Rejected: a span in the request is refused.
    """
    check_status(status, headers)
    if not _acknowledges(headers.get("content-type", ""), body):
        raise Retryable("an answer that is no acknowledgement (200): check LANGFUSE_BASE_URL")


def _acknowledges(content_type: str, body: bytes) -> bool:
    """Whether a body is an OTLP response without an error in it."""
    kind = content_type.partition(";")[0].strip().lower()
    if kind == "application/json":
        try:
            answer = json.loads(body or b"null")
        except ValueError:
            return False
        return isinstance(answer, dict) and not answer.get("error") and not answer.get("partialSuccess")
    if kind == "application/x-protobuf":
        try:
            response = ExportTraceServiceResponse.FromString(body)
        except DecodeError:
            return False
        partial = response.partial_success
        return not (partial.rejected_spans or partial.error_message)
    return False


def _read_bounded(reply: httpx.Response) -> bytes:
    body = b""
    for chunk in reply.iter_bytes():
        body += chunk
        if len(body) > _MAX_REPLY_BYTES:
            break
    return body


def _backoff_s(attempt: int) -> float:
    """Exponential with full jitter, so that many hooks do not come back at once."""
    longest: float = min(_MAX_WAIT_S, _FIRST_WAIT_S * 2 ** (attempt - 1))
    return random.uniform(0.1, 1.0) * longest  # noqa: S311 - no secret depends on it
