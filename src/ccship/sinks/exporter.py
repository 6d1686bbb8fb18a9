"""Delivery of OpenTelemetry spans over HTTP, with a strict reading of the answer.

Accepted means: status 200 without a redirect, and a protobuf or JSON body without an error. OpenTelemetry's own
exporter also accepts redirects, login pages and partial successes, and loses spans each time.
"""

import gzip
import json
import time
from collections.abc import Callable, Mapping, Sequence
from itertools import chain
from types import MappingProxyType

from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTracePartialSuccess,
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

from ccship.errors import DeliveryError, Denied, PartlyRejected, Rejected, Retryable, TooLarge
from ccship.sinks import Delivery
from ccship.sinks.answers import REFUSALS, Advice, check_status
from ccship.sinks.connection import Answer, Connection
from ccship.sinks.otlp import request_of
from ccship.sinks.patience import Patience

PATIENCE = Patience(timeout_s=10.0, deadline_s=30.0, attempts=3, longest_wait_s=5.0)
"""For one batch; the next run can read the transcript again. The deadline also ends an answer of one byte a second."""

_SHORTER_CHARS = (20_000, 1_000)
"""Characters kept of a text when a single span is too large, and when it still is."""

_LONGEST_REASON = 200

PROBE = b"\n\x00"
"""An export request with one resource and no spans. Servers take it that refuse a request of no bytes (MLflow does)."""


_DELIVERY_S = 60.0
"""For all requests of one batch, of which each has a time limit of its own: a worker lives two minutes."""

_TRIES = 16
"""Requests with spans to a server that refuses even the probe, until one of them is accepted."""


class AccountingExporter(SpanExporter):
    """An exporter that records the outcome of every span."""

    def __init__(self) -> None:
        self.delivery = Delivery()

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Send the spans and record the outcome in `delivery`."""
        try:
            self.send(spans)
        except Exception as error:  # noqa: BLE001 - the SDK would log it and report success
            self.delivery.failure = self.delivery.failure or error  # type: ignore[assignment]
        return SpanExportResult.FAILURE if self.delivery.failure else SpanExportResult.SUCCESS

    def send(self, spans: Sequence[ReadableSpan]) -> None:
        """Send the spans; those neither accepted nor rejected on return are not delivered."""
        raise NotImplementedError


class HttpExporter(AccountingExporter):
    """Sends batches; halves those that are too large or contain a span that the server refuses.

    `path`: on the server of the connection; `judge`: raises unless an answer acknowledges all spans; `compresses`: with
    gzip. `probes`: when spans are refused, find out whether any request is.
    """

    def __init__(
        self,
        connection: Connection,
        path: str,
        judge: Callable[[Answer, Advice], None],
        headers: Mapping[str, str] = MappingProxyType({}),
        *,
        compresses: bool = True,
        probes: bool = False,
    ) -> None:
        super().__init__()
        self._takes_requests = not probes
        self._denied: Denied | None = None
        self._give_up_at = 0.0
        self._tries = _TRIES
        self._connection = connection
        self._path = path
        self._judge = judge
        self._headers = {"content-type": "application/x-protobuf", **headers}
        self._compresses = compresses
        if compresses:
            self._headers["content-encoding"] = "gzip"

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Send the spans. A server that has accepted none so far, and refuses the probe, rejects none: it fails."""
        self._give_up_at = time.monotonic() + _DELIVERY_S
        result = super().export(spans)
        if self._takes_requests or self._denied is None or not self.delivery.rejected:
            return result
        self.delivery.rejected.clear()
        self.delivery.failure = self.delivery.failure or self._denied
        return SpanExportResult.FAILURE

    def send(self, spans: Sequence[ReadableSpan]) -> None:
        """Send spans until each is accepted or rejected, or the delivery fails."""
        if self._is_over():
            return  # the server is down: do not send it the rest of the queue
        try:
            if len(spans) == 1:
                self._send_alone(spans[0])
            else:
                self._post_patiently(request_of(spans))
        except PartlyRejected as error:
            self._takes_requests = True
            self._settle(spans, error)
        except (TooLarge, Rejected) as error:
            if isinstance(error, Rejected):
                self._ask_without_spans()
                if self.delivery.failure is not None:
                    return
            if len(spans) == 1:
                self.delivery.rejected[span_id_of(spans[0])] = self._connection.without_headers(str(error))
                return
            half = len(spans) // 2
            self.send(spans[:half])
            self.send(spans[half:])
        except (Retryable, Denied) as error:
            self.delivery.failure = error
        else:
            self._takes_requests = True
            self.delivery.accepted.update(map(span_id_of, spans))

    def _is_over(self) -> bool:
        if self.delivery.failure is None and time.monotonic() > self._give_up_at:
            self.delivery.failure = Retryable("too many requests for one batch; the next run continues")
        return self.delivery.failure is not None

    def _settle(self, spans: Sequence[ReadableSpan], partly: PartlyRejected) -> None:
        """Find the spans that a server refused and dropped, of which it tells only the number.

        Those that it stored should not be sent again. So each is sent alone, the largest first, which are refused most
        often, until the number is reached: the others are stored.
        """
        if partly.count >= len(spans):
            reason = self._connection.without_headers(str(partly))
            self.delivery.rejected.update((span_id_of(span), reason) for span in spans)
            return
        found = 0
        for span in sorted(spans, key=_size, reverse=True):
            self.send([span])
            if self.delivery.failure is not None:
                return
            found += span_id_of(span) in self.delivery.rejected
            if found == partly.count:
                break
        self.delivery.accepted.update({span_id_of(span) for span in spans} - self.delivery.rejected.keys())

    def _ask_without_spans(self) -> None:
        """Ask a server that has accepted nothing so far whether it refuses every request: then no span is to blame.

        It may refuse only requests without spans, so the delivery fails after a few more that are refused.
        """
        if self._takes_requests:
            return
        if self._denied is None:
            try:
                self._denied = self._answer_to_probe()
            except DeliveryError as error:
                self.delivery.failure = error
                return
            self._takes_requests = self._denied is None
            return
        self._tries -= 1
        if self._tries <= 0:
            self.delivery.failure = self._denied

    def _answer_to_probe(self) -> Denied | None:
        answer = self._connection.post(self._path, self._encoded(PROBE), self._headers)
        if answer.status not in REFUSALS:
            check_status(answer.status, answer.headers, self._connection.advice)
            return None
        text = self._connection.without_headers(_plain(answer.body.decode("utf-8", "replace")))
        advice = self._connection.advice
        return Denied(f"every request is refused ({answer.status}): {advice.sender}; the server answers: {text}")

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
        body = self._encoded(request.SerializeToString())
        self._connection.patience.call(lambda: self._post(body))

    def _encoded(self, body: bytes) -> bytes:
        return gzip.compress(body, compresslevel=1) if self._compresses else body

    def shutdown(self) -> None:
        """Close the connection."""
        self._connection.close()

    def _post(self, body: bytes) -> None:
        self._judge(self._connection.post(self._path, body, self._headers), self._connection.advice)


def judge(answer: Answer, advice: Advice) -> None:
    """Return if an answer acknowledges all spans; otherwise raise.

    Raises:
        Retryable: Not accepted now, or an answer that only looks like an acknowledgement.
        Denied: Keys or address are wrong.
        TooLarge: The request is too large.
        Rejected: The server refuses a span in the request, and stored none.
        PartlyRejected: It refuses some spans, and stored the others.
    """
    check_status(answer.status, answer.headers, advice)
    partial = partial_success_of(answer)
    if partial is None:
        raise Retryable(f"an answer that is not an acknowledgement (200): {advice.address}")
    if partial.rejected_spans > 0:
        reason = _plain(partial.error_message) or "without a reason"
        raise PartlyRejected(f"refused by the server: {reason}", partial.rejected_spans)


def partial_success_of(answer: Answer) -> ExportTracePartialSuccess | None:
    """Return what an answer tells about refused spans; None if it is not an answer of OpenTelemetry's protocol."""
    kind = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "application/json":
        return _partial_success_in(answer.body)
    if kind == "application/x-protobuf":
        try:
            return ExportTraceServiceResponse.FromString(answer.body).partial_success
        except DecodeError:
            return None
    return None


def _partial_success_in(body: bytes) -> ExportTracePartialSuccess | None:
    try:
        content = json.loads(body or b"null")
        if not isinstance(content, dict) or content.get("error"):
            return None
        found = content.get("partialSuccess") or {}
        return ExportTracePartialSuccess(
            rejected_spans=int(found.get("rejectedSpans") or 0), error_message=str(found.get("errorMessage") or "")
        )
    except (ValueError, TypeError, AttributeError, OverflowError, RecursionError):
        return None


def _plain(text: str) -> str:
    """Return what a server says as one line without control characters: terminals and logs show it."""
    kept = "".join(char if char.isprintable() else " " for char in text[: 2 * _LONGEST_REASON])
    return " ".join(kept.split())[:_LONGEST_REASON]


def span_id_of(span: ReadableSpan) -> str:
    """Return the id of a span in hex; empty if it has none."""
    context = span.get_span_context()
    return f"{context.span_id:016x}" if context else ""


def _size(span: ReadableSpan) -> int:
    return sum(len(value) for value in (span.attributes or {}).values() if isinstance(value, str))


def _shorten(request: ExportTraceServiceRequest, longest: int) -> None:
    """Shorten every text of a request to `longest` characters and append its full length."""
    for resource in request.resource_spans:
        for scope in resource.scope_spans:
            for span in scope.spans:
                for attribute in chain(span.attributes, *(event.attributes for event in span.events)):
                    text = attribute.value.string_value
                    if len(text) > longest:
                        attribute.value.string_value = f"{text[:longest]}… ({len(text)} characters, too large)"
