"""Whatever is done to a transcript, it gives turns and bad records, never an exception."""

import json
import tempfile
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ccship.observations import TraceSettings, observe_turn, trace_of
from ccship.pipeline.plan import Options
from ccship.pipeline.ship import Shipper
from ccship.privacy.encoding import encode
from ccship.sinks.otlp_file import OtlpFileSink
from ccship.state import State
from ccship.transcript.discover import sessions_of
from ccship.transcript.records import Assistant
from ccship.transcript.subagent import read_subagent
from ccship.transcript.tail import entries
from ccship.transcript.turns import Entry, Turn, TurnBuilder
from ccship.transcript.usage import usage_of
from conftest import FIXTURES
from counted import calls_on
from helpers import run_ccship
from hostile import folder_with, hostile_sessions, values, written

SMALL = sorted((FIXTURES / "claude").rglob("*.jsonl"), key=lambda path: path.stat().st_size)[:12]


class File(BytesIO):
    """Bytes that are read like a file."""


def all_entries(content: bytes) -> list[Entry]:
    return list(entries(File(content), 0))


def turns_of(found: list[Entry]) -> Iterator[Turn]:
    builder = TurnBuilder()
    for entry in found:
        yield from builder.feed(entry)
    yield from builder.open


def work_through(content: bytes) -> None:
    """Everything from bytes to what would be serialised; each line is accounted for."""
    found = all_entries(content)
    builder = TurnBuilder()
    turns = [turn for entry in found for turn in builder.feed(entry)] + builder.open
    for turn in turns:
        for observation in observe_turn(turn, trace_of(turn, "s", TraceSettings())):
            assert observation.end_ns >= observation.start_ns
            encode(observation)
    read_subagent(found)


@given(st.binary(max_size=2000))
def test_any_bytes_give_turns_or_bad_records(content: bytes) -> None:
    """No file is too broken."""
    work_through(content)


@pytest.mark.parametrize("transcript", SMALL, ids=lambda path: path.stem[:14])
@given(data=st.data())
def test_a_mutated_transcript_gives_turns_or_bad_records(transcript: Path, data: st.DataObject) -> None:
    """Lines lost, doubled, moved, cut; bytes flipped; values swapped for others."""
    lines = transcript.read_bytes().splitlines(keepends=True)
    kept = data.draw(st.lists(st.sampled_from(lines), max_size=30))
    content = bytearray(b"".join(kept))
    for _ in range(data.draw(st.integers(0, 6)) if content else 0):
        at = data.draw(st.integers(0, len(content) - 1))
        replacement = data.draw(st.sampled_from([b"", b"null", b"[]", b"{}", b'"', b"7", b"\n", b"\xff", b"\0"]))
        content[at : at + data.draw(st.integers(0, 9))] = replacement
        if not content:
            break
    work_through(bytes(content))


@given(st.lists(st.sampled_from([line for path in SMALL for line in path.read_bytes().splitlines()]), max_size=40))
def test_every_line_is_counted_once(lines: list[bytes]) -> None:
    """The books balance: in turns, ignored, unknown or bad."""
    found = all_entries(b"\n".join(lines))
    builder = TurnBuilder()
    turns = [turn for entry in found for turn in builder.feed(entry)] + builder.open
    counted = sum(
        count
        for counts in [*(turn.counts for turn in turns), builder.unassigned()]
        for kind, count in counts.items()
        if not kind.startswith("drift:")
    )
    assert counted == len(found)


@given(hostile_sessions(), values)
@settings(max_examples=150)
def test_whatever_a_field_holds_the_session_ships(file_sink: OtlpFileSink, content: bytes, facts: object) -> None:
    """Any nesting, number, date or bytes: read, redacted, bounded and encoded, without one exception on the way."""
    with tempfile.TemporaryDirectory() as folder, State(Path(folder, "state"), "http://127.0.0.1:9 pk") as state:
        claude = folder_with(content, Path(folder, "claude"), written({"agentType": "Explore", "description": facts}))
        shipper = Shipper(file_sink, state, Options(TraceSettings(cost="client")))
        shipper.ship(sessions_of(claude))
        assert shipper.report.problems == []
        assert shipper.report.failure is None
        assert shipper.report.sessions == 2


COMMANDS = (
    ("backfill", "--dry-run", "--json"), ("backfill", "--dry-run"), ("usage", "--json"), ("usage", "--by", "model"),
    ("show", "hostile"), ("show", "hostile", "--json"), ("show", "hostile", "--turn", "-1"), ("status",),
    ("status", "--json"),
)  # fmt: skip


@given(hostile_sessions())
@settings(max_examples=20)
def test_whatever_a_field_holds_no_command_calls_it_a_bug(content: bytes) -> None:
    """Exit code 0 or 1; `show` may say that there is no such turn."""
    with tempfile.TemporaryDirectory() as folder:
        claude = folder_with(content, Path(folder, "claude"))
        environ = {"CLAUDE_CONFIG_DIR": str(claude), "CC_LANGFUSE_STATE_DIR": f"{folder}/state", "TZ": "Asia/Tokyo"}
        for command in COMMANDS:
            done = run_ccship(*command, environ=environ)
            assert done.returncode in (0, 1) or "has no turn" in done.stderr, (command, done.stderr)
            assert "bug" not in done.stderr, (command, done.stderr)
            if command == COMMANDS[0]:
                assert json.loads(done.stdout)["sessions"] == 2
            if command[0] == "usage":
                assert done.returncode == 0


@given(hostile_sessions())
@settings(max_examples=150)
def test_whatever_a_field_holds_both_readers_count_the_same_calls(content: bytes) -> None:
    """What is reported and what is shipped; a call without tokens is a line that the report need not read."""
    lines = content.splitlines(keepends=True)
    calls = calls_on((line for line in lines), "s")
    told = {call.key: call.tokens.output for call in calls if call.tokens.output}
    spoken: dict[str, list[Assistant]] = {}
    for record in (entry.parsed for entry in all_entries(content)):
        if isinstance(record, Assistant) and record.is_llm_output and record.message and record.message.usage:
            spoken.setdefault(str(record.message.id), []).append(record)
    shipped = {key: output for key, said in spoken.items() if (output := usage_of(said).output_tokens)}
    assert told == shipped
