"""The dimensions of a report: which columns of the ledger each needs, and the keys of a group of calls.

Pure. What cannot be attributed has a key of its own, so that every dimension has the same total.
"""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Literal, Protocol, TypeAlias, get_args

import msgspec

from ccship.ledger.calls import Tokens
from ccship.ledger.scan import MilestoneKind
from ccship.ledger.sums import BIN_MS, Column, Group
from ccship.pricing.model_names import priced_name

By: TypeAlias = Literal[
    "day", "week", "month", "hour", "block", "model", "project", "session", "branch", "ticket", "pr", "commit", "agent",
    "skill", "tool",
]  # fmt: skip

UNDATED = "no date"
BLOCK_MS = 5 * 3_600_000
"""Length of a block: the window of Claude's session limits. Limits themselves are in no transcript."""

_MOST = 2
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FORMS: dict[str, str] = {
    "day": "%Y-%m-%d", "week": "%G-W%V", "month": "%Y-%m", "hour": "%Y-%m-%d %H:00", "block": "%Y-%m-%d %H:%M",
}  # fmt: skip

NOTES: Mapping[By, str] = {
    "pr": "pr: a call belongs to the next pull request of its session, or else to the last one",
    "commit": "commit: a call belongs to the next commit of its session",
    "tool": "tool: an allocation: a call belongs to the tools whose results it read first, by the size of the results",
    "block": "block: five hours, beginning with the first call after the block before",
}
"""How calls are attributed, where a name does not say it."""

Milestones: TypeAlias = Mapping[str, Sequence[tuple[int, str]]]
"""The commits or pull requests of sessions, by time in ms."""


class History(Protocol):
    """What some dimensions need besides groups of calls."""

    def milestones(self, kind: MilestoneKind) -> Milestones:
        """Return the commits or pull requests of each session."""

    def times(self) -> list[int]:
        """Return the times of all calls, sorted."""


@dataclass(frozen=True, slots=True)
class Dimension:
    """A dimension. `parts`: the keys of a group, each with the part of the group that belongs to it."""

    name: By
    columns: tuple[Column, ...]
    parts: Callable[[Group], Iterable[tuple[str, Group]]]
    is_time: bool = False


def names_in(text: str) -> tuple[By, ...]:
    """Return the dimensions in a text: one, or two separated by a comma; none if it is anything else."""
    names = tuple(text.split(","))
    known: tuple[By, ...] = get_args(By)
    found = tuple(name for name in known if name in names)
    is_valid = len(found) == len(names) <= _MOST
    return tuple(sorted(found, key=names.index)) if is_valid else ()


def dimension(
    by: By, to_local: Callable[[datetime], datetime], history: History, ticket: Callable[[str], str | None]
) -> Dimension:
    """Return a dimension by its name.

    Args:
        by: The name.
        to_local: Converts to the local time zone.
        history: The ledger's milestones and times.
        ticket: Returns the ticket in the name of a branch.
    """
    columns: tuple[Column, ...]
    key: Callable[[Group], str]
    match by:
        case "day" | "week" | "month" | "hour":
            columns, key = ("bin",), _time_key("bin", BIN_MS, _FORMS[by], to_local)
        case "block":
            columns, key = ("time",), _block_key(_blocks(history.times()), _FORMS[by], to_local)
        case "model":
            columns, key = (), lambda group: model_key(group.model, fast=group.fast)
        case "session":
            columns, key = ("session", "project"), lambda group: str(group.values["session"])
        case "agent":
            columns, key = ("agent",), lambda group: _agent(group.values["agent"])
        case "project" | "branch" | "skill":
            columns, key = (by,), lambda group: str(group.values[by] or f"no {by}")
        case "ticket":
            columns, key = ("branch",), lambda group: ticket(str(group.values["branch"])) or "no ticket"
        case "commit" | "pr":
            milestones = history.milestones(by)
            columns, key = ("session", "time"), lambda group: _leading_to(milestones, group, by)
        case "tool":
            return Dimension(by, ("reads",), _allocated)
    return Dimension(by, columns, lambda group: [(key(group), group)], by in _FORMS)


def ticket_in(pattern: str) -> Callable[[str], str | None]:
    """Return a function that returns the ticket in a branch's name: the pattern's first group, or its whole match."""
    expression = re.compile(pattern, re.IGNORECASE)

    def ticket(branch: str) -> str | None:
        found = expression.search(branch)
        return found and (found[1] if expression.groups else found[0] or "").upper()

    return cache(ticket)


def model_key(model: str, *, fast: bool) -> str:
    """Return the name of a model as priced; fast mode is a model of its own."""
    return priced_name(model) + (" (fast)" if fast else "")


def _time_key(
    column: Column, unit_ms: int, form: str, to_local: Callable[[datetime], datetime]
) -> Callable[[Group], str]:
    @cache
    def text(number: str | int | None) -> str:
        if number is None:
            return UNDATED
        return to_local(_EPOCH + timedelta(milliseconds=int(number) * unit_ms)).strftime(form)

    return lambda group: text(group.values[column])


def _block_key(starts: Sequence[int], form: str, to_local: Callable[[datetime], datetime]) -> Callable[[Group], str]:
    of_start = _time_key("time", 1, form, to_local)

    def key(group: Group) -> str:
        time_ms = group.values["time"]
        start = None if time_ms is None else starts[bisect_right(starts, int(time_ms)) - 1]
        return of_start(replace(group, values={"time": start}))

    return key


def _agent(name: str | int | None) -> str:
    return "main" if name is None else str(name) or "unknown subagent"


def _blocks(times: Iterable[int]) -> list[int]:
    """Return the starts of blocks."""
    starts: list[int] = []
    for time_ms in times:
        if not starts or time_ms >= starts[-1] + BLOCK_MS:
            starts.append(time_ms)
    return starts


def _leading_to(milestones: Milestones, group: Group, kind: MilestoneKind) -> str:
    none = "no commit" if kind == "commit" else "no pull request"
    of_session, time_ms = milestones.get(str(group.values["session"]), ()), group.values["time"]
    if time_ms is None or not of_session:
        return none
    at = bisect_left(of_session, (int(time_ms), ""))
    if at < len(of_session):
        return of_session[at][1]
    return none if kind == "commit" else of_session[-1][1]


def _allocated(group: Group) -> Iterable[tuple[str, Group]]:
    """Yield a group's parts by tool. The number of calls, which is not divided, is that of the largest part."""
    reads = group.values["reads"]
    weights: dict[str, int] = msgspec.json.decode(str(reads), type=dict[str, int]) if reads else {}
    if not sum(weights.values()):
        yield next(iter(weights), "no tool result"), group
        return
    names = sorted(weights, key=lambda name: (-weights[name], name))
    total, before = sum(weights.values()), 0
    counts: tuple[int, ...] = msgspec.structs.astuple(group.tokens)
    for name in names:
        after = before + weights[name]
        tokens = Tokens(*(count * after // total - count * before // total for count in counts))
        is_first, before = before == 0, after
        yield (
            name,
            replace(group, tokens=tokens, calls=group.calls * is_first, lower_bounds=group.lower_bounds * is_first),
        )
