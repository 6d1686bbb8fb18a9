"""The signals of a turn, their names, and the memory of a session. Values only; none contains conversation text.

Every name is from a closed list, so that a score, its comment and its scale never depend on what was said.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

import msgspec

SignalName: TypeAlias = Literal[
    "complaint", "interrupted", "rejected_by_person", "denied_by_rule", "repeated_prompt", "repeated_error",
    "edit_failed", "unverified", "cache_rebuild_usd", "compaction", "api_error", "bypassed_hooks", "truncated",
    "refused", "context_tokens", "tool_errors", "checks", "red_checks", "api_retry_seconds", "slow_tool_seconds",
    "human_wait_seconds", "steered",
]  # fmt: skip

NUMBERS: frozenset[SignalName] = frozenset(
    {
        "context_tokens", "tool_errors", "checks", "red_checks", "api_retry_seconds", "slow_tool_seconds",
        "human_wait_seconds", "steered",
    }
)  # fmt: skip
"""Signals that describe a turn. The others fire: they point at something that went wrong."""

Reason: TypeAlias = Literal[
    "complaint", "interrupted", "rejected_by_person", "unverified", "edit_failed", "repeated_error", "api_error",
    "bypassed_hooks",
]  # fmt: skip
"""Why a turn needs review, the most telling first: by how often a person then complains, or how serious it is."""

REASONS: tuple[Reason, ...] = get_args(Reason)

_LEAST: dict[Reason, int] = {"edit_failed": 2}
"""The least value that is a reason. One failed edit is repaired in the next step."""

ComplaintPart: TypeAlias = Literal["pushback", "conceded", "reported_failure", "repeated_prompt"]
ApiErrorClass: TypeAlias = Literal["limit", "login", "overloaded", "server", "network", "other"]
Value: TypeAlias = bool | int | float


@dataclass(frozen=True, slots=True)
class Mark:
    """The step where a signal was found. `key`: the id of a tool call (tool_use) or LLM call (message)."""

    signal: SignalName
    key: str
    value: Value = True


@dataclass(frozen=True, slots=True)
class Signals:
    """The signals of a turn. None: the signal does not apply, which is not the same as false.

    `complaint_parts` and `api_error_class` say more about the two signals. `marks`: the steps where signals were found,
    in file order.
    """

    complaint: bool | None = None
    interrupted: bool = False
    rejected_by_person: int = 0
    denied_by_rule: int = 0
    repeated_prompt: bool | None = None
    repeated_error: int = 0
    edit_failed: int = 0
    unverified: bool | None = None
    cache_rebuild_usd: float = 0.0
    compaction: bool = False
    api_error: bool = False
    bypassed_hooks: int = 0
    truncated: bool = False
    refused: bool = False
    context_tokens: int | None = None
    tool_errors: int = 0
    checks: int = 0
    red_checks: int = 0
    api_retry_seconds: float = 0.0
    slow_tool_seconds: float | None = None
    human_wait_seconds: int | None = None
    steered: int = 0
    complaint_parts: tuple[ComplaintPart, ...] = ()
    api_error_class: ApiErrorClass | None = None
    marks: tuple[Mark, ...] = ()

    @property
    def reasons(self) -> tuple[Reason, ...]:
        """Why the turn is worth reading, in the order of `REASONS`."""
        return tuple(reason for reason in REASONS if (getattr(self, reason) or 0) >= _LEAST.get(reason, 1))

    @property
    def needs_review(self) -> bool:
        """Whether the turn is worth reading. A flag for triage: it does not measure quality."""
        return bool(self.reasons)

    def values(self) -> Iterator[tuple[SignalName, Value]]:
        """Yield the signals that apply, by name."""
        for name in SIGNALS:
            value = getattr(self, name)
            if value is not None:
                yield name, value

    def fired(self) -> Iterator[tuple[SignalName, Value]]:
        """Yield the signals that found something."""
        return ((name, value) for name, value in self.values() if value and name not in NUMBERS)


SIGNALS: tuple[SignalName, ...] = get_args(SignalName)


class Cache(msgspec.Struct, frozen=True, array_like=True):
    """The prompt cache after an LLM call: when the call ended, how long the cache lives, and a key of the model."""

    end_ns: int
    lifetime_s: int | None
    model: bytes


UUID_CHARS = 8
"""Characters of a uuid that are stored: enough to find a record near its offset."""


class PromptPlace(msgspec.Struct, frozen=True, array_like=True):
    """A prompt's place in the transcript: the offset of its turn, and the beginning of its record's uuid."""

    start: int
    uuid: str


class StoredMemory(msgspec.Struct, frozen=True, array_like=True):
    """A `Memory` as the state stores it: prompts are named, not kept, and are read again from the transcript."""

    version: Literal[1] = 1
    prompts: tuple[PromptPlace, ...] = ()
    cache: Cache | None = None
    was_compacted: bool = False


@dataclass(frozen=True, slots=True)
class Prompt:
    """A prompt of a person: its place, and the four-grams by which it is compared."""

    place: PromptPlace
    grams: frozenset[str]


@dataclass(frozen=True, slots=True)
class Memory:
    """What the signals of a turn need from the turns before it.

    `prompts`: the last `KEPT_PROMPTS` of a person. `cache`: after the last LLM call. `was_compacted`: since that call,
    so that the next one has to write the cache again.
    """

    prompts: tuple[Prompt, ...] = ()
    cache: Cache | None = None
    was_compacted: bool = False

    def stored(self) -> StoredMemory:
        """Return the memory without text."""
        return StoredMemory(1, tuple(prompt.place for prompt in self.prompts), self.cache, self.was_compacted)


KEPT_PROMPTS = 3
