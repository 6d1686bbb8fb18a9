"""What a backfill says before it begins, and how it asks."""

import json
from pathlib import Path

import pytest

from conftest import FIXTURES
from helpers import run_ccship
from lines import Lines
from loopback import LoopbackLangfuse
from terminal import on_terminal

FIXTURE = FIXTURES / "claude"
ALL = ("backfill", "--claude-dir", FIXTURE)
UTC = {"TZ": "UTC"}


@pytest.fixture
def many(tmp_path: Path) -> Path:
    """More turns than anybody sends unasked."""
    lines = Lines()
    for number in range(1001):
        lines.prompt("go on", promptId=f"p{number}").assistant(f"m{number}", "done")
    return lines.write(tmp_path / "many/s1.jsonl")


def test_the_plan_is_what_is_sent_then(langfuse: LoopbackLangfuse) -> None:
    """Sessions, turns, observations, bytes, tokens, the oldest and the newest."""
    done = run_ccship(*ALL, environ={**langfuse.environ, **UTC})
    plan, _, result = done.stdout.partition("\nsent ")
    sent = json.loads(run_ccship(*ALL, "--resend", "--dry-run", "--json", environ=langfuse.environ).stdout)
    size = f"{sent['text_bytes'] / 1000:.1f} kB"
    assert 100_000 < sent["text_bytes"] < 200_000
    sizes = f"{len(langfuse.accepted)} observations and {len(langfuse.scores.rows)} scores, {size}"
    assert plan.splitlines()[:4] == [
        f"would send to {langfuse.url}:",
        "  45 turns and 14 subagents of 6 sessions, begun 2026-11-20 23:39 to 2026-11-20 23:40",
        f"  {sizes}, from 416.3 kB of transcripts",
        "  tokens: 738 in, 5,566 out, 1,534,000 cache read, 123,120 cache write",
    ]
    assert result.startswith(f"45 turns and 14 subagents of 6 sessions: {len(langfuse.accepted)} observations")


def test_the_plan_says_what_is_left_out_and_why(langfuse: LoopbackLangfuse) -> None:
    """Copies, what has arrived, what is too old, and excluded projects by the pattern that excludes them."""
    run_ccship(*ALL, "--session", "9e4b", environ=langfuse.environ)
    chosen = run_ccship(*ALL, "--since", "2026-11-20T23:39:45Z", "--dry-run", environ=langfuse.environ).stdout
    assert "turns already sent as part of another session" in chosen
    assert "turns outside --since and --until" in chosen
    excluding = {**langfuse.environ, "CC_LANGFUSE_EXCLUDE": "/home/dev/**"}
    nothing = run_ccship(*ALL, "--dry-run", environ=excluding)
    assert nothing.returncode == 0
    assert "would send nothing" in nothing.stdout
    assert "skipped 6 sessions of projects excluded by /home/dev/**" in nothing.stdout
    document = json.loads(run_ccship(*ALL, "--dry-run", "--json", environ=excluding).stdout)
    assert document["excluded"] == {"/home/dev/**": 6}


def test_more_than_a_thousand_turns_are_asked_about(many: Path, langfuse: LoopbackLangfuse) -> None:
    """Where nobody can be asked, nothing is sent until --yes says so."""
    asked = run_ccship("backfill", many, environ=langfuse.environ)
    assert asked.returncode == 2
    assert "this would send 1001 turns: pass --yes" in asked.stderr
    assert langfuse.requests == []
    agreed = run_ccship("backfill", many, "--yes", environ=langfuse.environ)
    assert agreed.returncode == 0
    assert "would send" not in agreed.stdout
    assert len(langfuse.accepted) == len(langfuse.keys) == 2002


@pytest.mark.parametrize(("answer", "turns"), [("n\n", 0), ("y\n", 1001)])
def test_on_a_terminal_a_person_is_asked(answer: str, turns: int, many: Path, langfuse: LoopbackLangfuse) -> None:
    """A bar shows how far it is."""
    screen = "\n".join(on_terminal(120, "backfill", many, environ=langfuse.environ, typed=answer))
    assert f"Send 1001 turns to {langfuse.url}? [y/N]" in screen
    assert ("nothing was sent" in screen) is (turns == 0)
    assert ("shipping" in screen) is (turns > 0)
    assert len({span.trace_id for span in langfuse.accepted}) == turns


def test_a_limit_is_gone_on_from(langfuse: LoopbackLangfuse) -> None:
    """A few turns to look at first, the oldest; the next run sends the next ones."""
    document = {}
    for turns in (3, 6):
        done = run_ccship(*ALL, "--limit", "3", "--json", environ=langfuse.environ)
        document = json.loads(done.stdout)
        assert (done.returncode, document["turns"]["sent"], document["stopped"]) == (0, 3, True)
        assert sum(span.type == "agent" and not span.parent for span in langfuse.accepted) == turns
    rest = json.loads(run_ccship(*ALL, "--json", environ=langfuse.environ).stdout)
    assert (rest["turns"]["sent"], rest["stopped"]) == (39, False)
    assert len(langfuse.accepted) == len(langfuse.keys)
