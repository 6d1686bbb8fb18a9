"""Requests to a Langfuse server about itself and the keys. Read-only, with a deadline."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

import httpx
import orjson

from ccship.config import Config
from ccship.errors import ConfigError
from ccship.sinks.access import auth_of, client_of
from ccship.sinks.answers import read_bounded
from ccship.sinks.patience import deadline
from ccship.sinks.project import PROJECTS
from ccship.sinks.server_prices import ServerPrices

_TIMEOUT_S = 5.0
_DEADLINE_S = 8.0
"""For all requests together."""

_KNOWN = {401: False, 403: True, 200: True}
"""Whether a public key exists, by the response to the key alone: Langfuse 4.16 permits it no read, but answers 403."""


@dataclass(frozen=True, slots=True)
class Server:
    """The responses of a destination's server.

    Statuses are None if it did not respond. `ahead_s`: its clock minus ours, in seconds. `project`: the Langfuse
    project of the secret key. `knows_public_key`: whether any project has the public key; None if the server does not
    tell. `unpriced`: models without a price on the server and in ccship.
    """

    name: str
    base_url: str
    error: str | None = None
    health_status: int | None = None
    version: str | None = None
    keys_status: int | None = None
    ahead_s: float = 0.0
    project: str | None = None
    knows_public_key: bool | None = None
    unpriced: tuple[str, ...] = ()


def ask(destination: Config) -> Server:
    """Request the version, the clock, the project of the keys and the prices of a destination's server."""
    name, base_url = destination.name, destination.base_url
    auth = auth_of(destination)
    try:
        client = client_of(destination, _TIMEOUT_S)
    except ConfigError as error:
        return Server(name, base_url, error=str(error))
    with client:
        try:
            with deadline(client, _DEADLINE_S):
                health_status, health, date = _get(client, "/api/public/health", None)
                keys_status, projects, _ = _get(client, PROJECTS, auth)
                # Langfuse authenticates by the secret key alone; a bearer token checks the public key by itself
                token = {"authorization": f"Bearer {destination.public_key}"}
                alone_status, _, _ = _get(client, PROJECTS, None, token)
        except (httpx.HTTPError, httpx.InvalidURL, OSError, RuntimeError) as error:
            return Server(name, base_url, error=type(error).__name__)
    if keys_status != httpx.codes.OK:
        return Server(name, base_url, None, health_status, _version_in(health), keys_status, _ahead_s(date))
    unpriced = ServerPrices(destination).unpriced() if destination.trace_settings.cost == "auto" else ()
    return Server(
        name, base_url, None, health_status, _version_in(health), keys_status, _ahead_s(date),
        _project_in(projects), _KNOWN.get(alone_status), tuple(unpriced),
    )  # fmt: skip


def _get(
    client: httpx.Client, path: str, auth: httpx.Auth | None, headers: Mapping[str, str] | None = None
) -> tuple[int, bytes, str | None]:
    with client.stream("GET", path, auth=auth, headers=headers) as reply:
        return reply.status_code, read_bounded(reply), reply.headers.get("date")


def _version_in(body: bytes) -> str | None:
    try:
        found = orjson.loads(body)
    except ValueError:
        return None
    return str(found["version"]) if isinstance(found, dict) and found.get("version") else None


def _project_in(body: bytes) -> str | None:
    """Return the project's name, with that of its organization if it has one."""
    try:
        (project,) = orjson.loads(body)["data"]
        organization = (project.get("organization") or {}).get("name")
        return f"{project['name']} ({organization})" if organization else str(project["name"])
    except (ValueError, TypeError, KeyError, AttributeError):
        return None


def _ahead_s(date: str | None) -> float:
    try:
        return parsedate_to_datetime(date or "").timestamp() - time.time()
    except ValueError:
        return 0.0
