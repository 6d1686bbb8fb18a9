"""The capture modes: what is left of an observation without tool input and output, and with metadata only."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest

from ccship.pipeline.ship import Shipper
from ccship.privacy import Policy, protect
from ccship.state import State
from ccship.transcript.discover import sessions_at
from conftest import FIXTURES, SHARED
from helpers import KeepingSink, run_ccship, strings_in
from loopback import LoopbackLangfuse
from privacy.observation import TRACE, observation, response


def test_without_tool_io_the_conversation_stays_and_what_tools_had_goes() -> None:
    """Lengths are kept."""
    policy = Policy(capture="no-tool-io")
    tool = protect(
        observation(
            input={"command": "cat notes"},
            output="the notes say so",
            status_message="cat: the notes are gone",
            metadata={"file_path": "/notes", "tool_name": "Bash", "exit_code": 1, "status": "of the notes"},
        ),
        policy,
    )
    assert "notes" not in str(tool)
    assert (tool.input, tool.output) == ({"characters": 23}, {"characters": 16})
    turn = protect(observation("agent", input="<bash-stdout>the notes</bash-stdout>\nplease"), policy)
    assert "notes" not in turn.input
    assert "please" in turn.input
    assert tool.metadata["tool_name"] == "Bash"
    assert tool.metadata["exit_code"] == 1
    call = protect(
        observation(
            "generation",
            input=[
                {"role": "tool", "tool_call_id": "t1", "content": "the notes say so"},
                {"role": "user", "content": "go on\n<bash-stdout>the notes</bash-stdout>\nplease"},
                {"role": "user", "content": [{"type": "text", "text": "Result of calling the Read tool: the notes"}]},
            ],
            output=response({"command": "cat notes"})
            | {
                "content": [
                    {"type": "text", "text": "I look"},
                    {"type": "server_tool_use", "id": "s1", "input": "notes"},
                ]
            },
        ),
        policy,
    )
    assert "notes" not in str(call)
    for kept in ("go on", "please", "I look", "t1", "s1", "Bash"):
        assert kept in str(call)


def test_metadata_mode_keeps_names_numbers_and_what_the_person_says() -> None:
    """Everything else is a length and a hash."""
    found = observation(
        "agent",
        trace=replace(TRACE, tags=("claude-code", "model:opus", "project:demo", "branch:secret-plan", "team:a b")),
        input="what was typed",
        output="what was said",
        status_message="what went wrong",
        metadata={"cwd": "/home/ada", "git_branch": "secret-plan", "tool_count": 3, "team": "a b", "trigger": "prompt"},
        usage_details={"input": 1},
    )
    protected = protect(found, Policy(capture="metadata", own=frozenset({"team:a b", "team", "a b"})))
    assert protected.trace.tags == ("claude-code", "model:opus", "project:demo", "team:a b")
    assert protected.input["characters"] == len("what was typed")
    assert len(protected.input["sha256"]) == 64
    assert protected.status_message is not None
    assert protected.status_message.startswith("15 characters, sha256 ")
    assert {key: protected.metadata[key] for key in ("tool_count", "team", "trigger")} == {
        "tool_count": 3, "team": "a b", "trigger": "prompt",
    }  # fmt: skip
    assert set(protected.metadata["cwd"]) == set(protected.metadata["git_branch"]) == {"characters", "sha256"}
    assert protected.usage_details == {"input": 1}


LISTS: dict[str, tuple[Any, bool]] = {
    "of names": (["3fa81c0", "9e7b4d2"], True),
    "of sentences": (["what I did today", "and then"], False),
    "with one sentence": (["3fa81c0", "what I did today"], False),
    "of dicts": ([{"subject": "secret"}], False),
    "of lists": ([["what I did today"]], False),
}


@pytest.mark.parametrize(("value", "stays"), LISTS.values(), ids=LISTS.keys())
def test_a_list_of_names_stays_in_metadata_mode_and_no_other(value: Any, stays: bool) -> None:
    """Where names may stand, a sentence may stand too."""
    protected = protect(observation(metadata={"git_commits": value}), Policy(capture="metadata"))
    assert (protected.metadata["git_commits"] == value) is stays
    assert ("what I did" in str(protected)) is False


IDS_NAMES_MODELS = {
    "agentId", "agentType", "backgroundTaskId", "id", "leafUuid", "messageId", "model", "name", "parentUuid",
    "promptId", "requestId", "resolvedModel", "sessionId", "session_id", "sourceToolUseID", "subagent_type",
    "tool_use_id", "uuid",
}  # fmt: skip


def told(value: Any) -> Iterator[str]:
    """Every text of a line of a transcript, but what stands where ids, names and models do."""
    match value:
        case list():
            for item in value:
                yield from told(item)
        case dict():
            yield from value
            for key, item in value.items():
                if key not in IDS_NAMES_MODELS or not isinstance(item, str):
                    yield from told(item)
        case str():
            yield value


def long_texts(transcripts: list[Path]) -> set[str]:
    """Every text of more than 40 characters in transcripts."""
    found: set[str] = set()
    for line in (line for path in transcripts for line in path.read_bytes().splitlines()):
        with suppress(orjson.JSONDecodeError):
            found.update(text for text in told(orjson.loads(line)) if len(text) > 40)
    return found


def leaked(sent: Iterator[str], texts: set[str]) -> list[str]:
    """What of the texts stands in what was sent; only what is longer itself can hold them."""
    everything = "\n\n".join({text for text in sent if len(text) > 40})
    return [text for text in texts if text in everything]


def test_in_metadata_mode_no_long_text_of_a_transcript_is_sent(langfuse: LoopbackLangfuse) -> None:
    """Over the fixtures, on the wire: nothing of more than 40 characters but ids, names and models."""
    texts = long_texts(list((FIXTURES / "claude").rglob("*.json*")))
    arguments = ("backfill", "--claude-dir", FIXTURES / "claude")
    done = run_ccship(*arguments, "--resend", environ=langfuse.environ | {"CC_LANGFUSE_CAPTURE": "metadata"})
    assert done.returncode == 0, done.stderr
    assert langfuse.media == {}
    assert len(langfuse.accepted) > 200
    spans = [[span.name, span.attributes] for span in langfuse.accepted]
    assert leaked(strings_in(spans), texts) == []
    langfuse.clear()
    assert run_ccship(*arguments, "--resend", environ=langfuse.environ).returncode == 0
    spans = [[span.name, span.attributes] for span in langfuse.accepted]
    assert len(leaked(strings_in(spans), texts)) > 20


@pytest.mark.slow
@pytest.mark.skipif(not SHARED.is_dir(), reason="needs sessions of other people")
def test_in_metadata_mode_no_long_text_of_other_peoples_sessions_is_sent() -> None:
    """Sixty transcripts of clients from 1.0 on."""
    sink = KeepingSink()
    shipper = Shipper(sink, State(None, "test"), policy=Policy(capture="metadata"))
    transcripts = sorted((SHARED / "corpus").rglob("*.jsonl"))
    shipper.ship(sessions_at([SHARED / "corpus"]))
    assert len(sink.sent) > 1000
    assert leaked(strings_in(sink.sent), long_texts(transcripts)) == []
