"""A model that plays a script: as much of the Messages API as the real client needs, on the loopback interface.

A prompt names its scene (`SCENE:tools`); which step of it comes next is told by how often the model has spoken since.
"""

import json
import re
import threading
import uuid
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Json = dict[str, Any]

USAGE: Json = {
    "input_tokens": 7,
    "cache_creation_input_tokens": 300,
    "cache_read_input_tokens": 15_000,
    "cache_creation": {"ephemeral_5m_input_tokens": 100, "ephemeral_1h_input_tokens": 200},
    "output_tokens": 1,
    "service_tier": "standard",
}


RUNNING = "running"
"""A file in the working directory that says that the slow tool runs."""

SLEEP = "python3 -c 'import time; time.sleep(30)'"
"""The client refuses to run a plain `sleep 30`."""


@dataclass(frozen=True)
class Step:
    """What the model says once: `text`, then tools by name and input. `overloaded`: how often it fails before."""

    text: str = ""
    tools: tuple[tuple[str, Json], ...] = ()
    overloaded: int = 0


def bash(command: str) -> tuple[str, Json]:
    return "Bash", {"command": command, "description": "do it"}


def agent(scene: str, *, background: bool) -> tuple[str, Json]:
    prompt = f"SCENE:{scene} please"
    options = {
        "description": "look",
        "prompt": prompt,
        "subagent_type": "general-purpose",
        "run_in_background": background,
    }
    return "Agent", options


SCENES: dict[str, tuple[Step, ...]] = {
    "plain": (Step("Hello there."),),
    "tools": (Step("Looking.", (bash("echo one"), bash("exit 3"))), Step("Both done.")),
    "agent": (Step("Delegating.", (agent("sub", background=False),)), Step("The subagent is done.")),
    "background": (Step("Starting it.", (agent("slowsub", background=True),)), Step("Started.")),
    "sub": (Step("", (bash("echo from the subagent"),)), Step("Subagent answer.")),
    "slowsub": (Step("", (bash("sleep 1; echo slow"),)), Step("Slow subagent answer.")),
    "retry": (Step("Recovered.", overloaded=2),),
    "slowtool": (Step("Waiting.", (bash(f"touch {RUNNING}; {SLEEP}"),)), Step("Waited.")),
}


class ScriptedModel(ThreadingHTTPServer):
    """Answers `POST /v1/messages` by the script; `asked` counts the requests for each scene."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.asked: Counter[str] = Counter()
        self.lock = threading.Lock()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def next_step(self, request: Json) -> Step | None:
        """The step a conversation is at; None stands for an overloaded server."""
        messages = request.get("messages", [])
        scene, at = "", 0
        for index, message in enumerate(messages):
            if message.get("role") == "user" and (found := re.findall(r"SCENE:(\w+)", _text(message))):
                scene, at = found[-1], index
        spoken = sum(message.get("role") == "assistant" for message in messages[at:])
        steps = SCENES.get(scene, ())
        step = steps[spoken] if spoken < len(steps) else Step("done")
        with self.lock:
            self.asked[scene] += 1
            return None if self.asked[scene] <= step.overloaded else step


class _Handler(BaseHTTPRequestHandler):
    server: ScriptedModel
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        request = json.loads(self.rfile.read(int(self.headers.get("content-length") or 0)) or b"{}")
        if not self.path.startswith("/v1/messages") or "count_tokens" in self.path:
            self._reply(200, json.dumps({"input_tokens": 10}))
            return
        step = self.server.next_step(request)
        model = request.get("model", "claude")
        if step is None:
            self._reply(
                529, json.dumps({"type": "error", "error": {"type": "overloaded_error", "message": "scripted"}})
            )
        elif request.get("stream"):
            events = (
                f"event: {name}\ndata: {json.dumps({'type': name, **data})}\n\n" for name, data in _stream(model, step)
            )
            self._reply(200, "".join(events), "text/event-stream")
        else:
            self._reply(200, json.dumps({**_message(model), "content": [{"type": "text", "text": step.text or "ok"}]}))

    def do_GET(self) -> None:
        self._reply(200, "{}")

    do_HEAD = do_GET  # noqa: N815 - the name is http.server's

    def log_message(self, *_: object) -> None:
        pass

    def _reply(self, status: int, body: str, kind: str = "application/json") -> None:
        encoded = body.encode()
        self.send_response(status)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(encoded)))
        self.send_header("request-id", f"req_{uuid.uuid4().hex[:20]}")
        self.end_headers()
        self.wfile.write(encoded)


@contextmanager
def scripted_model() -> Iterator[ScriptedModel]:
    """A running model."""
    server = ScriptedModel()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()


def _stream(model: str, step: Step) -> Iterator[tuple[str, Json]]:
    yield "message_start", {"message": _message(model)}
    blocks: list[tuple[Json, Json]] = []
    if step.text:
        blocks.append(({"type": "text", "text": ""}, {"type": "text_delta", "text": step.text}))
    for name, arguments in step.tools:
        block = {"type": "tool_use", "id": f"toolu_{uuid.uuid4().hex[:24]}", "name": name, "input": {}}
        blocks.append((block, {"type": "input_json_delta", "partial_json": json.dumps(arguments)}))
    for index, (block, delta) in enumerate(blocks):
        yield "content_block_start", {"index": index, "content_block": block}
        yield "content_block_delta", {"index": index, "delta": delta}
        yield "content_block_stop", {"index": index}
    reason = "tool_use" if step.tools else "end_turn"
    yield "message_delta", {"delta": {"stop_reason": reason, "stop_sequence": None}, "usage": {"output_tokens": 50}}
    yield "message_stop", {}


def _message(model: str) -> Json:
    return {
        "id": f"msg_{uuid.uuid4().hex[:24]}",
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": USAGE,
    }


def _text(message: Json) -> str:
    content = message.get("content")
    if isinstance(content, str):
        return content
    return "\n".join(str(block.get("text", "")) for block in content or () if block.get("type") == "text")
