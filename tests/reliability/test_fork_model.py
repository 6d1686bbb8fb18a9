"""Sessions that copy one another's history, grow, and are shipped in any order by workers that die."""

import shutil
import tempfile
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from ccship.observations import Observation
from ccship.pipeline.plan import Options
from ccship.pipeline.ship import Shipper
from ccship.privacy.encoding import Encoded
from ccship.sinks import Delivery
from ccship.state import State
from ccship.transcript.discover import sessions_at
from faults.case import SESSION, conversation
from helpers import KeepingSink, ship_to
from scored import ScoreTable

WHOLE = "".join(f"{line}\n" for line in conversation(8).lines).encode()
MOST_FORKS = 3
TURN_LINES = 4

Facts = tuple[str, str, str, int, int, str, str]


class Died(BaseException):
    """The worker is gone: nothing of what was accepted is remembered."""


class DyingSink(KeepingSink):
    """Accepts so many batches, takes part of the next one, and dies."""

    def __init__(self, scores: ScoreTable, batches: int, part: int) -> None:
        super().__init__(scores)
        self._batches = batches
        self._part = part

    def deliver(self, spans: Sequence[Encoded]) -> Delivery:
        if not self._batches:
            self.sent += (span.observation for span in spans[: self._part])
            raise Died
        self._batches -= 1
        return super().deliver(spans)


class Forks(RuleBasedStateMachine):
    """One transcript that grows and others that begin with a copy of it."""

    @initialize()
    def begin(self) -> None:
        self.folder = Path(tempfile.mkdtemp())
        self.original = self.folder / f"{SESSION}.jsonl"
        self.original.touch()
        self.forks: list[Path] = []
        self.sent: list[Observation] = []
        self.scores = ScoreTable()

    @rule(count=st.integers(1, 2500))
    def grow(self, count: int) -> None:
        """By bytes, which end in the middle of lines as a rule."""
        size = self.original.stat().st_size
        with self.original.open("ab") as file:
            file.write(WHOLE[size : size + count])

    @precondition(lambda self: len(self.forks) < MOST_FORKS)
    @rule(share=st.floats(0, 1), own_turns=st.integers(0, 3))
    def fork(self, share: float, own_turns: int) -> None:
        """Some of the lines, in the middle of a turn as a rule, then turns of its own."""
        lines = self._whole_lines()
        self._fork(lines[: round(len(lines) * share)], own_turns)

    @precondition(lambda self: len(self.forks) < MOST_FORKS)
    @rule(share=st.floats(0, 1), own_turns=st.integers(0, 3))
    def fork_under_its_own_name(self, share: float, own_turns: int) -> None:
        """As older clients do: the copied lines, whole turns, name the new session."""
        turns = len(self._whole_lines()) // TURN_LINES
        copied = self._whole_lines()[: TURN_LINES * round(turns * share)]
        name = self._next_name().encode()
        self._fork(
            [line.replace(b'"sessionId": "' + SESSION.encode(), b'"sessionId": "' + name) for line in copied], own_turns
        )

    @rule(which=st.integers(0, MOST_FORKS))
    def ship(self, which: int) -> None:
        """One session, as its hook does."""
        self._ship([[self.original, *self.forks][which % (len(self.forks) + 1)]], KeepingSink(self.scores))

    @rule()
    def ship_all(self) -> None:
        """All of them, as a backfill does."""
        self._ship([self.original, *self.forks], KeepingSink(self.scores))

    @rule(batches=st.integers(0, 2), part=st.integers(0, 12), which=st.integers(0, MOST_FORKS))
    def die(self, batches: int, part: int, which: int) -> None:
        """A worker that dies while the server has taken some of what it sent."""
        self._ship([[self.original, *self.forks][which % (len(self.forks) + 1)]], DyingSink(self.scores, batches, part))

    @rule(garbage=st.sampled_from([b"", b"garbage " * 200]))
    def corrupt_state(self, garbage: bytes) -> None:
        """Somebody overwrites it; with nothing, it is a new one."""
        if (self.folder / "state").exists():
            (self.folder / "state/state.db").write_bytes(garbage)

    def teardown(self) -> None:
        """The last run is clean: all that is on disk has arrived, under one key a span, and nothing else has."""
        if not hasattr(self, "folder"):
            return
        transcripts = [self.original, *self.forks]
        self._ship(transcripts, KeepingSink(self.scores))
        undisturbed = KeepingSink()
        ship_to(undisturbed, transcripts, signals="review")
        assert self.scores.rows == undisturbed.scores.rows
        assert facts(self.sent) == facts(undisturbed.sent)
        keys = {
            (observation.trace.trace_id, observation.span_id, observation.type, observation.start_ns)
            for observation in self.sent
        }
        assert len(keys) == len({observation.span_id for observation in self.sent})
        shutil.rmtree(self.folder)

    def _whole_lines(self) -> list[bytes]:
        return [line for line in self.original.read_bytes().splitlines(keepends=True) if line.endswith(b"\n")]

    def _next_name(self) -> str:
        return f"{SESSION[:-1]}{len(self.forks) + 2}"

    def _fork(self, copied: list[bytes], own_turns: int) -> None:
        name = self._next_name()
        # a person who forks is not content with the turn before
        own = [
            f"{line}\n".replace("prompt 0", "no, that is wrong").encode()
            for line in conversation(own_turns, name).lines
        ]
        path = self.folder / f"{name}.jsonl"
        path.write_bytes(b"".join([*copied, *own]))
        self.forks.append(path)

    def _ship(self, transcripts: Iterable[Path], sink: KeepingSink) -> None:
        with State(self.folder / "state", "here") as state, suppress(Died):
            shipper = Shipper(sink, state, Options(signals="review"))
            shipper.ship(sessions_at(transcripts))
        self.sent += sink.sent


def facts(sent: Iterable[Observation]) -> dict[str, Facts]:
    """What arrived last of each span; which session a copied turn is shown under depends on who came first."""
    return {
        last.span_id: (
            last.trace.trace_id, last.span_id, last.type, last.start_ns, last.end_ns, repr(last.input),
            repr(last.output),
        )
        for last in sent
    }  # fmt: skip


TestForks = pytest.mark.slow(Forks.TestCase)
TestForks.settings = settings(max_examples=200, stateful_step_count=14, deadline=None)
