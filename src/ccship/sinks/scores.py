"""Delivery of scores to Langfuse, with an answer for each.

Servers so far take scores as events of their ingestion endpoint, with a result for each event. Newer ones may only take
a list of scores, and tell how many they refused. What the server answers decides.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import httpx
import msgspec
import orjson

from ccship.errors import DeliveryError, Denied, Rejected, Retryable, TooLarge
from ccship.signals.scores import Score
from ccship.sinks import Delivery
from ccship.sinks.answers import check_status
from ccship.sinks.connection import Answer, Connection

EVENTS = "/api/public/ingestion"
LIST = "/api/public/scores"

_JSON = {"content-type": "application/json"}
_LONGEST_ANSWER = 4_000_000
_LONGEST_REASON = 200

_NONE = frozenset({404, 405, 410, 501})
"""The server has no such endpoint."""

_FORBIDDEN = frozenset({401, 403})
"""A gateway that accepted the spans does not forward scores."""


class _Result(msgspec.Struct):
    """The answer for one event. `message`, `error`: what is wrong with it."""

    id: str
    status: int
    message: Any = None
    error: Any = None


class _Results(msgspec.Struct):
    successes: list[_Result]
    errors: list[_Result]


class _Counts(msgspec.Struct):
    """The answer for a list."""

    rejected: int
    errors: list[dict[str, Any]] = []


class ScoreSender:
    """Sends scores over the connection of a sink."""

    def __init__(self, connection: Connection, *, is_gateway: bool = False) -> None:
        self._connection = connection
        self._none = _NONE | _FORBIDDEN if is_gateway else _NONE
        self._endpoints = [self._as_events, self._as_list]

    def send(self, scores: Sequence[Score]) -> Delivery:
        """Send scores until each is accepted or rejected, the delivery fails, or the server turns out to take none."""
        delivery = Delivery()
        # a turn and its copy in a fork may have different values: the later one stays
        latest = {score.id: score for score in sorted(scores, key=lambda score: score.revision)}
        while self._endpoints:
            try:
                self._send(list(latest.values()), delivery)
            except _Unsupported:
                self._endpoints.pop(0)
            except DeliveryError as error:
                delivery.failure = error
                return delivery
            else:
                return delivery
        delivery.is_unsupported = True
        return delivery

    def _send(self, scores: Sequence[Score], delivery: Delivery) -> None:
        """Send scores that are not answered yet; halve them if there are too many, or one of them is refused."""
        left = [score for score in scores if score.id not in delivery.accepted and score.id not in delivery.rejected]
        if not left:
            return
        try:
            self._connection.patience.call(lambda: self._endpoints[0](left, delivery))
        except (TooLarge, Rejected) as error:
            if len(left) == 1:
                delivery.rejected[left[0].id] = str(error)
                return
            half = len(left) // 2
            self._send(left[:half], delivery)
            self._send(left[half:], delivery)

    def _as_events(self, scores: Sequence[Score], delivery: Delivery) -> None:
        """Send scores as events. The time of an event is the time of its value."""
        events = {score.id: list(_events(score)) for score in scores}
        batch = [event for of_score in events.values() for event in of_score]
        answer = self._post(EVENTS, {"batch": batch})
        results = _decoded(answer, _Results)
        stored = {result.id for result in results.successes}
        refused = {result.id: result for result in results.errors}
        for score_id, of_score in events.items():
            ids = [event["id"] for event in of_score]
            wrong = next((refused[each] for each in ids if each in refused), None)
            if wrong is None and stored.issuperset(ids):
                delivery.accepted.add(score_id)
            elif wrong is not None and _is_final(wrong.status):
                delivery.rejected[score_id] = _reason(wrong)
        if events.keys() - delivery.accepted - delivery.rejected.keys():
            raise Retryable("the server did not store all scores")

    def _as_list(self, scores: Sequence[Score], delivery: Delivery) -> None:
        """Send scores as a list. Their time is the start of the turn; a later list replaces the values."""
        bodies = [
            _body(score, *list(score.history())[-1][1:]) | {"timestamp": _iso(score.start_ms)} for score in scores
        ]
        answer = self._post(LIST, bodies)
        if answer.status == httpx.codes.MULTI_STATUS:
            counts = _decoded(answer, _Counts)
            if counts.rejected:
                # which ones it does not say
                raise Rejected("; ".join(str(error.get("message")) for error in counts.errors)[:_LONGEST_REASON])
        delivery.accepted.update(score.id for score in scores)

    def _post(self, path: str, content: Any) -> Answer:
        answer = self._connection.post(path, orjson.dumps(content), _JSON, _LONGEST_ANSWER)
        if answer.status in self._none or (path == LIST and answer.status == httpx.codes.BAD_REQUEST):
            raise _Unsupported
        if answer.status not in (httpx.codes.ACCEPTED, httpx.codes.MULTI_STATUS):
            check_status(answer.status, answer.headers)
        return answer


class _Unsupported(Exception):
    """The server has no such endpoint."""


def _events(score: Score) -> Iterator[dict[str, Any]]:
    for n, (time_ms, value, comment) in enumerate(score.history()):
        # an id of its own for each value: the server keeps one file for each id
        event_id = f"{score.id}-{score.digest.hex()}-{n}"
        yield {"id": event_id, "type": "score-create", "timestamp": _iso(time_ms), "body": _body(score, value, comment)}


def _body(score: Score, value: float, comment: str | None) -> dict[str, Any]:
    body = {
        "id": score.id,
        "traceId": score.trace_id,
        "observationId": score.observation_id,
        "name": score.name,
        "dataType": "BOOLEAN" if score.is_flag else "NUMERIC",
        "value": int(value) if score.is_flag else value,
        "comment": comment,
        "environment": score.environment,
    }
    return {name: field for name, field in body.items() if field is not None}


def _iso(time_ms: int) -> str:
    moment = datetime.fromtimestamp(time_ms / 1000, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _is_final(status: int) -> bool:
    """Return whether an event is refused for good."""
    try:
        check_status(status, httpx.Headers())
    except (Rejected, TooLarge, Denied):
        return True
    except DeliveryError:
        return False
    return False


def _reason(result: _Result) -> str:
    return f"refused by the server ({result.status}): {result.error or result.message}"[:_LONGEST_REASON]


def _decoded(answer: Answer, kind: type[Any]) -> Any:
    try:
        return msgspec.json.decode(answer.body, type=kind, strict=False)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Retryable("an answer that is not an acknowledgement: check LANGFUSE_BASE_URL") from error
