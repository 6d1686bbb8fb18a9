"""Every turn of the real client arrives once, and the client does not notice.

Run with `uv run pytest -m e2e tests/e2e`, with `claude` on the PATH or named by CCSHIP_CLAUDE.
"""

import signal
import statistics
import time
from pathlib import Path

import pytest

from e2e.client import Client, needs_client, roots, session
from e2e.messages import ScriptedModel
from loopback import LoopbackLangfuse, Reply

pytestmark = [pytest.mark.e2e, needs_client]
LONGEST_RATIO = 1.25
"""How much longer the client may take with the hook than without."""


@pytest.fixture
def client(tmp_path: Path, model: ScriptedModel, langfuse: LoopbackLangfuse) -> Client:
    return Client(tmp_path / "client", model, langfuse)


def test_a_session_of_prompts_tools_and_a_retry_arrives_turn_by_turn(client: Client) -> None:
    """Each prompt is a process of its own, resumed."""
    known = session()
    client.say("SCENE:plain one", "--session-id", known)
    client.settled()
    client.say("SCENE:tools two", "--resume", known)
    client.say("SCENE:retry three", "--resume", known)
    spans = client.settled()
    assert roots(spans) == ["SCENE:plain one", "SCENE:tools two", "SCENE:retry three"]
    tools = [span for span in spans.values() if span.type == "tool"]
    assert sorted(str(tool.attributes.get("langfuse.observation.level")) for tool in tools) == ["DEFAULT", "ERROR"]
    assert {span.attributes["session.id"] for span in spans.values()} == {known}
    assert {span.usage["input_cache_creation_1h"] for span in spans.values() if span.type == "generation"} == {200}


@pytest.mark.parametrize("scene", ["agent", "background"])
def test_a_subagent_hangs_under_its_tool(client: Client, scene: str) -> None:
    """In the foreground, and in the background, where it outlives the turn that launched it."""
    client.say(f"SCENE:{scene} go", "--session-id", session())
    spans = client.settled()
    (subagent,) = [span for span in spans.values() if span.name == "Agent: general-purpose"]
    assert spans[subagent.parent].name == "Tool: Agent"
    assert spans[subagent.parent].trace_id == subagent.trace_id
    assert [span.name for span in spans.values() if span.parent == subagent.span_id].count("LLM call") == 2


def test_a_fork_sends_its_own_turn_only(client: Client) -> None:
    """What it copied has arrived before."""
    known = session()
    client.say("SCENE:plain one", "--session-id", known)
    client.settled()
    client.say("SCENE:plain forked", "--resume", known, "--fork-session")
    spans = client.settled()
    assert roots(spans) == ["SCENE:plain one", "SCENE:plain forked"]
    assert len({span.attributes["session.id"] for span in spans.values()}) == 2


def test_an_interrupted_turn_arrives_with_the_end_of_the_session(client: Client) -> None:
    """No Stop is called for it."""
    process = client.start("SCENE:slowtool go", "--session-id", session())
    client.wait_for_tool()
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    spans = client.settled()
    (root,) = [span for span in spans.values() if not span.parent]
    assert root.attributes["langfuse.observation.level"] == "WARNING"


def test_a_killed_client_loses_nothing_once_it_is_resumed(client: Client) -> None:
    """Kill -9 in a running tool calls no hook at all."""
    known = session()
    process = client.start("SCENE:slowtool go", "--session-id", known)
    client.wait_for_tool()
    process.kill()
    process.communicate()
    client.say("SCENE:plain again", "--resume", known)
    spans = client.settled()
    assert roots(spans) == ["SCENE:slowtool go", "SCENE:plain again"]
    (tool,) = [span for span in spans.values() if span.type == "tool"]
    assert tool.attributes["langfuse.observation.status_message"] == "the session ended while this ran"


@pytest.mark.bench
def test_the_client_ends_no_later_with_the_hook_than_without(
    tmp_path: Path, model: ScriptedModel, langfuse: LoopbackLangfuse
) -> None:
    """Although the server takes five seconds to answer."""
    langfuse.script = [Reply(delay_s=5)] * 1000
    clients = {hooked: Client(tmp_path / str(hooked), model, langfuse, hooked=hooked) for hooked in (True, False)}
    took: dict[bool, list[float]] = {True: [], False: []}
    for _ in range(8):
        for hooked, client in clients.items():
            began = time.perf_counter()
            assert client.say("SCENE:plain go", "--session-id", session()).returncode == 0
            took[hooked].append(time.perf_counter() - began)
    # the first of each warms caches
    assert statistics.median(took[True][1:]) / statistics.median(took[False][1:]) <= LONGEST_RATIO


def test_the_client_says_the_same_with_the_hook_as_without(
    tmp_path: Path, model: ScriptedModel, langfuse: LoopbackLangfuse
) -> None:
    """Also when Langfuse cannot be reached."""
    hooked = Client(tmp_path / "hooked", model, langfuse)
    unreachable = {**langfuse.environ, "LANGFUSE_BASE_URL": "http://127.0.0.1:9"}
    hooked.register({**unreachable, "TRACE_TO_LANGFUSE": "true", "CC_LANGFUSE_STATE_DIR": str(hooked.state)})
    plain = Client(tmp_path / "plain", model, langfuse, hooked=False)
    said = [user.say("SCENE:plain go", "--session-id", session()) for user in (hooked, plain)]
    assert len({(answer.returncode, answer.stdout, answer.stderr) for answer in said}) == 1
