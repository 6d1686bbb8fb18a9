"""Many hooks at once, servers that are down for long, lines that come late: scenes of everyday use."""

import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from conftest import ROOT
from faults.case import SESSION, Case, conversation
from helpers import run_ccship
from lines import Lines, tool
from loopback import Reply

HOOK = ROOT / "src/ccship/hook.py"
CROWD = 32
ROUNDS = 3
STOPS = 50

pytestmark = pytest.mark.slow


def detached(case: Case, transcript: Path, barrier: Path, **more: object) -> subprocess.Popen[bytes]:
    """A hook as Claude Code runs it, started but waiting for a file to appear."""
    payload = case.folder / f"payload-{transcript.stem}.json"
    payload.write_bytes(case.payload(transcript_path=str(transcript), session_id=transcript.stem, **more))
    wait = f"while [ ! -e '{barrier}' ]; do sleep 0.01; done"
    command = f"{wait}; exec '{sys.executable}' -I -S '{HOOK}' < '{payload}'"
    environ = {**os.environ, **case.environ, "CC_LANGFUSE_FOREGROUND": ""}
    return subprocess.Popen(["/bin/sh", "-c", command], env=environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


def wait_for_workers(case: Case) -> None:
    while list((case.state / "requests").glob("*")):
        time.sleep(0.05)


def test_a_crowd_of_hooks_and_a_backfill_send_everything_once(case: Case) -> None:
    """32 hooks on one session, 32 on 32 sessions, and a backfill, three times; one worker a session at a time."""
    others = [case.transcript.with_name(f"{SESSION[:-2]}{n:02}.jsonl") for n in range(10, 10 + CROWD)]
    expected = set()
    for round_number in range(1, ROUNDS + 1):
        for path in [case.transcript, *others]:
            conversation(round_number, path.stem).write(path)
        barrier = case.folder / f"go-{round_number}"
        hooks = [detached(case, path, barrier) for path in [case.transcript] * CROWD + others]
        barrier.touch()
        done = run_ccship("backfill", environ=case.environ)
        assert done.returncode == 0, done.stderr
        assert [(hook.wait(), hook.stdout.read()) for hook in hooks if hook.stdout] == [(0, b"")] * len(hooks)
        wait_for_workers(case)
    main = case.transcript
    for path in [main, *others]:
        case.transcript = path
        expected |= case.expected
    assert case.server.keys == expected
    sent = [(span.span_id, json.dumps(span.attributes)) for span in case.server.accepted]
    assert len(sent) == len(set(sent)), "the same was sent twice"
    assert case.server.most_at_once == 1


def test_a_crowd_of_subagents_starts_one_worker(case: Case) -> None:
    """32 that end while it works: the others leave their requests to it."""
    all_there = threading.Event()
    case.server.script = [Reply(keep=True, after=all_there)]
    started = case.folder / "started"
    (case.folder / "sitecustomize.py").write_text(
        f"import os\nopen({str(started)!r}, 'a').write(f'{{os.getpid()}}\\n')\n"
    )
    case.environ["PYTHONPATH"] = str(case.folder)  # the hook is isolated from it, its worker is not
    agents = case.transcript.with_suffix("") / "subagents"
    main = Lines(session=SESSION).prompt("go")
    for n in range(CROWD):
        main.assistant(f"m{n}", tool(f"t{n}", "Agent", prompt=f"explore {n}"))
        main.result(f"t{n}", toolUseResult={"isAsync": True, "agentId": f"a{n}"})
        agent = Lines(session=SESSION).user(f"explore {n}", uuid=f"u{n}").assistant(f"s{n}", f"found {n}", uuid=f"v{n}")
        agent.write(agents / f"agent-a{n}.jsonl")
    main.assistant("last", "launched").write(case.transcript)
    barrier = case.folder / "go"
    hooks = [
        detached(
            case, case.transcript, barrier, hook_event_name="SubagentStop",
            agent_transcript_path=str(agents / f"agent-a{n}.jsonl"), last_assistant_message=f"found {n}",
        )
        for n in range(CROWD)
    ]  # fmt: skip
    barrier.touch()
    assert [hook.wait() for hook in hooks] == [0] * CROWD
    all_there.set()
    wait_for_workers(case)
    assert case.server.keys == case.expected
    assert len(case.server.keys) > 2 * CROWD
    assert len(started.read_text().split()) == 1


def test_the_first_stop_after_a_long_outage_delivers_what_fifty_could_not(case: Case) -> None:
    """Of any session: those that are behind have left their requests."""
    case.server.script = [Reply(status=503)] * 10_000
    sessions = [case.transcript.with_name(f"{SESSION[:-2]}{n:02}.jsonl") for n in range(10, 10 + STOPS)]
    expected = case.expected
    waiting = case.state / "requests"
    waiting.mkdir(parents=True, mode=0o700)
    case.state.chmod(0o700)
    for path in sessions:
        conversation(1, path.stem).write(path)
    barrier = case.folder / "go"
    barrier.touch()
    hooks = [detached(case, path, barrier) for path in sessions]
    assert {hook.wait() for hook in hooks} == {0}
    while case.server.requests.count(503) < 1:
        time.sleep(0.05)
    subprocess.run(["/usr/bin/env", "pkill", "-f", f"ccship.worker {case.state}"], check=False)
    assert case.server.accepted == []
    assert len(list(waiting.glob("*.json"))) == STOPS
    case.server.script.clear()
    case.pass_time()
    case.hook()
    main = case.transcript
    for path in sessions:
        case.transcript = path
        expected |= case.expected
    case.transcript = main
    assert case.server.keys == expected
    assert list(waiting.glob("*")) == []


def test_lines_that_come_three_seconds_after_the_hook_are_shipped_without_another(case: Case) -> None:
    """The hook has long returned; its worker waits for the last message."""
    lines = case.lines
    case.transcript.write_bytes(b"".join(lines[:-3]))
    barrier = case.folder / "go"
    barrier.touch()
    hook = detached(case, case.transcript, barrier, last_assistant_message="answer 3")
    assert hook.wait() == 0
    assert case.server.requests == []
    time.sleep(3)
    assert case.server.requests == [], "the worker did not wait"
    case.transcript.write_bytes(b"".join(lines))
    wait_for_workers(case)
    assert case.server.keys == case.expected


def test_a_turn_that_goes_on_after_its_stop_is_amended_under_the_same_ids(case: Case) -> None:
    """A Stop hook made Claude go on; later a background agent ends. What did not change is not sent again."""
    lines = Lines(session=SESSION).prompt("go").assistant("m1", tool("t1", "Agent", prompt="explore"))
    lines.result("t1", toolUseResult={"isAsync": True, "agentId": "bg"}).assistant("m2", "done?")
    lines.write(case.transcript)
    case.hook()
    first = case.server.keys
    case.server.clear()
    lines.user("Stop hook feedback: not yet", isMeta=True).assistant("m3", "now").write(case.transcript)
    case.hook()
    assert sorted(span.name for span in case.server.accepted) == ["LLM call", "claude_turn"]
    (root,) = [span for span in case.server.accepted if not span.parent]
    assert root.key in first
    case.server.clear()
    agent = Lines(session=SESSION).user("explore", uuid="x").assistant("m4", "found", uuid="y")
    agent.write(case.transcript.with_suffix("") / "subagents" / "agent-bg.jsonl")
    case.hook()
    assert sorted(span.name for span in case.server.accepted) == ["Agent: subagent", "LLM call"]
    assert {span.trace_id for span in case.server.accepted} == {root.trace_id}


def test_the_hook_returns_while_the_server_still_holds_the_request(case: Case) -> None:
    """Told by the order of events: it has ended, and no answer has been given."""
    case.server.script = [Reply(delay_s=5)]
    barrier = case.folder / "go"
    barrier.touch()
    assert detached(case, case.transcript, barrier).wait() == 0
    case.server.wait_for_requests(1)
    assert case.server.open_requests[SESSION] == 1
    wait_for_workers(case)
    assert case.server.keys == case.expected
