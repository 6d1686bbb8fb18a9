"""The real client in a config folder of its own, and what has arrived from it."""

import json
import os
import shutil
import subprocess
import time
import uuid
from collections import defaultdict
from itertools import pairwise
from pathlib import Path

import pytest

from e2e.messages import RUNNING, ScriptedModel
from helpers import run_ccship
from loopback import LoopbackLangfuse, Span

CLAUDE = os.environ.get("CCSHIP_CLAUDE") or shutil.which("claude")
needs_client = pytest.mark.skipif(
    CLAUDE is None, reason="no client: put `claude` on the PATH or name it with CCSHIP_CLAUDE"
)
PATIENCE_S = 60


class Client:
    """The real client in a config folder of its own."""

    def __init__(self, folder: Path, model: ScriptedModel, langfuse: LoopbackLangfuse, *, hooked: bool = True) -> None:
        self.config = folder / "claude"
        self.state = folder / "state"
        self.work = folder / "work"
        self.work.mkdir(parents=True)
        self.config.mkdir()
        self.langfuse = langfuse
        self.environ = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "CLAUDE_CONFIG_DIR": str(self.config),
            "ANTHROPIC_BASE_URL": model.url,
            "ANTHROPIC_API_KEY": "sk-ant-test",
            "IS_SANDBOX": "1",
            "DISABLE_TELEMETRY": "1",
            "DISABLE_ERROR_REPORTING": "1",
            "DISABLE_AUTOUPDATER": "1",
            "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
        }
        if hooked:
            self.register({**langfuse.environ, "TRACE_TO_LANGFUSE": "true", "CC_LANGFUSE_STATE_DIR": str(self.state)})

    def register(self, environ: dict[str, str]) -> None:
        """Write settings with an environment, and let ccship add the hook for this client."""
        (self.config / "settings.json").write_text(json.dumps({"env": environ}))
        path = f"{Path(str(CLAUDE)).absolute().parent}{os.pathsep}{os.environ['PATH']}"
        done = run_ccship("install", "--claude-dir", self.config, environ={"PATH": path})
        assert done.returncode == 0, done.stderr

    def start(self, prompt: str, *arguments: str) -> subprocess.Popen[str]:
        """Start a turn in print mode."""
        assert CLAUDE
        return subprocess.Popen(
            [CLAUDE, "-p", prompt, "--dangerously-skip-permissions", *arguments],
            env=self.environ,
            cwd=self.work,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def say(self, prompt: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """One turn, from prompt to exit."""
        process = self.start(prompt, *arguments)
        out, err = process.communicate(timeout=120)
        return subprocess.CompletedProcess(process.args, process.returncode, out, err)

    def wait_for_tool(self) -> None:
        """Return when the slow tool runs."""
        while not (self.work / RUNNING).exists():
            time.sleep(0.02)

    def transcripts(self) -> list[Path]:
        return sorted((self.config / "projects").rglob("*.jsonl"))

    def message_ids(self) -> set[str]:
        """The LLM calls on disk, subagents' included."""
        messages = [
            json.loads(line).get("message") for path in self.transcripts() for line in path.read_text().splitlines()
        ]
        return {
            message["id"]
            for message in messages
            if isinstance(message, dict)
            and message.get("role") == "assistant"
            and message.get("model") != "<synthetic>"
        }

    def settled(self) -> dict[str, Span]:
        """What has arrived once every request of every hook is done, by span id; checks that it arrived once."""
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            calls = {span.span_id for span in self.langfuse.accepted if span.type == "generation"}
            if not list((self.state / "requests").glob("*")) and len(calls) == len(self.message_ids()):
                break
            time.sleep(0.1)
        check_once(self.langfuse.accepted)
        latest = self.langfuse.latest
        assert sum(span.type == "generation" for span in latest.values()) == len(self.message_ids())
        return latest


def check_once(spans: list[Span]) -> None:
    """No span under two keys; none sent again unchanged."""
    sent = defaultdict(list)
    for span in spans:
        sent[span.span_id].append(span)
    assert all(len({span.key for span in times}) == 1 for times in sent.values())
    assert all(a != b for times in sent.values() for a, b in pairwise(times))


def roots(spans: dict[str, Span]) -> list[str]:
    """The prompts of the turns that arrived, in the order of time."""
    found = sorted((span for span in spans.values() if not span.parent), key=lambda span: span.start_ns)
    return [str(span.attributes["langfuse.observation.input"]) for span in found]


def session() -> str:
    return str(uuid.uuid4())
