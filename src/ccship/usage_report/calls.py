"""Lines of transcripts -> LLM calls with their tokens: a second, faster reader that decodes nothing else.

Pure. Holds to the rule of `transcript.usage` (one count a `message.id`, the whole usage of the line with the most
output tokens, the last of equals); what it cannot decode it leaves to `transcript.records`. A test holds both readers
to the same sums.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TypeAlias

import msgspec
from msgspec.structs import replace

MARK = b'put_tokens"'
"""Whatever counts tokens has `input_tokens` or `output_tokens`; a long needle is found faster than a short one."""

_SYNTHETIC_MODEL = "<synthetic>"


class Tokens(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Tokens by what they cost. An undivided cache write (before 1.0.98) is one for 5 minutes, the API's default."""

    input: int = 0
    output: int = 0
    cache_read: int = 0
    cache_write_5m: int = 0
    cache_write_1h: int = 0


Advice: TypeAlias = tuple[str, Tokens]
"""The model of an advisor, empty where it is not named, and what it used."""


class Call(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One LLM call. `time` as it stands in the transcript (ISO, UTC), empty where there is none.

    `is_final`: a line said how the response ended; without it the output is a lower bound. `asked`: the ids of the
    advisors that it asked; `advice`: what they used, which its own tokens exclude.
    """

    key: str
    time: str
    session: str
    project: str
    model: str
    fast: bool
    is_final: bool
    tokens: Tokens
    asked: tuple[str, ...] = ()
    advice: tuple[Advice, ...] = ()


def calls_on(lines: Iterable[memoryview | bytes], session: str, project: str) -> list[Call]:
    """The calls that some lines of a transcript tell of. `session`: that of lines that name none."""
    seen: dict[str, _Seen] = {}
    for raw in lines:
        try:
            decoded = [_decode(raw)]
        except msgspec.DecodeError:
            decoded = _salvaged(bytes(raw))
        for line in decoded:
            message = line.message
            if line.type != "assistant" or message is None or not message.id or message.usage is None:
                continue  # copies of a subagent's lines (`progress`), sums of its usage (`toolUseResult`)
            if message.model == _SYNTHETIC_MODEL:
                continue
            known = seen.get(message.id)
            if known is None:
                seen[message.id] = known = _Seen(message.id, line, message, message.usage)
            elif (message.usage.output_tokens or 0) >= (known.usage.output_tokens or 0):
                known.message, known.usage = message, message.usage
            known.add(message)
    return [_call(it, session, project) for it in seen.values()]


def merge(calls: dict[str, Call], found: Iterable[Call]) -> None:
    """Add calls to those known, in the order of the files: a call is where it stood first."""
    for call in found:
        known = calls.get(call.key)
        calls[call.key] = call if known is None else _merged(known, call)


def with_advisors(calls: Iterable[Call]) -> Iterator[Call]:
    """Calls and those of advisors: billed once for each time that one was asked, not for each line that says so."""
    for call in calls:
        yield call
        for key, (model, tokens) in zip(call.asked, call.advice, strict=False):
            yield replace(call, key=key, model=model, fast=False, tokens=tokens, asked=(), advice=())


class _Shape(msgspec.Struct, gc=False):
    """What is read of a line; all else is skipped over."""


class _CacheCreation(_Shape):
    ephemeral_5m_input_tokens: int | None = None
    ephemeral_1h_input_tokens: int | None = None


class _Iteration(_Shape):
    type: str | None = None
    model: str | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    cache_read_input_tokens: int | None = None
    cache_creation_input_tokens: int | None = None
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
    """What the lines of a call have told: the first one where and when, the one with the most output what it used."""

    key: str
    first: _Line
    message: _Message
    usage: _Usage
    is_final: bool = False
    asked: list[str] = field(default_factory=list)

    def add(self, message: _Message) -> None:
        self.is_final = self.is_final or bool(message.stop_reason)
        if isinstance(message.content, list):
            for block in message.content:
                if block.type == "server_tool_use" and block.name == "advisor" and block.id:
                    self.asked.append(block.id)


def _call(seen: _Seen, session: str, project: str) -> Call:
    line = seen.first
    return Call(
        seen.key,
        line.timestamp or "",
        line.session_id or session,
        project,
        seen.message.model or "",
        seen.usage.speed == "fast",
        seen.is_final,
        _tokens(seen.usage),
        tuple(dict.fromkeys(seen.asked)),
        tuple(
            (it.model or line.advisor_model or "", _tokens(it))
            for it in seen.usage.iterations or ()
            if it.type == "advisor_message"
        ),
    )


def _tokens(usage: _Iteration) -> Tokens:
    split = usage.cache_creation
    return Tokens(
        usage.input_tokens or 0,
        usage.output_tokens or 0,
        usage.cache_read_input_tokens or 0,
        (usage.cache_creation_input_tokens if split is None else split.ephemeral_5m_input_tokens) or 0,
        (0 if split is None else split.ephemeral_1h_input_tokens) or 0,
    )


def _merged(known: Call, later: Call) -> Call:
    best = later if later.tokens.output >= known.tokens.output else known
    return replace(
        known,
        model=best.model,
        fast=best.fast,
        tokens=best.tokens,
        advice=best.advice,
        is_final=known.is_final or later.is_final,
        asked=tuple(dict.fromkeys(known.asked + later.asked)),
    )


def _salvaged(line: bytes) -> list[_Line]:
    """The records of a damaged line (a newline got lost, a write was torn), without fields of another type."""
    from ccship.transcript.parse import parse_line  # noqa: PLC0415 - slow to load, and damage is rare
    from ccship.transcript.records import Assistant  # noqa: PLC0415

    records = [record for _, record in parse_line(line) if isinstance(record, Assistant)]
    return [msgspec.convert(msgspec.to_builtins(record), _Line) for record in records]
