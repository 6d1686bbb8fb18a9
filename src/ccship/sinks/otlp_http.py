"""Delivery to any backend that takes OpenTelemetry's protocol over HTTP, in the `gen_ai` encoding."""

from collections.abc import Collection, Sequence
from dataclasses import replace

from ccship.config import Config
from ccship.errors import DeliveryError
from ccship.privacy.encoding import Encoded
from ccship.signals.scores import Score
from ccship.sinks import Delivery
from ccship.sinks.access import advice_of, connection_errors, tls_of
from ccship.sinks.connection import Connection
from ccship.sinks.exporter import PATIENCE, HttpExporter, judge
from ccship.sinks.gen_ai import gen_ai_spans
from ccship.sinks.patience import Patience


class OtlpSink:
    """Delivers to an OTLP endpoint. It takes no scores.

    A server that refuses a part of a request tells only how many spans. Those whose names were refused before are sent
    alone, so that the answer tells which.
    """

    def __init__(self, config: Config, refused: Collection[str] = (), patience: Patience | None = None) -> None:
        self._refused = set(refused)
        patience = patience or PATIENCE
        if config.access.timeout_s:
            patience = replace(patience, timeout_s=config.access.timeout_s)
        with connection_errors():
            connection = Connection(
                config.base_url, patience, tls_of(config.access), advice_of(config), None, config.access.headers
            )
        self._exporter = HttpExporter(connection, "", judge, compresses=config.access.compresses, probes=True)

    def deliver(self, spans: Sequence[Encoded]) -> Delivery:
        """Send a batch and wait until the server has answered for all of it."""
        self._exporter.delivery = Delivery()
        together = [span for span in spans if span.observation.name not in self._refused]
        alone = [span for span in spans if span.observation.name in self._refused]
        for batch in filter(None, (together, *([span] for span in alone))):
            self._exporter.export(gen_ai_spans(batch))
        rejected = self._exporter.delivery.rejected
        self._refused |= {span.observation.name for span in spans if span.span_id in rejected}
        failure = self._exporter.delivery.failure
        if failure is not None and not isinstance(failure, (DeliveryError, OSError)):
            raise failure  # a bug: fail this session, and no other
        return self._exporter.delivery

    def score(self, scores: Sequence[Score]) -> Delivery:
        """Leave scores out: OpenTelemetry has none."""
        return Delivery(is_unsupported=bool(scores))

    def close(self) -> None:
        """Close the connection."""
        self._exporter.shutdown()
