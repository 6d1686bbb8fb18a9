"""Units of many transcripts in one batch, each committed once it has arrived."""

import dataclasses
import json
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import orjson
import pytest
from msgspec.structs import replace

from ccship.pipeline.ship import Shipper
from ccship.privacy.encoding import Encoded, encode
from ccship.sinks import BATCH_SPANS, Delivery
from ccship.sinks.otlp_file import OtlpFileSink
from ccship.state import State
from ccship.transcript.discover import Session, sessions_at
from conftest import FIXTURES
from helpers import KeepingSink, observe, run_ccship
from lines import Lines, tool
from loopback import LoopbackLangfuse


def conversation(session: str, folder: Path) -> Path:
    lines = Lines(session=session).prompt("go").assistant(f"{session}-1", tool("t1", path="MARKER"))
    return lines.result("t1").assistant(f"{session}-2", "done").write(folder / f"{session}.jsonl")


def test_sessions_and_subagents_share_requests(langfuse: LoopbackLangfuse) -> None:
    """One request for each full batch, whatever the number of transcripts."""
    done = run_ccship("backfill", "--yes", "--claude-dir", FIXTURES / "claude", environ=langfuse.environ)
    assert done.returncode == 0, done.stderr
    assert len(langfuse.requests) == -(-len(langfuse.keys) // BATCH_SPANS) == 1


def test_an_observation_is_encoded_once(
    file_sink: OtlpFileSink, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For its hash, its size and the wire."""
    observations = observe(conversation("s1", tmp_path))
    written: list[str] = []
    for module in (orjson, json):
        plain = module.dumps

        def dumps(value: Any, *args: Any, plain: Any = plain, **options: Any) -> Any:
            encoded = plain(value, *args, **options)
            text = encoded.decode() if isinstance(encoded, bytes) else encoded
            if "resourceSpans" not in text:  # the file, which is no part of it
                written.append(text)
            return encoded

        monkeypatch.setattr(module, "dumps", dumps)
    file_sink.deliver([encode(observation) for observation in observations])
    # the arguments of the tool stand in the output of the call that asked for it, and in the tool's own input
    assert sum(text.count("MARKER") for text in written) == 2


@pytest.mark.parametrize("part", range(4))
def test_any_field_changes_the_digest_and_what_the_transcript_does_not_hold_does_not(part: int, tmp_path: Path) -> None:
    """A hook and a backfill from another shell must agree."""
    observation = observe(conversation("s1", tmp_path))[part]
    digest = encode(observation).digest
    changes: dict[str, Any] = {
        "input": {"a": 1},
        "output": "b",
        "metadata": {"c": "d"},
        "name": "e",
        "end_ns": 5,
        "level": "ERROR",
        "status_message": "f",
        "model": "g",
        "usage_details": {"input": 2},
        "completion_start_ns": 7,
    }
    for field, value in changes.items():
        assert encode(replace(observation, **{field: value})).digest != digest, field
    trace = dataclasses.replace(
        observation.trace, name="another", user_id="eve", environment="there", settings_tags=("x",)
    )
    elsewhere = replace(observation, trace=trace, volatile={"git_dirty": True}, cost_details={"total": 1.0})
    assert encode(elsewhere).digest == digest


def test_two_runs_that_hold_what_the_other_one_wants_do_not_wait_for_ever(tmp_path: Path) -> None:
    """Each has a session whose spans wait in its batch, and asks for the session of the other."""
    first, second = sessions_at([conversation(name, tmp_path) for name in ("a", "b")])
    both_hold_one = threading.Barrier(2, timeout=30)
    sinks = KeepingSink(), KeepingSink()

    def paced(sessions: tuple[Session, Session]) -> Iterator[Session]:
        yield sessions[0]
        both_hold_one.wait()
        yield sessions[1]

    def run(sink: KeepingSink, sessions: tuple[Session, Session]) -> None:
        with State(tmp_path / "state", "here") as state:
            assert Shipper(sink, state).ship(paced(sessions)).ok

    runs = [
        threading.Thread(target=run, args=args, daemon=True)
        for args in zip(sinks, [(first, second), (second, first)], strict=True)
    ]
    for thread in runs:
        thread.start()
    for thread in runs:
        thread.join(timeout=60)
    sent = [observation.span_id for sink in sinks for observation in sink.sent]
    assert len(sent) == len(set(sent)) == 8


def test_a_run_that_dies_with_a_full_batch_sends_it_again(tmp_path: Path) -> None:
    """Nothing of a session is committed before the server has answered, although its file was read to the end."""
    paths = [conversation(name, tmp_path) for name in ("a", "b", "c")]

    class DyingSink(KeepingSink):
        def deliver(self, spans: Sequence[Encoded]) -> Delivery:
            raise KeyboardInterrupt

    with State(tmp_path / "state", "here") as state, pytest.raises(KeyboardInterrupt):
        Shipper(DyingSink(), state).ship(sessions_at(paths))
    sink = KeepingSink()
    with State(tmp_path / "state", "here") as state:
        assert Shipper(sink, state).ship(sessions_at(paths)).turns["sent"] == 3
        assert Shipper(sink, state).ship(sessions_at(paths)).turns["sent"] == 0
    assert len(sink.sent) == 12
