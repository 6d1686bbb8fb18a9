"""A fork repeats history of another session: each turn is sent once."""

from pathlib import Path

from helpers import KeepingSink, observe, ship_to
from lines import Lines
from observed import Observe, inputs, named, roots


def test_a_fork_sends_its_own_turns_only_and_goes_on_counting(tmp_path: Path) -> None:
    """Copies say which session made them, and the original is on disk."""
    original = Lines(session="original").prompt("one", uuid="a").assistant("m1", "x", uuid="b")
    fork = Lines(session="fork").prompt("one", uuid="a").assistant("m1", "x", uuid="b", requestSessionId="original")
    fork.prompt("two").assistant("m2", "y")
    original.write(tmp_path / "original.jsonl")
    (root,) = roots(observe(fork.write(tmp_path / "fork.jsonl")))
    assert (root.input, root.trace.name, root.trace.session_id) == ("two", "claude_turn_2", "fork")


def test_a_fork_without_its_original_sends_everything(tmp_path: Path) -> None:
    """Nothing is lost, under the ids that the original would have had."""
    fork = Lines(session="fork").prompt("one", uuid="a").assistant("m1", "x", requestSessionId="gone")
    original = Lines(session="gone").prompt("one", uuid="a").assistant("m1", "x")
    (copied,) = roots(observe(fork.write(tmp_path / "fork.jsonl")))
    (made,) = roots(observe(original.write(tmp_path / "elsewhere" / "gone.jsonl")))
    assert (copied.span_id, copied.trace.trace_id) == (made.span_id, made.trace.trace_id)


def test_what_a_fork_adds_to_a_copied_turn_is_sent(tmp_path: Path) -> None:
    """A fork may go on in the middle of one; zeroed copies are left out with the rest of the copy."""
    original = Lines(session="original").prompt("one", uuid="a").assistant("m1", "x", usage={"output_tokens": 99})
    fork = Lines(session="fork").prompt("one", uuid="a")
    fork.assistant("m1", "x", usage={"input_tokens": 0, "output_tokens": 0}, session_id="original")
    fork.assistant("m2", "y", session_id="fork")
    sink = KeepingSink()
    ship_to(sink, [fork.write(tmp_path / "fork.jsonl"), original.write(tmp_path / "original.jsonl")])
    calls = named(sink.sent, "LLM call")
    assert sorted((call.usage_details or {})["output"] for call in calls) == [10, 99]
    assert {observation.trace.name for observation in sink.sent if observation.trace.session_id == "fork"} == {
        "claude_turn_2"
    }


def test_a_session_after_clear_is_no_copy(tmp_path: Path) -> None:
    """All its lines name the session before it, which holds none of them."""
    Lines(session="before").prompt("one").assistant("m1", "x").write(tmp_path / "before.jsonl")
    after = Lines(session="after").prompt("two", session_id="before").assistant("m2", "y", session_id="before")
    assert inputs(observe(after.write(tmp_path / "after.jsonl"))) == ["two"]


def test_history_written_into_its_own_file_again_is_sent_once(seen: Observe) -> None:
    """Repeated responses, and versions that append old lines at every compaction."""
    lines = Lines().prompt("one").assistant("m1", "a").prompt("two").assistant("m2", "b").prompt("three")
    lines.assistant("m3", "c")
    lines.lines += lines.lines[:4]
    observations = seen(lines.prompt("four").assistant("m4", "d"))
    assert len({observation.span_id for observation in observations}) == len(observations)
    assert inputs(observations) == ["one", "two", "three", "four"]
