"""Reads observations and scores through Langfuse's read APIs.

Newer servers have `/api/public/v2/observations`, one session per call; older ones `/api/public/traces/<id>`, one trace
per call. Scores are read from newer servers only. Rate limits are obeyed, and every wait is limited.
"""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Annotated, Self, TypeAlias, TypeVar

import httpx
import msgspec

from ccship.config import Config
from ccship.errors import ConfigError, Denied, Retryable
from ccship.sinks.access import advice_of, client_of
from ccship.sinks.answers import Advice, check_status
from ccship.sinks.patience import Patience
from ccship.verify.compare import Arrived

PAGE = 1000
"""The v2 API's maximum."""

SCORES_PAGE = 100
"""The v3 API's maximum."""

_TRACES_AT_ONCE = 50
"""Trace ids in one address, which some proxies limit to 4 kB."""

_PATIENCE = Patience(timeout_s=30.0, attempts=4, longest_wait_s=60.0, first_wait_s=1.0)
"""A user is waiting: about four seconds for a restarting server, up to a minute if the server requests it."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


_Time: TypeAlias = Annotated[datetime, msgspec.Meta(tz=True)]


class _Row(msgspec.Struct, rename="camel"):
    """An observation as both APIs return it; the model and the cost have other names in each."""

    id: str
    trace_id: str
    start_time: _Time
    updated_at: _Time | None = None
    usage_details: dict[str, float] | None = None
    provided_model_name: str | None = None
    model: str | None = None
    total_cost: float | msgspec.UnsetType | None = msgspec.UNSET
    calculated_total_cost: float | msgspec.UnsetType | None = msgspec.UNSET


class _Meta(msgspec.Struct):
    cursor: str | None = None


class _Page(msgspec.Struct):
    data: list[_Row]
    meta: _Meta | None = None


class _Trace(msgspec.Struct):
    observations: list[_Row]


class _Score(msgspec.Struct):
    id: str
    value: bool | float | str


class _ScorePage(msgspec.Struct):
    data: list[_Score]
    meta: _Meta | None = None


class _Other(msgspec.Struct):
    """An answer that only has to be an object."""


_Answer = TypeVar("_Answer", _Page, _Trace, _ScorePage, _Other)


class Reader:
    """A client of one server's read API, a context manager. `shows_scores`: whether it is new enough to tell them."""

    def __init__(self, settings: Config) -> None:
        if not settings.can_send:
            raise ConfigError(settings.why_no_keys)
        self._client = client_of(settings, _PATIENCE.timeout_s)
        self._advice = advice_of(settings)
        self._has_v2 = True
        self.shows_scores = True

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._client.close()

    def session(self, session_id: str, trace_ids: Iterable[str]) -> list[Arrived]:
        """Return all observations of a session on the server.

        Raises:
            DeliveryError: The server does not answer now, or refuses these keys.
        """
        if self._has_v2:
            first = self._page(session_id, None)
            if first is not None:
                return list(self._pages(session_id, first))
            if self._get("/api/public/projects", {}, _Other) is None:
                # a server without either API is not a Langfuse without observations
                raise Denied(f"no Langfuse at this address (404): {self._advice.address}")
            self._has_v2 = False
        return [row for trace_id in trace_ids for row in self._trace(trace_id)]

    def scores(self, trace_ids: Iterable[str]) -> dict[str, float] | None:
        """Return the scores of traces: value by id, without texts; None if the server is too old to tell.

        Raises:
            DeliveryError: The server does not answer now, or refuses these keys.
        """
        found: dict[str, float] = {}
        left = list(trace_ids) if self.shows_scores else []
        while left:
            asked: dict[str, str | int] = {
                "traceId": ",".join(left[:_TRACES_AT_ONCE]),
                "fields": "core",
                "limit": SCORES_PAGE,
            }
            left = left[_TRACES_AT_ONCE:]
            cursor: str | None = None
            while True:
                page = self._get("/api/public/v3/scores", asked | ({"cursor": cursor} if cursor else {}), _ScorePage)
                if page is None:
                    self.shows_scores = False
                    return None
                found |= {score.id: float(score.value) for score in page.data if not isinstance(score.value, str)}
                cursor = page.meta.cursor if page.meta else None
                if not cursor:
                    break
        return found if self.shows_scores else None

    def _pages(self, session_id: str, page: _Page | None) -> Iterator[Arrived]:
        while page is not None:
            yield from map(_arrived, page.data)
            if page.meta is None or not page.meta.cursor:
                return
            page = self._page(session_id, page.meta.cursor)
        raise Denied("an answer that lacks the next page it announced: update ccship if the server is newer")

    def _page(self, session_id: str, cursor: str | None) -> _Page | None:
        asked: dict[str, str | int] = {"sessionId": session_id, "fields": "core,time,model,usage", "limit": PAGE}
        return self._get("/api/public/v2/observations", asked | ({"cursor": cursor} if cursor else {}), _Page)

    def _trace(self, trace_id: str) -> list[Arrived]:
        trace = self._get(f"/api/public/traces/{trace_id}", {}, _Trace)
        return [_arrived(row) for row in trace.observations] if trace else []

    def _get(self, path: str, asked: dict[str, str | int], kind: type[_Answer]) -> _Answer | None:
        """Return the server's answer; None if it does not have the path. Retries, with a limit."""
        return _PATIENCE.call(lambda: self._get_once(path, asked, kind))

    def _get_once(self, path: str, asked: dict[str, str | int], kind: type[_Answer]) -> _Answer | None:
        try:
            reply = self._client.get(path, params=asked)
        except (httpx.HTTPError, OSError) as error:
            raise Retryable(f"{self._client.base_url} does not answer: {type(error).__name__}") from error
        except httpx.InvalidURL as error:
            raise ConfigError(
                f"{self._client.base_url} is not a valid address ({error}): {self._advice.address}"
            ) from error
        if reply.status_code == httpx.codes.NOT_FOUND:
            return None
        check_status(reply.status_code, reply.headers, self._advice)
        return _decoded(reply.content, kind, self._advice)


def _decoded(body: bytes, kind: type[_Answer], advice: Advice) -> _Answer:
    """Return an answer. Fields that are not compared are skipped, not decoded: they are most of its bytes."""
    try:
        return msgspec.json.decode(body, type=kind, strict=False)
    except msgspec.ValidationError as error:
        raise Denied("an answer that contains no observations: update ccship if the server is newer") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Denied(f"an answer that is not JSON (200): {advice.address}") from error


def _arrived(row: _Row) -> Arrived:
    cost = row.calculated_total_cost if row.total_cost is msgspec.UNSET else row.total_cost
    return Arrived(
        row.trace_id,
        row.id,
        (row.start_time - _EPOCH) // _MILLISECOND,
        {key: int(count) for key, count in (row.usage_details or {}).items()},
        (row.updated_at - _EPOCH) // _MILLISECOND if row.updated_at else 0,
        row.provided_model_name or row.model,
        None if cost is msgspec.UNSET else cost or 0.0,
    )
