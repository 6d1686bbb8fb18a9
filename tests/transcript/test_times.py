"""When turns, calls and events start and end, whatever the order and the clock of their lines."""

from typing import Any

from lines import Lines, at, tool
from observed import Observe, named, roots, seconds


def test_bookkeeping_with_another_time_between_lines_changes_nothing(seen: Observe) -> None:
    """A late flush."""
    lines = Lines().prompt("go")
    lines.seconds += 115
    lines.add("system", subtype="turn_duration", durationMs=1)
    lines.seconds -= 115
    (root,) = roots(seen(lines.assistant("m1", "done")))
    assert seconds(root.end_ns) == 2


def test_nothing_starts_before_its_turn(seen: Observe) -> None:
    """A command typed an hour before the prompt it was sent with, and a request noted 7 ms before."""
    command = "<command-name>/model</command-name><command-args>opus</command-args>"
    lines = Lines().user(command)
    lines.seconds = 3600
    lines.prompt("go").plain("api-request", id="r1", params={}, timestamp=at(3599.993))
    observations = seen(lines.assistant("m1", "ok", requestRef="r1"))
    (root,) = roots(observations)
    (event,) = named(observations, "local_command")
    assert {seconds(observation.start_ns) for observation in observations} == {3600}
    assert event.metadata["occurred_at"] == at(0)
    assert all("occurred_at" not in observation.metadata for observation in (root, *named(observations, "LLM call")))


def request(lines: Lines, request_id: str, **params: Any) -> Lines:
    return lines.plain("api-request", id=request_id, params={"model": "claude-opus-5-5", **params})


def test_a_call_starts_when_its_request_was_sent(seen: Observe) -> None:
    """From 2.1.329 on the transcript says it; the first token came a block's stream time before that block's end."""
    lines = Lines().prompt("go")
    lines.seconds += 0.5
    request(lines, "r1", max_tokens=64_000, thinking={"type": "adaptive"}, output_config={"effort": "high"})
    lines.seconds += 1
    lines.assistant("m1", "a", requestRef="r1", apiBlockIndex=0, thinkingDurationMs=750).assistant("m1", "b")
    (call,) = named(seen(lines), "LLM call")
    assert [seconds(time_ns) for time_ns in (call.start_ns, call.completion_start_ns or 0, call.end_ns)] == [
        1.5,
        2.75,
        4.5,
    ]
    assert call.model_parameters == {"effort": "high", "max_tokens": 64_000, "thinking": "adaptive"}


def test_a_call_without_request_starts_with_its_parent(seen: Observe) -> None:
    """The prompt, the last result, an attachment."""
    lines = Lines("2.1.101").prompt("go").assistant("m1", tool("t1"))
    lines.seconds += 5
    lines.result("t1")
    lines.seconds += 5
    calls = named(seen(lines.assistant("m2", "done")), "LLM call")
    assert [seconds(call.start_ns) for call in calls] == [0, 7]


def test_the_first_token_is_left_out_where_it_would_be_a_guess(seen: Observe) -> None:
    """A text block says only when it ended."""
    (call,) = named(seen(Lines().prompt("go").assistant("m1", "a", apiBlockIndex=0)), "LLM call")
    assert call.completion_start_ns is None


def test_earlier_attempts_of_a_call_are_events(seen: Observe) -> None:
    """The last attempt is the one that was answered."""
    lines = request(request(Lines().prompt("go"), "r1"), "r2").assistant("m1", "ok", requestRef="r2")
    observations = seen(lines)
    assert [(observation.level, seconds(observation.start_ns)) for observation in named(observations, "api_retry")] == [
        ("WARNING", 1)
    ]
    assert seconds(named(observations, "LLM call")[0].start_ns) == 2


def test_an_attempt_for_a_prompt_that_was_given_up_is_no_retry_of_the_next(seen: Observe) -> None:
    """Escape before the first token leaves a request without response."""
    lines = request(Lines().prompt("one", uuid="a"), "r1").prompt("two", parentUuid=None)
    assert named(seen(request(lines, "r2").assistant("m1", "ok", requestRef="r2")), "api_retry") == []


def test_nothing_ends_before_it_starts(seen: Observe) -> None:
    """Clocks and flushes may say so."""
    lines = Lines().prompt("go").assistant("m1", tool("t1"))
    lines.seconds -= 10
    observations = seen(lines.result("t1").assistant("m2", "done"))
    assert all(observation.end_ns >= observation.start_ns for observation in observations)
