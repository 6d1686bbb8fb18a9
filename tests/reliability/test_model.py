"""Whatever happens to a transcript and to the state, a last clean run delivers what is on disk."""

import os
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from ccship.errors import Retryable
from ccship.hook import lock_session
from ccship.observations import Observation
from ccship.pipeline.plan import Options
from ccship.pipeline.ship import Shipper
from ccship.privacy.encoding import Encoded
from ccship.sinks import Delivery
from ccship.state import State
from ccship.transcript.discover import sessions_at
from ccship.worker.unchanged import digest_of_inputs, is_remembered, remember
from faults.case import SESSION, conversation
from helpers import KeepingSink, ship_to

pytestmark = pytest.mark.slow

SESSIONS = {"this": SESSION, "another": f"{SESSION[:-1]}9", "begins alike": f"{SESSION[:-1]}8"}

LINES = {name: conversation(12, session).lines for name, session in SESSIONS.items()}
LINES["begins alike"][:12] = LINES["this"][:12]
"""The fingerprint covers the last 4096 bytes before the cursor, so no two of these may end alike."""
CONTENTS = {name: "".join(f"{line}\n" for line in lines).encode() for name, lines in LINES.items()}
SIZES = (15_000, 12_003, 9_000, 6_001, 2_000, 400, 1)
"""Of what is appended, written or left: most are long enough for a cursor to move, few end at a line."""


class FailingSink(KeepingSink):
    """Accepts so many observations, then the server is gone."""

    def __init__(self, accepts: int) -> None:
        super().__init__()
        self.accepts = accepts

    def deliver(self, spans: Sequence[Encoded]) -> Delivery:
        taken = spans[: self.accepts]
        self.accepts -= len(taken)
        self.sent += (span.observation for span in taken)
        lost = len(taken) < len(spans)
        return Delivery({span.span_id for span in taken}, failure=Retryable("gone") if lost else None)


class TranscriptAndState(RuleBasedStateMachine):
    """A transcript that grows and is hurt, a state that is hurt, runs that fail and runs that do not."""

    @initialize(size=st.sampled_from(SIZES))
    def begin(self, size: int) -> None:
        self.folder = Path(tempfile.mkdtemp())
        self.transcript = self.folder / "s.jsonl"
        self.whole = CONTENTS["this"]
        self.transcript.write_bytes(self.whole[:size])
        self.sent: list[Observation] = []
        self.changes = 0
        self._changed()

    @rule(count=st.sampled_from(SIZES))
    def append(self, count: int) -> None:
        """Bytes, which end in the middle of lines as a rule."""
        size = self.transcript.stat().st_size
        with self.transcript.open("ab") as file:
            file.write(self.whole[size : size + count])
        self._changed()

    @rule(size=st.sampled_from((*SIZES, 0)))
    def truncate(self, size: int) -> None:
        with self.transcript.open("r+b") as file:
            file.truncate(min(size, self.transcript.stat().st_size))
        self._changed()

    @rule()
    def replace(self) -> None:
        """The same bytes, another inode."""
        other = self.folder / "other"
        shutil.copy(self.transcript, other)
        other.replace(self.transcript)

    @rule(name=st.sampled_from(list(CONTENTS)), size=st.sampled_from((*SIZES, 0)), in_place=st.booleans())
    def rewrite(self, name: str, size: int, *, in_place: bool) -> None:
        """Another conversation in its place, longer or shorter, in the same inode or another."""
        self.whole = CONTENTS[name]
        target = self.transcript if in_place else self.folder / "other"
        target.write_bytes(self.whole[:size])
        target.replace(self.transcript)
        self._changed()

    @rule(name=st.sampled_from(list(CONTENTS)))
    def rewrite_alike(self, name: str) -> None:
        """Another conversation of the same size in the same inode: only the bytes before the cursor tell."""
        self.rewrite(name, self.transcript.stat().st_size, in_place=True)

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
        latest = {sent.span_id: sent for sent in self.sent}
        expected = self._undisturbed(self.transcript.read_bytes())
        possible = {key: made for content in CONTENTS.values() for key, made in self._undisturbed(content).items()}
        for span_id, observation in expected.items():
            # a turn that was settled and shipped whole keeps what it had when its file is cut short afterwards
            assert latest.get(span_id) in (observation, possible.get(span_id))
        assert latest.keys() <= possible.keys() | expected.keys()
        assert len({(sent.span_id, sent.trace.trace_id, sent.type, sent.start_ns) for sent in self.sent}) == len(latest)
        shutil.rmtree(self.folder)

    def _changed(self) -> None:
        """Each change has a time of its own, as on a machine that is slower than its clock."""
        self.changes += 1
        os.utime(self.transcript, (self.changes, self.changes))

    def _ship(self, sink: KeepingSink) -> None:
        """As the worker does: not if nothing has changed since everything was shipped."""
        folder, session = str(self.folder / "state"), self.transcript.stem
        digest = digest_of_inputs({}, folder, str(self.transcript))
        lock = lock_session(folder, session)
        assert lock is not None
        is_unchanged = is_remembered(lock, digest)
        os.close(lock)
        if is_unchanged:
            return
        with State(self.folder / "state", "here") as state:
            report = Shipper(sink, state, Options(signals="all")).ship(sessions_at([self.transcript]))
        self.sent += sink.sent
        if report.failure is None:
            remember(folder, session, digest)

    def _undisturbed(self, content: bytes) -> dict[str, Observation]:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "s.jsonl"
            path.write_bytes(content)
            sink = KeepingSink()
            ship_to(sink, [path])
            return sink.latest


TestTranscriptAndState = TranscriptAndState.TestCase
TestTranscriptAndState.settings = settings(max_examples=200, stateful_step_count=14, deadline=None)
