"""Decodes LLM calls and their tokens from lines of transcripts, and nothing else: a second, faster reader.

Pure. Follows the rule of `transcript.usage`: one call per `message.id`, with the whole usage of the line that has the
most output tokens, the last of equals. Damaged lines are decoded by `transcript.parse`. A test checks that both readers
give the same sums.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import msgspec
from msgspec.structs import replace

from ccship.transcript.limits import FIRST_YEAR, LAST_YEAR, Quantity

MARK = b'put_tokens"'
"""Common to `input_tokens` and `output_tokens`: each line with usage contains one. A long needle is found faster."""

_MIN_TIME, _TIME_LIMIT = f"{FIRST_YEAR}", f"{LAST_YEAR + 1}"
"""Text, because times of transcripts are compared unparsed."""

_SYNTHETIC_MODEL = "<synthetic>"


class Tokens(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Tokens by price. A cache write without a duration (Claude Code before 1.0.98) counts as 5 minutes."""

    input: int = 0
    output: int = 0
    cache_read: int = 0
    cache_write_5m: int = 0
    cache_write_1h: int = 0


Advice: TypeAlias = tuple[str, Tokens]
"""The model of an advisor, empty if unknown, and its tokens."""


class Call(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One LLM call. `time` as in the transcript (ISO, UTC), empty if missing.

    `is_final`: a line contains the stop reason; otherwise the output tokens are a lower bound. `advisor_ids`: the ids
    of its calls of an advisor. `advice`: their tokens, which `tokens` excludes.
    """

    key: str
    time: str
    session: str
    project: str
    model: str
    fast: bool
    is_final: bool
    tokens: Tokens
    advisor_ids: tuple[str, ...] = ()
    advice: tuple[Advice, ...] = ()


def calls_on(lines: Iterable[memoryview | bytes], session: str, project: str) -> list[Call]:
    """Return the calls in lines of a transcript. `session`: the session id of lines without one."""
    seen: dict[str, _Seen] = {}
    for raw in lines:
        try:
            decoded = [_decode(raw)]
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            decoded = _salvaged(bytes(raw))
        for line in decoded:
            message = line.message
            if line.type != "assistant" or message is None or not message.id or message.usage is None:
                continue  # other lines repeat usage: `progress` copies a subagent's, `toolUseResult` sums it
            if message.model == _SYNTHETIC_MODEL:
                continue
            call = seen.get(message.id)
            if call is None:
                seen[message.id] = call = _Seen(message.id, line, message, message.usage)
            elif (message.usage.output_tokens or 0) >= (call.usage.output_tokens or 0):
                call.message, call.usage = message, message.usage
            call.add(message)
    return [_call(call, session, project) for call in seen.values()]


def merge(calls: dict[str, Call], found: Iterable[Call]) -> None:
    """Merge calls into `calls` by key; a call keeps the session and time of its first line, so merge in file order."""
    for call in found:
        earlier = calls.get(call.key)
        calls[call.key] = call if earlier is None else _merged(earlier, call)


def with_advisors(calls: Iterable[Call]) -> Iterator[Call]:
    """Yield calls, each followed by its advisor calls: one per advisor id, because lines repeat the advice."""
    for call in calls:
        yield call
        for key, (model, tokens) in zip(call.advisor_ids, call.advice, strict=False):
            yield replace(call, key=key, model=model, fast=False, tokens=tokens, advisor_ids=(), advice=())


class _Shape(msgspec.Struct, gc=False):
    """Base of the decoded fields; others are skipped."""


class _CacheCreation(_Shape):
    ephemeral_5m_input_tokens: Quantity | None = None
    ephemeral_1h_input_tokens: Quantity | None = None


class _Iteration(_Shape):
    type: str | None = None
    model: str | None = None
    input_tokens: Quantity | None = None
    output_tokens: Quantity | None = None
    cache_read_input_tokens: Quantity | None = None
    cache_creation_input_tokens: Quantity | None = None
    cache_creation: _CacheCreation | None = None


class _Usage(_Iteration):
    speed: str | None = None
    iterations: list[_Iteration] | None = None


class _Block(_Shape):
    type: str | None = None
    id: str | None = None
    name: str | None = None


class _Message(_Shape):
    id: str | None = None
    model: str | None = None
    stop_reason: str | None = None
    content: list[_Block] | str | None = None
    usage: _Usage | None = None


class _Line(_Shape, rename="camel"):
    type: str
    timestamp: str | None = None
    session_id: str | None = None
    advisor_model: str | None = None
    message: _Message | None = None


_decode = msgspec.json.Decoder(_Line).decode


@dataclass(slots=True)
class _Seen:
    """A call while its lines are read: `first` gives session and time, the line with the most output the usage."""

    key: str
    first: _Line
    message: _Message
    usage: _Usage
    is_final: bool = False
    advisor_ids: list[str] = field(default_factory=list)

    def add(self, message: _Message) -> None:
        self.is_final = self.is_final or bool(message.stop_reason)
        if isinstance(message.content, list):
            for block in message.content:
                if block.type == "server_tool_use" and block.name == "advisor" and block.id:
                    self.advisor_ids.append(block.id)


def _call(seen: _Seen, session: str, project: str) -> Call:
    line = seen.first
    time = line.timestamp or ""
    return Call(
        seen.key,
        time if _MIN_TIME <= time < _TIME_LIMIT else "",
        line.session_id or session,
        project,
        seen.message.model or "",
        seen.usage.speed == "fast",
        seen.is_final,
        _tokens(seen.usage),
        tuple(dict.fromkeys(seen.advisor_ids)),
        tuple(
            (iteration.model or line.advisor_model or "", _tokens(iteration))
            for iteration in seen.usage.iterations or ()
            if iteration.type == "advisor_message"
        ),
    )


def _tokens(usage: _Iteration) -> Tokens:
    split = usage.cache_creation
    if split is not None and usage.cache_creation_input_tokens == 0:
        split = _CacheCreation()  # a fork zeroes the total of a copied call, but not the split
    return Tokens(
        usage.input_tokens or 0,
        usage.output_tokens or 0,
        usage.cache_read_input_tokens or 0,
        (usage.cache_creation_input_tokens if split is None else split.ephemeral_5m_input_tokens) or 0,
        (0 if split is None else split.ephemeral_1h_input_tokens) or 0,
    )


def _merged(earlier: Call, later: Call) -> Call:
    best = later if later.tokens.output >= earlier.tokens.output else earlier
    return replace(
        earlier,
        model=best.model,
        fast=best.fast,
        tokens=best.tokens,
        advice=best.advice,
        is_final=earlier.is_final or later.is_final,
        advisor_ids=tuple(dict.fromkeys(earlier.advisor_ids + later.advisor_ids)),
    )


def _salvaged(line: bytes) -> list[_Line]:
    """Parse the records of a damaged line (lost newline, torn write), without fields of an unexpected type."""
    from ccship.transcript.parse import parse_line  # noqa: PLC0415 - slow to import, and damage is rare
    from ccship.transcript.records import Assistant  # noqa: PLC0415

    records = [record for _, record in parse_line(line) if isinstance(record, Assistant)]
    return [msgspec.convert(_plain(msgspec.to_builtins(record)), _Line) for record in records]


def _plain(record: dict[str, Any]) -> dict[str, Any]:
    """Drop invalid items from the lists of a record: `transcript.records` does not validate them."""
    message = record.get("message") or {}
    usage = message.get("usage") or {}
    message["content"] = _fitting(message.get("content"), _Block)
    usage["iterations"] = _fitting(usage.get("iterations"), _Iteration)
    return record


def _fitting(items: Any, shape: type[_Shape]) -> list[_Shape]:
    return [converted for item in items if (converted := _converted(item, shape))] if isinstance(items, list) else []


def _converted(item: Any, shape: type[_Shape]) -> _Shape | None:
    try:
        return msgspec.convert(item, shape, strict=False)
    except msgspec.ValidationError:
        return None
