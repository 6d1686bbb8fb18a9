"""The Langfuse project of a destination's keys. The address of a trace contains its id."""

import httpx
import orjson

from ccship.config import Config
from ccship.errors import ConfigError
from ccship.sinks.access import client_of
from ccship.sinks.answers import read_bounded
from ccship.sinks.patience import deadline

PROJECTS = "/api/public/projects"
_TIMEOUT_S, _DEADLINE_S = 5.0, 8.0


def project_id_of(settings: Config) -> str | None:
    """Return the id of the project of a destination's keys; None without keys, or if the server does not tell now."""
    if not settings.can_send or settings.kind != "langfuse":
        return None
    try:
        with (
            client_of(settings, _TIMEOUT_S) as client,
            deadline(client, _DEADLINE_S),
            client.stream("GET", PROJECTS) as reply,
        ):
            if reply.status_code != httpx.codes.OK:
                return None
            (project,) = orjson.loads(read_bounded(reply))["data"]
            return str(project["id"])
    except (ConfigError, httpx.HTTPError, httpx.InvalidURL, OSError, RuntimeError, ValueError, TypeError, KeyError):
        return None
