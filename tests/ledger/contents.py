"""Transcripts for the ledger, and what a ledger contains."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from ccship.ledger.store import Ledger
from lines import Lines, at, command, tool

OPUS = {"input_tokens": 1000, "output_tokens": 100, "cache_read_input_tokens": 10_000}

_TABLES = {
    "calls": """
SELECT c.key, f.path, c.time, s.name, c.turn, b.name, k.name, m.name, c.fast, c.final, c.inline, c.input, c.output,
    c.cache_read, c.cache_write_5m, c.cache_write_1h, c.reads, c.miss, c.advice, c.lasted
FROM calls c JOIN files f ON f.id = c.file JOIN names s ON s.id = c.session JOIN names b ON b.id = c.branch
    JOIN names k ON k.id = c.skill JOIN names m ON m.id = c.model""",
    "turns": "SELECT f.path, t.start, t.time, t.trigger, t.tools, t.signals FROM turns t JOIN files f ON f.id = t.file",
    "milestones": """
SELECT f.path, l.time, s.name, l.kind, l.value
FROM milestones l JOIN files f ON f.id = l.file JOIN names s ON s.id = l.session""",
    "files": """
SELECT f.path, s.name, p.name, a.name, f.began, f.directory, f.offset, f.fingerprint, f.carry
FROM files f JOIN names s ON s.id = f.session JOIN names p ON p.id = f.project LEFT JOIN names a ON a.id = f.agent""",
}


def rows_of(ledger: Ledger) -> dict[str, list[Any]]:
    """All rows, without the numbers that depend on the order of reading."""
    return {name: sorted(map(_plain, ledger.db.execute(query))) for name, query in _TABLES.items()}


def recount(paths: Iterable[Path]) -> dict[str, list[Any]]:
    """The rows of a new ledger."""
    ledger = Ledger(None)
    assert ledger.catch_up(paths) == []
    return rows_of(ledger)


def _plain(row: tuple[Any, ...]) -> str:
    return repr(tuple(json.loads(value) if isinstance(value, str) and value[:1] == "{" else value for value in row))


def alternatives(session: str) -> list[bytes]:
    """Lines that a transcript may contain, with copies of other sessions' calls, and damage."""
    lines = Lines(session=session)
    lines.prompt("go").prompt("again", uuid="shared")
    lines.user(command("model")).user(command("review", skill=True)).user("[Request interrupted by user]")
    lines.assistant("m1", tool("t1"), tool("t2", "Read"), usage={"output_tokens": 1}, stop_reason=None)
    lines.assistant("m1", "text", usage=OPUS, attributionSkill="commit")
    lines.result("t1", "x" * 50, is_error=True, toolUseResult={"gitOperation": {"commit": {"sha": f"abc{session}"}}})
    lines.result("t2")
    for name in ("m2", f"own-{session}"):
        lines.assistant(name, "text", usage={**OPUS, "output_tokens": 7, "speed": "fast"}, gitBranch=f"b-{name}")
    advice = {"type": "advisor_message", "model": "claude-opus-5", "input_tokens": 9, "output_tokens": 90}
    asked = {"type": "server_tool_use", "id": f"srv-{session}", "name": "advisor", "input": {}}
    lines.assistant("m3", asked, usage={**OPUS, "iterations": [advice]})
    lines.synthetic("API Error", isApiErrorMessage=True)
    lines.add("system", subtype="compact_boundary").assistant("m4", "text", isSidechain=True, timestamp=None)
    lines.plain("pr-link", prUrl="https://example.org/pull/1").plain("mode", mode="normal")
    lines.assistant("m5", "text", usage={"cache_creation_input_tokens": "many"}, timestamp=at(3))
    for tokens in (5, 6):  # as much output as before: the last line wins
        lines.assistant("m2", "text", usage={"input_tokens": tokens, "output_tokens": 7}, model=f"model-{tokens}")
    whole = [line.encode() for line in lines.lines]
    return [
        *whole,
        whole[5] + whole[9],
        whole[0] + whole[1],
        next(line for line in whole if b"pr-link" in line) + whole[2],
        b"  " + whole[3],
        whole[6][:-20],
        b"\0\0" + whole[10],
        b"[]",
        b"",
        "é".encode() * 9,
    ]
