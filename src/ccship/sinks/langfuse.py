"""Delivery to Langfuse: OTLP over HTTP, with a strict reading of the answer.

Accepted means: status 200 without a redirect, and a protobuf or JSON body without an error. OpenTelemetry's own
exporter also accepts redirects, login pages and partial successes, and loses spans each time.
"""

import gzip
import json
from collections.abc import Sequence
from typing import ClassVar

import httpx
from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.sdk.trace import ReadableSpan

from ccship.config import Config
from ccship.errors import ConfigError, Denied, Rejected, Retryable, TooLarge
from ccship.signals.scores import SENT, Score
from ccship.sinks import Delivery
from ccship.sinks.answers import check_status
from ccship.sinks.connection import Connection
from ccship.sinks.otlp import request_of
from ccship.sinks.patience import Patience
from ccship.sinks.score_configs import ScoreConfigs
from ccship.sinks.scores import ScoreSender
from ccship.sinks.sdk_log import handle_sdk_log
from ccship.sinks.spans import AccountingExporter, SpanSink, span_id_of

ENDPOINT = "/api/public/otel/v1/traces"

_HEADERS = {
    "content-type": "application/x-protobuf",
    "content-encoding": "gzip",
    "x-langfuse-ingestion-version": "4",
}

PATIENCE = Patience(timeout_s=10.0, deadline_s=30.0, attempts=3, longest_wait_s=5.0)
"""For one batch; the next run can read the transcript again. The deadline also ends an answer of one byte a second."""

_SHORTER_CHARS = (20_000, 1_000)
"""Characters kept of a text when a single span is too large, and when it still is."""


class LangfuseSink(SpanSink):
    """Delivers to a Langfuse server. A process can have one for each public key."""

    _served: ClassVar[dict[str, str]] = {}

    def __init__(self, config: Config, patience: Patience | None = None) -> None:
        if not config.public_key or not config.secret_key:
            raise ConfigError(config.why_no_keys)
        if (taken := self._served.setdefault(config.public_key, config.base_url)) != config.base_url:
            # the SDK keeps one client per public key: spans for a second server would go to the first
            raise ConfigError(
                f"{config.public_key} is set for both {taken} and {config.base_url}: use a key for one server only"
            )
        handle_sdk_log()
        patience = patience or PATIENCE
        try:
            # One for both clients: to read the system's certificates takes longer than a request.
            context = httpx.create_ssl_context()
            connection = Connection(config.public_key, config.secret_key, config.base_url, patience, context)
            super().__init__(
                LangfuseExporter(connection),
                public_key=config.public_key,
                secret_key=config.secret_key,
                base_url=config.base_url,
                upload_media=True,
                http_client=httpx.Client(timeout=patience.timeout_s, verify=context),
            )
        except (OSError, ValueError, ImportError, httpx.InvalidURL) as error:
            # the SDK creates its HTTP client at once, from the standard variables of HTTP clients
            raise ConfigError(
                f"cannot connect ({error}): check SSL_CERT_FILE and the proxy variables (ALL_PROXY, ...)"
            ) from error
        self._scores = ScoreSender(connection)
        self._configs = ScoreConfigs(config, connection)
        self._names = SENT[config.signals]

    def score(self, scores: Sequence[Score]) -> Delivery:
        """Send scores of delivered traces."""
        delivery = self._scores.send(scores)
        if delivery.accepted:
            self._configs.ensure(self._names)
        return delivery


class LangfuseExporter(AccountingExporter):
    """Sends batches; halves those that are too large or contain a span that the server refuses."""

    def __init__(self, connection: Connection) -> None:
        super().__init__()
        self._connection = connection

    def send(self, spans: Sequence[ReadableSpan]) -> None:
        """Send spans until each is accepted or rejected, or the delivery fails."""
        if self.delivery.failure is not None:
            return  # the server is down: do not send it the rest of the queue
        try:
            if len(spans) == 1:
                self._send_alone(spans[0])
            else:
                self._post_patiently(request_of(spans))
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
        """Send a span that is too large even alone with its largest texts shortened: times and tokens arrive."""
        request = request_of([span])
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
        self._connection.patience.call(lambda: self._post(body))

    def shutdown(self) -> None:
        """Close the connection."""
        self._connection.close()

    def _post(self, body: bytes) -> None:
        answer = self._connection.post(ENDPOINT, body, _HEADERS)
        judge(answer.status, answer.headers, answer.body)


def _shorten(request: ExportTraceServiceRequest, longest: int) -> None:
    """Shorten every text of a request to `longest` characters and append its full length."""
    for resource in request.resource_spans:
        for scope in resource.scope_spans:
            for span in scope.spans:
                for attribute in span.attributes:
                    text = attribute.value.string_value
                    if len(text) > longest:
                        attribute.value.string_value = f"{text[:longest]}… ({len(text)} characters, too large)"


def judge(status: int, headers: httpx.Headers, body: bytes) -> None:
    """Return if a reply acknowledges all spans; otherwise raise.

    Raises:
        Retryable: Not accepted now, or an answer that only looks like an acknowledgement.
        Denied: Keys or address are wrong.
        TooLarge: The request is too large.
        Rejected: The server refuses a span in the request.
    """
    check_status(status, headers)
    if not _acknowledges(headers.get("content-type", ""), body):
        raise Retryable("an answer that is not an acknowledgement (200): check LANGFUSE_BASE_URL")


def _acknowledges(content_type: str, body: bytes) -> bool:
    """Return whether a body is an OTLP response without an error."""
    kind = content_type.partition(";")[0].strip().lower()
    if kind == "application/json":
        try:
            answer = json.loads(body or b"null")
        except (ValueError, RecursionError):
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
