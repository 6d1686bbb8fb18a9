"""What starts a turn, and what is an event of one, in every shape that clients have given it."""

import json
from typing import Any

import pytest

from lines import Lines, command, tool
from observed import Observe, inputs, named, roots, seconds


def test_a_prompt_that_stands_only_in_the_queue_is_an_event(seen: Observe) -> None:
    """Up to 2.1.63 nothing else tells of it."""
    lines = Lines("2.1.49").prompt("go").assistant("m1", tool("t1"))
    lines.plain("queue-operation", operation="enqueue", content="is it down?").result("t1")
    observations = seen(lines.plain("queue-operation", operation="remove").assistant("m2", "done"))
    (event,) = named(observations, "queued_prompt")
    assert (event.input, seconds(event.start_ns)) == ("is it down?", 2)


def test_a_background_task_in_the_queue_is_no_prompt(seen: Observe) -> None:
    """Up to 2.1.90 its JSON is queued like a prompt."""
    task = json.dumps({"task_id": "a1", "tool_use_id": "t0", "description": "look", "status": "completed"})
    lines = Lines("2.1.49").prompt("go").assistant("m1", tool("t1"))
    lines.plain("queue-operation", operation="enqueue", content=task)
    lines.plain("queue-operation", operation="enqueue", content='{"mine": 1}').result("t1")
    lines.plain("queue-operation", operation="remove").plain("queue-operation", operation="remove")
    assert [observation.input for observation in named(seen(lines.assistant("m2", "done")), "queued_prompt")] == [
        '{"mine": 1}'
    ]


def test_a_prompt_folded_into_the_running_turn_is_an_event_and_given_to_the_model(seen: Observe) -> None:
    """An attachment, from 2.1.91 on; images stay with it."""
    image = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AAAA"}}
    lines = Lines().prompt("go").assistant("m1", tool("t1")).result("t1")
    prompt = [{"type": "text", "text": "look"}, image]
    lines.add("attachment", attachment={"type": "queued_command", "prompt": prompt})
    observations = seen(lines.assistant("m2", "done"))
    assert len(named(observations, "queued_prompt")) == len(roots(observations)) == 1
    image_part = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}
    assert named(observations, "LLM call")[1].input[1]["content"] == [{"type": "text", "text": "look"}, image_part]


NOTIFICATION = "<task-notification>\n<task-id>a1</task-id>\n<summary>Agent finished</summary>\n</task-notification>"


def test_a_notification_starts_a_turn_and_late_results_reach_their_tools(seen: Observe) -> None:
    """The result of an earlier launch comes under the notification's prompt id."""
    lines = Lines().prompt("go").assistant("m1", tool("t1", "Agent")).user(NOTIFICATION, promptSource="system")
    observations = seen(lines.result("t1", "answer").assistant("m2", "done"))
    assert [root.metadata["trigger"] for root in roots(observations)] == ["prompt", "task_notification"]
    assert inputs(observations) == ["go", "Agent finished"]
    assert named(observations, "Tool: Agent")[0].output == "answer"


def test_a_scheduled_wake_up_starts_a_turn_although_it_is_meta(seen: Observe) -> None:
    """A timer of the session writes it; no person typed it."""
    lines = Lines().prompt("go").assistant("m1", "ok")
    lines.user("wake up", isMeta=True, permissionMode="default", promptSource="system").assistant("m2", "awake")
    assert [root.metadata["trigger"] for root in roots(seen(lines))] == ["prompt", "scheduled"]


MARKED: dict[str, dict[str, Any]] = {
    "by its permission mode": {"permissionMode": "default"},
    "by its source": {"promptSource": "sdk"},
}


@pytest.mark.parametrize("marks", MARKED.values(), ids=MARKED.keys())
@pytest.mark.parametrize("text", ["Caveat: The messages below are mine", "<local-command-stdout>pasted"])
def test_a_marked_prompt_is_one_whatever_it_looks_like(marks: dict[str, Any], text: str, seen: Observe) -> None:
    """Some clients write either mark; without one, this text is the output of a local command."""
    observations = seen(Lines().user(text, isMeta=True, **marks).assistant("m1", "ok"))
    assert [(root.input, root.metadata["trigger"]) for root in roots(observations)] == [(text, "prompt")]


def test_a_slash_command_with_an_unchanged_prompt_id_starts_a_turn(seen: Observe) -> None:
    """Prompt ids are a hint."""
    lines = Lines("2.1.101").prompt("go", promptId="p").assistant("m1", "ok")
    lines.user(command("review", "all of it", skill=True), promptId="p").assistant("m2", "fine")
    observations = seen(lines)
    assert inputs(observations) == ["go", "/review all of it"]
    assert roots(observations)[1].metadata["trigger"] == "slash_command"


def test_every_skill_of_a_turn_is_a_tag(seen: Observe) -> None:
    """Those that opened it, were loaded by the model, or made a call; each once."""
    lines = Lines().user(command("greeter", skill=True))
    lines.user("Base directory for this skill: /skills/greeter", isMeta=True)
    lines.assistant("m1", tool("t1", "Skill", skill="opsx:verify", args="all"), attributionSkill="greeter").result("t1")
    lines.assistant("m2", tool("t2", "Skill", skill="no name, but words"), attributionSkill="commit").result("t2")
    (root,) = roots(seen(lines.assistant("m3", "done", attributionSkill="greeter")))
    skills = [tag for tag in root.trace.tags if tag.startswith("skill:")]
    assert skills == ["skill:greeter", "skill:commit", "skill:opsx:verify"]


def test_a_skill_that_the_model_loads_does_not_make_a_skill_of_the_prompt(seen: Observe) -> None:
    """The body of a skill follows there too."""
    lines = Lines().prompt("fix the build").assistant("m1", tool("t1", "Skill", skill="commit")).result("t1")
    lines.user("Base directory for this skill: /skills/commit", isMeta=True)
    (root,) = roots(seen(lines.assistant("m2", "done")))
    assert [tag for tag in root.trace.tags if tag.startswith("skill:")] == ["skill:commit"]


def test_a_skill_is_told_from_other_slash_commands(seen: Observe) -> None:
    """Its body follows as meta text and belongs to the turn."""
    lines = Lines().user(command("greeter", skill=True))
    lines.user("Base directory for this skill: /skills/greeter", isMeta=True).assistant("m1", "hello")
    (root,) = roots(seen(lines))
    assert (root.metadata["trigger"], root.input) == ("skill", "/greeter")


def test_a_local_command_is_an_event_of_the_turn_that_follows(seen: Observe) -> None:
    """No model was called for it, nobody waits for an answer."""
    lines = Lines().prompt("go").assistant("m1", "ok").user("<local-command-caveat>...", isMeta=True)
    lines.user(command("model", "opus")).user("<local-command-stdout>Set model</local-command-stdout>")
    observations = seen(lines.prompt("next").assistant("m2", "ok"))
    assert inputs(observations) == ["go", "next"]
    (event,) = named(observations, "local_command")
    assert event.input == "/model opus"
    assert event.parent_span_id == roots(observations)[1].span_id


def test_shell_input_is_a_turn_only_where_the_model_answered(seen: Observe) -> None:
    """From 2.1.329 on it does."""
    lines = Lines().user("<bash-input>ls</bash-input>").user("<bash-stdout>a.txt</bash-stdout>", turnOrigin="human")
    assert roots(seen(lines)) == []
    (root,) = roots(seen(lines.assistant("m1", "one file")))
    assert root.metadata["trigger"] == "shell_input"


def test_a_file_that_begins_with_a_tool_result_loses_nothing(seen: Observe) -> None:
    """A slice."""
    observations = seen(Lines().result("t0", "whose?").assistant("m1", "ok"))
    assert len(roots(observations)) == len(named(observations, "LLM call")) == 1


def test_a_teammate_message_starts_a_turn(seen: Observe) -> None:
    """In the teammate's own session."""
    lines = Lines("2.1.39").user('<teammate-message teammate_id="lead">start</teammate-message>')
    (root,) = roots(seen(lines.assistant("m1", "ok")))
    assert root.metadata["trigger"] == "teammate"


def test_continue_from_where_you_left_off_is_no_prompt(seen: Observe) -> None:
    """Meta; the human's own follows under the same id."""
    lines = Lines("2.1.123").prompt("one").assistant("m1", "a")
    lines.user("Continue from where you left off.", isMeta=True, promptId="p").synthetic("No response requested.")
    assert inputs(seen(lines.prompt("two", promptId="p").assistant("m2", "b"))) == ["one", "two"]


def test_prompts_queued_together_share_one_turn_and_one_call(seen: Observe) -> None:
    """Two prompt ids, one request."""
    lines = Lines().prompt("a", promptSource="queued", promptId="p1").prompt("b", promptSource="queued", promptId="p2")
    observations = seen(lines.assistant("m1", "both"))
    (root,) = roots(observations)
    assert (root.input, root.metadata["trigger"]) == ("a", "queued_prompt")
    assert named(observations, "queued_prompt")[0].input == "b"
    assert [observation["content"] for observation in named(observations, "LLM call")[0].input] == ["a", "b"]


def test_a_rewind_leaves_the_abandoned_turn_where_it_was(seen: Observe) -> None:
    """The file is append-only."""
    lines = Lines().prompt("one", uuid="a").assistant("m1", "x", uuid="b").prompt("two").assistant("m2", "y")
    observations = seen(lines.prompt("two again", parentUuid="b").assistant("m3", "z"))
    assert inputs(observations) == ["one", "two", "two again"]


def test_a_handed_over_plan_is_a_trigger_of_its_own(seen: Observe) -> None:
    """Its prompt has no permission mode."""
    lines = Lines("2.1.39").user("Implement the following plan:\n1. all", planContent="1. all").assistant("m1", "ok")
    assert roots(seen(lines))[0].metadata["trigger"] == "plan"
