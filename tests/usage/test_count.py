"""The reader behind `ccship usage`: each call of the transcripts, counted once."""

import csv
import json
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ccship.ledger import reader
from ccship.ledger.calls import Call, with_advisors
from ccship.ledger.scan import Scan
from ccship.observations import Trace
from ccship.observations.generations import generations
from ccship.transcript.files import transcripts_of
from ccship.transcript.parse import parse_line
from ccship.transcript.parts import LLMCall
from ccship.transcript.records import Assistant
from conftest import FIXTURES, SHARED
from counted import calls_on, count
from lines import Lines
from observations.test_counts import ZEROED

CORPUS = SHARED / "corpus"
PROJECTS = FIXTURES / "claude/projects"
OPUS = {"input_tokens": 1000, "output_tokens": 100, "cache_read_input_tokens": 10_000}


def rows(table: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(table.open(), delimiter="\t")) if table.exists() else []


def sums(calls: Iterable[Call]) -> Counter[str]:
    """What calls add up to, in the columns of the tables."""
    total: Counter[str] = Counter()
    for call in calls:
        tokens = call.tokens
        total.update(
            api_calls=1,
            input=tokens.input,
            output=tokens.output,
            cache_read=tokens.cache_read,
            cache_creation=tokens.cache_write_5m + tokens.cache_write_1h,
            cache_1h=tokens.cache_write_1h,
        )
    return total


def expected(row: dict[str, str]) -> Counter[str]:
    split = int(row["cache_5m"]) + int(row["cache_1h"])
    written = split or int(row["cache_creation"])
    columns = ("api_calls", "input", "output", "cache_read", "cache_1h")
    zeroed = ZEROED.get(row["file"], 0)
    return Counter({column: int(row[column]) for column in columns} | {"cache_creation": written}) - Counter(
        cache_creation=zeroed, cache_1h=zeroed
    )


@pytest.mark.skipif(not CORPUS.is_dir(), reason="other people's sessions are not beside this checkout")
@pytest.mark.parametrize("row", rows(CORPUS / "EXPECTED.tsv"), ids=lambda row: row["file"])
def test_a_real_transcript_adds_up(row: dict[str, str]) -> None:
    """Sixty transcripts of clients from 1.0 to 2.1.237, counted by somebody else."""
    assert sums(count([CORPUS / row["file"]]).calls) == expected(row)


@pytest.mark.parametrize("row", rows(FIXTURES / "EXPECTED.tsv"), ids=lambda row: row["file"][-30:])
def test_a_fixture_adds_up(row: dict[str, str]) -> None:
    """The same for the sessions of this repository."""
    assert sums(count([PROJECTS / row["file"]]).calls) == expected(row)


def test_a_folder_is_counted_once_whatever_stands_twice_in_it() -> None:
    """A fork and a resume copy calls; the total is that of the distinct ones."""
    alone = [call for path in transcripts_of(FIXTURES / "claude") for call in count([path]).calls]
    together = count(transcripts_of(FIXTURES / "claude")).calls
    assert len(together) == len({call.key for call in alone}) < len(alone)


usages = st.fixed_dictionaries(
    {"input_tokens": st.integers(0, 50), "output_tokens": st.integers(0, 3)},
    optional={
        "cache_read_input_tokens": st.integers(0, 9) | st.none(),
        "cache_creation_input_tokens": st.integers(0, 9) | st.just("many"),
        "cache_creation": st.none()
        | st.fixed_dictionaries(
            {"ephemeral_5m_input_tokens": st.integers(0, 9), "ephemeral_1h_input_tokens": st.integers(0, 9)}
        ),
        "speed": st.sampled_from(["standard", "fast", None]),
        "iterations": st.lists(
            st.fixed_dictionaries(
                {"type": st.sampled_from(["message", "advisor_message"]), "output_tokens": st.integers(0, 9)}
            ),
            max_size=2,
        ),
    },
)
spoken = st.tuples(st.sampled_from(["m1", "m2"]), usages, st.booleans())


@given(st.lists(spoken, max_size=8))
def test_both_readers_count_alike(said: list[tuple[str, Any, bool]]) -> None:
    """What is reported here and what is shipped are the same tokens, whatever the lines say."""
    lines = Lines()
    for n, (message_id, usage, asks) in enumerate(said):
        block = {"type": "server_tool_use", "id": f"srv{n}", "name": "advisor", "input": {}} if asks else "text"
        lines.assistant(message_id, block, usage=usage)
    encoded = [line.encode() for line in lines.lines]
    counted = sums(with_advisors(calls_on(encoded, "s")))
    shipped: Counter[str] = Counter()
    for call in llm_calls(encoded):
        for generation in generations(call, [], Trace("0" * 32, "", ""), ""):
            shipped.update(generation.usage_details or {})
    assert counted["input"] == shipped["input"]
    assert counted["output"] == shipped["output"]
    assert counted["cache_read"] == shipped["cache_read_input_tokens"]
    assert counted["cache_1h"] == shipped["input_cache_creation_1h"]
    undivided = shipped["cache_creation_input_tokens"]
    assert (
        counted["cache_creation"] == undivided + shipped["input_cache_creation_5m"] + shipped["input_cache_creation_1h"]
    )


def llm_calls(lines: Iterable[bytes]) -> Iterable[LLMCall]:
    """The calls that lines of responses belong to, as the reader of what is shipped sees them."""
    calls: dict[str, LLMCall] = {}
    for line in lines:
        for _, record in parse_line(line):
            assert isinstance(record, Assistant)
            message_id = str(record.message and record.message.id)
            calls.setdefault(message_id, LLMCall(message_id, 0, 0, None)).lines.append(record)
    return calls.values()


def said(**fields: Any) -> bytes:
    """A line of a response."""
    return Lines().assistant("m1", "text", usage=OPUS, **fields).lines[0].encode()


NOT_COUNTED = {
    "a copy of a subagent's line": json.dumps({"type": "progress", "data": {"message": json.loads(said())}}).encode(),
    "what a tool says of a subagent's usage": json.dumps(
        {"type": "user", "message": {"role": "user", "content": []}, "toolUseResult": {"usage": OPUS}}
    ).encode(),
    "what Claude Code said itself": said(model="<synthetic>"),
    "a line torn in the middle": said()[:-30],
    "no JSON": b'"put_tokens"',
    "a list": b'[{"put_tokens": 1}]',
}


@pytest.mark.parametrize("line", NOT_COUNTED.values(), ids=NOT_COUNTED.keys())
def test_what_is_no_call_is_not_counted(line: bytes) -> None:
    """Copies, summaries, and what is broken."""
    assert calls_on([line], "s") == []


COUNTED = {
    "a line": said(),
    "two records whose newline got lost": said() + said(),
    "half a record behind a whole one": said() + said()[:-30],
    "NULs of a torn write": b"\0\0" + said(),
    "a field of another type": said(timestamp=7, sessionId=["s"]),
    "half of an emoji": said().replace(b'"text": "text"', b'"text": "\\ud83d"'),
}


@pytest.mark.parametrize("line", COUNTED.values(), ids=COUNTED.keys())
def test_what_can_be_saved_is_counted_once(line: bytes) -> None:
    """As the reader of what is shipped does it."""
    (call,) = calls_on([line], "s")
    assert (call.key, call.tokens.input, call.tokens.cache_read) == ("m1", 1000, 10_000)


def test_a_zeroed_copy_never_wins(tmp_path: Path) -> None:
    """A fork after a compaction writes copies of calls without their usage."""
    zero = dict.fromkeys(OPUS, 0)
    Lines(session="a").prompt("go").assistant("m1", usage=OPUS).write(tmp_path / "p/a.jsonl")
    fork = Lines(session="b")
    fork.seconds = 1
    fork.assistant("m1", usage=zero).write(tmp_path / "p/b.jsonl")
    for paths in ([tmp_path / "p/a.jsonl", tmp_path / "p/b.jsonl"], [tmp_path / "p/b.jsonl", tmp_path / "p/a.jsonl"]):
        (call,) = count(paths).calls
        assert (call.tokens.input, call.session) == (1000, "a")


@given(st.integers(1, 200), st.booleans())
def test_a_line_is_read_once_whatever_the_size_of_a_block(size: int, ends: bool) -> None:
    """Lines that end with a block, go on in the next one, or are longer than one."""
    wanted = [said(filler="a" * length).replace(b"m1", b"m%d" % n) for n, length in enumerate((0, 40, 300, 0, 90))]
    content = b"\n".join([b"x" * 30, *wanted[:2], b"", *wanted[2:4], b"y" * 20, wanted[4]]) + b"\n" * ends
    scan = Scan("s", is_agent=False)
    with TemporaryFile(buffering=0) as file:
        file.write(content)
        assert reader.read_lines(file, 0, scan, bytearray(size)) == len(content)
    assert [call.key for call in scan.calls] == ["m0", "m1", "m2", "m3", "m4"]


def test_many_processes_count_like_one(tmp_path: Path) -> None:
    """Also a transcript that is longer than a block."""
    filler = json.dumps({"type": "user", "filler": "x" * 1_000_000}) + "\n"
    with (tmp_path / "s1.jsonl").open("w") as file:
        for n in range(80):
            file.write(
                Lines().assistant(f"m{n}", usage={"input_tokens": n, "output_tokens": 1}).lines[0] + "\n" + filler
            )
    one, many = (count([tmp_path / "s1.jsonl"], processes) for processes in (1, 4))
    assert one.calls == many.calls
    assert sums(many.calls)["input"] == sum(range(80))


def test_a_line_without_end_is_skipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is longer than any line ever was is not held in memory; what stands before and after it counts."""
    monkeypatch.setattr(reader, "MAX_LINE_BYTES", 10_000)
    monkeypatch.setattr(reader, "BLOCK_BYTES", 5_000)
    long = said(filler="x" * 20_000)
    lines = [said().replace(b"m1", b"m0"), long, said().replace(b"m1", b"m2")]
    (tmp_path / "s1.jsonl").write_bytes(b"\n".join(lines) + b"\n")
    assert [call.key for call in count([tmp_path / "s1.jsonl"]).calls] == ["m0", "m2"]
