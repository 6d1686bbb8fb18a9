"""What may leave of an observation: redacted, captured, bounded."""

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ccship.observations import Observation
from ccship.privacy import MODES, Capture, Policy, Protection, protect
from ccship.privacy.encoding import encode
from ccship.privacy.redact import RULES, Rule
from ccship.state.rows import load_trace
from conftest import FIXTURES, ROOT
from helpers import run_ccship, strings_in
from lines import Lines, tool
from loopback import spans_in_file
from privacy.observation import MARK, SECRET, TRACE, observation, response

PLACES: dict[str, Observation] = {
    "a name": observation(name=f"Tool: mcp__{SECRET}__x"),
    "an input": observation(input=f"echo {SECRET}"),
    "an input's key": observation(input={SECRET: 1}),
    "deep in an input": observation(input={"edits": [{"new": [f"x = '{SECRET}'"]}]}),
    "an output": observation(output=f"{SECRET}\n"),
    "arguments": observation("generation", output=response({"command": f"a\n{SECRET}\nb"})),
    "arguments' keys": observation("generation", output=response({SECRET: "x"})),
    "thinking": observation(
        "generation",
        output={"role": "assistant", "content": "", "thinking": [{"type": "thinking", "content": SECRET}]},
    ),
    "metadata": observation(metadata={"file_path": f"/work/{SECRET}"}),
    "metadata's keys": observation(metadata={SECRET: 1}),
    "volatile metadata": observation(volatile={"x": SECRET}),
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
            found = Observation(**{**raw, "trace": load_trace(orjson.dumps(raw["trace"]))})
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
    assert all(json.dumps(part, ensure_ascii=False)[1:-1] in written for part in expected)
    assert (SECRET in written) is ("off" in text)
    assert ("the answer" in written) is ("metadata" not in text)


def test_the_docs_name_every_rule() -> None:
    """A reader can see what is looked for."""
    listed = (ROOT / "docs/privacy.md").read_text().split("\nRules:\n")[1].split("### Your own rules")[0]
    assert sorted(re.findall(r"`([^`]+)`", listed)) == sorted({rule.name for rule in RULES})
