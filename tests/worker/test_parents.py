"""The turns of a run that names a parent are attached to it: now, after failures, and by a later backfill."""

import json
import os
import sqlite3
import time
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ccship.hook import PARENT_VARIABLES, lock_session
from ccship.observations.identity import span_id_of, trace_id_of
from clones import SHARED, env_of, write
from faults.case import SESSION, Case, Key, conversation
from helpers import run_ccship
from lines import Lines, tool
from loopback import Reply, Span, spans_in_file

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
OTHER = "0af7651916cd43dd8448eb211c80319c"
ATTACHED = {"CC_LANGFUSE_TRACEPARENT": f"00-{TRACE}-{SPAN}-01"}
ELSEWHERE = {"CC_LANGFUSE_TRACEPARENT": f"00-{OTHER}-{SPAN}-01"}
NONE: dict[str, str] = {}


def run(case: Case, environ: dict[str, str], lines: Lines) -> None:
    """A run of Claude Code on the session: it starts, adds lines to the transcript, and stops."""
    case.hook(environ, case.payload(hook_event_name="SessionStart"))
    lines.write(case.transcript)
    case.hook(environ)


def ccship(case: Case, *arguments: str, **more: str) -> Any:
    """Run a command in a shell that names no parent, unless told otherwise; returns its document."""
    case.server.clear()
    if (case.state / "state.db").exists():
        case.pass_time()
    done = run_ccship(*arguments, environ={**case.environ, **more})
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout) if "--json" in arguments else None


def payload_of(transcript: Path) -> bytes:
    """What Claude Code hands to the hook at the end of a turn of another session."""
    payload = {"session_id": transcript.stem, "transcript_path": str(transcript), "hook_event_name": "Stop"}
    return json.dumps(payload).encode()


def in_parent(keys: Iterable[Key], trace_id: str = TRACE) -> set[Key]:
    """The same spans in another trace."""
    return {(trace_id, *rest) for _, *rest in keys}  # type: ignore[misc]


def by_trace(spans: Iterable[Span]) -> dict[str, set[str]]:
    """The names of turns by trace: their prompts."""
    found: dict[str, set[str]] = {}
    for span in spans:
        if span.is_root:
            found.setdefault(span.trace_id, set()).add(span.attributes["langfuse.observation.input"][:8])
    return found


@pytest.mark.parametrize(
    "variables",
    [ATTACHED, {"CC_LANGFUSE_PARENT_TRACE_ID": TRACE, "CC_LANGFUSE_PARENT_SPAN_ID": SPAN}],
    ids=["traceparent", "explicit ids"],
)
def test_the_turns_of_a_run_are_in_the_trace_of_its_parent(case: Case, variables: dict[str, str]) -> None:
    """Under the ids that they have without one, as roots below its span; the trace keeps its name."""
    case.hook(variables)
    assert case.server.keys == in_parent(case.expected)
    roots = [span for span in case.server.accepted if span.name == "claude_turn"]
    assert len(roots) == 4
    assert all(span.parent == SPAN and span.is_root for span in roots)
    ids = {span.span_id for span in case.server.accepted}
    assert all("langfuse.observation.metadata.initial_prompt" in span.attributes for span in roots)
    assert all(span.parent in ids and not span.is_root for span in case.server.accepted if span not in roots)
    for span in case.server.accepted:
        assert "langfuse.trace.name" not in span.attributes
        assert span.attributes["session.id"] == SESSION


def test_a_score_is_about_the_turn_in_the_trace_of_its_parent(case: Case) -> None:
    """A trace has several turns: the score names the root of its own, under the id that it has without a parent."""
    case.hook(ATTACHED)
    scores = case.server.scores
    assert scores.rows.keys() == case.scores.keys()
    assert {row[0] for row in scores.rows.values()} == {TRACE}
    own_traces = {score_id: row[0] for score_id, row in case.scores.items()}
    assert scores.targets == {score_id: span_id_of(own, "turn", "") for score_id, own in own_traces.items()}


def test_a_backfill_from_another_shell_sends_the_same_spans(case: Case) -> None:
    """The parent was recorded while the server was down. So do a resend and a file."""
    case.server.script = [Reply(status=503)] * 9
    case.hook(ATTACHED)
    assert case.server.accepted == []
    case.server.script.clear()
    ccship(case, "backfill", "--yes")
    assert case.server.keys == in_parent(case.expected)
    ccship(case, "backfill", "--yes")
    assert case.server.requests == []
    ccship(case, "backfill", "--yes", "--resend")
    assert case.server.keys == in_parent(case.expected)
    assert ccship(case, "backfill", "--yes", "--to", str(case.folder / "out.jsonl")) is None
    written = spans_in_file((case.folder / "out.jsonl").read_text())
    assert {span.key for span in written} == in_parent(case.expected)


def test_a_server_in_back_off_keeps_no_parent_from_being_recorded(case: Case) -> None:
    """The worker gives up before it reads the transcript."""
    case.hook(NONE)
    with sqlite3.connect(case.state / "state.db") as db:
        db.execute("UPDATE destinations SET retry_at = ?", (time.time() + 1000,))
    late = case.transcript.with_name("late.jsonl")
    conversation(1, "late").write(late)
    case.hook(ATTACHED, payload_of(late))
    case.server.clear()
    ccship(case, "backfill", "--yes")
    assert {span.trace_id for span in case.server.accepted} == {TRACE}


def test_history_is_not_attached(case: Case) -> None:
    """A backfill records nothing: the parent in its shell is that of whoever runs it."""
    ccship(case, "backfill", "--yes", **ATTACHED)
    assert case.server.keys == case.expected


def test_each_run_of_a_session_has_its_own_parent(case: Case) -> None:
    """Also for those who come later: a resend, and a destination that gets all at once."""
    case.transcript.unlink()
    run(case, NONE, conversation(1))
    run(case, ATTACHED, conversation(2))
    run(case, NONE, conversation(3))
    run(case, ELSEWHERE, conversation(5))
    own = {prompt: trace for trace, prompts in by_trace(case.server.accepted).items() for prompt in prompts}
    assert [own[f"prompt {n}"] for n in (1, 3, 4)] == [TRACE, OTHER, OTHER]
    assert len(set(own.values())) == 4
    live = case.server.keys
    ccship(case, "backfill", "--yes", "--resend")
    assert case.server.keys == live
    ccship(case, "backfill", "--yes", LANGFUSE_PUBLIC_KEY="pk-lf-other")
    assert case.server.keys == live


def test_lines_of_an_earlier_run_do_not_decide(case: Case) -> None:
    """A run ends with bookkeeping lines, which belong to the next turn."""
    case.transcript.unlink()
    run(case, NONE, conversation(1).plain("file-history-snapshot"))
    more = conversation(1).plain("file-history-snapshot")
    run(case, ATTACHED, more.prompt("prompt 1").assistant("m9", "answer"))
    assert by_trace(case.server.accepted)[TRACE] == {"prompt 1"}
    assert len(by_trace(case.server.accepted)) == 2


def test_what_was_sent_before_its_parent_is_named_stays(case: Case) -> None:
    """Turns that were delivered unattached are never sent to two traces."""
    case.hook(NONE)
    conversation(6).write(case.transcript)
    case.server.clear()
    case.hook(ATTACHED)
    assert by_trace(case.server.accepted) == {TRACE: {"prompt 4", "prompt 5"}}
    live = case.server.keys
    ccship(case, "backfill", "--yes", "--resend")
    assert live < case.server.keys
    assert len(by_trace(case.server.accepted)) == 5


def test_a_subagent_is_with_its_turn(case: Case) -> None:
    """Also one in the background whose transcript is complete long after, read from a shell without the parent."""
    lines = conversation(1).prompt("launch").assistant("m1", tool("t1", "Agent", subagent_type="Plan", prompt="plan"))
    lines.result("t1", toolUseResult={"isAsync": True, "agentId": "late"}).assistant("m2", "launched")
    lines.write(case.transcript)
    case.hook(ATTACHED)
    for n in range(4):
        lines.prompt(f"prompt {n}").assistant(f"n{n}", "answer")
    lines.write(case.transcript)
    case.hook(NONE)
    case.server.clear()
    agent = Lines(session=SESSION).user("plan", uuid="p1").assistant("p2", "a plan", uuid="p3")
    agent.write(case.transcript.with_suffix("") / "subagents" / "agent-late.jsonl")
    case.hook(NONE)
    own = trace_id_of(f"{SESSION}-4")
    assert {(span.trace_id, span.name) for span in case.server.accepted} == {
        (TRACE, "Agent: Plan"),
        (TRACE, "LLM call"),
    }
    (agent_span,) = (span for span in case.server.accepted if span.name == "Agent: Plan")
    assert agent_span.parent == span_id_of(own, "tool", "t1")
    assert agent_span.span_id == span_id_of(own, "agent", "late")


MALFORMED: dict[str, dict[str, str]] = {
    "malformed": {"CC_LANGFUSE_TRACEPARENT": f"00-{TRACE}-{SPAN}"},
    "zeros": {"CC_LANGFUSE_TRACEPARENT": f"00-{'0' * 32}-{SPAN}-01"},
    "half a pair": {"CC_LANGFUSE_PARENT_TRACE_ID": TRACE},
    "ids in upper case": {"CC_LANGFUSE_PARENT_TRACE_ID": TRACE.upper(), "CC_LANGFUSE_PARENT_SPAN_ID": SPAN},
    "bytes that are no text": {"CC_LANGFUSE_TRACEPARENT": "\udcff"},
}


@pytest.mark.parametrize("variables", MALFORMED.values(), ids=MALFORMED.keys())
def test_a_malformed_parent_is_ignored_and_logged(case: Case, variables: dict[str, str]) -> None:
    """The turns are sent as without it; doctor shows the line."""
    case.hook(variables)
    assert case.server.keys == case.expected
    (line,) = (line for line in case.log().splitlines() if "ignored: expected" in line)
    assert all(name in line for name in variables)
    checks = run_ccship("doctor", "--json", environ={**case.environ, **variables}).stdout
    assert "ignored: expected" in checks


def test_a_parent_is_that_of_the_run_and_not_of_the_worker(case: Case) -> None:
    """A worker ships sessions of other runs, and requests of another run of its own session."""
    other = case.transcript.with_name("other.jsonl")
    conversation(2, "other").write(other)
    (case.state / "locks").mkdir(mode=0o700, parents=True)
    lock = lock_session(str(case.state), "other")
    assert lock is not None
    case.hook(ATTACHED, payload_of(other))
    assert case.server.accepted == []
    os.close(lock)
    case.hook(ELSEWHERE)
    traces = {span.attributes["session.id"]: span.trace_id for span in case.server.accepted}
    assert traces == {"other": TRACE, SESSION: OTHER}


@pytest.mark.parametrize("name", PARENT_VARIABLES.values())
def test_a_repository_names_no_parent(case: Case, tmp_path: Path, name: str) -> None:
    """It could choose a trace that strangers can read."""
    variables = {**ATTACHED, "CC_LANGFUSE_PARENT_TRACE_ID": TRACE, "CC_LANGFUSE_PARENT_SPAN_ID": SPAN}
    if name != "CC_LANGFUSE_TRACEPARENT":
        del variables["CC_LANGFUSE_TRACEPARENT"]
    write(tmp_path, {f"project/{SHARED}": env_of(**{name: variables[name]})})
    case.hook({**variables, "CLAUDE_PROJECT_DIR": str(tmp_path / "project")})
    if name == "CC_LANGFUSE_TRACEPARENT":
        assert case.server.keys == in_parent(case.expected), "the user's own ids apply"
    else:
        assert case.server.keys == case.expected
    assert f"{name} in {tmp_path / 'project' / SHARED} is ignored" in case.log()
    inside = {**case.environ, **variables, "CLAUDE_PROJECT_DIR": str(tmp_path / "project")}
    rows = json.loads(run_ccship("config", "--json", environ=inside).stdout)["settings"]
    assert [row["variables"] for row in rows if row["ignored"]] == [[name]]


@pytest.mark.parametrize(("parent", "trace_id"), [(ELSEWHERE, OTHER), (ATTACHED, TRACE)], ids=["another", "the same"])
def test_a_fork_leaves_copied_turns_with_their_session(case: Case, parent: dict[str, str], trace_id: str) -> None:
    """Its own turns have its parent; what it says about a copied turn is about that turn in its trace."""
    case.hook(ATTACHED)
    case.server.scores.targets.clear()
    fork = "5e551011-0000-4000-8000-00000000000f"
    lines = conversation(4)
    lines.lines = [
        json.dumps(json.loads(line) | {"sessionId": fork, "requestSessionId": SESSION}) for line in lines.lines
    ]
    lines.session = fork
    lines.prompt("No, that is wrong! Undo it.").assistant("f1", "undone")
    path = lines.write(case.transcript.with_name(f"{fork}.jsonl"))
    case.server.clear()
    case.hook(parent, payload_of(path))
    assert by_trace(case.server.accepted) == {trace_id: {"No, that"}}
    rows, targets = case.server.scores.rows, case.server.scores.targets
    last = span_id_of(trace_id_of(f"{SESSION}-12"), "turn", "")
    about_copies = {score_id for score_id, target in targets.items() if target == last}
    assert {rows[score_id][:2] for score_id in about_copies} == {(TRACE, "complaint"), (TRACE, "needs_review")}
    checked = json.loads(run_ccship("verify", fork, "--json", environ=case.environ).stdout)
    assert (checked["ok"], checked["different_scores"]) == (True, 0)
    for score_id in about_copies:
        del rows[score_id]
    checked = json.loads(run_ccship("verify", fork, "--json", environ=case.environ).stdout)
    assert checked["different_scores"] == 2


def test_verify_looks_for_attached_turns_where_they_are(case: Case) -> None:
    """What other programs have in the trace is neither missing nor doubled; a missing span is named with its turn."""
    case.hook(ATTACHED)
    root = case.server.accepted[0]
    foreign = replace(root, span_id="f" * 16, name="pipeline", attributes={**root.attributes, "session.id": "ci"})
    case.server.accepted += [foreign, replace(foreign, attributes=root.attributes)]
    checked = run_ccship("verify", "--json", environ=case.environ)
    document = json.loads(checked.stdout)
    assert (checked.returncode, document["ok"], document["traces"]) == (0, True, 1)
    assert document["scores"] == len(case.scores)
    lost = next(span for span in case.server.accepted if span.name == "LLM call")
    case.server.accepted.remove(lost)
    score_id = next(iter(case.server.scores.rows))
    del case.server.scores.rows[score_id], case.server.scores.latest_ms[score_id]
    for has_v2 in (True, False):
        case.server.has_v2 = has_v2
        document = json.loads(run_ccship("verify", "--json", environ=case.environ).stdout)
        assert {difference["trace_id"] for difference in document["differences"]} == {TRACE}
        assert [span_id for difference in document["differences"] for span_id in difference["missing"]] == [
            lost.span_id
        ]
        assert sum(len(difference["scores"]) for difference in document["differences"]) == has_v2
    case.server.has_v2 = True
    run_ccship("verify", "--repair", environ=case.environ)
    assert lost.key in case.server.keys
    assert score_id in case.server.scores.rows


def test_show_and_review_name_the_trace_that_langfuse_has(case: Case) -> None:
    """And review links to the turn in it."""
    lines = conversation(2).prompt("No, that is wrong! Undo it.").assistant("f1", "undone")
    lines.write(case.transcript)
    case.hook(ATTACHED)
    shown = ccship(case, "show", SESSION, "--turn", "2", "--json")
    assert {observation["trace"]["trace_id"] for observation in shown} == {TRACE}
    assert shown[0]["parent_span_id"] == SPAN
    (turn,) = ccship(case, "review", "--since", "2026-01-01", "--json")["turns"]
    root = span_id_of(trace_id_of(f"{SESSION}-4"), "turn", "")
    assert turn["trace_id"] == TRACE
    assert turn["url"] == f"{case.server.url}/project/p1/traces/{TRACE}?observation={root}"
