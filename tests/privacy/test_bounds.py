"""What is too long, too large or too deep is cut, after it was redacted."""

import json
from typing import Any

import pytest
from msgspec.structs import replace

from ccship.privacy import Policy, protect
from ccship.privacy.encoding import encode
from helpers import strings_in
from privacy.observation import MARK, SECRET, observation, response


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
    assert encode(protected).size < 1_000_000
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


def test_the_initial_prompt_is_cut_after_it_was_redacted() -> None:
    """A credential across the two hundredth character would leave half of itself."""
    root = observation("agent", input="x" * 190 + " " + SECRET + " and more")
    root = replace(root, parent_span_id=None)
    protected = protect(root, Policy())
    initial = protected.metadata["initial_prompt"]
    assert len(initial) == 200
    assert SECRET[:5] not in initial
    assert protect(root, Policy(redact=False)).metadata["initial_prompt"] == root.input[:200]
    assert "initial_prompt" not in protect(root, Policy(capture="metadata")).metadata
    assert "initial_prompt" not in protect(replace(root, parent_span_id="b" * 16), Policy()).metadata
