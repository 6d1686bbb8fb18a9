"""What Langfuse makes of scores, as measured on a real server."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from ccship.signals.scores import SENT, Score

INGESTION = "/api/public/ingestion"
SCORES = "/api/public/scores"
READ_SCORES = "/api/public/v3/scores"
CONFIGS = "/api/public/score-configs"

PAGE = 50

Stored = tuple[str, str, float, str | None, int]
"""A score as a reader sees it: trace, name, value, comment, time in ms."""


@dataclass
class ScoreTable:
    """The scores of a project, by id. The value with the latest time stays, under the time that came first.

    Of two values with the same time the first stays. A value without a comment leaves that of the value before.
    """

    rows: dict[str, Stored] = field(default_factory=dict)
    latest_ms: dict[str, int] = field(default_factory=dict)
    written: int = 0

    def write(self, score_id: str, trace_id: str, name: str, value: float, comment: str | None, time_ms: int) -> None:
        """Store one value of a score."""
        self.written += 1
        first_ms = min(self.rows[score_id][4], time_ms) if score_id in self.rows else time_ms
        if time_ms > self.latest_ms.get(score_id, -1):
            self.latest_ms[score_id] = time_ms
            if comment is None and score_id in self.rows:
                comment = self.rows[score_id][3]
            self.rows[score_id] = (trace_id, name, value, comment, first_ms)

    def add(self, scores: Iterable[Score]) -> None:
        """Store scores with their history."""
        for score in scores:
            for time_ms, value, comment in score.history():
                self.write(score.id, score.trace_id, score.name, float(value), comment, time_ms)

    def of(self, name: str) -> dict[str, Stored]:
        """The scores of a name, by trace."""
        return {row[0]: row for row in self.rows.values() if row[1] == name}


@dataclass
class ScoreServer(ScoreTable):
    """The endpoints of scores and score configs, as Langfuse 4.16 has them.

    `endpoint`: the one that takes scores, None for a server without. `refused`: the status for scores of a name.
    `configs`: `config_page` of them a page; `config_status`: of the answer to a new one. `requests`: the paths that
    were asked. `targets`: the observation of each score, None for a score of a trace.
    """

    endpoint: str | None = INGESTION
    refused: dict[str, int] = field(default_factory=dict)
    configs: list[dict[str, Any]] = field(default_factory=list)
    config_page: int = 1
    config_status: int = 200
    requests: list[str] = field(default_factory=list)
    targets: dict[str, str | None] = field(default_factory=dict)

    def know_all_configs(self) -> None:
        """As if they had been created before: a first run makes no requests for them."""
        self.configs, self.config_page = [{"name": name} for name in SENT["all"]], len(SENT["all"])

    def restore(self, other: ScoreTable) -> None:
        """Take over the rows of another table."""
        self.rows, self.latest_ms = dict(other.rows), dict(other.latest_ms)

    def answer(self, path: str, content: Any) -> tuple[int, Any]:
        """The status and the answer to something that is written."""
        self.requests.append(path)
        if path == CONFIGS:
            self.configs += [content] if self.config_status == 200 else []
            return self.config_status, content
        if path != self.endpoint:
            return (400 if path == SCORES and self.endpoint else 404), {}  # today's takes a single score there
        return self._events(content["batch"]) if path == INGESTION else self._list(content)

    def found(self, path: str, asked: dict[str, str]) -> Any:
        """The answer to something that is read."""
        if path == CONFIGS:
            page, size = int(asked["page"]), self.config_page
            pages = -(-len(self.configs) // size)
            return {"data": self.configs[(page - 1) * size : page * size], "meta": {"page": page, "totalPages": pages}}
        traces = asked.get("traceId", "").split(",")
        rows = [
            {"id": score_id, "name": name, "value": value, "comment": comment, "timestamp": _iso(time_ms)}
            for score_id, (trace_id, name, value, comment, time_ms) in self.rows.items()
            if trace_id in traces
        ]
        start, limit = int(asked.get("cursor", 0)), min(int(asked["limit"]), PAGE)
        more = {"cursor": str(start + limit)} if start + limit < len(rows) else {}
        return {"data": rows[start : start + limit], "meta": {"limit": limit, **more}}

    def _events(self, batch: list[dict[str, Any]]) -> tuple[int, Any]:
        successes, errors = [], []
        for event in batch:
            if status := self.refused.get(event["body"]["name"]):
                errors.append({"id": event["id"], "status": status, "message": "Invalid request data", "error": "bad"})
                continue
            self._store(event["body"], event["timestamp"])
            successes.append({"id": event["id"], "status": 201})
        return 207, {"successes": successes, "errors": errors}

    def _list(self, bodies: list[dict[str, Any]]) -> tuple[int, Any]:
        taken = [body for body in bodies if body["name"] not in self.refused]
        for body in taken:
            self.latest_ms.pop(body["id"], None)  # the last one that came stays
            self._store(body, body["timestamp"])
        if len(taken) == len(bodies):
            return 202, {"message": "Accepted"}
        return 207, {"accepted": len(taken), "rejected": len(bodies) - len(taken), "errors": [{"message": "bad"}]}

    def _store(self, body: dict[str, Any], timestamp: str) -> None:
        time_ms = round(datetime.fromisoformat(timestamp).timestamp() * 1000)
        self.targets[body["id"]] = body.get("observationId")
        self.write(body["id"], body["traceId"], body["name"], float(body["value"]), body.get("comment"), time_ms)


def _iso(time_ms: int) -> str:
    return datetime.fromtimestamp(time_ms / 1000, UTC).isoformat().replace("+00:00", "Z")
