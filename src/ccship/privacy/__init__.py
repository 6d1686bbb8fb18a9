"""What of an observation may leave this machine: redacted, captured, bounded, in this order.

Owns the last look at an observation before it is hashed, sent or remembered. Pure: the same observation gives the same
one. Ids, types and times were made from the transcript before and are never touched. Must never let a field through
that it could not judge: such a field becomes `[redacted:error]`.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import orjson

from ccship.observations import Observation, Trace
from ccship.privacy.bounds import SHORTEST, cut, cut_to_bytes
from ccship.privacy.capture import MODES, Capture, captured, captured_tags
from ccship.privacy.media import may_hold_json, may_hold_media, put_back, set_aside
from ccship.redact import Redactor, Rule

__all__ = ["MAX_CHARS", "MODES", "OPEN", "SHORTEST", "Capture", "Policy", "Protection", "protect"]

MAX_CHARS = 20_000

MAX_NAME_CHARS = 200
"""Names, tags and users: Langfuse's SDK drops longer ones."""

MAX_FIELD_BYTES = 400_000
"""For the input, the output and the metadata of an observation each, media aside: 1.2 MB are the most that a span has,
which compresses below the megabyte that proxies take."""

_ERROR = "[redacted:error]"


@dataclass(frozen=True, slots=True)
class Policy:
    """What a person lets out. `rules` come on top of the built-in ones; `own`: texts of their settings, which stay."""

    capture: Capture = "full"
    max_chars: int = MAX_CHARS
    redact: bool = True
    rules: tuple[Rule, ...] = ()
    images: bool = True
    own: frozenset[str] = frozenset()


class Protection:
    """What a policy does to observations, one after the other. `redactor` counts what it took out."""

    def __init__(self, policy: Policy) -> None:
        self.redactor = Redactor(policy.rules)
        self._policy = policy
        self._last: tuple[Trace, Trace] | None = None
        self._holds_media = False

    def observation(self, observation: Observation) -> Observation:
        """What may leave of an observation."""
        is_call = observation.type == "generation"
        self._holds_media = False
        redacted = replace(
            observation,
            trace=self.trace(observation.trace),
            name=self.name(observation.name),
            input=self._judged(self._redacted, observation.input),
            output=self._judged(self._redacted_response if is_call else self._redacted, observation.output),
            metadata=self._dict(observation.metadata),
            passing=self._dict(observation.passing),
            status_message=self._text(observation.status_message),
            model=self._name(observation.model),
            model_parameters=observation.model_parameters and self._dict(observation.model_parameters),
        )
        kept = captured(redacted, self._policy.capture, self._policy.own)
        return replace(
            kept,
            input=self._judged(self._bounded, kept.input),
            output=self._judged(self._bounded_response if is_call else self._bounded, kept.output),
            metadata=self._bounded_dict(kept.metadata),
            passing=self._bounded_dict(kept.passing),
            status_message=cut(kept.status_message, self._policy.max_chars),
            model_parameters=kept.model_parameters and self._bounded_dict(kept.model_parameters),
        )

    def trace(self, trace: Trace) -> Trace:
        """What may leave of what all spans of a trace carry. A protected trace stays as it is."""
        if self._last is None or trace not in self._last:
            tags = captured_tags(map(self.name, trace.tags), self._policy.capture, self._policy.own)
            protected = replace(
                trace,
                name=self.name(trace.name),
                session_id=self.name(trace.session_id),
                user_id=self._name(trace.user_id),
                version=self._name(trace.version),
                tags=tags,
            )
            self._last = (trace, protected)
        return self._last[1]

    def name(self, text: str) -> str:
        """What may leave of a name."""
        return (self.redactor.text(text) if self._policy.redact else text)[:MAX_NAME_CHARS]

    def _name(self, text: str | None) -> str | None:
        return None if text is None else self.name(text)

    def _text(self, text: str | None) -> str | None:
        return self.redactor.text(text) if text is not None and self._policy.redact else text

    def _redacted(self, value: Any) -> Any:
        seen = _seen(value)
        if may_hold_media(seen):
            value, self._holds_media = set_aside(value, keep=self._policy.images), True
        if not self._policy.redact:
            return value
        return self.redactor.value(self._inside_json(value) if may_hold_json(seen) else value)

    def _inside_json(self, value: Any) -> Any:
        r"""The value with the JSON redacted that stands in its strings.

        Behind JSON's escapes, a secret does not begin and end where it seems to: `\\nPASSWORD=x\\nUSER=y`.
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
        """A response: secrets may hide in the JSON that the arguments of its tool calls are.

        What the arguments hold of media is with the tool's own observation.
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
        if value is None:
            return None
        try:
            return judge(value)
        except Exception:  # noqa: BLE001 - what could not be judged must not leave, whatever the reason
            self.redactor.errors += 1
            return _ERROR


OPEN = Policy(redact=False, max_chars=2**62)
"""Lets everything out; for looking at observations as they are."""


def protect(observation: Observation, policy: Policy) -> Observation:
    """What may leave of one observation."""
    return Protection(policy).observation(observation)


def _with_arguments(message: Any, change: Callable[[Any], Any]) -> Any:
    """A response with the arguments of its tool calls changed."""
    if not isinstance(message, dict) or "tool_calls" not in message:
        return message
    calls = [
        {**call, "function": {**call["function"], "arguments": change(call["function"]["arguments"])}}
        for call in message["tool_calls"]
    ]
    return {**message, "tool_calls": calls}


def _opened(arguments: str) -> Any:
    value = orjson.loads(arguments)
    return set_aside(value, keep=False) if may_hold_media(arguments.encode()) else value


def _seen(value: Any) -> bytes | None:
    """The value as JSON, where all can be seen at a glance that would take a walk to find; None where it is no JSON."""
    try:
        return orjson.dumps(value)
    except TypeError:
        return None


def _json_text(arguments: Any, max_chars: int) -> str:
    """Arguments as JSON that is still JSON when it is short enough."""
    return orjson.dumps(cut_to_bytes(arguments, max_chars, max_chars)).decode()
