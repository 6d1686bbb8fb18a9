"""Every place of a session where a text can stand, each with a canary."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from lines import Lines, tool

PLACES = (
    "prompt", "answer", "thinking", "tool-input", "tool-key", "tool-output", "tool-parts", "error", "file-path", "url",
    "json-in-string", "code-fence", "punctuation", "list", "mcp-name", "subagent-prompt", "subagent-kind",
    "subagent-description", "subagent-answer", "command", "queued", "api-error", "compaction", "skill", "branch",
    "folder", "denial",
)  # fmt: skip


def session_of(texts: Iterable[str], folder: Path) -> Path:
    """A session whose turns hold each of the texts in each of the places, beside the name of the place."""
    lines = Lines(session="canaries")
    main = folder / "projects" / "-home-dev-demo" / "canaries.jsonl"
    for n, text in enumerate(texts):
        _turn(lines, n, text)
        _subagent(n, text, lines.seconds - 2, main)
    return lines.write(main)


def _turn(lines: Lines, n: int, text: str) -> None:
    def beside(place: str) -> str:
        return f"{place} \n{text}\n end"

    calls = {
        "tool-input": tool(f"a{n}", command=beside("tool-input")),
        "tool-key": tool(f"b{n}", **{f"tool-key {text}": "1"}),
        "list": tool(f"c{n}", "TodoWrite", todos=[{"content": ["list", text]}]),
        "json": tool(f"d{n}", "Write", content=json.dumps({"json-in-string": beside("json-in-string")})),
        "mcp": tool(f"e{n}", f"mcp__mcp-name {text} end"),
        "file": tool(f"f{n}", "Read", file_path=f"/file-path/{text}"),
        "fetch": tool(f"g{n}", "WebFetch", url=f"https://host/url?{text}"),
        "agent": tool(
            f"h{n}", "Agent",
            prompt=f"{n} " + beside("subagent-prompt"), subagent_type=beside("subagent-kind"), description=text,
        ),
    }  # fmt: skip
    lines.prompt(
        beside("prompt"), gitBranch=beside("branch"),
        cwd="/home/dev/demo" if {"/", "\\"} & set(text) else beside("folder"),
    )  # fmt: skip
    lines.assistant(f"m{n}", {"type": "thinking", "thinking": beside("thinking")}, beside("answer"), *calls.values(),
                    attributionSkill=beside("skill"))  # fmt: skip
    lines.result(f"a{n}", beside("tool-output"))
    lines.result(f"b{n}", [{"type": "text", "text": beside("tool-parts")}, {"type": "tool_reference", "x": text}])
    lines.result(f"c{n}", f"error {text}", is_error=True)
    lines.result(f"d{n}", f'punctuation ("{text}"), and <{text}>.')
    lines.result(f"e{n}", f"no\n```sh\ncode-fence\n{text}\n```", toolUseResult=f"Error: {text}")
    lines.result(f"f{n}", "read", toolUseResult={"filePath": f"/file-path/{text}", "status": text})
    lines.result(f"g{n}", beside("denial"), is_error=True, toolDenialKind="user-rejected",
                 permissionDecision={"decision": "reject", "source": beside("denial")})  # fmt: skip
    lines.result(f"h{n}", "launched", toolUseResult={"agentId": f"x{n}", "agentType": text, "url": text})
    queued = {"type": "queued_command", "prompt": beside("queued")}
    lines.add("attachment", attachment=queued)
    lines.add(
        "system", subtype="compact_boundary", content=beside("compaction"), compactMetadata={"trigger": text, text: 1}
    )
    lines.user(
        f"<command-message>x</command-message><command-name>/x</command-name><command-args>{beside('command')}</command-args>"
    )
    lines.synthetic(f"API Error: {beside('api-error')}", isApiErrorMessage=True, error=text)


def _subagent(n: int, text: str, seconds: float, main: Path) -> None:
    agent = Lines(session="canaries")
    agent.seconds = seconds
    own: dict[str, Any] = {"agentId": f"x{n}", "isSidechain": True}
    agent.user(f"{n} subagent-prompt \n{text}\n end", uuid=f"x{n}-0", **own)
    agent.assistant(f"n{n}", f"subagent-answer {text}", uuid=f"x{n}-1", **own)
    path = agent.write(main.with_suffix("") / "subagents" / f"agent-x{n}.jsonl")
    facts = {"agentType": f"subagent-kind {text}", "description": f"subagent-description {text}", "toolUseId": f"h{n}"}
    path.with_suffix(".meta.json").write_text(json.dumps(facts))
