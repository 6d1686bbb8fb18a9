"""The Langfuse project of a destination's keys. The address of a trace contains its id."""

import httpx
import orjson

from ccship.config import Config
from ccship.sinks.answers import read_bounded
from ccship.sinks.patience import deadline

PROJECTS = "/api/public/projects"
_TIMEOUT_S, _DEADLINE_S = 5.0, 8.0


def project_id_of(settings: Config) -> str | None:
    """Return the id of the project of a destination's keys; None without keys, or if the server does not tell now."""
    if not settings.public_key or not settings.secret_key:
        return None
    auth = httpx.BasicAuth(settings.public_key, settings.secret_key)
    try:
        with (
            httpx.Client(timeout=_TIMEOUT_S, follow_redirects=False) as client,
            deadline(client, _DEADLINE_S),
            client.stream("GET", settings.base_url + PROJECTS, auth=auth) as reply,
        ):
            if reply.status_code != httpx.codes.OK:
                return None
            (project,) = orjson.loads(read_bounded(reply))["data"]
            return str(project["id"])
    except (httpx.HTTPError, httpx.InvalidURL, OSError, RuntimeError, ValueError, TypeError, KeyError):
        return None
