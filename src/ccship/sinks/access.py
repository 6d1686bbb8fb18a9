"""What requests to a destination's server need: authentication, headers and certificates."""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager

import httpx

from ccship.config import Config
from ccship.config.access import Access
from ccship.errors import ConfigError
from ccship.sinks.answers import LANGFUSE, Advice


def auth_of(config: Config) -> httpx.Auth | None:
    """Return the authentication with a destination's keys; None if a gateway adds them."""
    return httpx.BasicAuth(config.public_key, config.secret_key) if config.public_key and config.secret_key else None


def advice_of(config: Config) -> Advice:
    """Return what to check if a destination's server refuses the sender, or is another server."""
    if config.kind == "langfuse" and not config.is_gateway:
        return LANGFUSE
    if config.name == "default":
        return Advice("Langfuse", "check CC_LANGFUSE_HEADERS", "check LANGFUSE_BASE_URL")
    server, address = ("Langfuse", "base_url") if config.is_gateway else ("OTLP endpoint", "endpoint")
    return Advice(
        server, f"check the headers of destination {config.name}", f"check {address} of destination {config.name}"
    )


def tls_of(access: Access) -> ssl.SSLContext:
    """Return the trusted authorities and the client certificate of a destination.

    Raises:
        OSError: A file cannot be read, or does not contain a certificate.
    """
    context = (
        ssl.create_default_context(cafile=access.certificate) if access.certificate else httpx.create_ssl_context()
    )
    if access.client_certificate:
        context.load_cert_chain(access.client_certificate, access.client_key)
    return context


def client_of(config: Config, timeout_s: float) -> httpx.Client:
    """Return a client for other requests to the destination's server than those of its sink.

    Raises:
        ConfigError: Certificates or proxy variables are invalid.
    """
    with connection_errors():
        return httpx.Client(
            base_url=config.base_url, timeout=timeout_s, follow_redirects=False, auth=auth_of(config),
            headers=config.access.headers, verify=tls_of(config.access),
        )  # fmt: skip


@contextmanager
def connection_errors() -> Iterator[None]:
    """Report errors of HTTP clients, which read certificates and the standard variables when they are created."""
    try:
        yield
    except (OSError, ValueError, ImportError, httpx.InvalidURL) as error:
        raise ConfigError(
            f"cannot connect ({error}): check the certificates, SSL_CERT_FILE and the proxy variables (ALL_PROXY, ...)"
        ) from error
