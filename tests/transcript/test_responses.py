"""What a call and its turn say and count, where the lines of a response are copies or several."""

from typing import Any

import pytest

from counted import calls_on
from lines import Lines, tool
from observed import Observe, named, roots


def thought(text: str) -> dict[str, Any]:
    """A thinking block."""
    return {"type": "thinking", "thinking": text, "signature": "S" * 8}


# A line that was written again (E20)


def test_a_line_written_again_does_not_double_its_text(seen: Observe) -> None:
    """An old resume: the same block under a new uuid, without parent and request id."""
    lines = Lines("1.0.51").user("Say lol").assistant("m1", "lol", requestId="r1")
    observations = seen(lines.assistant("m1", "lol", parentUuid=None).user("Say kekr").assistant("m2", "kekr"))
    assert [observation.output["content"] for observation in named(observations, "LLM call")] == ["lol", "kekr"]
    assert [root.output for root in roots(observations)] == ["lol", "kekr"]


def test_a_response_written_again_does_not_double_its_tools(seen: Observe) -> None:
    """All of its lines, in order."""
    lines = Lines("1.0.51").user("go")
    for parent in ("s1-0", None):
        lines.assistant("m1", "look", parentUuid=parent).assistant("m1", tool("t1", command="ls"))
    (call,) = named(seen(lines.result("t1")), "LLM call")
    assert call.output["content"] == "look"
    assert [asked["id"] for asked in call.output["tool_calls"]] == ["t1"]
    assert call.metadata["tool_count"] == 1


def test_two_calls_may_say_the_same(seen: Observe) -> None:
    """A copy has the message id of its original."""
    lines = Lines().prompt("go").assistant("m1", "ok", tool("t1")).result("t1").assistant("m2", "ok")
    assert [observation.output["content"] for observation in named(seen(lines), "LLM call")] == ["ok", "ok"]


# The answer of a turn


def test_a_final_message_of_two_blocks_is_the_output_of_the_turn(seen: Observe) -> None:
    """Each block is a line; the answer is both."""
    lines = Lines().prompt("go").assistant("m1", "first", tool("t1")).result("t1")
    lines.assistant("m2", thought("hm")).assistant("m2", "The tests pass.").assistant("m2", "Anything else?")
    assert roots(seen(lines))[0].output == "The tests pass.\nAnything else?"


def test_blocks_of_line_breaks_are_no_part_of_the_answer(seen: Observe) -> None:
    """Clients of 2.1.3x wrote one before the thinking."""
    lines = Lines("2.1.37").prompt("go").assistant("m1", "\n\n").assistant("m1", thought("hm"))
    assert roots(seen(lines.assistant("m1", "done")))[0].output == "done"


def test_a_last_call_without_text_leaves_the_answer_to_the_one_before(seen: Observe) -> None:
    """As it always was."""
    lines = Lines().prompt("go").assistant("m1", "looking", tool("t1")).result("t1").assistant("m2", tool("t2"))
    assert roots(seen(lines))[0].output == "looking"


# A call whose usage a fork has zeroed (E18)

ZEROED = {"input_tokens": 0, "output_tokens": 0, "cache_read_input_tokens": 0, "cache_creation_input_tokens": 0}
SPLIT = {"cache_creation": {"ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 87}}


def test_a_zeroed_copy_counts_no_cache_writes(seen: Observe) -> None:
    """The fork leaves the split of the original beside a total of 0."""
    (call,) = named(seen(Lines().prompt("go").assistant("m1", "ok", usage={**ZEROED, **SPLIT})), "LLM call")
    assert call.usage_details
    assert sum(call.usage_details.values()) == call.metadata["cache_creation_tokens"] == 0


@pytest.mark.parametrize("total", [{"cache_creation_input_tokens": 87}, {}], ids=["beside its total", "alone"])
def test_a_split_is_counted(total: dict[str, int], seen: Observe) -> None:
    """Only a total that says 0 makes the split void."""
    (call,) = named(seen(Lines().prompt("go").assistant("m1", "ok", usage={**total, **SPLIT})), "LLM call")
    assert call.metadata["cache_creation_tokens"] == 87


def test_the_usage_report_counts_a_zeroed_copy_alike() -> None:
    """A second reader with the same rule."""
    lines = Lines().assistant("m1", "ok", usage={**ZEROED, **SPLIT}).assistant("m2", "ok", usage=SPLIT).lines
    assert [call.tokens.cache_write_1h for call in calls_on([line.encode() for line in lines], "s1")] == [0, 87]
