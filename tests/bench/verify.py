"""CPU of `ccship verify`, beside the bare reading of the same transcripts and of the same pages of the server."""

import json
import multiprocessing
import os
import statistics
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, ClassVar, TypeAlias
from urllib.parse import parse_qsl, urlsplit

import httpx

from bench.generate import claude_dir
from bench.mark import Mark
from bench.parse import cpu
from bench.usage import spent_by
from ccship.observations import Observation
from ccship.verify.read_api import PAGE, SCORES_PAGE
from helpers import KeepingSink, ship_to

MEGABYTES = 60
SAMPLES = 5

_OBSERVATIONS = "/api/public/v2/observations"
_SCORES = "/api/public/v3/scores"
_TRACES = 50

_Pages: TypeAlias = dict[str, list[bytes]]
"""The answers by session id, or by the ids of traces whose scores are asked for, in order."""

_NOT_COMPARED = {
    "projectId": "cmbench0000000000000000000", "parentObservationId": "0" * 16, "completionStartTime": None,
    "createdAt": "2026-11-22T02:32:40.247Z", "updatedAt": "2026-11-22T02:32:40.247Z", "internalModelId": "",
    "modelParameters": {"speed": "standard", "effort": "medium"}, "inputUsage": 22603, "outputUsage": 250,
    "totalUsage": 22853, "inputCost": 0.013292, "outputCost": 0.004999999999, "usagePricingTierId": None,
    "usagePricingTierName": None, "latency": 3.738, "timeToFirstToken": None, "modelId": None, "inputPrice": None,
    "outputPrice": None, "totalPrice": None,
}  # fmt: skip
"""Fields that Langfuse 4.16 returns beside those that are compared: a row has 850 bytes."""

_SCORE = {
    "projectId": "cmbench0000000000000000000", "source": "API", "timestamp": "2026-11-22T02:32:40.247Z",
    "environment": "default", "createdAt": "2026-11-22T02:32:40.247Z", "updatedAt": "2026-11-22T02:32:40.247Z",
    "dataType": "NUMERIC",
}  # fmt: skip
"""The same for a score."""


def beside_bare_reading() -> Mark:
    """The whole command, from start to exit; it finds everything, or it is no measurement."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = claude_dir(Path(temporary) / "claude", MEGABYTES)
        pages = _pages_of(folder)
        with _server(pages) as url:
            environ = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
            environ |= {
                "HOME": temporary,
                "CLAUDE_CONFIG_DIR": str(folder),
                "CC_LANGFUSE_STATE_DIR": f"{temporary}/state",
                "LANGFUSE_PUBLIC_KEY": "pk-lf-bench",
                "LANGFUSE_SECRET_KEY": "sk-lf-bench",
                "LANGFUSE_BASE_URL": url,
            }
            command = [sys.executable, "-m", "ccship", "verify", "--json"]
            spent = [
                (spent_by(command, environ)[1], cpu(partial(_read_bare, folder, url, pages)))
                for _ in range(SAMPLES + 1)
            ][1:]
    here, reference = map(statistics.median, zip(*spent, strict=True))
    return Mark("verify / bare reading of transcripts and pages, CPU", here * 1000, reference * 1000, 4.5)


def _read_bare(folder: Path, url: str, keys: Iterable[str]) -> None:
    for path in folder.rglob("*.jsonl"):
        with path.open("rb") as file:
            for line in file:
                json.loads(line)
    with httpx.Client(base_url=url) as client:
        for asked in keys:
            endpoint, name = (_SCORES, "traceId") if "," in asked else (_OBSERVATIONS, "sessionId")
            cursor: str | None = ""
            while cursor is not None:
                page = json.loads(client.get(endpoint, params={name: asked, "cursor": cursor}).content)
                cursor = page["meta"].get("cursor")


def _pages_of(folder: Path) -> _Pages:
    """What a server answers that has received everything."""
    kept = KeepingSink()
    ship_to(kept, [folder], signals="review")
    rows: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
    traces: defaultdict[str, dict[str, None]] = defaultdict(dict)
    for observation in kept.sent:
        rows[observation.trace.session_id].append(_row(observation))
        traces[observation.trace.session_id][observation.trace.trace_id] = None
    scores: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
    for score_id, (trace_id, name, value, comment, _) in kept.scores.rows.items():
        scores[trace_id].append({**_SCORE, "id": score_id, "name": name, "value": value, "comment": comment})
    pages = {session: _paged(found, PAGE) for session, found in rows.items()}
    for ids in map(list, traces.values()):
        for start in range(0, len(ids), _TRACES):
            asked = ids[start : start + _TRACES]
            pages[",".join(asked)] = _paged([row for trace_id in asked for row in scores[trace_id]], SCORES_PAGE)
    return pages


def _paged(rows: list[dict[str, Any]], size: int) -> list[bytes]:
    return [_page(rows, start, size) for start in range(0, max(len(rows), 1), size)]


def _page(rows: list[dict[str, Any]], start: int, size: int) -> bytes:
    end = start + size
    meta = {"cursor": str(end // size)} if end < len(rows) else {}
    return json.dumps({"data": rows[start:end], "meta": meta}, separators=(",", ":")).encode()


def _row(observation: Observation) -> dict[str, Any]:
    usage = observation.usage_details or {}
    return {
        **_NOT_COMPARED,
        "id": observation.span_id,
        "traceId": observation.trace.trace_id,
        "startTime": _time(observation.start_ns),
        "endTime": _time(observation.end_ns),
        "type": observation.type.upper(),
        "model": observation.model,
        "usageDetails": {**usage, "total": sum(usage.values())} if usage else {},
        "costDetails": {key: tokens / 1e6 for key, tokens in usage.items()},
        "totalCost": sum(usage.values()) / 1e6,
    }


def _time(time_ns: int) -> str:
    time = datetime.fromtimestamp(time_ns // 1_000_000 / 1000, UTC)
    return time.isoformat(timespec="milliseconds").replace("+00:00", "Z")


@contextmanager
def _server(pages: _Pages) -> Iterator[str]:
    """A server in a process of its own, whose answers are ready."""
    start = multiprocessing.get_context("spawn")
    here, there = start.Pipe()
    process = start.Process(target=_serve, args=(there, pages), daemon=True)
    process.start()
    try:
        yield f"http://127.0.0.1:{here.recv()}"
    finally:
        process.kill()
        process.join()


def _serve(pipe: Connection, pages: _Pages) -> None:
    _Answering.pages = pages
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Answering)
    pipe.send(server.server_port)
    server.serve_forever()


class _Answering(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # the head and the body of an answer in one packet
    pages: ClassVar[_Pages] = {}

    def do_GET(self) -> None:
        asked = dict(parse_qsl(urlsplit(self.path).query))
        body = self.pages[asked.get("sessionId") or asked["traceId"]][int(asked.get("cursor") or 0)]
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass
