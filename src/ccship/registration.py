"""What Claude Code's settings say to run ccship: the `hooks` object, and the command in it.

Pure values: it reads and writes no file and asks no client. `ccship install`, the plugin and home-manager all register
what stands here.
"""

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

EVENTS = ("Stop", "SubagentStop", "SessionEnd", "SessionStart")
"""Every turn is reached through these, interrupted and killed ones too; every client from 1.0 on knows them."""

TIMEOUT_S = 60
"""Many times what the hook takes, and the most that Claude Code grants a SessionEnd hook."""


def hooks_of(
    command: str, events: Sequence[str] = EVENTS, timeout_s: int | None = TIMEOUT_S
) -> dict[str, list[dict[str, Any]]]:
    """The `hooks` object that runs `command` at `events`: `{"Stop": [{"hooks": [{"type": "command", ...}]}], ...}`.

    `timeout_s` in seconds; None leaves it to Claude Code. Each event gets objects of its own.
    """
    hook: dict[str, Any] = {"type": "command", "command": command}
    if timeout_s is not None:
        hook["timeout"] = timeout_s
    return {event: [{"hooks": [dict(hook)]}] for event in events}


def command_of(python: Path, hook: Path) -> str:
    """The fastest command for `hook`, for `/bin/sh -c`: without site-packages, and never with an exit code but 0.

    Both paths are absolute: the PATH of a client that a desktop started is short.
    """
    return f"{shlex.quote(str(python))} -I -S {shlex.quote(str(hook))} || exit 0"
