"""The turns of the ledger are those that are shipped, as far as its simpler rules go."""

import json
from collections import Counter
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from ccship.ledger.store import Ledger, key_of
from ccship.review import signals_at
from ccship.transcript.files import transcripts_in
from conftest import FIXTURES, SHARED

Facts: TypeAlias = tuple[Any, ...]
"""Trigger, tools by name, interrupted, API error, truncated, refused."""


def in_ledger(path: Path) -> dict[int, Facts]:
    """The turns of a transcript by key."""
    ledger = Ledger(None)
    assert ledger.catch_up([path]) == []
    names = ("interrupted", "api_error", "truncated", "refused")
    found = {}
    for key, trigger, tools, signals in ledger.db.execute("SELECT key, trigger, tools, signals FROM turns"):
        fired = json.loads(signals or "{}")
        found[key] = (trigger, json.loads(tools or "{}"), *(name in fired for name in names))
    return found


def shipped(path: Path) -> dict[int, Facts]:
    """The same from the reader of what is shipped."""
    found = {}
    for evaluated in signals_at(path):
        turn, signals = evaluated.turn, evaluated.signals
        tools: dict[str, list[int]] = {}
        for tool in turn.exchange.tools.values():
            counts = tools.setdefault(tool.name, [0, 0])
            counts[0] += 1
            counts[1] += bool((tool.result_block or {}).get("is_error"))
        fired = (signals.interrupted, signals.api_error, signals.truncated, signals.refused)
        found[key_of(turn.uuid)] = (turn.trigger, tools, *fired)
    return found


@pytest.mark.parametrize(
    ("folder", "different"), [(FIXTURES / "claude", 1), (SHARED / "corpus", 18)], ids=["own", "others"]
)
def test_turns_are_those_that_are_shipped(folder: Path, different: int) -> None:
    """All but a few, of folded and resumed history."""
    if not folder.is_dir():
        pytest.skip("other people's sessions are not beside this checkout")
    counts: Counter[str] = Counter()
    for path in transcripts_in(folder):
        if not path.name.startswith("agent-"):
            ours, theirs = in_ledger(path), shipped(path)
            counts.update("same" if ours.get(key) == theirs.get(key) else "different" for key in {**ours, **theirs})
    assert counts["same"] > 40
    assert counts["different"] <= different
