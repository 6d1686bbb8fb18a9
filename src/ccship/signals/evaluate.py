"""Computes the signals of a turn, in one pass over its steps."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from ccship.signals.bypass import bypasses_hooks
from ccship.signals.checks import verdict_of
from ccship.signals.context import context_of
from ccship.signals.executed import has_executed
from ccship.signals.files import EDITORS, code_written
from ccship.signals.model import ApiErrorClass, Mark, Memory, SignalName, Signals
from ccship.signals.prompts import complaint_of, is_human, is_repeated, remembered
from ccship.signals.shell import Part, parts_of
from ccship.signals.steps import Step, steps_of
from ccship.transcript.exchange import Exchange
from ccship.transcript.parts import Event
from ccship.transcript.records import Attachment, User, text_of
from ccship.transcript.turns import Turn

_REPEATED = 3
"""How often an error must occur to count as repeated."""

_LEAST_ERROR_CHARS = 12
_ERROR_HEAD, _ERROR_TAIL = 500, 1_000
"""Parts of an error that are compared: heads alone are the same warning every time."""

_ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_NUMBERS = re.compile(r"0x[0-9a-f]+|\b[0-9a-f]{7,}\b|\d+(?:\.\d+)?")
_FOLDERS = re.compile(r"/[\w./@+-]+/")

_WAITING = ("AskUserQuestion", "ExitPlanMode", "EnterPlanMode", "Task", "Agent")
"""Tools whose time is a person's or a subagent's."""

_NOTIFICATIONS = ("<", "/", '{"task_id"')
"""How queued texts begin that no person typed."""

_TRUNCATED = frozenset({"max_tokens", "model_context_window_exceeded"})
_REFUSED = "refusal"

_API_ERRORS: tuple[tuple[ApiErrorClass, re.Pattern[str]], ...] = (
    ("overloaded", re.compile(r"overloaded|\b529\b", re.IGNORECASE)),
    ("limit", re.compile(r"limit|\b429\b|quota|credit balance|prompt is too long|too large", re.IGNORECASE)),
    ("login", re.compile(r"/login|authenticat|api key|oauth|\b40[13]\b|token has expired", re.IGNORECASE)),
    ("network", re.compile(r"network|connect|timed? ?out|socket|fetch failed|ENOTFOUND|EPIPE", re.IGNORECASE)),
    ("server", re.compile(r"\b5\d\d\b|server error|api_error", re.IGNORECASE)),
)
"""The first that occurs in the text of the error decides."""
_API_ERROR_CHARS = 1_000


@dataclass(slots=True)
class _Tally:
    """What the steps of a turn add up to. `edited`, `executed`: the positions of the last steps that did."""

    marks: list[Mark] = field(default_factory=list)
    errors: Counter[tuple[str, str]] = field(default_factory=Counter)
    tool_errors: int = 0
    checks: int = 0
    red_checks: int = 0
    edited: int | None = None
    executed: int = -1
    slowest_s: float | None = None

    def add(self, at: int, step: Step) -> None:
        """Add the step at a position."""
        parts = parts_of(step.command)
        verdict = verdict_of(step, parts)
        if verdict is not None:
            self.checks += 1
            self.red_checks += verdict == "red"
        ran = verdict != "unknown" or step.in_background if verdict else has_executed(step, parts)
        if ran:
            self.executed = at
        if code_written(step, parts):
            self.edited = at
        if step.outcome == "failed":
            self.tool_errors += 1
            error = _normalised(step.text)
            if len(error) >= _LEAST_ERROR_CHARS:
                self.errors[step.name, error] += 1
        if step.seconds is not None and step.name not in _WAITING:
            self.slowest_s = max(self.slowest_s or 0.0, step.seconds)
        self.marks += (Mark(signal, step.tool.tool_use_id) for signal in _signals_at(step, parts))

    def count(self, signal: SignalName) -> int:
        """Return how many steps have a signal."""
        return sum(mark.signal == signal for mark in self.marks)


def signals_of(turn: Turn, following: Turn | None, memory: Memory) -> tuple[Signals, Memory]:
    """Return the signals of a turn, and the memory for the turn after it.

    Args:
        turn: The turn.
        following: The turn after it in the session, if it has begun.
        memory: The memory after the turn before it.
    """
    exchange = turn.exchange
    tally = _Tally()
    for at, step in enumerate(steps_of(exchange)):
        tally.add(at, step)
    context = context_of(exchange, memory)
    prompts = remembered(memory, turn)
    repeated = max(tally.errors.values(), default=0)
    reasons = {line.message.stop_reason for call in exchange.calls.values() for line in call.lines if line.message}
    after = following if following is not None and is_human(following) and not _is_copy(following, turn) else None
    complaint = complaint_of(after, prompts) if after else None
    signals = Signals(
        complaint=None if complaint is None else bool(complaint),
        interrupted=exchange.is_interrupted,
        rejected_by_person=tally.count("rejected_by_person"),
        denied_by_rule=tally.count("denied_by_rule"),
        repeated_prompt=is_repeated(turn, memory.prompts) if is_human(turn) else None,
        repeated_error=repeated if repeated >= _REPEATED else 0,
        edit_failed=tally.count("edit_failed"),
        unverified=None if tally.edited is None else _has_ended(exchange) and tally.executed < tally.edited,
        cache_rebuild_usd=round(sum((mark.value for mark in context.rebuilt), 0.0), 4),
        compaction=_was_compacted_at_work(exchange),
        api_error=exchange.error is not None,
        bypassed_hooks=tally.count("bypassed_hooks"),
        truncated=bool(reasons & _TRUNCATED),
        refused=_REFUSED in reasons,
        context_tokens=context.tokens,
        tool_errors=tally.tool_errors,
        checks=tally.checks,
        red_checks=tally.red_checks,
        api_retry_seconds=_retry_seconds(exchange),
        slow_tool_seconds=None if tally.slowest_s is None else round(tally.slowest_s, 1),
        human_wait_seconds=_wait_seconds(exchange, after) if after else None,
        steered=sum(_is_typed(event) for event in exchange.events),
        complaint_parts=complaint or (),
        api_error_class=_api_error_class(exchange),
        marks=(*tally.marks, *context.rebuilt),
    )
    return signals, Memory(prompts, context.cache, context.was_compacted)


def _is_copy(following: Turn, turn: Turn) -> bool:
    """Return whether the prompt after a turn is older than its own: some clients write earlier history again."""
    began, before = following.exchange.start_ns, turn.exchange.start_ns
    has_prompt = isinstance(turn.exchange.opening, User)
    return has_prompt and began is not None and before is not None and began <= before


def _signals_at(step: Step, parts: Sequence[Part]) -> list[SignalName]:
    found: list[SignalName] = []
    if step.name != "AskUserQuestion":  # declining to answer is an answer
        if step.outcome == "rejected":
            found.append("rejected_by_person")
        elif step.outcome == "denied":
            found.append("denied_by_rule")
    if step.outcome == "failed" and step.name in EDITORS:
        found.append("edit_failed")
    if step.outcome not in ("rejected", "denied") and bypasses_hooks(parts):
        found.append("bypassed_hooks")
    return found


def _normalised(text: str) -> str:
    """Return an error without what differs from one time to the next."""
    if len(text) > _ERROR_HEAD + _ERROR_TAIL:
        text = text[:_ERROR_HEAD] + text[-_ERROR_TAIL:]
    text = _NUMBERS.sub("#", _ESCAPES.sub("", text))
    return " ".join(_FOLDERS.sub("/", text).split())


def _has_ended(exchange: Exchange) -> bool:
    """Return whether the model itself ended the turn."""
    was_stopped = exchange.is_interrupted or exchange.error is not None
    return bool(exchange.calls) and not was_stopped and not exchange.has_open_tools


def _was_compacted_at_work(exchange: Exchange) -> bool:
    """Return whether an automatic compaction came after the first call."""
    starts = [call.start_ns for call in exchange.calls.values() if call.start_ns]
    first = min(starts, default=None)
    return first is not None and any(
        event.kind == "compaction" and event.detail.get("trigger") != "manual" and first < (event.record.time_ns or 0)
        for event in exchange.events
    )


def _api_error_class(exchange: Exchange) -> ApiErrorClass | None:
    if exchange.error is None:
        return None
    text = f"{exchange.error.error or ''} {exchange.error.text[:_API_ERROR_CHARS]}"
    return next((name for name, pattern in _API_ERRORS if pattern.search(text)), "other")


def _retry_seconds(exchange: Exchange) -> float:
    waits = (event.detail.get("wait_ms") for event in exchange.events if event.kind == "api_retry")
    return round(sum(float(wait) for wait in waits if wait) / 1000, 1)


def _wait_seconds(exchange: Exchange, following: Turn) -> int | None:
    """Return the time between the end of a turn and the next prompt; None if it was typed before the end."""
    began, ended = following.exchange.start_ns, exchange.end_ns
    if began is None or ended is None or began < ended:
        return None
    return round((began - ended) / 1e9)


def _is_typed(event: Event) -> bool:
    """Return whether an event is a prompt that a person typed while the model worked."""
    if event.kind != "queued_prompt":
        return False
    prompt = event.detail.get("prompt")
    if prompt is None and isinstance(event.record, Attachment):
        prompt = event.record.attachment.get("prompt")
    if isinstance(prompt, list):
        prompt = text_of(block for block in prompt if isinstance(block, dict))
    text = str(prompt or event.record.text).lstrip()
    return bool(text) and not text.startswith(_NOTIFICATIONS)
