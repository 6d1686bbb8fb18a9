"""Subagents hang under the tool that launched them, wherever their lines are."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from ccship.state import State
from helpers import KeepingSink, observe, ship_to
from lines import BEGAN, Lines, tool
from observed import Observe, named, roots


def test_a_subagent_of_1_0_stands_inline_and_hangs_under_its_tool(seen: Observe) -> None:
    """Found by its prompt."""
    lines = Lines("1.0.98").user("go").assistant("m1", tool("t1", "Task", prompt="explore", subagent_type="scout"))
    lines.user("explore", isSidechain=True, parentUuid=None).assistant("m2", tool("t2"), isSidechain=True)
    lines.result("t2", isSidechain=True).assistant("m3", "found", isSidechain=True).result("t1", "found")
    observations = seen(lines.assistant("m4", "done"))
    (agent,) = named(observations, "Agent: scout")
    assert agent.parent_span_id == named(observations, "Tool: Task")[0].span_id
    assert [observation.parent_span_id for observation in named(observations, "Tool: Bash")] == [agent.span_id]
    assert len(roots(observations)) == 1
    assert roots(observations)[0].metadata["llm_call_count"] == 4


def test_a_turn_whose_clock_was_set_back_ends_no_earlier_than_it_starts(seen: Observe, tmp_path: Path) -> None:
    """All that followed the prompt seems older than it; so it is in the subagent's own file."""
    agent_lines = Lines(session="s1").user("explore", uuid="e")
    agent_lines.seconds -= 60
    agent_file(tmp_path, "a", agent_lines.assistant("m2", "found", uuid="f"), toolUseId="t1")
    lines = Lines().prompt("go")
    lines.seconds -= 60
    observations = seen(lines.assistant("m1", tool("t1", "Agent", prompt="explore")))
    assert {observation.type for observation in observations} == {"agent", "generation", "tool"}
    assert len(named(observations, "Agent: subagent")) == 1
    assert all(observation.end_ns >= observation.start_ns for observation in observations)


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
    tools = {observation.metadata["tool_id"]: observation for observation in named(observations, "Tool: Agent")}
    assert outer_span.parent_span_id == tools["t1"].span_id
    assert inner_span.parent_span_id == tools["t2"].span_id
    assert tools["t2"].parent_span_id == outer_span.span_id
    assert len({observation.trace for observation in observations}) == 1


def test_a_subagent_beside_its_session_is_known_by_the_first_record_that_names_one(tmp_path: Path) -> None:
    """2.0.28 to 2.0.55 wrote them there; bookkeeping and damage before that record name nothing."""
    lines = Lines("2.0.50").prompt("go").assistant("m1", tool("t1", "Task", prompt="explore")).result("t1")
    flat = Lines("2.0.50")
    flat.lines += ['{"type":"summary"}', "{broken", '{"type":"attachment","uuid":"x"}']
    flat.user("explore", isSidechain=True).assistant("m2", "found").write(tmp_path / "agent-a1.jsonl")
    observations = observe(lines.write(tmp_path / "s1.jsonl"))
    assert len(named(observations, "Agent: subagent")) == 1
    assert len({observation.trace for observation in observations}) == 1


def test_a_subagent_without_meta_file_is_found_by_its_result_or_its_prompt(tmp_path: Path) -> None:
    """Older clients; two with the same prompt get one tool each."""
    lines = Lines("2.1.63").prompt("go").assistant("m1", tool("t1", "Task", prompt="same", subagent_type="scout"))
    lines.assistant("m1", tool("t2", "Task", prompt="same", subagent_type="scout"))
    lines.result("t2", toolUseResult={"agentId": "second"})
    agent_file(tmp_path, "first", agent("same", "m2", "x"))
    agent_file(tmp_path, "second", agent("same", "m3", "y"))
    observations = observe(lines.write(tmp_path / "s1.jsonl"))
    parents = {
        observation.metadata["agent_id"]: observation.parent_span_id
        for observation in named(observations, "Agent: scout")
    }
    tools = {observation.metadata["tool_id"]: observation.span_id for observation in named(observations, "Tool: Task")}
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
        assert {observation.name for observation in sink.sent} == {"Agent: subagent", "LLM call"}
        assert sink.sent[0].parent_span_id == launch.span_id
        assert sink.sent[0].trace == launch.trace
        sink.sent.clear()
        resumed = agent("explore", "m9", "found").user("and now?").assistant("m10", "more")
        agent_file(tmp_path, "bg", resumed, toolUseId="t1")
        ship_to(sink, [transcript], state)
        assert [
            (observation.name, observation.output if observation.type == "agent" else None) for observation in sink.sent
        ] == [
            ("Agent: subagent", "more"),
            ("LLM call", None),
        ]


def test_a_forked_subagent_does_not_count_the_call_that_launched_it(tmp_path: Path) -> None:
    """Its transcript repeats that call."""
    lines = Lines().prompt("go").assistant("m1", tool("t1", "Agent", prompt="fork"))
    fork = Lines(session="s1").assistant("m1", tool("t1", "Agent", prompt="fork"), uuid="x").result("t1", uuid="y")
    agent_file(tmp_path, "f", fork.user("do it", uuid="z").assistant("m2", "done", uuid="w"), toolUseId="t1")
    observations = observe(lines.write(tmp_path / "s1.jsonl"))
    assert (
        len(named(observations, "LLM call"))
        == len({observation.span_id for observation in named(observations, "LLM call")})
        == 2
    )
    assert named(observations, "Agent: subagent")[0].input == "do it"


def test_subagents_of_a_workflow_hang_under_its_tool(tmp_path: Path) -> None:
    """Its result names their folder."""
    lines = Lines().prompt("go").assistant("m1", tool("t1", "Workflow", script="x"))
    lines.result("t1", toolUseResult={"runId": "wf_1", "status": "async_launched"})
    for n in (1, 2):
        agent(f"step {n}", f"m1{n}", "ok").write(tmp_path / f"s1/subagents/workflows/wf_1/agent-w{n}.jsonl")
    observations = observe(lines.write(tmp_path / "s1.jsonl"))
    (workflow,) = named(observations, "Tool: Workflow")
    assert [observation.parent_span_id for observation in named(observations, "Agent: subagent")] == [
        workflow.span_id
    ] * 2


@pytest.mark.parametrize(
    ("agent_id", "prompt", "kind"), [("w1", "Warmup", "warm-up"), ("acompact-1", "x", "compaction")]
)
def test_agents_that_no_tool_launches_are_traces_of_their_own(
    tmp_path: Path, agent_id: str, prompt: str, kind: str
) -> None:
    """Their calls cost money too."""
    agent_file(tmp_path, agent_id, agent(prompt, "m9", "ok"))
    observations = observe(Lines().prompt("go").assistant("m1", "ok").write(tmp_path / "s1.jsonl"))
    (root,) = named(observations, f"Agent: {kind}")
    assert root.parent_span_id is None
    assert root.trace.session_id == "s1"


def test_an_agent_whose_launch_is_not_on_disk_yet_waits(tmp_path: Path) -> None:
    """Sent as an orphan it would never hang under its launch."""
    lines = Lines().prompt("go")
    late = Lines(session="s1")
    late.seconds = (datetime.now(UTC) - BEGAN).total_seconds()
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
