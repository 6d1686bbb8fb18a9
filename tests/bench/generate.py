"""Transcripts to measure on: deterministic, of any size, written as they are made.

The lines are those of the fixtures with other ids, times and texts. How many there are of each kind and how long they
are is what 260,000 lines of real sessions had: 3.2 kB a line, half of all bytes in tool results, which stand there
twice (for the model and for the screen), a sixth in progress records up to 2.1.63. `small` keeps every text short, as
in sessions that somebody shortened: the hard case, where what is done for a line costs more than its bytes.
"""

import random
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any, BinaryIO

import orjson

from conftest import FIXTURES

SESSION_MB = 3.0
"""What a session has that is worked with for an hour or two."""

_BEGAN = datetime(2026, 1, 1, 8, tzinfo=UTC)
_DEMO = FIXTURES / "claude/projects/-home-dev-demo/dad1e8b6-649a-4fc2-8adb-bbdc197f183e.jsonl"
_WITH_PROGRESS, _WITH_REQUESTS = "2.1.40", "2.1.329"

_RESULT_CHARS = ((0.6, 20, 800), (0.88, 800, 4_000), (0.97, 4_000, 16_000), (0.997, 16_000, 50_000))
"""Up to which share of the tool results: from, to."""
_LONGEST = (50_000, 200_000)
_TOOLS = ("Bash", "Bash", "Bash", "Read", "Read", "Read", "Edit", "Grep", "mcp__demo__query")
_AGENT_EVERY = 12
_WORDS = (
    *("self", "return", "if", "not", "value", "in", "path", "for", "line", "of", "result", "None", "import", "def"),
    *("the", "a", "to", "and", "tests", "error", "state", "turn"),
)


def claude_dir(
    folder: Path, megabytes: float, *, session_megabytes: float = SESSION_MB, seed: int = 1, small: bool = False
) -> Path:
    """A Claude config folder with sessions of two clients in turn, of at least so many megabytes in all."""
    project, written, number = folder / "projects/-home-dev-demo", 0, 0
    project.mkdir(parents=True)
    while written < megabytes * 1e6:
        version = (_WITH_REQUESTS, _WITH_PROGRESS)[number % 2]
        rest = megabytes - written / 1e6
        written += write_session(
            project, min(session_megabytes, rest), version=version, seed=seed * 100_000 + number, small=small
        )
        number += 1
    return folder


def write_session(
    project: Path,
    megabytes: float,
    *,
    session: str | None = None,
    version: str = _WITH_REQUESTS,
    seed: int = 1,
    small: bool = False,
) -> int:
    """One session with its subagents, of at least so many megabytes; returns its bytes."""
    rng = random.Random(seed)  # noqa: S311 - the same at every run
    session = session or _uuid(rng)
    written = 0
    with (project / f"{session}.jsonl").open("wb") as file:
        writer = _Writer(file, rng, session, version, small=small)
        writer.begin()
        while written + writer.written < megabytes * 1e6:
            writer.turn()
            if writer.turns % _AGENT_EVERY == 0:
                written += writer.launch(project / session / "subagents")
    return written + writer.written


class _Writer:
    """Writes the lines of one file, one after the other in time."""

    def __init__(
        self, file: BinaryIO, rng: random.Random, session: str, version: str, *, small: bool, agent: str | None = None
    ) -> None:
        self.written = self.turns = 0
        self._file, self._rng, self._small = file, rng, small
        self._version = version
        self._has_progress = version == _WITH_PROGRESS
        self._session = session
        self._common = {"sessionId": session, "version": version, "isSidechain": agent is not None}
        self._agent = agent
        self._time = _BEGAN + timedelta(days=rng.randrange(300))
        self._last: str | None = None
        self._context = 15_000

    def begin(self) -> None:
        """What stands at the head of a session: its tools, its reminders."""
        if not self._has_progress:
            self._plain("api-request-shape", shape=self._text(40_000))
        for kind in ("skill_listing", "environment", "deferred_tools_delta"):
            self._like("attachment", attachment={"type": kind, "content": self._text(4_000)})

    def turn(self) -> None:
        """A prompt, up to thirty calls with their tools, an answer."""
        self.turns += 1
        self._plain("file-history-snapshot", snapshot={"trackedFileBackups": {}, "note": self._text(800)})
        self._plain("mode", mode="normal")
        prompt = self._text(self._rng.choice((40, 200, 200, 600, 3_000)))
        self.prompt(prompt)
        for _ in range(self._rng.choice((0, 1, 3, 5, 8, 12, 30))):
            self._call()
        self._call(tools=0)
        self._like("system", subtype="stop_hook_summary", content=None)
        self._plain("last-prompt", lastPrompt=prompt[:120])

    def prompt(self, text: str, **fields: Any) -> None:
        """A prompt as it is typed, or what a subagent is told."""
        marks = {} if self._agent else {"permissionMode": "default", "promptSource": "typed"}
        self._like("user:str", message={"role": "user", "content": text}, **marks, **fields)

    def launch(self, folder: Path) -> int:
        """A tool that runs a subagent, and the subagent's own file; returns the bytes of that."""
        folder.mkdir(parents=True, exist_ok=True)
        agent, tool, message = (
            f"a{self._rng.getrandbits(64):016x}",
            f"toolu_{self._rng.getrandbits(96):024x}",
            self._id(),
        )
        told = self._text(1_500)
        self._use(message, tool, "Agent", {"subagent_type": "Explore", "description": "look", "prompt": told})
        with (folder / f"agent-{agent}.jsonl").open("wb") as file:
            writer = _Writer(file, self._rng, self._session, self._version, small=self._small, agent=agent)
            writer.prompt(told)
            for _ in range(15):
                writer._call()
                if self._has_progress:
                    self._progress({"type": "agent_progress", "message": {"content": self._text(4_000)}})
            writer._call(tools=0)
        meta = {"agentType": "Explore", "description": "look", "toolUseId": tool}
        (folder / f"agent-{agent}.meta.json").write_bytes(orjson.dumps(meta))
        self._result(tool, self._text(2_000), {"status": "completed", "agentId": agent, "content": self._text(2_000)})
        return writer.written

    def _call(self, tools: int | None = None) -> None:
        """Thinking, text and tools on lines of their own, each with the usage of the whole call."""
        message, rng = self._id(), self._rng
        request = None if self._has_progress else self._request()
        self._context += 400
        lines: list[dict[str, Any]] = []
        if rng.random() < 0.5:
            lines.append({"type": "thinking", "thinking": self._text(600), "signature": "c2ln" * 90})
        if tools == 0 or rng.random() < 0.4:
            lines.append({"type": "text", "text": self._text(rng.choice((80, 300, 900, 2_500)))})
        for block in lines:
            self._say(message, block, request)
        for _ in range(rng.choice((1, 1, 1, 2, 3)) if tools is None else tools):
            tool, name = f"toolu_{rng.getrandbits(96):024x}", rng.choice(_TOOLS)
            arguments, content, outcome = _RUNS.get(name, _other)(self._text, self._result_chars())
            self._use(message, tool, name, arguments, request)
            if self._has_progress and name == "Bash":
                for _ in range(rng.choice((0, 3, 8))):
                    self._progress(
                        {
                            "type": "bash_progress",
                            "output": content[:500],
                            "fullOutput": content[:2_000],
                            "elapsedTimeSeconds": 3,
                        }
                    )
            self._result(tool, content, outcome)

    def _request(self) -> str:
        request = self._uuid()
        if self._rng.random() < 0.2:
            self._plain("api-request-blob", hash=self._uuid(), message=self._text(8_000))
        self._like("api-request", id=request)
        return request

    def _use(self, message: str, tool: str, name: str, arguments: dict[str, Any], request: str | None = None) -> None:
        self._say(message, {"type": "tool_use", "id": tool, "name": name, "input": arguments}, request)

    def _say(self, message: str, block: dict[str, Any], request: str | None = None) -> None:
        shape = _templates()["assistant"]["message"]
        usage = {**shape["usage"], "input_tokens": 3, "output_tokens": 250, "cache_read_input_tokens": self._context}
        stop = "tool_use" if block["type"] == "tool_use" else "end_turn"
        body = {**shape, "id": message, "content": [block], "stop_reason": stop, "usage": usage}
        self._like("assistant", message=body, requestRef=request)

    def _result(self, tool: str, content: str, outcome: Any) -> None:
        block = {"tool_use_id": tool, "type": "tool_result", "content": content}
        self._like("user:tool_result", message={"role": "user", "content": [block]}, toolUseResult=outcome)

    def _progress(self, data: dict[str, Any]) -> None:
        self._like("system", type="progress", data=data, toolUseID="toolu_x", parentToolUseID="toolu_x", content=None)

    def _like(self, template: str, **fields: Any) -> None:
        """A line as the client writes it, with these fields of its own."""
        line = {**_templates()[template], **self._common, "timestamp": self._now(), **fields}
        if template != "api-request":
            line |= {"uuid": self._uuid(), "parentUuid": self._last}
            self._last = line["uuid"]
        if self._agent:
            line["agentId"] = self._agent
        self._write(line)

    def _plain(self, kind: str, **fields: Any) -> None:
        self._write({"type": kind, "sessionId": self._session, **fields})

    def _write(self, line: dict[str, Any]) -> None:
        self.written += self._file.write(orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE))

    def _now(self) -> str:
        self._time += timedelta(milliseconds=self._rng.randrange(50, 4_000))
        return self._time.isoformat(timespec="milliseconds").replace("+00:00", "Z")

    def _result_chars(self) -> int:
        share = self._rng.random()
        least, most = next((span for limit, *span in _RESULT_CHARS if share < limit), _LONGEST)
        return self._rng.randrange(least, most)

    def _text(self, chars: int) -> str:
        pool = _pool()
        start = self._rng.randrange(len(pool) - _LONGEST[1])
        return pool[start : start + (min(chars, 120) if self._small else chars)]

    def _id(self) -> str:
        return f"msg_{self._rng.getrandbits(96):024x}"

    def _uuid(self) -> str:
        return _uuid(self._rng)


def _bash(text: Callable[[int], str], chars: int) -> tuple[dict[str, Any], str, Any]:
    content = text(chars)
    outcome = {"stdout": content, "stderr": "", "interrupted": False, "isImage": False}
    return {"command": text(90), "description": "look"}, content, outcome


def _read(text: Callable[[int], str], chars: int) -> tuple[dict[str, Any], str, Any]:
    content = text(chars)
    numbered = "\n".join(f"{n:>6}\t{line}" for n, line in enumerate(content.split("\n"), 1))
    file = {"filePath": "/home/dev/demo/a.py", "content": content, "numLines": 9, "startLine": 1, "totalLines": 9}
    return {"file_path": "/home/dev/demo/a.py"}, numbered, {"type": "text", "file": file}


def _edit(text: Callable[[int], str], chars: int) -> tuple[dict[str, Any], str, Any]:
    old, new = text(400), text(500)
    hunk = {
        "oldStart": 1,
        "oldLines": 9,
        "newStart": 1,
        "newLines": 9,
        "lines": [f"+{line}" for line in new.split("\n")],
    }
    outcome = {
        "filePath": "/home/dev/demo/a.py", "oldString": old, "newString": new, "originalFile": text(2 * chars),
        "structuredPatch": [hunk], "userModified": False, "replaceAll": False,
    }  # fmt: skip
    return {"file_path": "/home/dev/demo/a.py", "old_string": old, "new_string": new}, text(300), outcome


def _other(text: Callable[[int], str], chars: int) -> tuple[dict[str, Any], str, Any]:
    content = text(chars)
    return {"query": text(60)}, content, {"mode": "content", "numFiles": 3, "content": content, "numLines": 12}


_RUNS = {"Bash": _bash, "Read": _read, "Edit": _edit}


@cache
def _templates() -> dict[str, dict[str, Any]]:
    """One line of each kind, as the newest client wrote it."""
    found: dict[str, dict[str, Any]] = {}
    for line in map(orjson.loads, _DEMO.read_bytes().splitlines()):
        for kind in _kinds(line):
            found.setdefault(kind, line)
    found.setdefault("system", {**found["attachment"], "type": "system"}).pop("attachment", None)
    return found


def _kinds(line: dict[str, Any]) -> Iterator[str]:
    content = line.get("message", {}).get("content") if isinstance(line.get("message"), dict) else None
    if line["type"] == "user":
        yield f"user:{content[0]['type']}" if isinstance(content, list) else "user:str"
    else:
        yield line["type"]


@cache
def _pool() -> str:
    """A megabyte that looks like code and logs: quotes, indents, escapes, now and then a character beyond Latin-1."""
    rng = random.Random(0)  # noqa: S311 - the same at every run
    lines = []
    for n in range(22_000):
        words = " ".join(rng.choices(_WORDS, k=rng.randrange(2, 12)))
        lines.append(
            " " * rng.choice((0, 4, 8)) + words + rng.choice(("", ":", f' = "{n}"', " → ok" if n % 40 == 0 else ""))
        )
    return "\n".join(lines)


def _uuid(rng: random.Random) -> str:
    return str(uuid.UUID(int=rng.getrandbits(128), version=4))
