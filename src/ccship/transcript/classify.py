"""The kinds of user lines. Some kinds start a turn.

Pure. The first row of `ROWS` that matches decides; `docs/transcripts.md` explains the rows. Measured against 400
sessions that name their turns (`promptId`).
"""

from collections.abc import Callable, Sequence
from typing import Literal, Protocol, TypeAlias

from ccship.transcript.typed import is_bare_compact

Trigger: TypeAlias = Literal[
    "prompt", "slash_command", "local_command", "shell_input", "task_notification", "scheduled", "teammate"
]
"""What starts a turn. A local command (`/model`) or shell input (`!ls`) starts one only if a model call follows."""

UserKind: TypeAlias = Trigger | Literal["tool_result", "compact_summary", "interrupt", "meta", "local_output"]


class UserLine(Protocol):
    """The fields of a user line that decide its kind. Two readers decode them."""

    @property
    def tool_results(self) -> Sequence[object]:
        """The tool_result blocks."""

    @property
    def blocks(self) -> Sequence[object]:
        """All blocks."""

    @property
    def text(self) -> str:
        """The text blocks, joined."""

    @property
    def is_meta(self) -> bool | None:
        """Whether Claude Code wrote it for the model only."""

    @property
    def is_compact_summary(self) -> bool | None:
        """Whether it is the summary of a compaction."""

    @property
    def permission_mode(self) -> str | None:
        """The mode in which a prompt was typed."""

    @property
    def prompt_source(self) -> str | None:
        """Where a prompt comes from."""


TRIGGERS: frozenset[UserKind] = frozenset(
    {"prompt", "slash_command", "local_command", "shell_input", "task_notification", "scheduled", "teammate"}
)

TYPED: frozenset[UserKind] = frozenset({"prompt", "slash_command", "teammate"})
"""Triggers that make a turn even without a model call, because they are requests."""


def _starts(*prefixes: str) -> Callable[[UserLine, str], bool]:
    return lambda _, text: text.startswith(prefixes)


def _is_marked_prompt(record: UserLine, _: str) -> bool:
    return record.permission_mode is not None or bool(record.prompt_source)


_LOCAL_OUTPUT = (
    "<local-command-stdout>",
    "<local-command-stderr>",
    "<bash-stdout>",
    "<bash-stderr>",
    "<local-command-caveat>",
    "Caveat: The messages below",
)

ROWS: tuple[tuple[UserKind, Callable[[UserLine, str], bool]], ...] = (
    ("tool_result", lambda record, _: bool(record.tool_results)),
    ("compact_summary", lambda record, _: bool(record.is_compact_summary)),
    ("interrupt", _starts("[Request interrupted by user")),
    ("shell_input", _starts("<bash-input>")),
    ("local_output", _starts("<bash-stdout>", "<bash-stderr>")),
    ("task_notification", lambda record, text: _is_marked_prompt(record, text) and _is_notification(text)),
    ("scheduled", lambda record, text: _is_marked_prompt(record, text) and record.prompt_source == "system"),
    ("prompt", lambda record, text: _is_marked_prompt(record, text) and not text.startswith("<command-")),
    ("meta", lambda record, _: bool(record.is_meta)),
    ("local_output", _starts(*_LOCAL_OUTPUT)),
    ("slash_command", _starts("<command-message>")),
    ("local_command", _starts("<command-name>")),
    ("local_command", lambda _, text: is_bare_compact(text)),
    ("task_notification", lambda _, text: _is_notification(text)),
    ("teammate", _starts("<teammate-message")),
    ("prompt", lambda record, text: bool(text) or bool(record.blocks)),
)


def classify(record: UserLine) -> UserKind:
    """Return the kind of a user line of a main transcript."""
    text = record.text.lstrip()
    for kind, holds in ROWS:
        if holds(record, text):
            return kind
    return "meta"


def _is_notification(text: str) -> bool:
    return text.startswith("<task-notification")
