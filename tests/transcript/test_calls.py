"""Calls of a turn and the tools that they use: which lines are one call, what it says and counts."""

from lines import Lines, tool
from observed import Observe, named, roots


def test_a_call_over_several_lines_with_a_result_in_between_is_one(seen: Observe) -> None:
    """Tools start while the response still streams."""
    lines = Lines().prompt("go").assistant("m1", tool("t1"), stop_reason="tool_use").result("t1")
    observations = seen(lines.assistant("m1", "text").assistant("m2", "done"))
    calls = named(observations, "LLM call")
    assert len(calls) == 2
    assert calls[0].output["tool_calls"][0]["id"] == "t1"
    assert calls[0].output["content"] == "text"
    assert [call["role"] for call in calls[1].input] == ["tool"]


def test_usage_is_that_of_the_line_with_the_most_output(seen: Observe) -> None:
    """Only the last line is final; nothing is added up."""
    lines = Lines().prompt("go").assistant("m1", "a", usage={"output_tokens": 8}, stop_reason=None)
    (call,) = named(seen(lines.assistant("m1", "b", usage={"output_tokens": 178})), "LLM call")
    assert call.usage_details
    assert (call.usage_details["output"], call.usage_details["input"]) == (178, 1)


def test_a_call_that_never_got_its_final_usage_is_marked(seen: Observe) -> None:
    """The output of older clients is a placeholder."""
    (call,) = named(seen(Lines().prompt("go").assistant("m1", "long text", stop_reason=None)), "LLM call")
    assert call.metadata["output_is_lower_bound"] is True


def test_a_result_before_its_tool_call_is_joined_with_it(seen: Observe) -> None:
    """File order is flush order."""
    lines = Lines().prompt("go").assistant("m1", "thinking").result("t1", "found").assistant("m1", tool("t1"))
    observations = seen(lines.assistant("m2", "done"))
    (bash,) = named(observations, "Tool: Bash")
    assert bash.output == "found"
    assert bash.end_ns >= bash.start_ns
    assert named(observations, "LLM call")[1].input[0]["tool_call_id"] == "t1"


def test_parallel_tools_get_their_own_results_in_any_order(seen: Observe) -> None:
    """By the id of the call, not by place."""
    lines = Lines().prompt("go").assistant("m1", tool("t1")).assistant("m1", tool("t2"))
    observations = seen(lines.result("t2", "second").result("t1", "first"))
    assert [observation.output for observation in named(observations, "Tool: Bash")] == ["first", "second"]


def test_lines_of_two_calls_may_be_mixed(seen: Observe) -> None:
    """Each line goes to the call that its message id names."""
    lines = Lines().prompt("go").assistant("m1", tool("t1")).assistant("m2", "b").assistant("m1", "late").result("t1")
    assert len(named(seen(lines), "LLM call")) == 2


def test_a_response_flushed_after_the_next_prompt_belongs_to_its_own_turn(seen: Observe) -> None:
    """By its message id, not by its place."""
    lines = Lines().prompt("one").assistant("m1", "a").prompt("two").assistant("m1", tool("t1")).result("t1")
    observations = seen(lines.assistant("m2", "b"))
    first, second = roots(observations)
    assert first.metadata["tool_count"] == 1
    assert (second.input, second.output, second.metadata["llm_call_count"]) == ("two", "b", 1)


def test_a_prompt_beside_a_tool_result_is_given_to_the_next_call(seen: Observe) -> None:
    """Typed while the tool ran."""
    lines = Lines("2.1.33").prompt("go").assistant("m1", tool("t1"))
    result = {"type": "tool_result", "tool_use_id": "t1", "content": "ok"}
    observations = seen(lines.user([result, {"type": "text", "text": "also this"}]).assistant("m2", "done"))
    assert named(observations, "LLM call")[1].input[1] == {"role": "user", "content": "also this"}
    assert len(roots(observations)) == 1


def test_a_refusal_tells_both_models_and_counts_the_one_that_answered(seen: Observe) -> None:
    """Top-level usage is the serving model's."""
    fallback = {"type": "fallback", "from": {"model": "claude-fable-5"}, "to": {"model": "claude-opus-4-8"}}
    lines = Lines().prompt("go").assistant("m1", fallback, model="claude-opus-4-8", usage={"output_tokens": 136})
    lines.add("system", subtype="model_refusal_fallback", content="switched", originalModel="claude-fable-5")
    observations = seen(lines.assistant("m1", "ok", model="claude-opus-4-8", usage={"output_tokens": 136}))
    (call,) = named(observations, "LLM call")
    assert (call.model, call.metadata["fallback_from"]) == ("claude-opus-4-8", "claude-fable-5")
    assert call.usage_details
    assert call.usage_details["output"] == 136
    assert [observation.level for observation in named(observations, "model_fallback")] == ["WARNING"]


def test_an_advisor_is_a_generation_of_its_own_counted_once(seen: Observe) -> None:
    """Its tokens stand beside the call's, again on every later line."""
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


def test_an_advisor_that_its_usage_does_not_name_is_the_one_that_the_line_names(seen: Observe) -> None:
    """A model named None would have no price."""
    advice = {"type": "advisor_message", "input_tokens": 900, "output_tokens": 90}
    asked = {"type": "server_tool_use", "id": "srv1", "name": "advisor", "input": {}}
    lines = Lines().prompt("go").assistant("m1", asked, usage={"iterations": [advice]}, advisorModel="claude-opus-5")
    (advisor,) = named(seen(lines), "Advisor")
    assert advisor.model == "claude-opus-5"


def test_a_response_repeated_by_an_old_resume_counts_once(seen: Observe) -> None:
    """Same message id, new uuid, no request id."""
    lines = Lines("1.0.51").user("go").assistant("m1", "a", requestId="r1").assistant("m1", "a", parentUuid=None)
    assert len(named(seen(lines), "LLM call")) == 1


def test_two_records_on_one_line_are_both_read(seen: Observe) -> None:
    """A line break was lost between them."""
    lines = Lines().prompt("go").assistant("m1", "a")
    lines.lines[-2:] = ["".join(lines.lines[-2:])]
    assert len(named(seen(lines), "LLM call")) == 1


def test_calls_without_request_id_and_of_other_models_count(seen: Observe) -> None:
    """Gateways."""
    (call,) = named(seen(Lines().prompt("go").assistant("chatcmpl-1", "ok", model="glm-5")), "LLM call")
    assert (call.model, call.metadata["model_family"]) == ("glm-5", "glm")


def test_copies_of_subagents_in_progress_lines_are_not_counted(seen: Observe) -> None:
    """They repeat all but the last call, with usage."""
    lines = Lines("2.1.39").prompt("go")
    lines.add("progress", data={"type": "agent_progress", "message": {"type": "assistant", "message": {"id": "m9"}}})
    assert len(named(seen(lines.assistant("m1", "ok")), "LLM call")) == 1


def test_fast_mode_is_a_model_parameter(seen: Observe) -> None:
    """It costs twice."""
    (call,) = named(seen(Lines().prompt("go").assistant("m1", "ok", usage={"speed": "fast"})), "LLM call")
    assert call.model_parameters == {"speed": "fast"}
