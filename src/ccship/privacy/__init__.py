"""Privacy: redacts, captures and bounds observations, in this order, before they are hashed, sent or stored.

Pure. Ids, types and times never change. A field that cannot be checked becomes `[redacted:error]`.
"""

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import orjson
from msgspec.structs import replace

from ccship.observations import Observation, Trace
from ccship.privacy.bounds import SHORTEST, cut, cut_to_bytes
from ccship.privacy.capture import MODES, Capture, captured, captured_tags
from ccship.privacy.media import contents_of, put_back, set_aside
from ccship.privacy.redact import Redactor, Rule

__all__ = ["MAX_CHARS", "MODES", "SHORTEST", "UNFILTERED", "Capture", "Policy", "Protection", "protect"]

MAX_CHARS = 20_000

MAX_NAME_CHARS = 200
"""For names, tags and users. Langfuse's SDK drops longer ones."""

INITIAL_PROMPT_CHARS = 200
"""Characters of the prompt in the metadata of a trace."""

MAX_FIELD_BYTES = 400_000
"""For each of input, output and metadata of an observation, without media. A span has at most 1.2 MB, which compresses
to less than the 1 MB that proxies accept.
"""

_ERROR = "[redacted:error]"


@dataclass(frozen=True, slots=True)
class Policy:
    """The privacy settings. `rules`: added to the built-in ones. `own`: texts of the user's settings, never removed."""

    capture: Capture = "full"
    max_chars: int = MAX_CHARS
    redact: bool = True
    rules: tuple[Rule, ...] = ()
    images: bool = True
    own: frozenset[str] = frozenset()


class Protection:
    """Applies a policy to observations. `redactor` counts the redactions."""

    def __init__(self, policy: Policy) -> None:
        self.redactor = Redactor(policy.rules)
        self._policy = policy
        self._last: tuple[Trace, Trace] | None = None
        self._holds_media = False

    def observation(self, observation: Observation) -> Observation:
        """Return the observation after redaction, capture and bounds. Events are folded afterwards."""
        is_call = observation.type == "generation"
        self._holds_media = False
        redacted = replace(
            observation,
            trace=self.trace(observation.trace),
            name=self.name(observation.name),
            input=self._judged(self._redacted, observation.input),
            output=self._judged(self._redacted_response if is_call else self._redacted, observation.output),
            metadata=self._dict(observation.metadata),
            volatile=self._dict(observation.volatile),
            status_message=self._text(observation.status_message),
            model=self._name(observation.model),
            model_parameters=observation.model_parameters and self._dict(observation.model_parameters),
            response_id=self._name(observation.response_id),
        )
        kept = _with_initial_prompt(captured(redacted, self._policy.capture, self._policy.own))
        return replace(
            kept,
            input=self._judged(self._bounded, kept.input),
            output=self._judged(self._bounded_response if is_call else self._bounded, kept.output),
            metadata=self._bounded_dict(kept.metadata),
            volatile=self._bounded_dict(kept.volatile),
            status_message=cut(kept.status_message, self._policy.max_chars),
            model_parameters=kept.model_parameters and self._bounded_dict(kept.model_parameters),
        )

    def trace(self, trace: Trace) -> Trace:
        """Return the trace after redaction and capture. A second call changes nothing."""
        if self._last is None or trace not in self._last:
            tags = captured_tags(map(self.name, trace.tags), self._policy.capture, self._policy.own)
            protected = dataclasses.replace(
                trace,
                name=self.name(trace.name),
                session_id=self.name(trace.session_id),
                user_id=self._name(trace.user_id),
                version=self._name(trace.version),
                tags=tags,
                settings_tags=tuple(map(self.name, trace.settings_tags)),
            )
            self._last = (trace, protected)
        return self._last[1]

    def name(self, text: str) -> str:
        """Return a name after redaction and bounds."""
        return (self.redactor.text(text) if self._policy.redact else text)[:MAX_NAME_CHARS]

    def _name(self, text: str | None) -> str | None:
        return None if text is None else self.name(text)

    def _text(self, text: str | None) -> str | None:
        return self.redactor.text(text) if text is not None and self._policy.redact else text

    def _redacted(self, value: Any) -> Any:
        may_hold_media, may_hold_json = contents_of(value)
        if may_hold_media:
            value, self._holds_media = set_aside(value, keep=self._policy.images), True
        if not self._policy.redact:
            return value
        return self.redactor.value(self._inside_json(value) if may_hold_json else value)

    def _inside_json(self, value: Any) -> Any:
        r"""Redact JSON inside the strings of a value.

        JSON escapes would hide the ends of a secret: `\\nPASSWORD=x\\nUSER=y`.
        """
        match value:
            case str() if value[:1] in ("{", "["):
                try:
                    parsed = orjson.loads(value)
                except orjson.JSONDecodeError:
                    return value
                redacted = self.redactor.value(self._inside_json(parsed))
                return value if redacted == parsed else orjson.dumps(redacted).decode()
            case list():
                return [self._inside_json(item) for item in value]
            case dict():
                return {key: self._inside_json(item) for key, item in value.items()}
            case _:
                return value

    def _redacted_response(self, message: Any) -> Any:
        """Redact a response, including the JSON in the arguments of its tool calls.

        Media in arguments are in the tool's own observation.
        """
        return self._redacted(_with_arguments(message, _opened))

    def _bounded(self, value: Any) -> Any:
        bounded = cut_to_bytes(value, self._policy.max_chars, MAX_FIELD_BYTES)
        return put_back(bounded) if self._holds_media else bounded

    def _bounded_response(self, message: Any) -> Any:
        return self._bounded(_with_arguments(message, partial(_json_text, max_chars=self._policy.max_chars)))

    def _dict(self, values: dict[str, Any]) -> dict[str, Any]:
        redacted = self._judged(self._redacted, values)
        return redacted if isinstance(redacted, dict) else {"metadata": _ERROR}

    def _bounded_dict(self, values: dict[str, Any]) -> dict[str, Any]:
        bounded = self._judged(self._bounded, values)
        return bounded if isinstance(bounded, dict) else {"metadata": bounded}

    def _judged(self, judge: Callable[[Any], Any], value: Any) -> Any:
        if not value:
            return value
        try:
            return judge(value)
        except Exception:  # noqa: BLE001 - a field that cannot be checked must not be sent, for any reason
            self.redactor.errors += 1
            return _ERROR


UNFILTERED = Policy(redact=False, max_chars=2**62)
"""Sends everything, to inspect observations as they are."""


def protect(observation: Observation, policy: Policy) -> Observation:
    """Return one observation after redaction, capture and bounds."""
    return Protection(policy).observation(observation)


def _with_initial_prompt(root: Observation) -> Observation:
    """Add the beginning of the root's input as metadata.

    Call it after redaction and capture: a cut could leave half of a credential, which no rule matches.
    """
    if root.type != "agent" or not root.is_root or not isinstance(root.input, str):
        return root
    return replace(root, metadata={**root.metadata, "initial_prompt": root.input[:INITIAL_PROMPT_CHARS]})


def _with_arguments(message: Any, change: Callable[[Any], Any]) -> Any:
    """Apply a change to the arguments of a response's tool calls."""
    if not isinstance(message, dict) or "tool_calls" not in message:
        return message
    calls = [
        {**call, "function": {**call["function"], "arguments": change(call["function"]["arguments"])}}
        for call in message["tool_calls"]
    ]
    return {**message, "tool_calls": calls}


def _opened(arguments: str) -> Any:
    value = orjson.loads(arguments)
    may_hold_media, _ = contents_of(value)
    return set_aside(value, keep=False) if may_hold_media else value


def _json_text(arguments: Any, max_chars: int) -> str:
    """Return arguments as text that is valid JSON if it is short enough."""
    return orjson.dumps(cut_to_bytes(arguments, max_chars, max_chars)).decode()
