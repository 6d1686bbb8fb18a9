"""Delivery to Langfuse: its encoding of spans, and scores."""

import ssl
from collections.abc import Sequence
from typing import ClassVar

import httpx
import langfuse

from ccship.config import Config
from ccship.errors import ConfigError, Retryable
from ccship.signals.scores import SENT, Score
from ccship.sinks import Delivery, exporter
from ccship.sinks.access import advice_of, auth_of, connection_errors, tls_of
from ccship.sinks.answers import Advice
from ccship.sinks.connection import LANGFUSE_TRACES, Answer, Connection
from ccship.sinks.exporter import PATIENCE, HttpExporter
from ccship.sinks.patience import Patience
from ccship.sinks.score_configs import ScoreConfigs
from ccship.sinks.scores import ScoreSender
from ccship.sinks.sdk_log import handle_sdk_log
from ccship.sinks.spans import SpanSink

_HEADERS = {"x-langfuse-ingestion-version": "4"}

_NO_KEY = "pk-lf-gateway"
"""Stands for the keys, which the SDK requires, if a gateway adds them."""


class LangfuseSink(SpanSink):
    """Delivers to a Langfuse server. A process can have one for each public key."""

    _served: ClassVar[dict[str, str]] = {}

    def __init__(self, config: Config, patience: Patience | None = None) -> None:
        if not config.can_send:
            raise ConfigError(config.why_no_keys)
        public_key = config.public_key or f"{_NO_KEY}-{config.destination}"
        if (taken := self._served.setdefault(public_key, config.base_url)) != config.base_url:
            # the SDK keeps one client per public key: spans for a second server would go to the first
            raise ConfigError(
                f"{config.public_key} is set for both {taken} and {config.base_url}: use a key for one server only"
            )
        handle_sdk_log()
        patience = patience or PATIENCE
        with connection_errors():
            # One for both clients: to read the system's certificates takes longer than a request.
            context = tls_of(config.access)
            identity = {
                "x-langfuse-sdk-name": "python",
                "x-langfuse-sdk-version": langfuse.__version__,
                **({"x-langfuse-public-key": config.public_key} if config.public_key else {}),
            }
            connection = Connection(
                config.base_url,
                patience,
                context,
                advice_of(config),
                auth_of(config),
                {**identity, **config.access.headers},
            )
            super().__init__(
                HttpExporter(connection, LANGFUSE_TRACES, exporter.judge if config.is_gateway else judge, _HEADERS),
                public_key=public_key,
                secret_key=config.secret_key or _NO_KEY,
                base_url=config.base_url,
                upload_media=not config.is_gateway,
                http_client=_media_client(config, patience.timeout_s, context),
            )
        self._scores = ScoreSender(connection, is_gateway=config.is_gateway)
        self._configs = ScoreConfigs(config, connection)
        self._names = SENT[config.signals]

    def score(self, scores: Sequence[Score]) -> Delivery:
        """Send scores of delivered traces."""
        delivery = self._scores.send(scores)
        if delivery.accepted:
            self._configs.ensure(self._names)
        return delivery


def _media_client(config: Config, timeout_s: float, context: ssl.SSLContext) -> httpx.Client:
    """Return the SDK's client, which uploads media to an address that the server names.

    That address gets no headers of the destination.
    """

    def add_headers(request: httpx.Request) -> None:
        if request.url.netloc == httpx.URL(config.base_url).netloc:
            request.headers.update(config.access.headers)

    return httpx.Client(timeout=timeout_s, verify=context, event_hooks={"request": [add_headers]})


def judge(answer: Answer, advice: Advice) -> None:
    """Judge an answer of Langfuse itself, which stores all spans of a request or none: others do not come from it."""
    partial = exporter.partial_success_of(answer)
    if partial is not None and (partial.rejected_spans or partial.error_message):
        raise Retryable(f"an answer that is not an acknowledgement ({answer.status}): {advice.address}")
    exporter.judge(answer, advice)
