"""What a Langfuse server says that it has: its read APIs, through plain HTTP.

Reads only. New servers answer on `/api/public/v2/observations`, a session at a time; older ones on
`/api/public/traces/<id>`, a trace at a time. Limits of the server are obeyed, and every wait has an end.
"""

import time
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Any, Self

import httpx
from pydantic import AliasChoices, AwareDatetime, BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from ccship.config import Config
from ccship.errors import ConfigError, Denied, Retryable
from ccship.sinks.answers import check_status
from ccship.verify import Arrived

PAGE = 1000
"""The most that the v2 API gives at once."""

_TIMEOUT_S = 30.0
_ATTEMPTS = 4
"""Somebody waits: a server that is restarted gets three and a half seconds, one that names a time gets that."""

_LONGEST_WAIT_S = 60.0
"""A server that asks to wait longer is left alone; the command can be run again."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


class _Row(BaseModel):
    model_config = ConfigDict(extra="ignore", alias_generator=to_camel)

    id: str
    trace_id: str
    start_time: AwareDatetime
    usage_details: dict[str, float] | None = Field(default=None, validation_alias=AliasChoices("usageDetails", "usage"))


class Reader:
    """Asks one server. Use as a context manager."""

    def __init__(self, settings: Config) -> None:
        if not settings.public_key or not settings.secret_key:
            raise ConfigError("no keys: set LANGFUSE_PUBLIC_KEY and LANGFUSE_SECRET_KEY")
        self._client = httpx.Client(
            base_url=settings.base_url,
            auth=(settings.public_key, settings.secret_key),
            timeout=_TIMEOUT_S,
            follow_redirects=False,
        )
        self._has_v2 = True

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._client.close()

    def session(self, session_id: str, trace_ids: Iterable[str]) -> list[Arrived]:
        """All that has arrived of a session.

        Raises:
            DeliveryError: the server cannot be asked now, or not with these keys.
        """
        if self._has_v2:
            first = self._page(session_id, None)
            if first is not None:
                return list(self._pages(session_id, first))
            if self._get("/api/public/projects", {}) is None:
                # a server that knows nothing has nothing either: that is not what was asked
                raise Denied("no Langfuse at this address (404): check LANGFUSE_BASE_URL")
            self._has_v2 = False
        return [row for trace_id in trace_ids for row in self._trace(trace_id)]

    def _pages(self, session_id: str, page: Any) -> Iterator[Arrived]:
        while True:
            yield from _rows(page.get("data"))
            cursor = (page.get("meta") or {}).get("cursor")
            if not cursor:
                return
            page = self._page(session_id, cursor)
            if page is None:
                raise Denied("an answer that names a next page which is not there: is this server newer than ccship?")

    def _page(self, session_id: str, cursor: str | None) -> Any:
        asked: dict[str, str | int] = {"sessionId": session_id, "fields": "core,basic,usage", "limit": PAGE}
        return self._get("/api/public/v2/observations", asked | ({"cursor": cursor} if cursor else {}))

    def _trace(self, trace_id: str) -> list[Arrived]:
        return _rows((self._get(f"/api/public/traces/{trace_id}", {}) or {}).get("observations"))

    def _get(self, path: str, asked: dict[str, str | int]) -> Any:
        """What the server answers; None when it does not know the path. Waits where it asks to, and not for ever."""
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                reply = self._client.get(path, params=asked)
                if reply.status_code == httpx.codes.NOT_FOUND:
                    return None
                check_status(reply.status_code, reply.headers)
                return _object(reply)
            except (httpx.HTTPError, OSError) as error:
                problem = Retryable(f"{self._client.base_url} does not answer: {type(error).__name__}")
            except httpx.InvalidURL as error:
                raise ConfigError(
                    f"{self._client.base_url} is no address ({error}): check LANGFUSE_BASE_URL"
                ) from error
            except Retryable as error:
                problem = error
            wait_s = problem.retry_after_s or 0.25 * 2**attempt
            if attempt == _ATTEMPTS or wait_s > _LONGEST_WAIT_S:
                break
            time.sleep(wait_s)
        raise problem


def _object(reply: httpx.Response) -> dict[str, Any]:
    try:
        answer = reply.json()
    except ValueError:
        answer = None
    if not isinstance(answer, dict):
        raise Denied("an answer that is no JSON object (200): check LANGFUSE_BASE_URL")
    return answer


def _rows(data: Any) -> list[Arrived]:
    try:
        rows = [_Row.model_validate(item) for item in data or ()]
    except (ValidationError, TypeError) as error:
        raise Denied("an answer that lists no observations: is this server newer than ccship?") from error
    return [
        Arrived(
            row.trace_id,
            row.id,
            (row.start_time - _EPOCH) // _MILLISECOND,
            {key: int(count) for key, count in (row.usage_details or {}).items()},
        )
        for row in rows
    ]
