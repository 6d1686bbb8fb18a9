"""How turns, calls and tools end that were interrupted, denied, killed or failed."""

from lines import Lines, tool
from observed import Observe, inputs, named, roots, seconds


def test_an_interrupt_before_any_response_ends_the_turn(seen: Observe) -> None:
    """The next prompt is a turn of its own, although its parent is the interrupt."""
    lines = Lines("2.1.63").prompt("one").user([{"type": "text", "text": "[Request interrupted by user]"}])
    observations = seen(lines.prompt("two").assistant("m1", "ok"))
    assert inputs(observations) == ["one", "two"]
    assert roots(observations)[0].level == "WARNING"
    assert [observation.level for observation in named(observations, "interrupted")] == ["WARNING"]


def test_a_response_aborted_in_mid_stream_is_a_warning(seen: Observe) -> None:
    """Partial text, placeholder usage."""
    lines = Lines().prompt("go").assistant("m1", "word0 word1", isAbortedMidStream=True, stop_reason=None)
    lines.user([{"type": "text", "text": "[Request interrupted by user]"}], interruptedMessageId="m1")
    observations = seen(lines)
    (call,) = named(observations, "LLM call")
    assert (call.level, call.metadata["output_is_lower_bound"]) == ("WARNING", True)
    assert roots(observations)[0].status_message == "interrupted by the user"


def test_a_prompt_sent_again_before_an_answer_is_two_turns(seen: Observe) -> None:
    """Two children of one parent; the first was given up."""
    lines = Lines().prompt("first", uuid="a").prompt("second", parentUuid=None).assistant("m1", "ok")
    observations = seen(lines)
    assert inputs(observations) == ["first", "second"]
    assert roots(observations)[0].status_message == "no response"


def test_a_denied_tool_is_an_error_and_an_event(seen: Observe) -> None:
    """Somebody said no before it ran."""
    lines = Lines().prompt("go").assistant("m1", tool("t1"))
    lines.result("t1", "refused", is_error=True, toolDenialKind="user-rejected", toolDenialBeforeRun=True)
    observations = seen(lines)
    (bash,) = named(observations, "Tool: Bash")
    assert (bash.level, bash.status_message) == ("ERROR", "permission denied (user-rejected)")
    assert len(named(observations, "permission_denied")) == 1


def test_a_tool_stopped_while_it_ran_is_a_warning_and_no_denial(seen: Observe) -> None:
    """The text of the result is the same."""
    lines = Lines().prompt("go").assistant("m1", tool("t1"))
    observations = seen(lines.result("t1", "refused", is_error=True, toolDenialKind="user-rejected"))
    assert named(observations, "Tool: Bash")[0].level == "WARNING"
    assert named(observations, "permission_denied") == []


def test_a_tool_that_never_answered_does_not_hold_the_session_back(seen: Observe) -> None:
    """Its call was compacted away."""
    lines = Lines().prompt("go").assistant("m0", tool("t0"))
    for n in range(1, 12):
        lines.prompt(f"{n}").assistant(f"m{n}", "ok")
    observations = seen(lines)
    assert len(roots(observations)) == 12
    assert named(observations, "Tool: Bash")[0].output is None


def test_an_api_error_ends_the_turn_as_an_error(seen: Observe) -> None:
    """Attempts before it are warnings, and the next prompt is a turn of its own."""
    lines = Lines("2.1.221").prompt("go")
    lines.add("system", subtype="api_error", error={"status": 529}, retryAttempt=1, retryInMs=500)
    lines.synthetic("API Error: overloaded", isApiErrorMessage=True, error="server_error")
    observations = seen(lines.prompt("again").assistant("m1", "ok"))
    failed = roots(observations)[0]
    assert (failed.level, failed.status_message) == ("ERROR", "API Error: overloaded")
    (retry,) = named(observations, "api_retry")
    assert (retry.level, retry.metadata["status"], retry.metadata["wait_ms"]) == ("WARNING", 529, 500)
    assert inputs(observations) == ["go", "again"]


def test_no_response_requested_is_neither_call_nor_error(seen: Observe) -> None:
    """Written on a resume."""
    lines = Lines().prompt("go").assistant("m1", "ok").synthetic("No response requested.", isApiErrorMessage=False)
    observations = seen(lines)
    assert len(named(observations, "LLM call")) == 1
    assert roots(observations)[0].level == "DEFAULT"


def test_what_a_resume_makes_up_for_a_killed_tool_does_not_stretch_the_turn(seen: Observe) -> None:
    """The session may be resumed days later."""
    lines = Lines().prompt("go").assistant("m1", tool("t1"))
    lines.seconds += 86_400
    lines.result("t1", "[Tool call interrupted]", is_error=True, toolDenialKind="interrupted")
    observations = seen(lines.synthetic("No response requested.").prompt("next").assistant("m2", "ok"))
    killed = roots(observations)[0]
    assert (killed.level, seconds(killed.end_ns)) == ("WARNING", 1)
    assert named(observations, "Tool: Bash")[0].status_message == "the session ended while this ran"
    assert inputs(observations) == ["go", "next"]


def test_a_result_that_a_resume_makes_up_does_not_replace_the_real_one(seen: Observe) -> None:
    """The real one was flushed when the session ended; the resume did not see it."""
    lines = Lines().prompt("go").assistant("m1", tool("t1")).result("t1", "found")
    lines.result("t1", "[Tool call interrupted]", is_error=True, toolDenialKind="interrupted")
    (bash,) = named(seen(lines.assistant("m2", "done")), "Tool: Bash")
    assert (bash.output, bash.level, seconds(bash.end_ns)) == ("found", "DEFAULT", 2)


def test_a_prompt_killed_before_its_first_token_is_a_turn_without_response(seen: Observe) -> None:
    """And what the resume wrote does not join it with the next."""
    lines = Lines().prompt("go").synthetic("No response requested.").prompt("next").assistant("m1", "ok")
    assert [root.status_message for root in roots(seen(lines))] == ["no response", None]


def test_a_stop_hook_that_blocks_is_an_event_and_the_turn_goes_on(seen: Observe) -> None:
    """Exit code 2 makes the model go on."""
    lines = Lines().prompt("go").assistant("m1", "done?").user("Stop hook feedback: no", isMeta=True)
    blocked = {"type": "hook_blocking_error", "blockingError": {"blockingError": "not yet"}}
    observations = seen(lines.add("attachment", attachment=blocked).assistant("m2", "now"))
    assert len(roots(observations)) == 1
    assert [(observation.level, observation.input) for observation in named(observations, "hook_blocked")] == [
        ("WARNING", "not yet")
    ]
