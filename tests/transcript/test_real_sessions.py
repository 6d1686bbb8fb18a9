"""Other people's sessions and the real client's: the lines that each edge case was first seen on.

Left out where they are not beside this checkout; the modules beside this one have the same cases in a few lines each.
"""

import csv
import json
import shutil
from collections import Counter, defaultdict
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from ccship.observations import Observation
from ccship.transcript.discover import sessions_of
from ccship.transcript.records import User
from ccship.transcript.tail import entries
from ccship.transcript.turns import Turn, TurnBuilder
from conftest import SHARED
from helpers import KeepingSink, observe, ship_to

CORPUS = SHARED / "corpus"
TRANSCRIPTS = SHARED / "transcripts"
pytestmark = pytest.mark.skipif(not CORPUS.is_dir(), reason="other people's sessions are not beside this checkout")

ROWS = list(csv.DictReader((CORPUS / "EXPECTED.tsv").open(), delimiter="\t")) if CORPUS.is_dir() else []
MAIN_ROWS = [row for row in ROWS if "agent-" not in row["file"]]


@cache
def turns_of(name: str) -> list[Turn]:
    """The turns of a transcript of the corpus."""
    builder = TurnBuilder()
    with (CORPUS / name).open("rb") as file:
        settled = [turn for entry in entries(file, 0) for turn in builder.feed(entry)]
    return settled + builder.open


@cache
def observed(name: str) -> list[Observation]:
    return observe(CORPUS / name)


def names(name: str) -> Counter[str]:
    return Counter(observation.name for observation in observed(name))


def metadata(name: str, key: str) -> list[object]:
    return [observation.metadata[key] for observation in observed(name) if key in observation.metadata]


def levels(name: str, observation: str) -> set[str]:
    return {span.level for span in observed(name) if span.name == observation}


STARTS = {
    "start_prompt": "prompt",
    "start_slash_prompt": "slash_command",
    "start_task_notification": "task_notification",
    "start_system": "scheduled",
    "start_teammate": "teammate",
    "cmd_local": "local_command",
}
BARE_COMPACT = {"2.1.212-a.jsonl": 1, "2.1.226-b.jsonl": 2}
"""Lines `/compact` without markup, which that reader counts as prompts."""


@pytest.mark.parametrize("row", MAIN_ROWS, ids=lambda row: row["file"])
def test_turns_start_where_an_independent_reader_says(row: dict[str, str]) -> None:
    """That reader counts the prompts of inline subagents too."""
    turns = turns_of(row["file"])
    starts = Counter(start for turn in turns for start in turn.starts)
    inline = sum(len(turn.exchange.sidechains) for turn in turns)
    counted = {column: starts[kind] for column, kind in STARTS.items()}  # type: ignore[index]
    counted["start_prompt"] += inline + BARE_COMPACT.get(row["file"], 0)
    counted["cmd_local"] -= BARE_COMPACT.get(row["file"], 0)
    assert counted == {column: int(row[column]) for column in STARTS}


Check = Callable[[], bool]

EDGES: dict[str, Check] = {
    "a result between the lines of a call": lambda: names("2.1.227-a.jsonl")["LLM call"] == 5,
    "usage on the last line only": lambda: (
        178 in [(observation.usage_details or {}).get("output") for observation in observed("2.1.91-a.jsonl")]
    ),
    "placeholder output": lambda: True in metadata("2.1.7-a.jsonl", "output_is_lower_bound"),
    "a result before its tool call": lambda: all(
        observation.output is not None for observation in observed("2.1.227-a.jsonl") if observation.type == "tool"
    ),
    "parallel results in reverse": lambda: all(
        observation.output is not None for observation in observed("2.1.221-b.jsonl") if observation.type == "tool"
    ),
    "mixed calls": lambda: names("2.1.42-b.jsonl")["LLM call"] == 219,
    "a late flush": lambda: all(
        observation.end_ns >= observation.start_ns for observation in observed("2.1.218-a.jsonl")
    ),
    "a prompt beside a result": lambda: any(
        isinstance(observation.input, list) and {"tool", "user"} <= {message["role"] for message in observation.input}
        for observation in observed("2.1.33-a.jsonl")
        if observation.type == "generation"
    ),
    "a prompt in the queue only": lambda: any(
        observation.name == "queued_prompt" and observation.input == "is the pencil mcp down?"
        for observation in observed("2.1.49-d.jsonl")
    ),
    "a prompt folded in": lambda: names("2.1.220-d.jsonl")["queued_prompt"] > 0,
    "notifications": lambda: metadata("2.1.42-a.jsonl", "trigger").count("task_notification") == 5,
    "a wake-up": lambda: metadata("2.1.221-c.jsonl", "trigger").count("scheduled") == 2,
    "a slash command under an old prompt id": lambda: "slash_command" in metadata("2.1.101-a.jsonl", "trigger"),
    "local commands": lambda: names("2.1.220-c.jsonl")["local_command"] == 1,
    "a fallback": lambda: (
        metadata("2.1.217-a.jsonl", "fallback_from") == ["claude-fable-5"]
        and names("2.1.217-a.jsonl")["model_fallback"] == 1
    ),
    "an advisor that was not asked": lambda: names("2.1.221-c.jsonl")["Advisor"] == 0,
    "a continuation": lambda: "continuation" in metadata("2.1.219-a.jsonl", "trigger"),
    "zeroed copies": lambda: names("2.1.226-c.jsonl")["LLM call"] == 355,
    "a response repeated": lambda: names("1.0.51-a.jsonl")["LLM call"] == 2,
    "interrupts without response": lambda: levels("2.1.49-c.jsonl", "interrupted") == {"WARNING"},
    "an aborted stream": lambda: any(
        observation.status_message == "interrupted while streaming" for observation in observed("2.1.226-b.jsonl")
    ),
    "a prompt sent twice": lambda: any(
        observation.status_message == "no response" for observation in observed("2.1.218-a.jsonl")
    ),
    "a rejected tool": lambda: "user-rejected" in metadata("2.1.220-d.jsonl", "denial"),
    "a tool lost at a compaction": lambda: (
        sum(observation.type == "tool" and observation.output is None for observation in observed("2.1.37-a.jsonl"))
        == 2
    ),
    "compactions": lambda: names("2.1.226-c.jsonl")["compaction"] == 4,
    "two records on a line": lambda: names("2.1.7-b.jsonl")["LLM call"] == 42,
    "a slice": lambda: names("2.1.29-a.jsonl")["claude_turn"] == 4,
    "API errors": lambda: (
        levels("2.1.221-a.jsonl", "api_error") == {"ERROR"} and names("2.1.221-c.jsonl")["api_error"] == 1
    ),
    "no response requested": lambda: (
        not any("No response requested" in str(observation.output) for observation in observed("2.1.7-a.jsonl"))
    ),
    "no request ids": lambda: metadata("2.1.204-a.jsonl", "model_family")[0] == "glm",
    "inline subagents": lambda: (
        sum(count for name, count in names("1.0.98-a.jsonl").items() if name.startswith("Agent: ")) == 5
        and names("1.0.98-a.jsonl")["claude_turn"] == 2
    ),
    "subagents in a folder": lambda: (
        sum(count for name, count in names("2.1.114-a.jsonl").items() if name.startswith("Agent: ")) == 6
    ),
    "a compacting agent": lambda: names("2.1.39-c.jsonl")["Agent: compaction"] == 1,
    "warm-up agents": lambda: any(
        observation.name == "Agent: warm-up"
        for path in (CORPUS / "flat-agents").iterdir()
        for observation in observe(path)
    ),
    "a teammate": lambda: metadata("2.1.39-a.jsonl", "trigger")[0] == "teammate",
    "two versions": lambda: len({observation.trace.version for observation in observed("2.1.17-a.jsonl")}) == 2,
    "continue from where you left off": lambda: (
        not any(
            str(observation.input).startswith("Continue from where")
            for observation in observed("2.1.123-a.jsonl")
            if observation.type == "agent"
        )
    ),
    "fast mode": lambda: (
        "fast" in [(observation.model_parameters or {}).get("speed") for observation in observed("2.1.181-a.jsonl")]
    ),
    "huge lines": lambda: names("2.1.39-b.jsonl")["Tool: Read"] > 0,
    "a PDF": lambda: any("document" in str(observation.input)[:9000] for observation in observed("2.0.5-a.jsonl")),
}


@pytest.mark.parametrize("check", EDGES.values(), ids=EDGES.keys())
def test_an_edge_case_on_the_lines_it_was_first_seen_on(check: Check) -> None:
    """Growing files are in test_chunks.py, forks below."""
    assert check()


PAIRS = [("2.1.212-b", "2.1.212-a"), ("2.1.224-a", "2.1.226-c")]


@pytest.mark.parametrize("forwards", [True, False])
@pytest.mark.parametrize("pair", PAIRS)
def test_a_real_fork_sends_each_turn_once_in_either_order(
    pair: tuple[str, str], tmp_path: Path, *, forwards: bool
) -> None:
    """Every call of both files, once, each in the session that made it."""
    files = []
    for name in pair:
        with (CORPUS / f"{name}.jsonl").open("rb") as file:
            records = (entry.parsed for entry in entries(file, 0))
            session = next(record.session_id for record in records if isinstance(record, User))
        files.append(Path(shutil.copy(CORPUS / f"{name}.jsonl", tmp_path / f"{session}.jsonl")))
    sink = KeepingSink()
    from ccship.state import State  # noqa: PLC0415 - one state for both, unlike everywhere else here

    with State(None, "test") as state:
        for path in files if forwards else files[::-1]:
            ship_to(sink, [path], state)
    calls = Counter(observation.span_id for observation in sink.sent if observation.type == "generation")
    assert set(calls.values()) == {1}
    assert len(calls) == len({message_id for path in files for message_id in message_ids(path)})
    per_trace = defaultdict(set)
    for observation in sink.sent:
        per_trace[observation.trace.trace_id].add(observation.trace.session_id)
    assert all(len(sessions) == 1 for sessions in per_trace.values())


def message_ids(path: Path) -> set[str]:
    messages = [json.loads(line).get("message") for line in path.read_text().splitlines()]
    return {
        message["id"]
        for message in messages
        if message and message.get("role") == "assistant" and message.get("model") != "<synthetic>"
    }


def folders() -> list[Path]:
    return [TRANSCRIPTS / "2.1.329", *sorted((TRANSCRIPTS / "interactive").glob("2.1.329-*"))]


COMPACTION = {"input": 14, "output": 100, "cache_read": 30_000, "cache_5m": 400, "cache_1h": 2000}
"""The two calls of a /compact: in no transcript, only in the client's own totals."""

AFTER_KILL = {"input": -28, "output": -220, "cache_read": -60_000, "cache_5m": -800, "cache_1h": -4000}

# What the client's own totals have that no transcript tells, by the beginning of the session id.
UNTOLD = {
    "dad1e8b6": COMPACTION,
    "c19ea0dd": COMPACTION,
    # an aborted stream: the client estimates 167 tokens, the lines say 62
    "a7dc8de4": {"output": 105},
    # the totals begin again at 0 after kill -9; four calls were made before
    "275154e8": AFTER_KILL,
    # forks inherit the totals of the session they were made from
    "0a61affb": {"input": 278, "output": 2068, "cache_read": 572_000, "cache_5m": 7960, "cache_1h": 38_000},
    "4e660ecf": {"input": 28, "output": 230, "cache_read": 60_000, "cache_5m": 800, "cache_1h": 4000},
}
CLIENT = {
    "input": ("inputTokens", "input"),
    "output": ("outputTokens", "output"),
    "cache_read": ("cacheReadInputTokens", "cache_read_input_tokens"),
    "cache_5m": ("cacheCreationEphemeral5mInputTokens", "input_cache_creation_5m"),
    "cache_1h": ("cacheCreationEphemeral1hInputTokens", "input_cache_creation_1h"),
}


@pytest.mark.parametrize("folder", folders(), ids=lambda path: path.name)
def test_totals_equal_what_the_client_itself_counted(folder: Path) -> None:
    """Per session and model, subagents included; the differences are those that are known, to the token."""
    sink = KeepingSink()
    ship_to(sink, [path for session in sessions_of(folder) for path in session.paths])
    ours: defaultdict[tuple[str, str | None], Counter[str]] = defaultdict(Counter)
    for observation in sink.latest.values():
        ours[observation.trace.session_id, observation.model].update(observation.usage_details or {})
    for transcript in folder.glob("projects/*/*.jsonl"):
        states = [json.loads(line) for line in transcript.read_text().splitlines() if '"cost-state"' in line[:40]]
        for model, usage in states[-1]["modelUsage"].items() if states else ():
            counted = ours[transcript.stem, model]
            difference = {
                name: usage[theirs] - counted[key]
                for name, (theirs, key) in CLIENT.items()
                if usage[theirs] != counted[key]
            }
            assert difference == UNTOLD.get(transcript.stem[:8], {}), transcript.stem
