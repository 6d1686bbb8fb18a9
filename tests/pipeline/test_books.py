"""The books balance: every record of a transcript is shipped, pending, dead-lettered or ignored."""

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ccship.errors import Denied, Retryable
from ccship.observations.line_outcomes import RecordCounts
from ccship.pipeline.plan import Options, Window
from ccship.pipeline.report import Report
from ccship.pipeline.ship import Shipper
from ccship.privacy.encoding import Encoded
from ccship.sinks import Delivery, Sink
from ccship.sinks.collecting import RehearsalSink
from ccship.state import State
from ccship.state.snapshot import accounts, record_counts
from ccship.transcript.discover import sessions_at
from ccship.transcript.tail import entries
from conftest import FIXTURES, SHARED
from helpers import KeepingSink
from lines import BEGAN, Lines, command, tool

TRANSCRIPTS = sorted((FIXTURES / "claude").rglob("*.jsonl"))
CORPUS = sorted((SHARED / "corpus").glob("*.jsonl"))


class FussySink(RehearsalSink):
    """Accepts so many observations, refuses those of some names for good, and nothing after that."""

    def __init__(self, accepts: int = 1_000_000, refuses: Sequence[str] = ()) -> None:
        self.accepts = accepts
        self.refuses = refuses

    def deliver(self, spans: Sequence[Encoded]) -> Delivery:
        delivery = Delivery()
        for span in spans:
            if self.accepts <= 0:
                delivery.failure = Denied("no more")
            elif span.observation.name in self.refuses:
                delivery.rejected[span.span_id] = "refused"
            else:
                delivery.accepted.add(span.span_id)
                self.accepts -= 1
        return delivery


def ship(path: Path, folder: Path, sink: Sink | None = None, window: Window | None = None) -> Report:
    with State(folder, "here") as state:
        shipper = Shipper(sink or FussySink(), state, Options(window=window or Window()))
        shipper.ship(sessions_at([path]))
    return shipper.report


def books(folder: Path) -> RecordCounts:
    """Of all transcripts in a state."""
    total = RecordCounts()
    for account in accounts(folder):
        for known in account.transcripts:
            total.add(record_counts(known))
    return total


def record_count(path: Path) -> int:
    with path.open("rb") as file:
        return sum(1 for _ in entries(file, 0))


def balance_at_every_cut(content: bytes, cuts: Sequence[int], accepts: Sequence[int], refuses: Sequence[str]) -> None:
    """Let a file grow and ship it at each cut; the server takes only so much each time."""
    with TemporaryDirectory() as name:
        state, path = Path(name) / "state", Path(name) / "session.jsonl"
        for cut, taken in zip(sorted(cuts), accepts, strict=True):
            path.write_bytes(content[:cut])
            if not record_count(path):
                continue
            ship(path, state, FussySink(taken, refuses))
            found = books(state)
            assert found.records == record_count(path)
            assert min(found.shipped, found.pending, found.dead_lettered, *found.ignored.values(), 0) == 0
        path.write_bytes(content)
        before = books(state) if (state / "state.db").exists() else None
        assert before is None or before.records == record_count(path)
        ship(path, state, FussySink(refuses=refuses))
        assert books(state).records == record_count(path)
        assert books(state).pending == 0


@pytest.mark.parametrize("transcript", TRANSCRIPTS, ids=lambda path: path.stem[:16])
@settings(max_examples=6)
@given(data=st.data())
def test_a_transcript_balances_however_it_grows(transcript: Path, data: st.DataObject) -> None:
    """Cut anywhere, half lines too, with a server that fails in the middle or refuses some spans."""
    content = transcript.read_bytes()
    cuts = data.draw(st.lists(st.integers(0, len(content)), min_size=1, max_size=3))
    accepts = data.draw(st.lists(st.integers(0, 40), min_size=len(cuts), max_size=len(cuts)))
    refuses = data.draw(st.sampled_from([(), ("LLM call",), ("claude_turn",), ("Tool: Bash", "interrupted")]))
    balance_at_every_cut(content, cuts, accepts, refuses)


@pytest.mark.skipif(not CORPUS, reason="other people's sessions are not beside this checkout")
@pytest.mark.parametrize("transcript", CORPUS, ids=lambda path: path.stem)
def test_a_real_session_balances(transcript: Path) -> None:
    """In four steps, one of them with a server that fails."""
    content = transcript.read_bytes()
    cuts = [len(content) * part // 5 for part in (1, 2, 3)]
    balance_at_every_cut(content, cuts, [1_000_000, 100, 1_000_000], ())


class DyingSink(FussySink):
    """Accepts a few batches; then its process is gone."""

    def __init__(self, batches: int) -> None:
        super().__init__()
        self.batches = batches

    def deliver(self, spans: Sequence[Encoded]) -> Delivery:
        if self.batches == 0:
            raise KeyboardInterrupt
        self.batches -= 1
        return super().deliver(spans)


@pytest.mark.parametrize("batches", [0, 1])
def test_what_a_killed_worker_leaves_balances(batches: int, tmp_path: Path) -> None:
    """Between two batches; what was not settled counts as unread, until the next run says otherwise."""
    lines = Lines()
    for n in range(200):
        lines.prompt(f"do {n}").assistant(f"m{n}", tool(f"t{n}")).result(f"t{n}").assistant(f"n{n}", "done")
    path, state = lines.write(tmp_path / "s1.jsonl"), tmp_path / "state"
    with pytest.raises(KeyboardInterrupt):
        ship(path, state, DyingSink(batches))
    if batches:
        assert books(state).records == 800
        assert books(state).pending > 0
    ship(path, state)
    assert (books(state).shipped, books(state).records) == (800, 800)


class ForgetfulSink(FussySink):
    """Never hands the spans of one turn to its exporter, and does not notice."""

    def __init__(self, turn: str) -> None:
        super().__init__()
        self.turn = turn

    def deliver(self, spans: Sequence[Encoded]) -> Delivery:
        return super().deliver([span for span in spans if span.observation.trace.name != self.turn])


@pytest.mark.parametrize("turn", [1, 2, 4])
def test_a_turn_that_nobody_answered_for_is_sent_next_time(turn: int, tmp_path: Path) -> None:
    """The run fails, and the cursor stays before that turn although later turns have arrived."""
    lines = Lines()
    for n in range(1, 6):
        lines.prompt(f"do {n}").assistant(f"m{n}", "done")
    path, state = lines.write(tmp_path / "s1.jsonl"), tmp_path / "state"
    assert isinstance(ship(path, state, ForgetfulSink(f"claude_turn_{turn}")).failure, Retryable)
    assert (books(state).shipped, books(state).records) == (2 * (turn - 1), 10)
    sink = KeepingSink()
    assert ship(path, state, sink).ok
    assert {observation.trace.name for observation in sink.sent} == {f"claude_turn_{turn}"}
    assert books(state).shipped == 10


def test_a_command_that_joined_a_turn_is_counted_once_in_whichever_run(tmp_path: Path) -> None:
    """A local command called no model: it belongs to the turn that follows, and the cursor stays before it."""
    path, state = tmp_path / "s1.jsonl", tmp_path / "state"
    lines = Lines().prompt("a").assistant("m1", "a").prompt("b").assistant("m2", "b")
    lines.user("<command-name>/model</command-name>").user("<local-command-stdout>Set</local-command-stdout>")
    lines.prompt("c").assistant("m3", "c").prompt("d").assistant("m4", "d")
    for n in range(3):
        lines.write(path)
        ship(path, state)
        assert books(state).shipped == record_count(path) == 10 + 2 * n
        lines.prompt("more").assistant(f"n{n}", "done")


def three_turns() -> Lines:
    lines = Lines()
    for n in range(3):
        lines.prompt(f"do {n}").assistant(f"m{n}", tool(f"t{n}")).result(f"t{n}").assistant(f"n{n}", "done")
    return lines.plain("file-history-snapshot").plain("hologram")


LATER = Window(since=BEGAN + timedelta(seconds=4))
FATES = {
    "all shipped": (FussySink(), None, RecordCounts(shipped=12)),
    "all refused by the server": (FussySink(0), None, RecordCounts(pending=14)),
    "one turn got through": (FussySink(4), None, RecordCounts(shipped=4, pending=10)),
    "the first turn was not wanted": (FussySink(), LATER, RecordCounts(shipped=8, pending=4)),
    "prompts are dead letters": (FussySink(refuses=["claude_turn"]), None, RecordCounts(shipped=9, dead_lettered=3)),
    "results are dead letters": (FussySink(refuses=["Tool: Bash"]), None, RecordCounts(shipped=9, dead_lettered=3)),
    "answers are dead letters": (FussySink(refuses=["LLM call"]), None, RecordCounts(shipped=6, dead_lettered=6)),
}


@pytest.mark.parametrize(("sink", "window", "expected"), FATES.values(), ids=FATES.keys())
def test_what_becomes_of_twelve_records(
    sink: FussySink, window: Window | None, expected: RecordCounts, tmp_path: Path
) -> None:
    """Three turns of four records, and two that are ignored by their type once all else has been read."""
    path = three_turns().write(tmp_path / "s1.jsonl")
    ship(path, tmp_path / "state", sink, window)
    found = books(tmp_path / "state")
    # after a failure, everything behind the last turn that arrived is pending
    ignored = {} if expected.pending > 4 else {"file-history-snapshot": 1, "unknown:2.1.329:hologram": 1}
    assert (found.shipped, found.pending, found.dead_lettered) == (
        expected.shipped,
        expected.pending,
        expected.dead_lettered,
    )
    assert found.ignored_by_label == ignored


def test_a_refused_command_before_a_prompt_is_a_dead_letter(tmp_path: Path) -> None:
    """An event of what called no model stands before its turn, and is built from a line too."""
    path = Lines().user(command("model")).prompt("go").assistant("m1", "ok").write(tmp_path / "s1.jsonl")
    ship(path, tmp_path / "state", FussySink(refuses=["local_command"]))
    found = books(tmp_path / "state")
    assert (found.shipped, found.dead_lettered, found.records) == (2, 1, 3)


def test_a_line_that_came_late_is_counted_once_in_whichever_run(tmp_path: Path) -> None:
    """Flushed behind the next prompt, it belongs to a turn that the cursor has passed when it is read again."""
    path, state = tmp_path / "s1.jsonl", tmp_path / "state"
    lines = Lines().prompt("a").assistant("m1", "half").prompt("b").assistant("m1", "the rest").assistant("m2", "b")
    lines.prompt("c").assistant("m3", "c").write(path)
    for turns in range(4):
        ship(path, state)
        assert books(state).shipped == record_count(path) == 7 + 2 * turns
        lines.prompt("more").assistant(f"n{turns}", "done").write(path)
