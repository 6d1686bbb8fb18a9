"""A connection to a server. Every answer is read to its end within a deadline, and judged by the caller."""

import ssl
from collections.abc import Mapping
from dataclasses import dataclass

import httpx

from ccship import __version__
from ccship.errors import Denied, Retryable
from ccship.sinks.answers import Advice, read_bounded
from ccship.sinks.patience import Patience, deadline

LANGFUSE_TRACES = "/api/public/otel/v1/traces"
"""Where a Langfuse server takes spans."""

_SHORTEST_SECRET = 8
"""Shorter words of a header are no secrets, and may occur in any text."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer. `body` is cut off soon after the limit of the request."""

    status: int
    headers: httpx.Headers
    body: bytes


class Connection:
    """Sends requests to one server. Connects at the first request, and again after a failure."""

    def __init__(
        self,
        base_url: str,
        patience: Patience,
        context: ssl.SSLContext,
        advice: Advice,
        auth: httpx.Auth | None,
        headers: Mapping[str, str],
    ) -> None:
        self.patience = patience
        self.advice = advice
        self._base_url = base_url.rstrip("/")
        self._context = context
        self._client: httpx.Client | None = None
        self._auth = auth
        self._headers = {"user-agent": f"ccship/{__version__}", **headers}
        words = {word for value in headers.values() for word in value.split()}
        self._secrets = sorted((word for word in words if len(word) >= _SHORTEST_SECRET), key=len, reverse=True)

    def post(self, path: str, body: bytes, headers: Mapping[str, str], limit: int | None = None) -> Answer:
        """Send a body, and return the answer. `limit`: bytes that are read of it.

        Raises:
            Retryable: There is none.
            Denied: The address is not valid.
        """
        return self._request("POST", path, {**self._headers, **headers}, body, {}, limit)

    def get(self, path: str, asked: Mapping[str, int], limit: int | None = None) -> Answer:
        """Return the answer to a question. Raises as `post`."""
        return self._request("GET", path, self._headers, None, asked, limit)

    def without_headers(self, text: str) -> str:
        """Return a text of the server without the values of the destination's headers, which it may repeat."""
        for secret in self._secrets:
            text = text.replace(secret, "[header]")
        return text

    def close(self) -> None:
        """Close the connection."""
        if self._client is not None:
            self._client.close()

    def _request(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str],
        body: bytes | None,
        asked: Mapping[str, int],
        limit: int | None,
    ) -> Answer:
        url = self._base_url + path
        client = self._client = self._client or httpx.Client(
            timeout=self.patience.timeout_s, follow_redirects=False, verify=self._context
        )
        try:
            with (
                deadline(client, self.patience.deadline_s),
                client.stream(
                    method, url, content=body, params=asked or None, headers=headers, auth=self._auth
                ) as reply,
            ):
                return Answer(reply.status_code, reply.headers, read_bounded(reply, limit))
        except (httpx.HTTPError, OSError, RuntimeError) as error:
            # RuntimeError: the deadline closed the client before it connected
            raise Retryable(f"{url} does not answer: {_reason(error)}") from error
        except httpx.InvalidURL as error:
            raise Denied(f"{url} is not a valid address ({error}): {self.advice.address}") from error
        finally:
            if client.is_closed:
                self._client = None


def _reason(error: BaseException) -> str:
    """Return what went wrong, without texts that others wrote."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLError):
            return f"TLS failed ({cause.reason or type(cause).__name__}), check certificate and client_certificate"
        cause = cause.__cause__ or cause.__context__
    return type(error).__name__
