"""Observations to protect."""

import base64
from typing import Any

import orjson
from msgspec.structs import replace

from ccship.observations import Observation, Trace

SECRET = "ghp" + "_" + "q7Wm2Zx9KdL4vTb8RnY3hGs6PfJc5q7Wm2Zx"
MARK = "[redacted:github-pat]"
PNG = base64.b64encode(b"\x89PNG" + bytes(range(256)) * 200).decode()
TRACE = Trace("0" * 32, "claude_turn_1", "s1", "ada", "2.1.329", ("claude-code",))


def observation(kind: Any = "tool", **changed: Any) -> Observation:
    """An observation with nothing in it but what the test says."""
    return replace(Observation(TRACE, "1" * 16, None, kind, "Tool: Bash", 1, 2), **changed)


def response(*arguments: Any) -> dict[str, Any]:
    """What a model said, with the arguments of its tool calls as JSON."""
    calls = [
        {"id": f"t{n}", "type": "function", "function": {"name": "Bash", "arguments": orjson.dumps(argument).decode()}}
        for n, argument in enumerate(arguments)
    ]
    return {"role": "assistant", "content": "I run it", "tool_calls": calls}
