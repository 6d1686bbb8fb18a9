"""What is true only when somebody looks is no reason to send again, and no later send takes it away."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from helpers import run_ccship
from lines import Lines, tool
from loopback import LoopbackLangfuse, Span

TRANSCRIPT = Path("claude/projects/-home-dev-demo/s1.jsonl")

OF_HOOKS = {
    "ANTHROPIC_BASE_URL": "https://gateway.example.org",
    "LANGFUSE_USER_ID": "ada@example.org",
    "LANGFUSE_TRACING_ENVIRONMENT": "office",
    "CC_LANGFUSE_TRACE_TAGS": "laptop",
    "CC_LANGFUSE_METADATA": "team=engines",
    "USER": "ada",
    "POD_NAMESPACE": "builders",
}
"""What Claude Code's settings hand to hooks, and to no shell."""

OF_THE_SHELL = {
    "LANGFUSE_USER_ID": "somebody",
    "CC_LANGFUSE_TRACE_TAGS": "shell",
    "CC_LANGFUSE_METADATA": "team=none",
    "CC_LANGFUSE_COST": "client",
    "USER": "root",
}


@pytest.fixture
def session(tmp_path: Path) -> Lines:
    """Three turns, of which the last two may still change."""
    lines = Lines()
    for n in (1, 2, 3):
        lines.prompt(f"go {n}").assistant(f"m{n}", tool(f"t{n}")).result(f"t{n}").assistant(f"n{n}", "done")
    return lines


@pytest.fixture
def hooked(tmp_path: Path, session: Lines, langfuse: LoopbackLangfuse) -> dict[str, str]:
    """The environment of a shell, after a hook has shipped the session."""
    transcript = session.write(tmp_path / TRANSCRIPT)
    common = {**langfuse.environ, "CLAUDE_CONFIG_DIR": str(tmp_path / "claude")}
    payload = {"session_id": "s1", "transcript_path": str(transcript), "cwd": str(tmp_path), "hook_event_name": "Stop"}
    opted_in = {"TRACE_TO_LANGFUSE": "true", "CC_LANGFUSE_FOREGROUND": "true"}
    run_ccship("hook", stdin=json.dumps(payload).encode(), environ={**common, **OF_HOOKS, **opted_in})
    assert len(langfuse.keys) == 12
    return {**common, **OF_THE_SHELL}


def volatile_of(span: Span) -> dict[str, Any]:
    names = ("user.id", "langfuse.environment", "langfuse.trace.tags", "langfuse.trace.name")
    of_root = ("anthropic_base_url", "team", "user_name", "namespace")
    metadata = {name: span.attributes.get(f"langfuse.observation.metadata.{name}") for name in of_root}
    return {name: span.attributes.get(name) for name in names} | metadata


def test_a_backfill_after_hooks_from_another_shell_sends_nothing(
    hooked: dict[str, str], langfuse: LoopbackLangfuse
) -> None:
    """Another user, other tags and metadata, another gateway, costs: none of it is in the transcript."""
    langfuse.clear()
    done = run_ccship("backfill", "--yes", environ=hooked)
    assert done.returncode == 0
    assert langfuse.requests == []


def test_a_turn_that_grew_keeps_what_the_hook_found(
    hooked: dict[str, str], session: Lines, tmp_path: Path, langfuse: LoopbackLangfuse
) -> None:
    """Langfuse replaces an observation whole, so that what is left out would be gone."""
    before = {span.name: volatile_of(span) for span in langfuse.accepted if span.trace_id == last_trace(langfuse)}
    assert before["claude_turn"]["anthropic_base_url"] == "https://gateway.example.org"
    assert (before["claude_turn"]["user_name"], before["claude_turn"]["namespace"]) == ("ada", "builders")
    langfuse.clear()
    session.assistant("n4", "one more thing").write(tmp_path / TRANSCRIPT)
    run_ccship("backfill", "--yes", environ=hooked)
    assert sorted(span.name for span in langfuse.accepted) == ["LLM call", "claude_turn"]
    assert {span.name: volatile_of(span) for span in langfuse.accepted}.items() <= before.items()


def test_resending_applies_the_settings_of_today(hooked: dict[str, str], langfuse: LoopbackLangfuse) -> None:
    """What they do not name stays where the state still has it."""
    langfuse.clear()
    run_ccship("backfill", "--yes", "--resend", environ=hooked)
    root = next(
        span for span in langfuse.accepted if span.name == "claude_turn" and span.trace_id == last_trace(langfuse)
    )
    found = volatile_of(root)
    assert (found["user.id"], found["team"]) == ("somebody", "none")
    assert found["anthropic_base_url"] == "https://gateway.example.org"


def last_trace(langfuse: LoopbackLangfuse) -> str:
    return max(langfuse.accepted, key=lambda span: span.start_ns).trace_id


def test_an_upgrade_sends_nothing_again(hooked: dict[str, str], langfuse: LoopbackLangfuse, tmp_path: Path) -> None:
    """The hashes of 0.1.0 are of other fields; they are not compared while the file has not grown."""
    state = tmp_path / "home/state/state.db"
    older = {"turns": 1, "late_records": {}}
    with closing(sqlite3.connect(state)) as db, db:
        ((spans,),) = db.execute("SELECT spans FROM transcripts").fetchall()
        others = b"".join(spans[at : at + 3] + b"older" for at in range(0, len(spans), 8))
        db.execute("UPDATE transcripts SET resume_state = ?, hashes = 1, spans = ?", (json.dumps(older), others))
    for grown in (False, True):
        langfuse.clear()
        assert run_ccship("backfill", "--yes", environ=hooked).returncode == 0
        assert langfuse.requests == []
        if not grown:
            with (tmp_path / TRANSCRIPT).open("a") as file:
                file.write('{"type":"mode","mode":"normal"}\n')
