"""Which turns, calls, tools and events a transcript has, in every shape that clients have given it."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ccship.observations import Observation
from ccship.state import State
from helpers import KeepingSink, observe, ship_to
from lines import BEGAN, Lines, tool

Observe = Callable[[Lines], list[Observation]]


@pytest.fixture
def seen(tmp_path: Path) -> Observe:
    """The observations of a transcript written for a test."""
    return lambda lines: observe(lines.write(tmp_path / f"{lines.session}.jsonl"))


def roots(observations: list[Observation]) -> list[Observation]:
    return [it for it in observations if it.parent_span_id is None]


def named(observations: list[Observation], name: str) -> list[Observation]:
    return [it for it in observations if it.name == name]


def inputs(observations: list[Observation]) -> list[Any]:
    return [it.input for it in roots(observations)]


def seconds(time_ns: int) -> float:
    return (time_ns - int(BEGAN.timestamp()) * 10**9) / 1e9


# Calls and tools


def test_a_call_over_several_lines_with_a_result_in_between_is_one(seen: Observe) -> None:
    """E1: tools start while the response still streams."""
    lines = Lines().prompt("go").assistant("m1", tool("t1"), stop_reason="tool_use").result("t1")
    observations = seen(lines.assistant("m1", "text").assistant("m2", "done"))
    calls = named(observations, "LLM call")
    assert len(calls) == 2
    assert calls[0].output["tool_calls"][0]["id"] == "t1"
    assert calls[0].output["content"] == "text"
    assert [it["role"] for it in calls[1].input] == ["tool"]


def test_usage_is_that_of_the_line_with_the_most_output(seen: Observe) -> None:
    """E2: only the last line is final; nothing is added up."""
    lines = Lines().prompt("go").assistant("m1", "a", usage={"output_tokens": 8}, stop_reason=None)
    (call,) = named(seen(lines.assistant("m1", "b", usage={"output_tokens": 178})), "LLM call")
    assert call.usage_details
    assert (call.usage_details["output"], call.usage_details["input"]) == (178, 1)


def test_a_call_that_never_got_its_final_usage_is_marked(seen: Observe) -> None:
    """E3: the output of older clients is a placeholder."""
    (call,) = named(seen(Lines().prompt("go").assistant("m1", "long text", stop_reason=None)), "LLM call")
    assert call.metadata["output_is_lower_bound"] is True


def test_a_result_before_its_tool_call_is_joined_with_it(seen: Observe) -> None:
    """E4: file order is flush order."""
    lines = Lines().prompt("go").assistant("m1", "thinking").result("t1", "found").assistant("m1", tool("t1"))
    observations = seen(lines.assistant("m2", "done"))
    (bash,) = named(observations, "Tool: Bash")
    assert bash.output == "found"
    assert bash.end_ns >= bash.start_ns
    assert named(observations, "LLM call")[1].input[0]["tool_call_id"] == "t1"


def test_parallel_tools_get_their_own_results_in_any_order(seen: Observe) -> None:
    """E5."""
    lines = Lines().prompt("go").assistant("m1", tool("t1")).assistant("m1", tool("t2"))
    observations = seen(lines.result("t2", "second").result("t1", "first"))
    assert [it.output for it in named(observations, "Tool: Bash")] == ["first", "second"]


def test_lines_of_two_calls_may_be_mixed(seen: Observe) -> None:
    """E6."""
    lines = Lines().prompt("go").assistant("m1", tool("t1")).assistant("m2", "b").assistant("m1", "late").result("t1")
    assert len(named(seen(lines), "LLM call")) == 2


def test_a_response_flushed_after_the_next_prompt_belongs_to_its_own_turn(seen: Observe) -> None:
    """E6, E7: by its message id, not by its place."""
    lines = Lines().prompt("one").assistant("m1", "a").prompt("two").assistant("m1", tool("t1")).result("t1")
    observations = seen(lines.assistant("m2", "b"))
    first, second = roots(observations)
    assert first.metadata["tool_count"] == 1
    assert (second.input, second.output, second.metadata["llm_call_count"]) == ("two", "b", 1)


def test_bookkeeping_with_another_time_between_lines_changes_nothing(seen: Observe) -> None:
    """E7: a late flush."""
    lines = Lines().prompt("go")
    lines.seconds += 115
    lines.add("system", subtype="turn_duration", durationMs=1)
    lines.seconds -= 115
    (root,) = roots(seen(lines.assistant("m1", "done")))
    assert seconds(root.end_ns) == 2


def test_a_prompt_beside_a_tool_result_is_given_to_the_next_call(seen: Observe) -> None:
    """E8: typed while the tool ran."""
    lines = Lines("2.1.33").prompt("go").assistant("m1", tool("t1"))
    result = {"type": "tool_result", "tool_use_id": "t1", "content": "ok"}
    observations = seen(lines.user([result, {"type": "text", "text": "also this"}]).assistant("m2", "done"))
    assert named(observations, "LLM call")[1].input[1] == {"role": "user", "content": "also this"}
    assert len(roots(observations)) == 1


def test_a_prompt_that_stands_only_in_the_queue_is_an_event(seen: Observe) -> None:
    """E9: up to 2.1.63 nothing else tells of it."""
    lines = Lines("2.1.49").prompt("go").assistant("m1", tool("t1"))
    lines.plain("queue-operation", operation="enqueue", content="is it down?").result("t1")
    observations = seen(lines.plain("queue-operation", operation="remove").assistant("m2", "done"))
    (event,) = named(observations, "queued_prompt")
    assert (event.input, seconds(event.start_ns)) == ("is it down?", 2)


def test_a_prompt_folded_into_the_running_turn_is_an_event_and_given_to_the_model(seen: Observe) -> None:
    """E10: an attachment, from 2.1.91 on; images stay with it."""
    image = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AAAA"}}
    lines = Lines().prompt("go").assistant("m1", tool("t1")).result("t1")
    prompt = [{"type": "text", "text": "look"}, image]
    lines.add("attachment", attachment={"type": "queued_command", "prompt": prompt})
    observations = seen(lines.assistant("m2", "done"))
    assert len(named(observations, "queued_prompt")) == len(roots(observations)) == 1
    assert named(observations, "LLM call")[1].input[1]["content"][1]["source"]["data"] == "AAAA"


NOTIFICATION = "<task-notification>\n<task-id>a1</task-id>\n<summary>Agent finished</summary>\n</task-notification>"


def test_a_notification_starts_a_turn_and_late_results_reach_their_tools(seen: Observe) -> None:
    """E11: the result of an earlier launch comes under the notification's prompt id."""
    lines = Lines().prompt("go").assistant("m1", tool("t1", "Agent")).user(NOTIFICATION, promptSource="system")
    observations = seen(lines.result("t1", "answer").assistant("m2", "done"))
    assert [it.metadata["trigger"] for it in roots(observations)] == ["prompt", "task_notification"]
    assert inputs(observations) == ["go", "Agent finished"]
    assert named(observations, "Tool: Agent")[0].output == "answer"


def test_a_scheduled_wake_up_starts_a_turn_although_it_is_meta(seen: Observe) -> None:
    """E12."""
    lines = Lines().prompt("go").assistant("m1", "ok")
    lines.user("wake up", isMeta=True, permissionMode="default", promptSource="system").assistant("m2", "awake")
    assert [it.metadata["trigger"] for it in roots(seen(lines))] == ["prompt", "scheduled"]


def command(name: str, arguments: str = "", *, skill: bool = False) -> str:
    tags = [f"<command-name>/{name}</command-name>", f"<command-message>{name}</command-message>"]
    return "\n".join(reversed(tags) if skill else tags) + f"\n<command-args>{arguments}</command-args>"


def test_a_slash_command_with_an_unchanged_prompt_id_starts_a_turn(seen: Observe) -> None:
    """E13: prompt ids are a hint."""
    lines = Lines("2.1.101").prompt("go", promptId="p").assistant("m1", "ok")
    lines.user(command("review", "all of it", skill=True), promptId="p").assistant("m2", "fine")
    observations = seen(lines)
    assert inputs(observations) == ["go", "/review all of it"]
    assert roots(observations)[1].metadata["trigger"] == "slash_command"


def test_a_skill_is_told_from_other_slash_commands(seen: Observe) -> None:
    """Its body follows as meta text and belongs to the turn."""
    lines = Lines().user(command("greeter", skill=True))
    lines.user("Base directory for this skill: /skills/greeter", isMeta=True).assistant("m1", "hello")
    (root,) = roots(seen(lines))
    assert (root.metadata["trigger"], root.input) == ("skill", "/greeter")


def test_a_local_command_is_an_event_of_the_turn_that_follows(seen: Observe) -> None:
    """E14: no model was called for it, nobody waits for an answer."""
    lines = Lines().prompt("go").assistant("m1", "ok").user("<local-command-caveat>...", isMeta=True)
    lines.user(command("model", "opus")).user("<local-command-stdout>Set model</local-command-stdout>")
    observations = seen(lines.prompt("next").assistant("m2", "ok"))
    assert inputs(observations) == ["go", "next"]
    (event,) = named(observations, "local_command")
    assert event.input == "/model opus"
    assert event.parent_span_id == roots(observations)[1].span_id


def test_shell_input_is_a_turn_only_where_the_model_answered(seen: Observe) -> None:
    """E14: from 2.1.329 on it does."""
    lines = Lines().user("<bash-input>ls</bash-input>").user("<bash-stdout>a.txt</bash-stdout>", turnOrigin="human")
    assert roots(seen(lines)) == []
    (root,) = roots(seen(lines.assistant("m1", "one file")))
    assert root.metadata["trigger"] == "shell_input"


def test_a_refusal_tells_both_models_and_counts_the_one_that_answered(seen: Observe) -> None:
    """E15: top-level usage is the serving model's."""
    fallback = {"type": "fallback", "from": {"model": "claude-fable-5"}, "to": {"model": "claude-opus-4-8"}}
    lines = Lines().prompt("go").assistant("m1", fallback, model="claude-opus-4-8", usage={"output_tokens": 136})
    lines.add("system", subtype="model_refusal_fallback", content="switched", originalModel="claude-fable-5")
    observations = seen(lines.assistant("m1", "ok", model="claude-opus-4-8", usage={"output_tokens": 136}))
    (call,) = named(observations, "LLM call")
    assert (call.model, call.metadata["fallback_from"]) == ("claude-opus-4-8", "claude-fable-5")
    assert call.usage_details
    assert call.usage_details["output"] == 136
    assert [it.level for it in named(observations, "model_fallback")] == ["WARNING"]


def test_an_advisor_is_a_generation_of_its_own_counted_once(seen: Observe) -> None:
    """E16: its tokens stand beside the call's, again on every later line."""
    advice = {"type": "advisor_message", "model": "claude-opus-5", "input_tokens": 900, "output_tokens": 90}
    usage = {"output_tokens": 20, "iterations": [{"type": "message", "output_tokens": 20}, advice]}
    asked = {"type": "server_tool_use", "id": "srv1", "name": "advisor", "input": {}}
    lines = Lines().prompt("go").assistant("m1", asked, usage=usage).assistant("m1", "ok", usage=usage)
    observations = seen(lines.assistant("m2", "later", usage=usage))
    (advisor,) = named(observations, "Advisor")
    assert advisor.usage_details
    assert (advisor.model, advisor.usage_details["input"], advisor.usage_details["output"]) == (
        "claude-opus-5",
        900,
        90,
    )
    assert [call.usage_details["output"] for call in named(observations, "LLM call") if call.usage_details] == [20, 20]


def test_a_file_that_begins_after_a_compaction_goes_on_in_a_turn_without_prompt(seen: Observe) -> None:
    """E17."""
    lines = Lines().add("system", subtype="compact_boundary", compactMetadata={"preTokens": 9})
    lines.user("summary", isCompactSummary=True).assistant("m1", "going on")
    (root,) = roots(seen(lines.prompt("next").assistant("m2", "ok")))[:1]
    assert (root.metadata["trigger"], root.output) == ("continuation", "going on")


def test_a_file_that_begins_with_a_tool_result_loses_nothing(seen: Observe) -> None:
    """E28: a slice."""
    observations = seen(Lines().result("t0", "whose?").assistant("m1", "ok"))
    assert len(roots(observations)) == len(named(observations, "LLM call")) == 1


def test_a_response_repeated_by_an_old_resume_counts_once(seen: Observe) -> None:
    """E20: same message id, new uuid, no request id."""
    lines = Lines("1.0.51").user("go").assistant("m1", "a", requestId="r1").assistant("m1", "a", parentUuid=None)
    assert len(named(seen(lines), "LLM call")) == 1


def test_an_interrupt_before_any_response_ends_the_turn(seen: Observe) -> None:
    """E21: the next prompt is a turn of its own, although its parent is the interrupt."""
    lines = Lines("2.1.63").prompt("one").user([{"type": "text", "text": "[Request interrupted by user]"}])
    observations = seen(lines.prompt("two").assistant("m1", "ok"))
    assert inputs(observations) == ["one", "two"]
    assert roots(observations)[0].level == "WARNING"
    assert [it.level for it in named(observations, "interrupted")] == ["WARNING"]


def test_a_response_aborted_in_mid_stream_is_a_warning(seen: Observe) -> None:
    """E22: partial text, placeholder usage."""
    lines = Lines().prompt("go").assistant("m1", "word0 word1", isAbortedMidStream=True, stop_reason=None)
    lines.user([{"type": "text", "text": "[Request interrupted by user]"}], interruptedMessageId="m1")
    observations = seen(lines)
    (call,) = named(observations, "LLM call")
    assert (call.level, call.metadata["output_is_lower_bound"]) == ("WARNING", True)
    assert roots(observations)[0].status_message == "interrupted by the user"


def test_a_prompt_sent_again_before_an_answer_is_two_turns(seen: Observe) -> None:
    """E23: two children of one parent; the first was given up."""
    lines = Lines().prompt("first", uuid="a").prompt("second", parentUuid=None).assistant("m1", "ok")
    observations = seen(lines)
    assert inputs(observations) == ["first", "second"]
    assert roots(observations)[0].status_message == "no response"


def test_a_denied_tool_is_an_error_and_an_event(seen: Observe) -> None:
    """E24: somebody said no before it ran."""
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
    """E25: its call was compacted away."""
    lines = Lines().prompt("go").assistant("m0", tool("t0"))
    for n in range(1, 12):
        lines.prompt(f"{n}").assistant(f"m{n}", "ok")
    observations = seen(lines)
    assert len(roots(observations)) == 12
    assert named(observations, "Tool: Bash")[0].output is None


def test_a_compaction_in_mid_turn_is_an_event_of_that_turn(seen: Observe) -> None:
    """E26: the turn goes on after it."""
    lines = Lines().prompt("go").assistant("m1", tool("t1")).result("t1")
    lines.add("system", subtype="compact_boundary", parentUuid=None, compactMetadata={"preTokens": 9, "postTokens": 1})
    observations = seen(lines.user("summary", isCompactSummary=True).assistant("m2", "done"))
    assert len(roots(observations)) == 1
    (event,) = named(observations, "compaction")
    assert event.metadata == {"preTokens": 9, "postTokens": 1}
    assert named(observations, "LLM call")[1].input[-1]["content"] == "summary"


def test_two_records_on_one_line_are_both_read(seen: Observe) -> None:
    """E27."""
    lines = Lines().prompt("go").assistant("m1", "a")
    lines.lines[-2:] = ["".join(lines.lines[-2:])]
    assert len(named(seen(lines), "LLM call")) == 1


def test_an_api_error_ends_the_turn_as_an_error(seen: Observe) -> None:
    """E29: attempts before it are warnings, and the next prompt is a turn of its own."""
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
    """E30: written on a resume."""
    lines = Lines().prompt("go").assistant("m1", "ok").synthetic("No response requested.", isApiErrorMessage=False)
    observations = seen(lines)
    assert len(named(observations, "LLM call")) == 1
    assert roots(observations)[0].level == "DEFAULT"


def test_calls_without_request_id_and_of_other_models_count(seen: Observe) -> None:
    """E31: gateways."""
    (call,) = named(seen(Lines().prompt("go").assistant("chatcmpl-1", "ok", model="glm-5")), "LLM call")
    assert (call.model, call.metadata["model_family"]) == ("glm-5", "glm")


def test_a_subagent_of_1_0_stands_inline_and_hangs_under_its_tool(seen: Observe) -> None:
    """E32: found by its prompt."""
    lines = Lines("1.0.98").user("go").assistant("m1", tool("t1", "Task", prompt="explore", subagent_type="scout"))
    lines.user("explore", isSidechain=True, parentUuid=None).assistant("m2", tool("t2"), isSidechain=True)
    lines.result("t2", isSidechain=True).assistant("m3", "found", isSidechain=True).result("t1", "found")
    observations = seen(lines.assistant("m4", "done"))
    (agent,) = named(observations, "Agent: scout")
    assert agent.parent_span_id == named(observations, "Tool: Task")[0].span_id
    assert [it.parent_span_id for it in named(observations, "Tool: Bash")] == [agent.span_id]
    assert len(roots(observations)) == 1
    assert roots(observations)[0].metadata["llm_call_count"] == 4


def test_copies_of_subagents_in_progress_lines_are_not_counted(seen: Observe) -> None:
    """E33: they repeat all but the last call, with usage."""
    lines = Lines("2.1.39").prompt("go")
    lines.add("progress", data={"type": "agent_progress", "message": {"type": "assistant", "message": {"id": "m9"}}})
    assert len(named(seen(lines.assistant("m1", "ok")), "LLM call")) == 1


def test_a_teammate_message_starts_a_turn(seen: Observe) -> None:
    """E35: in the teammate's own session."""
    lines = Lines("2.1.39").user('<teammate-message teammate_id="lead">start</teammate-message>')
    (root,) = roots(seen(lines.assistant("m1", "ok")))
    assert root.metadata["trigger"] == "teammate"


def test_a_file_with_two_versions_tells_each_turn_its_own(seen: Observe) -> None:
    """E36: a session resumed with another client."""
    lines = Lines("2.1.17").prompt("one").assistant("m1", "a")
    lines.version = "2.1.7"
    observations = seen(lines.user("two").assistant("m2", "b"))
    assert [it.trace.version for it in roots(observations)] == ["2.1.17", "2.1.7"]


def test_continue_from_where_you_left_off_is_no_prompt(seen: Observe) -> None:
    """E37: meta; the human's own follows under the same id."""
    lines = Lines("2.1.123").prompt("one").assistant("m1", "a")
    lines.user("Continue from where you left off.", isMeta=True, promptId="p").synthetic("No response requested.")
    assert inputs(seen(lines.prompt("two", promptId="p").assistant("m2", "b"))) == ["one", "two"]


def test_fast_mode_is_a_model_parameter(seen: Observe) -> None:
    """E38: it costs twice."""
    (call,) = named(seen(Lines().prompt("go").assistant("m1", "ok", usage={"speed": "fast"})), "LLM call")
    assert call.model_parameters == {"speed": "fast"}


def test_whole_files_in_results_are_not_shipped(seen: Observe) -> None:
    """E39: a third of all bytes."""
    lines = Lines().prompt("go").assistant("m1", tool("t1", "Edit", file_path="a.py"))
    patch = [{"lines": ["-old", "+new", "+more", " same"]}]
    outcome = {"filePath": "a.py", "originalFile": "SECRET SOURCE", "structuredPatch": patch}
    (edit,) = named(seen(lines.result("t1", "ok", toolUseResult=outcome)), "Tool: Edit")
    assert "SECRET SOURCE" not in str(edit)
    assert (edit.metadata["lines_added"], edit.metadata["lines_removed"]) == (2, 1)


def test_documents_and_unknown_blocks_are_kept(seen: Observe) -> None:
    """E40: PDFs, tool references, and what is to come."""
    pdf = {"type": "document", "source": {"type": "base64", "media_type": "application/pdf", "data": "JVBE"}}
    lines = Lines().prompt([{"type": "text", "text": "read"}, pdf, {"type": "hologram", "depth": 3}])
    (call,) = named(seen(lines.assistant("m1", "ok")), "LLM call")
    _, document, hologram = call.input[0]["content"]
    assert document["source"]["media_type"] == "application/pdf"
    assert hologram == {"type": "hologram", "depth": 3}


# What the newest clients write


def test_prompts_queued_together_share_one_turn_and_one_call(seen: Observe) -> None:
    """Two prompt ids, one request."""
    lines = Lines().prompt("a", promptSource="queued", promptId="p1").prompt("b", promptSource="queued", promptId="p2")
    observations = seen(lines.assistant("m1", "both"))
    (root,) = roots(observations)
    assert (root.input, root.metadata["trigger"]) == ("a", "queued_prompt")
    assert named(observations, "queued_prompt")[0].input == "b"
    assert [it["content"] for it in named(observations, "LLM call")[0].input] == ["a", "b"]


def test_a_rewind_leaves_the_abandoned_turn_where_it_was(seen: Observe) -> None:
    """The file is append-only."""
    lines = Lines().prompt("one", uuid="a").assistant("m1", "x", uuid="b").prompt("two").assistant("m2", "y")
    observations = seen(lines.prompt("two again", parentUuid="b").assistant("m3", "z"))
    assert inputs(observations) == ["one", "two", "two again"]


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


def test_a_prompt_killed_before_its_first_token_is_a_turn_without_response(seen: Observe) -> None:
    """And what the resume wrote does not join it with the next."""
    lines = Lines().prompt("go").synthetic("No response requested.").prompt("next").assistant("m1", "ok")
    assert [it.status_message for it in roots(seen(lines))] == ["no response", None]


def test_a_stop_hook_that_blocks_is_an_event_and_the_turn_goes_on(seen: Observe) -> None:
    """Exit code 2 makes the model go on."""
    lines = Lines().prompt("go").assistant("m1", "done?").user("Stop hook feedback: no", isMeta=True)
    blocked = {"type": "hook_blocking_error", "blockingError": {"blockingError": "not yet"}}
    observations = seen(lines.add("attachment", attachment=blocked).assistant("m2", "now"))
    assert len(roots(observations)) == 1
    assert [(it.level, it.input) for it in named(observations, "hook_blocked")] == [("WARNING", "not yet")]


def test_a_handed_over_plan_is_a_trigger_of_its_own(seen: Observe) -> None:
    """Its prompt has no permission mode."""
    lines = Lines("2.1.39").user("Implement the following plan:\n1. all", planContent="1. all").assistant("m1", "ok")
    assert roots(seen(lines))[0].metadata["trigger"] == "plan"


# Times


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
    assert [seconds(it) for it in (call.start_ns, call.completion_start_ns or 0, call.end_ns)] == [1.5, 2.75, 4.5]
    assert call.model_parameters == {"effort": "high", "max_tokens": 64_000, "thinking": "adaptive"}


def test_a_call_without_request_starts_with_its_parent(seen: Observe) -> None:
    """The prompt, the last result, an attachment."""
    lines = Lines("2.1.101").prompt("go").assistant("m1", tool("t1"))
    lines.seconds += 5
    lines.result("t1")
    lines.seconds += 5
    calls = named(seen(lines.assistant("m2", "done")), "LLM call")
    assert [seconds(it.start_ns) for it in calls] == [0, 7]


def test_the_first_token_is_left_out_where_it_would_be_a_guess(seen: Observe) -> None:
    """A text block says only when it ended."""
    (call,) = named(seen(Lines().prompt("go").assistant("m1", "a", apiBlockIndex=0)), "LLM call")
    assert call.completion_start_ns is None


def test_earlier_attempts_of_a_call_are_events(seen: Observe) -> None:
    """The last attempt is the one that was answered."""
    lines = request(request(Lines().prompt("go"), "r1"), "r2").assistant("m1", "ok", requestRef="r2")
    observations = seen(lines)
    assert [(it.level, seconds(it.start_ns)) for it in named(observations, "api_retry")] == [("WARNING", 1)]
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
    assert all(it.end_ns >= it.start_ns for it in observations)


# Forks


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
    """E18, E19: a fork may go on in the middle of one; zeroed copies are left out with the rest of the copy."""
    original = Lines(session="original").prompt("one", uuid="a").assistant("m1", "x", usage={"output_tokens": 99})
    fork = Lines(session="fork").prompt("one", uuid="a")
    fork.assistant("m1", "x", usage={"input_tokens": 0, "output_tokens": 0}, session_id="original")
    fork.assistant("m2", "y", session_id="fork")
    sink = KeepingSink()
    ship_to(sink, [fork.write(tmp_path / "fork.jsonl"), original.write(tmp_path / "original.jsonl")])
    calls = named(sink.sent, "LLM call")
    assert sorted((it.usage_details or {})["output"] for it in calls) == [10, 99]


def test_a_session_after_clear_is_no_copy(tmp_path: Path) -> None:
    """E19: all its lines name the session before it, which holds none of them."""
    Lines(session="before").prompt("one").assistant("m1", "x").write(tmp_path / "before.jsonl")
    after = Lines(session="after").prompt("two", session_id="before").assistant("m2", "y", session_id="before")
    assert inputs(observe(after.write(tmp_path / "after.jsonl"))) == ["two"]


def test_history_written_into_its_own_file_again_is_sent_once(seen: Observe) -> None:
    """E20, and versions that append old lines at every compaction."""
    lines = Lines().prompt("one").assistant("m1", "a").prompt("two").assistant("m2", "b").prompt("three")
    lines.assistant("m3", "c")
    lines.lines += lines.lines[:4]
    observations = seen(lines.prompt("four").assistant("m4", "d"))
    assert len({it.span_id for it in observations}) == len(observations)
    assert inputs(observations) == ["one", "two", "three", "four"]


# Subagents


def agent_file(tmp_path: Path, agent_id: str, lines: Lines, **meta: Any) -> Path:
    path = lines.write(tmp_path / "s1" / "subagents" / f"agent-{agent_id}.jsonl")
    if meta:
        path.with_suffix(".meta.json").write_text(json.dumps(meta))
    return path


def agent(prompt: str, message_id: str, answer: str) -> Lines:
    return Lines(session="s1").user(prompt, isSidechain=True, uuid=f"{message_id}-prompt").assistant(message_id, answer)


def test_a_subagent_hangs_under_the_tool_that_its_meta_file_names(tmp_path: Path) -> None:
    """Valid at every depth."""
    lines = Lines().prompt("go").assistant("m1", tool("t1", "Agent", prompt="explore")).result("t1")
    outer = (
        Lines(session="s1").user("explore", uuid="o").assistant("m2", tool("t2", "Agent", prompt="deeper"), uuid="p")
    )
    agent_file(tmp_path, "inner", agent("deeper", "m3", "deep"), toolUseId="t2", agentType="Plan")
    agent_file(tmp_path, "outer", outer, toolUseId="t1", agentType="Explore")
    observations = observe(lines.write(tmp_path / "s1.jsonl"))
    (outer_span,) = named(observations, "Agent: Explore")
    (inner_span,) = named(observations, "Agent: Plan")
    tools = {it.metadata["tool_id"]: it for it in named(observations, "Tool: Agent")}
    assert outer_span.parent_span_id == tools["t1"].span_id
    assert inner_span.parent_span_id == tools["t2"].span_id
    assert tools["t2"].parent_span_id == outer_span.span_id
    assert len({it.trace for it in observations}) == 1


def test_a_subagent_without_meta_file_is_found_by_its_result_or_its_prompt(tmp_path: Path) -> None:
    """Older clients; two with the same prompt get one tool each."""
    lines = Lines("2.1.63").prompt("go").assistant("m1", tool("t1", "Task", prompt="same", subagent_type="scout"))
    lines.assistant("m1", tool("t2", "Task", prompt="same", subagent_type="scout"))
    lines.result("t2", toolUseResult={"agentId": "second"})
    agent_file(tmp_path, "first", agent("same", "m2", "x"))
    agent_file(tmp_path, "second", agent("same", "m3", "y"))
    observations = observe(lines.write(tmp_path / "s1.jsonl"))
    parents = {it.metadata["agent_id"]: it.parent_span_id for it in named(observations, "Agent: scout")}
    tools = {it.metadata["tool_id"]: it.span_id for it in named(observations, "Tool: Task")}
    assert parents == {"first": tools["t1"], "second": tools["t2"]}


def test_a_background_agent_that_ends_after_its_turn_sends_only_itself(tmp_path: Path) -> None:
    """Hours later, when the session's cursor has long passed the launch."""
    lines = Lines().prompt("go").assistant("m1", tool("t1", "Agent", prompt="explore"))
    lines.result("t1", toolUseResult={"isAsync": True, "agentId": "bg"})
    for n in range(2, 8):
        lines.prompt(f"{n}").assistant(f"m{n}", "ok")
    transcript = lines.write(tmp_path / "s1.jsonl")
    sink = KeepingSink()
    with State(None, "test") as state:
        ship_to(sink, [transcript], state)
        (launch,) = named(sink.sent, "Tool: Agent")
        sink.sent.clear()
        agent_file(tmp_path, "bg", agent("explore", "m9", "found"), toolUseId="t1")
        ship_to(sink, [transcript], state)
        assert {it.name for it in sink.sent} == {"Agent: subagent", "LLM call"}
        assert sink.sent[0].parent_span_id == launch.span_id
        assert sink.sent[0].trace == launch.trace
        sink.sent.clear()
        resumed = agent("explore", "m9", "found").user("and now?").assistant("m10", "more")
        agent_file(tmp_path, "bg", resumed, toolUseId="t1")
        ship_to(sink, [transcript], state)
        assert [(it.name, it.output if it.type == "agent" else None) for it in sink.sent] == [
            ("Agent: subagent", "more"),
            ("LLM call", None),
        ]


def test_a_forked_subagent_does_not_count_the_call_that_launched_it(tmp_path: Path) -> None:
    """Its transcript repeats that call."""
    lines = Lines().prompt("go").assistant("m1", tool("t1", "Agent", prompt="fork"))
    fork = Lines(session="s1").assistant("m1", tool("t1", "Agent", prompt="fork"), uuid="x").result("t1", uuid="y")
    agent_file(tmp_path, "f", fork.user("do it", uuid="z").assistant("m2", "done", uuid="w"), toolUseId="t1")
    observations = observe(lines.write(tmp_path / "s1.jsonl"))
    assert len(named(observations, "LLM call")) == len({it.span_id for it in named(observations, "LLM call")}) == 2
    assert named(observations, "Agent: subagent")[0].input == "do it"


def test_subagents_of_a_workflow_hang_under_its_tool(tmp_path: Path) -> None:
    """Its result names their folder."""
    lines = Lines().prompt("go").assistant("m1", tool("t1", "Workflow", script="x"))
    lines.result("t1", toolUseResult={"runId": "wf_1", "status": "async_launched"})
    for n in (1, 2):
        agent(f"step {n}", f"m1{n}", "ok").write(tmp_path / f"s1/subagents/workflows/wf_1/agent-w{n}.jsonl")
    observations = observe(lines.write(tmp_path / "s1.jsonl"))
    (workflow,) = named(observations, "Tool: Workflow")
    assert [it.parent_span_id for it in named(observations, "Agent: subagent")] == [workflow.span_id] * 2


@pytest.mark.parametrize(
    ("agent_id", "prompt", "kind"), [("w1", "Warmup", "warm-up"), ("acompact-1", "x", "compaction")]
)
def test_agents_that_no_tool_launches_are_traces_of_their_own(
    tmp_path: Path, agent_id: str, prompt: str, kind: str
) -> None:
    """E34: their calls cost money too."""
    agent_file(tmp_path, agent_id, agent(prompt, "m9", "ok"))
    observations = observe(Lines().prompt("go").assistant("m1", "ok").write(tmp_path / "s1.jsonl"))
    (root,) = named(observations, f"Agent: {kind}")
    assert root.parent_span_id is None
    assert root.trace.session_id == "s1"


def test_an_agent_whose_launch_is_not_on_disk_yet_waits(tmp_path: Path) -> None:
    """Sent as an orphan it would be sent twice."""
    lines = Lines().prompt("go")
    late = Lines(session="s1")
    late.seconds = 60
    late.user("explore", uuid="l").assistant("m9", "found", uuid="k")
    agent_file(tmp_path, "early", late)
    transcript = lines.write(tmp_path / "s1.jsonl")
    sink = KeepingSink()
    with State(None, "test") as state:
        report = ship_to(sink, [transcript], state)
        assert report.turns["waiting"] == 1
        assert named(sink.sent, "Agent: subagent") == []
        lines.assistant("m1", tool("t1", "Agent", prompt="explore")).write(transcript)
        ship_to(sink, [transcript], state)
    assert named(sink.sent, "Agent: subagent")[0].parent_span_id == named(sink.sent, "Tool: Agent")[0].span_id


# What is not known


def test_unknown_types_and_fields_are_counted_by_version_and_stop_nothing(tmp_path: Path) -> None:
    """So that the drift of a new client can be seen."""
    lines = Lines("9.9.9").prompt("go").plain("thought-bubble").assistant("m1", "ok", effort={"level": 11})
    sink = KeepingSink()
    report = ship_to(sink, [lines.write(tmp_path / "s1.jsonl")])
    assert report.lines["unknown:9.9.9:thought-bubble"] == 1
    assert report.lines["drift:9.9.9:assistant.effort"] == 1
    assert len(named(sink.sent, "LLM call")) == 1
