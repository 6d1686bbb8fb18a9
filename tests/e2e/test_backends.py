"""The fixtures arrive in servers that nobody here wrote, and come back from their APIs as they were sent.

Run with `uv run pytest -n 0 -m e2e tests/e2e/test_backends.py`. CCSHIP_PHOENIX and CCSHIP_MLFLOW name the commands
`phoenix` (package arize-phoenix) and `mlflow`.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from conftest import FIXTURES
from e2e.backends import Backend, MLflow, Phoenix, Stored, Tokens, running
from helpers import run_ccship, until

pytestmark = pytest.mark.e2e
PATIENCE_S = 120
"""Phoenix answers before it stores."""

KINDS = {
    "phoenix": {"agent": "AGENT", "generation": "LLM", "tool": "TOOL"},
    "mlflow": {"agent": "AGENT", "generation": "CHAT_MODEL", "tool": "TOOL"},
}
"""What each server calls the types of observations."""


@dataclass(frozen=True)
class Sent:
    """An observation in the file of `backfill --to`. `events`: the names of its events."""

    trace_id: str
    parent: str
    type: str
    is_error: bool
    tokens: Tokens
    texts: Counter[str]
    events: Counter[str]


@dataclass(frozen=True)
class Shipped:
    """What was sent to a server, and what it returns."""

    backend: Backend
    environ: dict[str, str]
    sent: dict[str, Sent]
    stored: dict[str, Stored]

    def again(self) -> None:
        """Send everything a second time."""
        ship(self.environ, "--resend")


def ship(environ: dict[str, str], *options: str) -> None:
    done = run_ccship("backfill", "--claude-dir", FIXTURES / "claude", "--yes", *options, environ=environ)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module", params=[Phoenix, MLflow], ids=lambda kind: kind.name)
def shipped(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shipped]:
    """The fixtures, shipped to a server of each kind."""
    kind: type[Backend] = request.param
    if kind.command() is None:
        pytest.skip(f"no server: name its command with {kind.variable}")
    folder = tmp_path_factory.mktemp(kind.name)
    with running(kind, folder) as backend:
        environ = {
            "HOME": str(folder),
            "USER": "ada",
            "CC_LANGFUSE_STATE_DIR": str(folder / "state"),
            "CC_LANGFUSE_CONFIG": str(folder / "config.toml"),
        }
        (folder / "config.toml").write_text(destination(backend))
        ship(environ, "--to", str(folder / "spans.jsonl"))
        sent = read_file(folder / "spans.jsonl")
        ship(environ)
        until(lambda: len(backend.spans()) >= len(sent), PATIENCE_S)
        yield Shipped(backend, environ, sent, backend.spans())


def destination(backend: Backend) -> str:
    headers = ", ".join(f'"{name}" = "{value}"' for name, value in backend.headers.items())
    return f"""
[[destinations]]
name = "{backend.name}"
kind = "otlp"
projects = ["**"]
endpoint = "{backend.url}"
headers = {{ {headers} }}
"""


def read_file(path: Path) -> dict[str, Sent]:
    """The observations of a file by id; events are counted with their parents, as `otlp` destinations get them."""
    spans = [
        span
        for line in path.read_text().splitlines()
        for resource in json.loads(line)["resourceSpans"]
        for scope in resource["scopeSpans"]
        for span in scope["spans"]
    ]
    attributes = {
        span["spanId"]: {item["key"]: value_of(item["value"]) for item in span["attributes"]} for span in spans
    }
    events: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for span in spans:
        if attributes[span["spanId"]]["langfuse.observation.type"] == "event":
            events[span["parentSpanId"]][span["name"]] += 1
    return {
        span["spanId"]: sent_of(span, attributes[span["spanId"]], events[span["spanId"]])
        for span in spans
        if attributes[span["spanId"]]["langfuse.observation.type"] != "event"
    }


def sent_of(span: dict[str, Any], attributes: dict[str, Any], events: Counter[str]) -> Sent:
    usage = json.loads(attributes.get("langfuse.observation.usage_details", "{}"))
    created = sum(count for key, count in usage.items() if "cache_creation" in key)
    read = usage.get("cache_read_input_tokens", 0)
    tokens = {
        "input": usage.get("input", 0) + read + created,
        "output": usage.get("output", 0),
        "cache_read": read,
        "cache_creation": created,
    }
    texts = Counter[str]()
    for name in ("langfuse.observation.input", "langfuse.observation.output"):
        texts.update(texts_of(attributes.get(name)))
    return Sent(
        trace_id=span["traceId"],
        parent=span.get("parentSpanId", ""),
        type=attributes["langfuse.observation.type"],
        is_error=attributes["langfuse.observation.level"] == "ERROR",
        tokens=tokens if usage else {},
        texts=texts,
        events=events,
    )


def value_of(value: dict[str, Any]) -> Any:
    """A value of OTLP JSON."""
    return next(iter(value.values()))


NOT_CONTENT = {"role", "type", "id", "name", "tool_call_id", "finish_reason", "finish_reasons"}
"""Keys of the two shapes of messages that carry no content; the shapes differ, the content must not."""


def texts_of(value: Any) -> Iterator[str]:
    """All texts of a value, of JSON in texts too. Images have no text: their bytes stay here."""
    match opened(value):
        case None | "" | {"type": "image"}:
            pass
        case dict() as fields:
            for key, item in fields.items():
                if key not in NOT_CONTENT:
                    yield from texts_of(item)
        case list() as items:
            for item in items:
                yield from texts_of(item)
        case text:
            yield str(text)


def opened(value: Any) -> Any:
    """The value of a text that is JSON."""
    try:
        return json.loads(value) if isinstance(value, str) else value
    except ValueError:
        return value


CONTENT = ("gen_ai.input.messages", "gen_ai.output.messages", "gen_ai.tool.call.arguments", "gen_ai.tool.call.result")


def content_of(span: Stored) -> Counter[str]:
    texts = Counter[str]()
    for name in CONTENT:
        texts.update(texts_of(span.attributes.get(name)))
    return texts


def test_every_span_arrives_once_under_its_parent(shipped: Shipped) -> None:
    """With the ids that `backfill --to` writes; events are no spans here."""
    assert len(shipped.sent) > 200
    assert {key: (span.trace_id, span.parent) for key, span in shipped.stored.items()} == {
        key: (span.trace_id, span.parent) for key, span in shipped.sent.items()
    }


def test_the_server_recognises_every_kind(shipped: Shipped) -> None:
    """From the operation name."""
    kinds = KINDS[shipped.backend.name]
    assert {key: span.kind for key, span in shipped.stored.items()} == {
        key: kinds[span.type] for key, span in shipped.sent.items()
    }


def test_errors_and_events_arrive(shipped: Shipped) -> None:
    """An event is in the span of its parent."""
    assert {key: span.is_error for key, span in shipped.stored.items()} == {
        key: span.is_error for key, span in shipped.sent.items()
    }
    assert {key: Counter(span.events) for key, span in shipped.stored.items()} == {
        key: span.events for key, span in shipped.sent.items()
    }
    assert any(span.events for span in shipped.sent.values())


def test_the_server_counts_the_tokens_of_every_call(shipped: Shipped) -> None:
    """Input tokens include the cache. Nothing but calls has tokens."""
    assert {key: span.tokens for key, span in shipped.stored.items()} == {
        key: span.tokens for key, span in shipped.sent.items()
    }
    assert sum(bool(span.tokens) for span in shipped.sent.values()) > 100


def test_the_server_sums_the_tokens_of_every_trace(shipped: Shipped) -> None:
    """Once: what a turn contains is not added to the turn's own."""
    expected: defaultdict[str, list[int]] = defaultdict(lambda: [0, 0])
    for span in shipped.sent.values():
        expected[span.trace_id][0] += span.tokens.get("input", 0)
        expected[span.trace_id][1] += span.tokens.get("output", 0)
    assert shipped.backend.trace_tokens() == {key: tuple(sums) for key, sums in expected.items()}


def test_the_content_arrives(shipped: Shipped) -> None:
    """Every text, also those in the arguments of tools; of images there is only that they were there."""
    assert {key: content_of(span) for key, span in shipped.stored.items()} == {
        key: span.texts for key, span in shipped.sent.items()
    }


def test_the_server_finds_the_messages_of_every_span_with_content(shipped: Shipped) -> None:
    """It parses them with models of the conventions, and shows none that do not fit."""
    assert {key: span.has_messages for key, span in shipped.stored.items()} == {
        key: bool(span.texts) for key, span in shipped.sent.items()
    }


def test_nothing_doubles_when_everything_is_sent_again(shipped: Shipped) -> None:
    """The server has each span under its id."""
    shipped.again()
    assert {key: content_of(span) for key, span in shipped.backend.spans().items()} == {
        key: content_of(span) for key, span in shipped.stored.items()
    }
