"""When a call was sent, where the line before it waited in a queue."""

import pytest

from lines import Lines, at, tool
from observed import Observe, named, roots, seconds


def queued(lines: Lines, kind: str, seconds_ago: float) -> Lines:
    """An attachment that has the time of its command, `seconds_ago` before the line before it."""
    attachment = {"type": kind, "prompt": "and this", "commandMode": "prompt", "allowedTools": []}
    return lines.add("attachment", attachment=attachment, timestamp=at(lines.seconds - 1 - seconds_ago))


@pytest.mark.parametrize("kind", ["queued_command", "command_permissions"])
def test_a_call_starts_with_the_result_before_a_prompt_that_waited(kind: str, seen: Observe) -> None:
    """The prompt was typed while the tool ran: the model was given both when the tool was done."""
    lines = Lines().prompt("go").assistant("m1", tool("t1"))
    lines.seconds = 240
    lines.result("t1")
    call = named(seen(queued(lines, kind, 200).assistant("m2", "ok")), "LLM call")[1]
    assert seconds(call.start_ns) == 240


def test_a_call_starts_with_the_result_before_several_prompts_that_waited(seen: Observe) -> None:
    """Each one's parent is the one before it."""
    lines = Lines().prompt("go").assistant("m1", tool("t1"))
    lines.seconds = 240
    lines.result("t1")
    for seconds_ago in (200, 100, 150):
        queued(lines, "queued_command", seconds_ago)
    call = named(seen(lines.assistant("m2", "ok")), "LLM call")[1]
    assert seconds(call.start_ns) == 240


def test_a_call_starts_with_a_prompt_that_came_after_the_result(seen: Observe) -> None:
    """Nothing was waiting for it."""
    lines = Lines().prompt("go").assistant("m1", tool("t1")).result("t1")
    lines.seconds = 60
    attachment = {"type": "queued_command", "prompt": "and this"}
    call = named(seen(lines.add("attachment", attachment=attachment).assistant("m2", "ok")), "LLM call")[1]
    assert seconds(call.start_ns) == 60


def test_a_call_whose_parent_is_not_there_starts_no_earlier_than_what_it_was_given(seen: Observe) -> None:
    """A queued prompt is the last thing that it was given, not the first."""
    lines = Lines().prompt("go").assistant("m1", tool("t1"))
    lines.seconds = 240
    lines.result("t1")
    lines = queued(lines, "queued_command", 200).assistant("m2", "ok", parentUuid="elsewhere")
    assert seconds(named(seen(lines), "LLM call")[1].start_ns) == 240


def test_a_prompt_that_waited_keeps_its_own_time(seen: Observe) -> None:
    """Its event says when it was typed, inside of the turn."""
    lines = Lines().prompt("go").assistant("m1", tool("t1"))
    lines.seconds = 240
    observations = seen(queued(lines.result("t1"), "queued_command", 200).assistant("m2", "ok"))
    (event,) = named(observations, "queued_prompt")
    assert seconds(event.start_ns) == 40
    assert roots(observations)[0].start_ns < event.start_ns


@pytest.mark.parametrize("kind", ["task_reminder", "hook_success"])
def test_other_attachments_date_their_call_as_before(kind: str, seen: Observe) -> None:
    """They are written when they are handed over, a few ms from the result."""
    lines = Lines().prompt("go").assistant("m1", tool("t1"))
    lines.seconds = 240
    call = named(seen(queued(lines.result("t1"), kind, 0.001).assistant("m2", "ok")), "LLM call")[1]
    assert seconds(call.start_ns) == pytest.approx(239.999)
