"""R5: whatever happens to a transcript and to the state, a last clean run delivers what is on disk."""

import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from ccship.errors import Retryable
from ccship.observations import Labels, Observation
from ccship.ship import Shipper
from ccship.sinks import Delivery
from ccship.state import State
from ccship.transcript.discover import sessions_at
from faults.case import SESSION, conversation
from helpers import KeepingSink, ship_to

pytestmark = pytest.mark.slow

CONTENTS = {
    name: "".join(f"{line}\n" for line in conversation(12, session).lines).encode()
    for name, session in {"this": SESSION, "another": f"{SESSION[:-1]}9"}.items()
}
SIZES = (1, 400, 2_000, 6_001, 9_000, 12_003, 15_000)
"""Of what is appended, written or left: many are long enough for a cursor to move, few end at a line."""


class FailingSink(KeepingSink):
    """Accepts so many observations, then the server is gone."""

    def __init__(self, accepts: int) -> None:
        super().__init__()
        self.accepts = accepts

    def deliver(self, observations: Sequence[Observation]) -> Delivery:
        taken = observations[: self.accepts]
        self.accepts -= len(taken)
        self.sent += taken
        lost = len(taken) < len(observations)
        return Delivery({it.span_id for it in taken}, failure=Retryable("gone") if lost else None)


class TranscriptAndState(RuleBasedStateMachine):
    """A transcript that grows and is hurt, a state that is hurt, runs that fail and runs that do not."""

    @initialize()
    def begin(self) -> None:
        self.folder = Path(tempfile.mkdtemp())
        self.transcript = self.folder / "s.jsonl"
        self.transcript.touch()
        self.whole = CONTENTS["this"]
        self.sent: list[Observation] = []

    @rule(count=st.sampled_from(SIZES))
    def append(self, count: int) -> None:
        """Bytes, which end in the middle of lines as a rule."""
        size = self.transcript.stat().st_size
        with self.transcript.open("ab") as file:
            file.write(self.whole[size : size + count])

    @rule(size=st.sampled_from((0, *SIZES)))
    def truncate(self, size: int) -> None:
        with self.transcript.open("r+b") as file:
            file.truncate(min(size, self.transcript.stat().st_size))

    @rule()
    def replace(self) -> None:
        """The same bytes, another inode."""
        other = self.folder / "other"
        shutil.copy(self.transcript, other)
        other.replace(self.transcript)

    @rule(name=st.sampled_from(list(CONTENTS)), size=st.sampled_from((0, *SIZES)), in_place=st.booleans())
    def rewrite(self, name: str, size: int, *, in_place: bool) -> None:
        """Another conversation in its place, longer or shorter, in the same inode or another."""
        self.whole = CONTENTS[name]
        target = self.transcript if in_place else self.folder / "other"
        target.write_bytes(self.whole[:size])
        target.replace(self.transcript)

    @rule(accepts=st.integers(0, 30))
    def ship(self, accepts: int) -> None:
        """A run that the server may leave in the middle."""
        self._ship(FailingSink(accepts))

    @rule()
    def ship_all(self) -> None:
        self._ship(KeepingSink())

    @rule(garbage=st.sampled_from([b"", b"garbage " * 200]))
    def corrupt_state(self, garbage: bytes) -> None:
        if (self.folder / "state").exists():
            (self.folder / "state/state.db").write_bytes(garbage)

    @rule()
    def wipe_state(self) -> None:
        shutil.rmtree(self.folder / "state", ignore_errors=True)

    def teardown(self) -> None:
        """The last run is clean: all that is on disk has been delivered, nothing under two keys, nothing else."""
        if not hasattr(self, "folder"):
            return
        self._ship(KeepingSink())
        latest = {it.span_id: it for it in self.sent}
        expected = self._undisturbed(self.transcript.read_bytes())
        possible = {key: it for content in CONTENTS.values() for key, it in self._undisturbed(content).items()}
        for span_id, observation in expected.items():
            # a turn that was settled and shipped whole keeps what it had when its file is cut short afterwards
            assert latest.get(span_id) in (observation, possible.get(span_id))
        assert latest.keys() <= possible.keys() | expected.keys()
        assert len({(it.span_id, it.trace.trace_id, it.type, it.start_ns) for it in self.sent}) == len(latest)
        shutil.rmtree(self.folder)

    def _ship(self, sink: KeepingSink) -> None:
        with State(self.folder / "state", "here") as state:
            shipper = Shipper(sink, state, Labels())
            for session in sessions_at([self.transcript]):
                shipper.ship(session)
        self.sent += sink.sent

    def _undisturbed(self, content: bytes) -> dict[str, Observation]:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "s.jsonl"
            path.write_bytes(content)
            sink = KeepingSink()
            ship_to(sink, [path])
            return sink.latest


TestTranscriptAndState = TranscriptAndState.TestCase
TestTranscriptAndState.settings = settings(max_examples=300, stateful_step_count=14, deadline=None)
