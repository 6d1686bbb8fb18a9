"""Other people's sessions and the real client's: the lines that each edge case was first seen on.

Left out where they are not beside this checkout; `test_turns.py` has the same cases in a few lines each.
"""

import csv
import json
import shutil
from collections import Counter, defaultdict
from collections.abc import Callable
from functools import cache
from itertools import groupby
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
    return Counter(it.name for it in observed(name))


def metadata(name: str, key: str) -> list[object]:
    return [it.metadata[key] for it in observed(name) if key in it.metadata]


def levels(name: str, observation: str) -> set[str]:
    return {it.level for it in observed(name) if it.name == observation}


STARTS = {
    "start_prompt": "prompt",
    "start_slash_prompt": "slash_command",
    "start_task_notification": "task_notification",
    "start_system": "scheduled",
    "start_teammate": "teammate",
    "cmd_local": "local_command",
}


@pytest.mark.parametrize("row", MAIN_ROWS, ids=lambda row: row["file"])
def test_turns_start_where_an_independent_reader_says(row: dict[str, str]) -> None:
    """That reader counts the prompts of inline subagents too."""
    turns = turns_of(row["file"])
    starts = Counter(start for turn in turns for start in turn.starts)
    inline = sum(len(turn.exchange.sidechains) for turn in turns)
    counted = {column: starts[kind] for column, kind in STARTS.items()}  # type: ignore[index]
    counted["start_prompt"] += inline
    assert counted == {column: int(row[column]) for column in STARTS}


@pytest.mark.parametrize("row", MAIN_ROWS, ids=lambda row: row["file"])
def test_runs_of_prompt_ids_are_as_an_independent_reader_says(row: dict[str, str]) -> None:
    """They are a hint only, but we read the same ones."""
    with (CORPUS / row["file"]).open("rb") as file:
        users = [entry.parsed for entry in entries(file, 0) if isinstance(entry.parsed, User)]
    ids = [user.prompt_id for user in users if user.prompt_id and not user.is_sidechain]
    assert len([key for key, _ in groupby(ids)]) == int(row["promptId_runs"])


Check = Callable[[], bool]

EDGES: dict[str, Check] = {
    "E1 a result between the lines of a call": lambda: names("2.1.227-a.jsonl")["LLM call"] == 5,
    "E2 usage on the last line only": lambda: (
        178 in [(it.usage_details or {}).get("output") for it in observed("2.1.91-a.jsonl")]
    ),
    "E3 placeholder output": lambda: True in metadata("2.1.7-a.jsonl", "output_is_lower_bound"),
    "E4 a result before its tool call": lambda: all(
        it.output is not None for it in observed("2.1.227-a.jsonl") if it.type == "tool"
    ),
    "E5 parallel results in reverse": lambda: all(
        it.output is not None for it in observed("2.1.221-b.jsonl") if it.type == "tool"
    ),
    "E6 mixed calls": lambda: names("2.1.42-b.jsonl")["LLM call"] == 219,
    "E7 a late flush": lambda: all(it.end_ns >= it.start_ns for it in observed("2.1.218-a.jsonl")),
    "E8 a prompt beside a result": lambda: any(
        isinstance(it.input, list) and {"tool", "user"} <= {message["role"] for message in it.input}
        for it in observed("2.1.33-a.jsonl")
        if it.type == "generation"
    ),
    "E9 a prompt in the queue only": lambda: any(
        it.name == "queued_prompt" and it.input == "is the pencil mcp down?" for it in observed("2.1.49-d.jsonl")
    ),
    "E10 a prompt folded in": lambda: names("2.1.220-d.jsonl")["queued_prompt"] > 0,
    "E11 notifications": lambda: metadata("2.1.42-a.jsonl", "trigger").count("task_notification") == 5,
    "E12 a wake-up": lambda: metadata("2.1.221-c.jsonl", "trigger").count("scheduled") == 2,
    "E13 a slash command under an old prompt id": lambda: "slash_command" in metadata("2.1.101-a.jsonl", "trigger"),
    "E14 local commands": lambda: names("2.1.220-c.jsonl")["local_command"] == 1,
    "E15 a fallback": lambda: (
        metadata("2.1.217-a.jsonl", "fallback_from") == ["claude-fable-5"]
        and names("2.1.217-a.jsonl")["model_fallback"] == 1
    ),
    "E16 an advisor that was not asked": lambda: names("2.1.221-c.jsonl")["Advisor"] == 0,
    "E17 a continuation": lambda: "continuation" in metadata("2.1.219-a.jsonl", "trigger"),
    "E18 zeroed copies": lambda: names("2.1.226-c.jsonl")["LLM call"] == 355,
    "E20 a response repeated": lambda: names("1.0.51-a.jsonl")["LLM call"] == 2,
    "E21 interrupts without response": lambda: levels("2.1.49-c.jsonl", "interrupted") == {"WARNING"},
    "E22 an aborted stream": lambda: any(
        it.status_message == "interrupted while streaming" for it in observed("2.1.226-b.jsonl")
    ),
    "E23 a prompt sent twice": lambda: any(it.status_message == "no response" for it in observed("2.1.218-a.jsonl")),
    "E24 a rejected tool": lambda: "user-rejected" in metadata("2.1.220-d.jsonl", "denial"),
    "E25 a tool lost at a compaction": lambda: (
        sum(it.type == "tool" and it.output is None for it in observed("2.1.37-a.jsonl")) == 2
    ),
    "E26 compactions": lambda: names("2.1.226-c.jsonl")["compaction"] == 4,
    "E27 two records on a line": lambda: names("2.1.7-b.jsonl")["LLM call"] == 42,
    "E28 a slice": lambda: names("2.1.29-a.jsonl")["claude_turn"] == 4,
    "E29 API errors": lambda: (
        levels("2.1.221-a.jsonl", "api_error") == {"ERROR"} and names("2.1.221-c.jsonl")["api_error"] == 1
    ),
    "E30 no response requested": lambda: (
        not any("No response requested" in str(it.output) for it in observed("2.1.7-a.jsonl"))
    ),
    "E31 no request ids": lambda: metadata("2.1.204-a.jsonl", "model_family")[0] == "glm",
    "E32 inline subagents": lambda: (
        sum(count for name, count in names("1.0.98-a.jsonl").items() if name.startswith("Agent: ")) == 5
        and names("1.0.98-a.jsonl")["claude_turn"] == 2
    ),
    "E33 subagents in a folder": lambda: (
        sum(count for name, count in names("2.1.114-a.jsonl").items() if name.startswith("Agent: ")) == 6
    ),
    "E33 a compacting agent": lambda: names("2.1.39-c.jsonl")["Agent: compaction"] == 1,
    "E34 warm-up agents": lambda: any(
        it.name == "Agent: warm-up" for path in (CORPUS / "flat-agents").iterdir() for it in observe(path)
    ),
    "E35 a teammate": lambda: metadata("2.1.39-a.jsonl", "trigger")[0] == "teammate",
    "E36 two versions": lambda: len({it.trace.version for it in observed("2.1.17-a.jsonl")}) == 2,
    "E37 continue from where you left off": lambda: (
        not any(
            str(it.input).startswith("Continue from where") for it in observed("2.1.123-a.jsonl") if it.type == "agent"
        )
    ),
    "E38 fast mode": lambda: "fast" in [(it.model_parameters or {}).get("speed") for it in observed("2.1.181-a.jsonl")],
    "E39 huge lines": lambda: names("2.1.39-b.jsonl")["Tool: Read"] > 0,
    "E40 a PDF": lambda: any("document" in str(it.input)[:9000] for it in observed("2.0.5-a.jsonl")),
}


@pytest.mark.parametrize("check", EDGES.values(), ids=EDGES.keys())
def test_an_edge_case_on_the_lines_it_was_first_seen_on(check: Check) -> None:
    """E1 to E40; growing files (E41) are in test_chunks.py, forks (E19) below."""
    assert check()


PAIRS = [("2.1.212-b", "2.1.212-a"), ("2.1.224-a", "2.1.226-c")]


@pytest.mark.parametrize("forwards", [True, False])
@pytest.mark.parametrize("pair", PAIRS)
def test_a_real_fork_sends_each_turn_once_in_either_order(
    pair: tuple[str, str], tmp_path: Path, *, forwards: bool
) -> None:
    """E19: every call of both files, once, each in the session that made it."""
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
    calls = Counter(it.span_id for it in sink.sent if it.type == "generation")
    assert set(calls.values()) == {1}
    assert len(calls) == len({it for path in files for it in message_ids(path)})
    per_trace = defaultdict(set)
    for it in sink.sent:
        per_trace[it.trace.trace_id].add(it.trace.session_id)
    assert all(len(sessions) == 1 for sessions in per_trace.values())


def message_ids(path: Path) -> set[str]:
    messages = [json.loads(line).get("message") for line in path.read_text().splitlines()]
    return {it["id"] for it in messages if it and it.get("role") == "assistant" and it.get("model") != "<synthetic>"}


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
    for it in sink.latest.values():
        ours[it.trace.session_id, it.model].update(it.usage_details or {})
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
