"""What may leave of an observation: redacted, captured, bounded."""

import base64
import json
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ccship.observations import Labels, Observation, Trace, encode
from ccship.privacy import MODES, Capture, Policy, Protection, protect
from ccship.redact import RULES, Rule
from ccship.ship import Shipper
from ccship.state import State
from ccship.transcript.discover import sessions_at
from conftest import FIXTURES, ROOT, SHARED
from helpers import KeepingSink, run_ccship, strings_in
from lines import Lines, tool
from loopback import LoopbackLangfuse, spans_in_file

SECRET = "ghp" + "_" + "q7Wm2Zx9KdL4vTb8RnY3hGs6PfJc5q7Wm2Zx"
MARK = "[redacted:github-token]"
PNG = base64.b64encode(b"\x89PNG" + bytes(range(256)) * 200).decode()
TRACE = Trace("0" * 32, "claude_turn_1", "s1", "ada", "2.1.329", ("claude-code",))


def observation(kind: Any = "tool", **changed: Any) -> Observation:
    """An observation with nothing in it but what the test says."""
    return replace(Observation(TRACE, "1" * 16, None, kind, "Tool: Bash", 1, 2), **changed)


def response(*arguments: Any) -> dict[str, Any]:
    """What a model said, with the arguments of its tool calls as JSON."""
    calls = [
        {"id": f"t{n}", "type": "function", "function": {"name": "Bash", "arguments": orjson.dumps(it).decode()}}
        for n, it in enumerate(arguments)
    ]
    return {"role": "assistant", "content": "I run it", "tool_calls": calls}


PLACES: dict[str, Observation] = {
    "a name": observation(name=f"Tool: mcp__{SECRET}__x"),
    "an input": observation(input=f"echo {SECRET}"),
    "an input's key": observation(input={SECRET: 1}),
    "deep in an input": observation(input={"edits": [{"new": [f"x = '{SECRET}'"]}]}),
    "an output": observation(output=f"{SECRET}\n"),
    "arguments": observation("generation", output=response({"command": f"a\n{SECRET}\nb"})),
    "arguments' keys": observation("generation", output=response({SECRET: "x"})),
    "thinking": observation("generation", output={"role": "assistant", "content": "", "thinking": SECRET}),
    "metadata": observation(metadata={"file_path": f"/work/{SECRET}"}),
    "metadata's keys": observation(metadata={SECRET: 1}),
    "what is passing": observation(passing={"x": SECRET}),
    "a status message": observation(status_message=f"fatal: {SECRET}"),
    "a model": observation("generation", model=SECRET),
    "its parameters": observation("generation", model_parameters={"effort": SECRET}),
    "the trace's name": observation(trace=replace(TRACE, name=SECRET)),
    "its session": observation(trace=replace(TRACE, session_id=SECRET)),
    "its user": observation(trace=replace(TRACE, user_id=SECRET)),
    "its version": observation(trace=replace(TRACE, version=SECRET)),
    "its tags": observation(trace=replace(TRACE, tags=("claude-code", f"branch:{SECRET}"))),
}


@pytest.mark.parametrize("found", PLACES.values(), ids=PLACES.keys())
@pytest.mark.parametrize("capture", MODES)
def test_a_credential_is_taken_out_wherever_it_stands(found: Observation, capture: Capture) -> None:
    """In every field that holds text of the transcript, whatever the capture mode."""
    texts = list(strings_in(protect(found, Policy(capture=capture))))
    assert not [text for text in texts if SECRET in text]
    if capture == "full":
        assert [text for text in texts if MARK in text]


def test_json_in_a_string_is_looked_into() -> None:
    """However deep; a string that holds nothing keeps its spaces."""
    inner = json.dumps({"env": f"A=1\nDB_PASSWORD={SECRET[4:]}\nB=2"})
    protected = protect(observation(input={"content": json.dumps([inner])}, output='{"a":  1}'), Policy())
    assert json.loads(json.loads(protected.input["content"])[0]) == {
        "env": "A=1\nDB_PASSWORD=[redacted:named-secret]\nB=2"
    }
    assert protected.output == '{"a":  1}'


def test_arguments_stay_json() -> None:
    """The secret in them is behind an escaped newline, which would hide where it begins."""
    protected = protect(PLACES["arguments"], Policy())
    (call,) = protected.output["tool_calls"]
    assert json.loads(call["function"]["arguments"]) == {"command": f"a\n{MARK}\nb"}


def test_redaction_can_be_switched_off_and_only_so() -> None:
    """It takes a word."""
    found = PLACES["an input"]
    assert protect(found, Policy(redact=False)).input == found.input
    assert MARK in protect(found, Policy()).input


def test_rules_of_the_person_come_on_top() -> None:
    """Both theirs and ours hold."""
    rules = (Rule("ticket", r"ACME-\d+", ("acme-",)),)
    protected = protect(observation(input=f"ACME-42 {SECRET}"), Policy(rules=rules))
    assert protected.input == f"[redacted:ticket] {MARK}"


def test_what_cannot_be_judged_does_not_leave() -> None:
    """And is counted."""
    protection = Protection(Policy())
    protected = protection.observation(observation(input=2**70, output="fine", metadata={"x": {1, 2}}))
    assert (protected.input, protected.output) == ("[redacted:error]", "fine")
    assert protected.metadata == {"metadata": "[redacted:error]"}
    assert protection.redactor.errors == 2


def test_what_holds_no_secret_and_is_short_leaves_as_it_is() -> None:
    """All of the fixtures' observations."""
    for path in sorted((FIXTURES / "observations").glob("*.jsonl")):
        for line in path.read_bytes().splitlines():
            raw = orjson.loads(line)
            found = Observation(**{**raw, "trace": Trace(**{**raw["trace"], "tags": tuple(raw["trace"]["tags"])})})
            short = all(len(text) <= 20_000 for text in strings_in(found))
            assert protect(found, Policy()) == found or not short


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=900) | st.just(SECRET),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=300), inner, max_size=4),
    max_leaves=12,
)


@given(
    value=json_values, capture=st.sampled_from(MODES), kind=st.sampled_from(["agent", "generation", "tool", "event"])
)
def test_whatever_comes_ids_and_times_stay_texts_are_bounded_and_nothing_leaks(
    value: Any, capture: Capture, kind: str
) -> None:
    """The same in gives the same out."""
    policy = Policy(capture=capture, max_chars=300)
    metadata = value if isinstance(value, dict) else {"x": value}
    found = observation(kind, input=value, output=value, metadata=metadata, status_message=str(value))
    protected = protect(found, policy)
    same = ("span_id", "parent_span_id", "type", "start_ns", "end_ns", "level", "usage_details")
    assert all(getattr(protected, name) == getattr(found, name) for name in same)
    assert protected.trace.trace_id == found.trace.trace_id
    texts = list(strings_in(protected))
    assert max(map(len, texts)) <= 300
    assert not [text for text in texts if SECRET in text]
    assert encode(protected) == encode(protect(found, policy))


def test_what_is_cut_says_how_long_it_was_and_its_hash() -> None:
    """The hash is of the redacted text: that of a secret could be guessed from."""
    protected = protect(observation(input={"content": "x" * 50_000 + SECRET}), Policy(max_chars=1000))
    text = protected.input["content"]
    assert len(text) == 1000
    assert text.endswith("]")
    assert f"… [cut: {50_000 + len(MARK)} characters, sha256 " in text


def test_a_cut_cannot_split_a_credential() -> None:
    """It comes after redaction: half a key would not be known as one."""
    for before in range(0, 400, 7):
        protected = protect(observation(output="x" * before + " " + SECRET + " " + "y" * 400), Policy(max_chars=200))
        assert SECRET[:12] not in protected.output


LARGE: dict[str, Any] = {
    "many texts": [f"line {n} " + "x" * 300 for n in range(5000)],
    "many numbers": list(range(100_000)),
    "many keys": {f"key {n}": n for n in range(30_000)},
    "one text": "x" * 5_000_000,
}


@pytest.mark.parametrize("value", LARGE.values(), ids=LARGE.keys())
def test_a_very_large_observation_is_cut_further(value: Any) -> None:
    """Proxies take a megabyte a request."""
    protected = protect(observation(input=value, metadata={"x": value}), Policy(max_chars=2**40))
    assert encode(protected)[1] < 1_000_000
    assert protected == protect(observation(input=value, metadata={"x": value}), Policy(max_chars=2**40))


def test_the_arguments_of_a_call_stay_json_when_they_are_cut() -> None:
    """Langfuse shows them as what they are."""
    protected = protect(
        observation("generation", output=response({"content": "x" * 5000, "n": 1})), Policy(max_chars=1000)
    )
    arguments = protected.output["tool_calls"][0]["function"]["arguments"]
    assert len(arguments) <= 1000
    assert json.loads(arguments)["n"] == 1


def test_what_is_nested_without_end_is_left_out_with_a_note() -> None:
    """Encoders refuse it."""
    value: Any = SECRET
    for _ in range(300):
        value = [value]
    protected = protect(observation(input=value), Policy())
    assert encode(protected)
    assert "[left out: nested deeper than 100 levels]" in list(strings_in(protected))


IMAGES: dict[str, Any] = {
    "Anthropic's": {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PNG}},
    "MCP's": {"type": "image", "mimeType": "image/png", "data": PNG},
    "a data URI": f"data:image/png;base64,{PNG}",
}


@pytest.mark.parametrize("image", IMAGES.values(), ids=IMAGES.keys())
def test_images_are_neither_cut_nor_read_as_text(image: Any) -> None:
    """Half an image is none, and in base64 a credential shape is an accident."""
    shown = [{"type": "text", "text": "x" * 5000}, image]
    protected = protect(observation(output=shown), Policy(max_chars=1000))
    assert protected.output[1] == image
    assert len(protected.output[0]["text"]) == 1000


@pytest.mark.parametrize("image", IMAGES.values(), ids=IMAGES.keys())
def test_images_that_are_not_wanted_leave_a_note(image: Any) -> None:
    """Of their type and size."""
    protected = protect(observation(output=[image]), Policy(images=False))
    assert PNG not in str(protected)
    assert "image/png" in list(strings_in(protected))


NO_IMAGES: dict[str, Any] = {
    "text that is called an image": {"type": "base64", "media_type": "image/png", "data": f"echo {SECRET}"},
    "text in base64": {"type": "base64", "media_type": "text/plain", "data": PNG},
    "a data URI of text": f"data:image/png;base64,{SECRET} and more",
}


@pytest.mark.parametrize("value", NO_IMAGES.values(), ids=NO_IMAGES.keys())
def test_what_only_claims_to_be_media_is_text(value: Any) -> None:
    """It is redacted and cut like all text."""
    texts = list(strings_in(protect(observation(output=value), Policy(max_chars=1000))))
    assert not [text for text in texts if SECRET in text or len(text) > 1000]


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
    assert tool.input == {"characters": 23}
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


SETTINGS: dict[str, tuple[str, tuple[str, ...]]] = {
    "as it comes": ("", (f"echo {MARK} ACME-42",)),
    "off by a word": ('redact = "off"', (f"echo {SECRET} ACME-42",)),
    "with a rule of one's own": ('redact_extra = "$RULES"', (f"echo {MARK} [redacted:ticket]",)),
    "shorter": ("max_chars = 200", (f"echo {MARK} ACME-42", "… [cut: 500 characters, sha256 ")),
    "without tools": ('capture = "no-tool-io"', ('{"characters":', "the answer")),
    "without text": ('capture = "metadata"', ('{"characters":',)),
}


@pytest.mark.parametrize(("text", "expected"), SETTINGS.values(), ids=SETTINGS.keys())
def test_the_settings_reach_what_is_sent(text: str, expected: tuple[str, ...], tmp_path: Path) -> None:
    """From the config file to the span."""
    lines = Lines().prompt("x" * 500).assistant("m1", "the answer", tool("t1", command=f"echo {SECRET} ACME-42"))
    rules = tmp_path / "rules.toml"
    rules.write_text('[[rules]]\nname = "ticket"\npattern = "ACME-[0-9]+"\nkeywords = ["acme-"]')
    (tmp_path / "home" / "config.toml").write_text(text)
    done = run_ccship("backfill", lines.write(tmp_path / "s1.jsonl"), "--to", "-", environ={"RULES": str(rules)})
    written = json.dumps([span.attributes for span in spans_in_file(done.stdout)], ensure_ascii=False)
    assert all(json.dumps(it, ensure_ascii=False)[1:-1] in written for it in expected)
    assert (SECRET in written) is ("off" in text)
    assert ("the answer" in written) is ("metadata" not in text)


def test_the_docs_name_every_rule() -> None:
    """A reader can see what is looked for."""
    listed = (ROOT / "docs/privacy.md").read_text().split("Rules:\n")[1].split("Your own")[0]
    assert re.findall(r"`([^`]+)`", listed) == sorted(rule.name for rule in RULES)


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
    shipper = Shipper(sink, State(None, "test"), Labels(), policy=Policy(capture="metadata"))
    transcripts = sorted((SHARED / "corpus").rglob("*.jsonl"))
    for session in sessions_at([SHARED / "corpus"]):
        shipper.ship(session)
    assert len(sink.sent) > 1000
    assert leaked(strings_in(sink.sent), long_texts(transcripts)) == []
