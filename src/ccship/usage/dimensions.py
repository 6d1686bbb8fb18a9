"""The dimensions of a report: which columns of the ledger each needs, and the key of a group of calls.

Pure. What cannot be attributed has a key of its own, so that every dimension has the same total.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Literal, TypeAlias

from ccship.ledger.sums import BIN_MS, Column, Group
from ccship.pricing.model_names import priced_name

By: TypeAlias = Literal["day", "week", "month", "model", "project", "session"]

UNDATED = "no date"

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FORMS: dict[By, str] = {"day": "%Y-%m-%d", "week": "%G-W%V", "month": "%Y-%m"}
_NONE: dict[By, str] = {}


@dataclass(frozen=True, slots=True)
class Dimension:
    """A dimension. `parts`: the keys of a group, each with the part of the group that belongs to it."""

    name: By
    columns: tuple[Column, ...]
    parts: Callable[[Group], Iterable[tuple[str, Group]]]
    is_time: bool = False


def dimension(by: By, to_local: Callable[[datetime], datetime]) -> Dimension:
    """Return a dimension by its name. `to_local` converts to the local time zone."""
    match by:
        case "day" | "week" | "month":
            key = _time_key(_FORMS[by], to_local)
            return Dimension(by, ("bin",), lambda group: [(key(group.values["bin"]), group)], is_time=True)
        case "model":
            return Dimension(by, (), lambda group: [(model_key(group), group)])
        case "project":
            return Dimension(by, ("project",), lambda group: [(str(group.values["project"]), group)])
        case "session":
            return Dimension(by, ("session", "project"), lambda group: [(str(group.values["session"]), group)])


def model_key(group: Group) -> str:
    """Return the name of a group's model; fast mode is a model of its own."""
    return priced_name(group.model) + (" (fast)" if group.fast else "")


def _time_key(form: str, to_local: Callable[[datetime], datetime]) -> Callable[[str | int | None], str]:
    @cache
    def key(number: str | int | None) -> str:
        if number is None:
            return UNDATED
        return to_local(_EPOCH + timedelta(milliseconds=int(number) * BIN_MS)).strftime(form)

    return key
