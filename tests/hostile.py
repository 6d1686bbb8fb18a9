"""Sessions with a field that nobody expects: any nesting, number, date or bytes, anywhere in a line."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from lines import Lines, tool

DEPTHS = [90, 99, 100, 101, 253, 254, 255, 400, 990, 1023, 1024, 1025, 3000]
TIMES = [
    "0001-01-01T00:00:00+14:00", "1600-02-29T12:00:00Z", "1969-12-31T23:59:59.999Z", "1970-01-01T00:00:00Z",
    "2261-12-31T23:59:59Z", "2262-04-12T00:00:00Z", "9999-12-31T23:59:59-12:00", "2026-13-45T99:99:99Z", "2026", "",
    0, -1, 1e18, 253402300800, "1767268800",
]  # fmt: skip
NAMES = [
    "../../x",
    "/",
    ".",
    "..",
    "x" * 300,
    "x" * 5000,
    "\0",
    "a\0b",
    "\udcff",
    "\ud83d",
    "\x1b[2J",
    "9" * 5000,
    "Exit code " + "9" * 30,
]
NUMBERS = [2**31, 2**53, 2**63 - 1, 2**63, 2**64, -(2**63) - 1, 10**30, 10**400, -1, 1e308, -1e308]
PLACEHOLDER = re.compile(r'"<raw (\d+)>"')
NESTING = [("[", "]"), ('{"a":', "}"), ('[{"type":', "}]")]
RAW = [
    "1e400", "-1e400", "NaN", "Infinity", "-Infinity", "1" * 5000, "-0", "0.1e-9999",
    *(opening * depth + "1" + closing * depth for depth in DEPTHS for opening, closing in NESTING),
]  # fmt: skip
"""What `json.dumps` cannot write: stands in a line as `<raw n>` until then."""

values: st.SearchStrategy[Any] = st.one_of(
    st.sampled_from([f"<raw {n}>" for n in range(len(RAW))]),
    st.sampled_from([*TIMES, *NAMES, *NUMBERS]),
    st.integers(-(2**70), 2**70) | st.floats() | st.text(max_size=9) | st.none() | st.booleans(),
    st.datetimes().map(lambda moment: f"{moment.isoformat()}Z"),
    st.recursive(
        st.none() | st.integers() | st.text(max_size=4),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["type", "id", "text"]), inner),
        max_leaves=6,
    ),
)


def lines_of_all_kinds() -> list[dict[str, Any]]:
    """A line of each kind that is read, two turns in all."""
    lines = Lines(session="hostile").prompt("go", cwd="/home/dev/demo", promptSource="typed")
    usage = {
        "cache_read_input_tokens": 5,
        "cache_creation_input_tokens": 3,
        "cache_creation": {"ephemeral_5m_input_tokens": 1, "ephemeral_1h_input_tokens": 2},
        "service_tier": "standard",
        "speed": "fast",
        "iterations": [{"type": "advisor_message", "model": "claude-opus-5", "output_tokens": 4}],
    }
    lines.plain("api-request", id="r1", params={"model": "m", "max_tokens": 9, "thinking": {"budget_tokens": 7}})
    lines.assistant(
        "m1", {"type": "thinking", "thinking": "hm"}, "hi", tool("t1", command="ls"),
        {"type": "server_tool_use", "id": "a1", "name": "advisor", "input": {}}, usage=usage, requestRef="r1",
        apiBlockIndex=0, thinkingDurationMs=5, effort="high", requestSessionId="other",
    )  # fmt: skip
    lines.result(
        "t1", [{"type": "text", "text": "Exit code 1"}], is_error=True, permissionDecision={"decision": "allow"},
        toolUseResult={"filePath": "/x", "durationMs": 5, "structuredPatch": [{"lines": ["+"]}], "agentId": "late"},
    )  # fmt: skip
    lines.assistant("m1", tool("t2")).result("t2", toolUseResult="Exit code 2")
    lines.add("system", subtype="api_error", error={"status": 529}, retryAttempt=1, maxRetries=9, retryInMs=500)
    lines.add("system", subtype="compact_boundary", content="c", compactMetadata={"preTokens": 9})
    lines.add(
        "attachment",
        attachment={"type": "queued_command", "prompt": [{"type": "text", "text": "also", "tool_use_id": "t1"}]},
    )
    lines.plain("queue-operation", operation="enqueue", content="later").plain("queue-operation", operation="remove")
    lines.plain("progress", data={"type": "agent_progress"}).plain("mode", mode="normal")
    lines.prompt([{"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "QUJD"}}])
    lines.assistant("m2", "done")
    lines.user("found", uuid="s1", isSidechain=True).assistant(
        "m3", "deep", uuid="s2", isSidechain=True, agentId="late"
    )
    return [json.loads(line) for line in lines.lines]


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The way to everything in a value that can be replaced."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield (*path, key)
        yield from places(item, (*path, key))


LINES = lines_of_all_kinds()
PLACES = [(n, path) for n, line in enumerate(LINES) for path in places(line)]


@st.composite
def hostile_sessions(draw: st.DrawFn) -> bytes:
    """A transcript in which up to three fields hold what nobody expects."""
    lines = json.loads(json.dumps(LINES))
    for n, path in draw(st.lists(st.sampled_from(PLACES), min_size=1, max_size=3)):
        node = lines[n]
        try:
            for key in path[:-1]:
                node = node[key]
            node[path[-1]] = draw(values)
        except (TypeError, LookupError):
            continue  # replaced before, together with what it was in
    as_ascii = draw(st.booleans())
    return b"".join(written(line, as_ascii=as_ascii) for line in lines)


def written(line: Any, *, as_ascii: bool = False) -> bytes:
    """A line as bytes; half characters become bytes that are not UTF-8, or escapes."""
    text = PLACEHOLDER.sub(lambda found: RAW[int(found[1])], json.dumps(line, ensure_ascii=as_ascii))
    return b"".join(_bytes(character) for character in text) + b"\n" if not text.isascii() else f"{text}\n".encode()


def _bytes(character: str) -> bytes:
    try:
        return character.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return character.encode("utf-8", "surrogatepass")


def folder_with(content: bytes, folder: Path, meta: bytes = b"{}") -> Path:
    """A Claude config folder with a hostile session, its subagent of the same lines, and a session that is sound."""
    project = folder / "projects" / "-home-dev-demo"
    agents = project / "hostile" / "subagents"
    agents.mkdir(parents=True)
    (project / "hostile.jsonl").write_bytes(content)
    (agents / "agent-late.jsonl").write_bytes(content)
    (agents / "agent-late.meta.json").write_bytes(meta)
    Lines(session="sound").prompt("hi").assistant("g1", "sound answer").write(project / "sound.jsonl")
    return folder
