"""A request to the OTLP endpoint of a destination: an export without spans, which changes nothing there."""

from dataclasses import dataclass

from ccship.config import Config
from ccship.errors import ConfigError, DeliveryError
from ccship.sinks.access import advice_of, auth_of, connection_errors, tls_of
from ccship.sinks.connection import LANGFUSE_TRACES, Connection
from ccship.sinks.patience import Patience

_PATIENCE = Patience(timeout_s=5.0, deadline_s=8.0, attempts=1, longest_wait_s=0.0)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """What the endpoint of a destination answered. `problem`: why it takes no spans; None if it does."""

    name: str
    address: str
    problem: str | None = None


def try_endpoint(destination: Config) -> Endpoint:
    """Send an export without spans to an OTLP destination, or through the gateway of a Langfuse destination."""
    # it loads OpenTelemetry, which most users of this command do without
    from ccship.sinks.exporter import PROBE, judge  # noqa: PLC0415

    path = LANGFUSE_TRACES if destination.kind == "langfuse" else ""
    problem: str | None = None
    try:
        with connection_errors():
            connection = Connection(
                destination.base_url, _PATIENCE, tls_of(destination.access), advice_of(destination),
                auth_of(destination), destination.access.headers,
            )  # fmt: skip
        answer = connection.post(path, PROBE, {"content-type": "application/x-protobuf"})
        connection.close()
        judge(answer, connection.advice)
    except (ConfigError, DeliveryError) as error:
        problem = str(error)
    return Endpoint(destination.name, destination.base_url + path, problem)
