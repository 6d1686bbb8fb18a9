"""Servers that nobody here wrote, started on free ports, and what they return of the spans that arrived."""

import base64
import json
import os
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

START_S = 180
"""Both import for most of a minute on a busy machine."""

Tokens = dict[str, int]


@dataclass(frozen=True)
class Stored:
    """A span as a server returns it. `attributes`: as they were sent. `tokens`, `kind`: what the server made of them.

    `has_messages`: the server found messages in it, or the arguments and the result of a tool.
    """

    trace_id: str
    span_id: str
    parent: str
    name: str
    kind: str
    is_error: bool
    attributes: Mapping[str, Any]
    events: tuple[str, ...]
    tokens: Tokens
    has_messages: bool


class Backend:
    """A running server. `headers`: what it needs to be told with every request."""

    name: str
    variable: str
    """The environment variable that names its command."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.headers: dict[str, str] = {}
        self._client = httpx.Client(base_url=self.url, timeout=60)

    @classmethod
    def command(cls) -> str | None:
        return os.environ.get(cls.variable) or None

    @classmethod
    def start(cls, folder: Path, port: int) -> tuple[list[str], dict[str, str]]:
        """The command line, and variables beside the environment."""
        raise NotImplementedError

    def spans(self) -> dict[str, Stored]:
        """All spans by id."""
        raise NotImplementedError

    def trace_tokens(self) -> dict[str, tuple[int, int]]:
        """Input and output tokens of each trace, as the server sums them."""
        raise NotImplementedError

    def prepare(self) -> None:
        """Create what has to exist before spans arrive, and set `headers`."""
        raise NotImplementedError


class Phoenix(Backend):
    name = "phoenix"
    variable = "CCSHIP_PHOENIX"

    @classmethod
    def start(cls, folder: Path, port: int) -> tuple[list[str], dict[str, str]]:
        return [str(cls.command()), "serve"], {
            "PHOENIX_WORKING_DIR": str(folder),
            "PHOENIX_HOST": "127.0.0.1",
            "PHOENIX_PORT": str(port),
            "PHOENIX_GRPC_PORT": str(free_port()),
            "PHOENIX_TELEMETRY_ENABLED": "false",
            "PHOENIX_ALLOW_EXTERNAL_RESOURCES": "false",
        }

    def prepare(self) -> None:
        self.headers = {"x-project-name": "ccship"}

    def spans(self) -> dict[str, Stored]:
        return {span.span_id: span for span in map(_of_phoenix, self._pages("spans", limit="1000"))}

    def trace_tokens(self) -> dict[str, tuple[int, int]]:
        return {
            trace["trace_id"]: (trace["token_count_prompt"], trace["token_count_completion"])
            for trace in self._pages("traces", limit="1000")
        }

    def _pages(self, what: str, **asked: str) -> Iterator[dict[str, Any]]:
        while True:
            answer = self._client.get(f"/v1/projects/ccship/{what}", params=asked)
            if answer.status_code == httpx.codes.NOT_FOUND:
                return  # the project appears with its first span
            page = answer.raise_for_status().json()
            yield from page["data"]
            if not page["next_cursor"]:
                return
            asked["cursor"] = page["next_cursor"]


def _of_phoenix(span: dict[str, Any]) -> Stored:
    attributes = span["attributes"]
    tokens = {
        "input": "llm.token_count.prompt",
        "output": "llm.token_count.completion",
        "cache_read": "llm.token_count.prompt_details.cache_read",
        "cache_creation": "llm.token_count.prompt_details.cache_write",
    }
    found = ("llm.input_messages.", "llm.output_messages.", "tool.parameters", "output.value")
    return Stored(
        trace_id=span["context"]["trace_id"],
        span_id=span["context"]["span_id"],
        parent=span["parent_id"] or "",
        name=span["name"],
        kind=span["span_kind"],
        is_error=span["status_code"] == "ERROR",
        attributes=attributes,
        events=tuple(event["name"] for event in span["events"]),
        tokens={key: attributes[name] for key, name in tokens.items() if name in attributes},
        has_messages=any(name.startswith(found) for name in attributes),
    )


class MLflow(Backend):
    name = "mlflow"
    variable = "CCSHIP_MLFLOW"

    @classmethod
    def start(cls, folder: Path, port: int) -> tuple[list[str], dict[str, str]]:
        store = [
            "--backend-store-uri",
            f"sqlite:///{folder}/mlflow.db",
            "--artifacts-destination",
            f"{folder}/artifacts",
        ]
        address = ["--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
        return [str(cls.command()), "server", *address, *store], {"MLFLOW_DISABLE_TELEMETRY": "true"}

    def prepare(self) -> None:
        answer = self._client.post("/api/2.0/mlflow/experiments/create", json={"name": "ccship"})
        self.headers = {"x-mlflow-experiment-id": answer.raise_for_status().json()["experiment_id"]}

    def spans(self) -> dict[str, Stored]:
        stored: dict[str, Stored] = {}
        for trace in self._traces():
            asked = {"request_id": trace["trace_id"]}
            answer = self._client.get("/ajax-api/3.0/mlflow/get-trace-artifact", params=asked)
            for span in answer.raise_for_status().json()["spans"]:
                found = _of_mlflow(span)
                stored[found.span_id] = found
        return stored

    def trace_tokens(self) -> dict[str, tuple[int, int]]:
        sums = {}
        for trace in self._traces():
            usage = json.loads(trace.get("trace_metadata", {}).get("mlflow.trace.tokenUsage", "{}"))
            trace_id = trace["trace_id"].removeprefix("tr-")
            sums[trace_id] = (usage.get("input_tokens", 0), usage.get("output_tokens", 0))
        return sums

    def _traces(self) -> Iterator[dict[str, Any]]:
        experiment = {"experiment_id": self.headers["x-mlflow-experiment-id"]}
        asked: dict[str, Any] = {
            "locations": [{"type": "MLFLOW_EXPERIMENT", "mlflow_experiment": experiment}],
            "max_results": 100,
        }
        while True:
            page = self._client.post("/api/3.0/mlflow/traces/search", json=asked).raise_for_status().json()
            yield from page.get("traces", [])
            if not page.get("next_page_token"):
                return
            asked["page_token"] = page["next_page_token"]


def _of_mlflow(span: dict[str, Any]) -> Stored:
    # every value is JSON; texts that were JSON already are not encoded again
    attributes = {name: json.loads(value) for name, value in span["attributes"].items()}
    usage = attributes.get("mlflow.chat.tokenUsage", {})
    tokens = {
        "input": "input_tokens",
        "output": "output_tokens",
        "cache_read": "cache_read_input_tokens",
        "cache_creation": "cache_creation_input_tokens",
    }
    return Stored(
        trace_id=base64.b64decode(span["trace_id"]).hex(),
        span_id=base64.b64decode(span["span_id"]).hex(),
        parent=base64.b64decode(span["parent_span_id"] or "").hex(),
        name=span["name"],
        kind=attributes.get("mlflow.spanType", ""),
        is_error=span["status"]["code"] == "STATUS_CODE_ERROR",
        attributes=attributes,
        events=tuple(event["name"] for event in span["events"]),
        tokens={key: usage[name] for key, name in tokens.items() if name in usage},
        has_messages=bool({"mlflow.spanInputs", "mlflow.spanOutputs"} & set(attributes)),
    )


def free_port() -> int:
    """A port that nobody uses at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running(kind: type[Backend], folder: Path) -> Iterator[Backend]:
    """A server with a fresh folder, stopped in the end."""
    port = free_port()
    command, variables = kind.start(folder, port)
    with (folder / "server.log").open("w") as log:
        process = subprocess.Popen(
            command,
            env={"PATH": os.environ["PATH"], "HOME": str(folder), **variables},
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            backend = kind(port)
            _wait_until_up(backend.url, process, folder / "server.log")
            backend.prepare()
            yield backend
        finally:
            os.killpg(process.pid, 15)
            process.wait(timeout=60)


def _wait_until_up(url: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
    give_up = time.monotonic() + START_S
    while True:
        assert process.poll() is None, log.read_text()
        assert time.monotonic() < give_up, log.read_text()
        try:
            if httpx.get(f"{url}/", timeout=5).is_success:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.2)
