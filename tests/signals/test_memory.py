"""The values do not depend on how a session is cut into runs."""

import json
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ccship.signals.model import Memory, Signals, StoredMemory
from ccship.signals.prompts import recalled
from ccship.signals.stream import evaluate
from ccship.transcript.tail import entries, notes_at, records_at
from ccship.transcript.turns import ResumeState, TurnBuilder
from conftest import FIXTURES, SHARED
from lines import Lines, tool
from signals.evaluated import evaluated, signals_in

SESSIONS = [*(FIXTURES / "claude").rglob("*.jsonl"), *(SHARED / "corpus").glob("2.1.9*.jsonl")]
MAINS = sorted(path for path in SESSIONS if not path.name.startswith("agent-"))


@dataclass
class Run:
    """A reader that is stopped and started again: it keeps what the state would store, as bytes."""

    values: dict[str, Signals] = field(default_factory=dict)
    cursor: int = 0
    resume_state: ResumeState = field(default_factory=ResumeState)
    memory: bytes = msgspec.json.encode(StoredMemory())

    def read(self, content: bytes) -> None:
        """Read from the cursor to the end of what is there."""
        file = BytesIO(content)
        stored = msgspec.json.decode(self.memory, type=StoredMemory)
        places = {place.uuid: place.start for place in stored.prompts}
        memory = recalled(stored, records_at(file, places, self.cursor))
        builder = TurnBuilder(self.resume_state, notes_at(file, self.resume_state.notes.values()))
        read = list(entries(file, self.cursor))
        for one in evaluate(read, builder, memory):
            self.values[one.turn.uuid] = one.signals
            if one.is_settled:
                memory = one.memory
        self.cursor = builder.cursor(read[-1].end if read else self.cursor)
        self.resume_state = builder.resume_state()
        self.memory = msgspec.json.encode(memory.stored())


def in_pieces(content: bytes, cuts: list[int]) -> dict[str, Signals]:
    """The values after reading the file each time it has grown to a cut."""
    run = Run()
    for cut in [*sorted(cuts), len(content)]:
        run.read(content[:cut])
    return run.values


def whole(content: bytes) -> dict[str, Signals]:
    return {one.turn.uuid: one.signals for one in evaluated(content)}


def eventful() -> bytes:
    """Prompts that come again, caches that expire, a complaint in an answer that is flushed late."""
    lines = Lines()
    usage = {"cache_creation_input_tokens": 90_000, "cache_creation": {"ephemeral_5m_input_tokens": 90_000}}
    for n in range(8):
        lines.seconds += 400
        lines.prompt(f"please make the tests of module {'alpha beta'[n % 2 :]} pass at last")
        lines.assistant(f"m{n}", tool(f"t{n}", "Edit", file_path="/home/dev/demo/a.py"), usage=usage)
        if n % 3:
            lines.result(f"t{n}", "String to replace not found in file", is_error=True)
        lines.assistant(f"m{n}b", "You're right, I missed it" if n % 2 else "Done", usage=usage)
        if n == 4:
            lines.add("system", subtype="compact_boundary", compactMetadata={"trigger": "auto", "preTokens": 1})
    return "".join(f"{line}\n" for line in lines.lines).encode()


EVENTFUL = eventful()


@given(cuts=st.lists(st.integers(0, len(EVENTFUL)), max_size=12))
@example(cuts=[at for at, byte in enumerate(EVENTFUL, 1) if byte == 10])
def test_any_cut_of_an_eventful_session_gives_the_same_values(cuts: list[int]) -> None:
    """Prompts are read again from the transcript, all else comes from the stored memory."""
    values = whole(EVENTFUL)
    assert in_pieces(EVENTFUL, cuts) == values
    assert any(signals.repeated_prompt for signals in values.values())
    assert any(signals.cache_rebuild_usd for signals in values.values())


@pytest.mark.parametrize("path", MAINS, ids=lambda path: path.stem[:9])
@settings(max_examples=20)
@given(data=st.data())
def test_any_cut_of_a_real_session_gives_the_same_values(path: Path, data: st.DataObject) -> None:
    """Cut in the middle of lines, too."""
    content = path.read_bytes()
    cuts = data.draw(st.lists(st.integers(0, len(content)), max_size=5))
    assert in_pieces(content, cuts) == whole(content)


def test_a_memory_at_rest_has_no_text() -> None:
    """Places of prompts, times, a model: the state contains no conversation."""
    stored = [one.memory.stored() for one in evaluated(EVENTFUL)]
    assert all(len(memory.prompts) <= 3 for memory in stored)
    assert b"please" not in msgspec.json.encode(stored)
    assert max(len(msgspec.json.encode(memory)) for memory in stored) < 400


def test_a_prompt_that_is_gone_is_forgotten() -> None:
    """A file that was written again has other prompts at these places."""
    stored = evaluated(EVENTFUL)[-1].memory.stored()
    file = BytesIO(b"".join(EVENTFUL.splitlines(keepends=True)[:4]))
    places = {place.uuid: place.start for place in stored.prompts}
    assert recalled(stored, records_at(file, places, len(EVENTFUL))).prompts == ()
    assert recalled(StoredMemory(), {}) == Memory()


def test_history_that_is_written_again_is_no_complaint() -> None:
    """Some clients repeat earlier turns under new uuids, with their times: the person said it once."""
    lines = Lines().prompt("please make the tests of this module pass").assistant("m1", "Done")
    lines.prompt("no, that is wrong").assistant("m2", "Fixed").prompt("thank you, and now the docs").assistant(
        "m3", "Done"
    )
    again = [json.dumps({**json.loads(line), "uuid": f"again-{n}"}) for n, line in enumerate(lines.lines)]
    complaints = [turn.complaint for turn in signals_in(lines)]
    assert complaints == [True, False, None]
    lines.lines += again
    assert [turn.complaint for turn in signals_in(lines)][:3] == complaints
