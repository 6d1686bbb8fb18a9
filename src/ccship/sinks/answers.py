"""The meaning of a server's status codes, as errors."""

from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import httpx

from ccship.errors import Denied, Rejected, Retryable, TooLarge

_MAX_RETRY_AFTER_S = 3600.0
_MAX_BYTES = 64 * 1024

REFUSALS = frozenset({400, 422})
"""The server refuses something in the request."""

_LATER = frozenset({408, 425, 429, 500, 502, 503, 504, 529})


@dataclass(frozen=True, slots=True)
class Advice:
    """Texts for messages: the expected server, and what to check if it refuses the sender or is another one."""

    server: str
    sender: str
    address: str
    sender_is: str = "the headers"

    def of(self, status: int) -> str | None:
        """Return the message for a status that only another configuration changes."""
        match status:
            case 401:
                return f"{self.sender_is} were not accepted (401): {self.sender}"
            case 403:
                return f"{self.sender_is} may not write to this project (403): {self.sender}"
            case 404:
                return f"no {self.server} at this address (404): {self.address}"
            case _:
                return None


LANGFUSE = Advice(
    "Langfuse", "check LANGFUSE_PUBLIC_KEY and LANGFUSE_SECRET_KEY", "check LANGFUSE_BASE_URL", "the keys"
)


def check_status(status: int, headers: httpx.Headers, advice: Advice = LANGFUSE) -> None:
    """Return for status 200; otherwise raise.

    Raises:
        Retryable: The server is busy, or the answer is not Langfuse's.
        Denied: Keys or address are wrong.
        TooLarge: The request is too large.
        Rejected: The server refuses something in the request.
    """
    if message := advice.of(status):
        raise Denied(message)
    if status == httpx.codes.REQUEST_ENTITY_TOO_LARGE:
        raise TooLarge("too large for the server (413)")
    if status in REFUSALS:
        raise Rejected(f"refused by the server ({status})")
    if status in _LATER or status >= httpx.codes.INTERNAL_SERVER_ERROR:
        raise Retryable(f"the server is busy ({status})", retry_after_s(headers.get("retry-after"), datetime.now(UTC)))
    if status != httpx.codes.OK:
        raise Retryable(f"an unexpected answer ({status}): {advice.address}")


def read_bounded(reply: httpx.Response, limit: int | None = None) -> bytes:
    """Return the body of a streamed answer, cut off soon after a limit in bytes (64 KiB by default)."""
    body = b""
    for chunk in reply.iter_bytes():
        body += chunk
        if len(body) > (limit or _MAX_BYTES):
            break
    return body


def retry_after_s(value: str | None, now: datetime) -> float | None:
    """Return the seconds in a `Retry-After` header, capped; None without a valid value."""
    if not value:
        return None
    try:
        seconds = float(value)
    except ValueError:
        try:
            seconds = (parsedate_to_datetime(value).astimezone(UTC) - now).total_seconds()
        except (ValueError, TypeError):
            return None
    return min(max(seconds, 0.0), _MAX_RETRY_AFTER_S) if seconds == seconds else None  # noqa: PLR0124 - NaN
