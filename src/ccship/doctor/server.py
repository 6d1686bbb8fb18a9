"""Asks a Langfuse server who it is and whether it takes the keys; writes nothing there, and never waits long."""

import threading
import time
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

import httpx
import orjson

from ccship.config import Config

_TIMEOUT_S = 5.0
_DEADLINE_S = 8.0
"""For both questions together: a server that sends a byte a second never meets a timeout."""

_MAX_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class Server:
    """What a destination answered. Statuses are None where it did not; `ahead_s`: its clock less ours, in seconds."""

    name: str
    base_url: str
    error: str | None = None
    health_status: int | None = None
    version: str | None = None
    keys_status: int | None = None
    ahead_s: float = 0.0


def ask(destination: Config) -> Server:
    """What the server of a destination says of itself and of the keys."""
    name, base_url = destination.name, destination.base_url
    auth = httpx.BasicAuth(destination.public_key or "", destination.secret_key or "")
    with httpx.Client(base_url=base_url, timeout=_TIMEOUT_S, follow_redirects=False) as client:
        timer = threading.Timer(_DEADLINE_S, client.close)
        timer.daemon = True
        timer.start()
        try:
            health_status, health, date = _get(client, "/api/public/health", None)
            keys_status, _, _ = _get(client, "/api/public/projects", auth)
        except (httpx.HTTPError, httpx.InvalidURL, OSError, RuntimeError) as error:
            return Server(name, base_url, error=type(error).__name__)
        finally:
            timer.cancel()
    return Server(name, base_url, None, health_status, _version_in(health), keys_status, _ahead_s(date))


def _get(client: httpx.Client, path: str, auth: httpx.Auth | None) -> tuple[int, bytes, str | None]:
    body = b""
    with client.stream("GET", path, auth=auth) as reply:
        for chunk in reply.iter_bytes():
            body += chunk
            if len(body) > _MAX_BYTES:
                break
        return reply.status_code, body, reply.headers.get("date")


def _version_in(body: bytes) -> str | None:
    try:
        found = orjson.loads(body)
    except ValueError:
        return None
    return str(found["version"]) if isinstance(found, dict) and found.get("version") else None


def _ahead_s(date: str | None) -> float:
    try:
        return parsedate_to_datetime(date or "").timestamp() - time.time()
    except ValueError:
        return 0.0
