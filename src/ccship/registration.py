"""What Claude Code's settings say to run ccship: the `hooks` object, and the command in it.

Pure values and texts: it reads and writes no file and asks no client. `ccship install`, the plugin and home-manager
all register what stands here.
"""

import json
import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ccship import json_text
from ccship.errors import ConfigError

EVENTS = ("Stop", "SubagentStop", "SessionEnd", "SessionStart")
"""Every turn is reached through these, interrupted and killed ones too; every client from 1.0 on knows them."""

TIMEOUT_S = 60
"""Many times what the hook takes, and the most that Claude Code grants a SessionEnd hook."""

OPT_IN = "TRACE_TO_LANGFUSE"

LATER_EVENTS = {"StopFailure": (2, 1, 80)}
"""Events that not every client knows, and since when: up to 2.1.100 one unknown name disables the whole file."""

_OURS = re.compile(r"ccship[/\\]hook\.py|ccship_hook\.py|(?:^|[\s/\\'\"])ccship(?:-hook|['\"]?\s+hook)\b")


@dataclass(frozen=True, slots=True)
class Registered:
    """One hook of ours in somebody's settings, and where it stands: `hooks.<event>[group].hooks[place]`."""

    event: str
    group: int
    place: int
    hook: Mapping[str, Any]

    @property
    def command(self) -> str:
        """What `/bin/sh -c` is given."""
        return str(self.hook.get("command"))


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


def events_of(client: tuple[int, ...] | None) -> tuple[str, ...]:
    """The events to register with a client of this version; those that all clients know where there is none."""
    return (*EVENTS, *(event for event, since in LATER_EVENTS.items() if client is not None and client >= since))


def parse(text: str) -> dict[str, Any]:
    """Settings as a value, and understood as far as hooks go.

    Raises:
        ConfigError: it is no JSON object, or its hooks are not what Claude Code writes; the text says where.
    """
    try:
        settings = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"it is not valid JSON ({error}): mend it first") from None
    if not isinstance(settings, dict):
        raise ConfigError("it is no JSON object: mend it first")
    hooks = settings.get("hooks", {})
    if not isinstance(hooks, dict):
        raise ConfigError("its `hooks` is no object: mend it first")
    for event, groups in hooks.items():
        if not isinstance(groups, list):
            raise ConfigError(f"its `hooks.{event}` is no list: mend it first")
    if not isinstance(settings.get("env", {}), dict):
        raise ConfigError("its `env` is no object: mend it first")
    return settings


def registered(settings: Mapping[str, Any]) -> Iterator[Registered]:
    """Every hook of ours in parsed settings, of whatever version and wherever it was installed."""
    for event, groups in settings.get("hooks", {}).items():
        for group, entry in enumerate(groups):
            hooks = entry.get("hooks") if isinstance(entry, dict) else None
            for place, hook in enumerate(hooks if isinstance(hooks, list) else ()):
                if isinstance(hook, dict) and _OURS.search(str(hook.get("command"))):
                    yield Registered(event, group, place, hook)


def register(text: str, hooks: Mapping[str, list[dict[str, Any]]]) -> str:
    """The settings with exactly these hooks of ours; the same text where they stand there already."""
    present = [(it.event, dict(it.hook)) for it in registered(parse(text))]
    wanted = [(event, hook) for event, groups in hooks.items() for group in groups for hook in group["hooks"]]
    if sorted(present, key=repr) == sorted(wanted, key=repr):
        return text
    text = unregister(text)
    for event, groups in hooks.items():
        if event in parse(text).get("hooks", {}):
            for group in groups:
                text = json_text.append(text, ("hooks", event), group)
        else:
            text = json_text.put(text, ("hooks", event), groups)
    return text


def unregister(text: str) -> str:
    """The settings without any hook of ours, and without what that leaves empty."""
    while found := next(registered(settings := parse(text)), None):
        hooks = settings["hooks"]
        groups = hooks[found.event]
        path = ("hooks", found.event, found.group, "hooks", found.place)
        if len(groups[found.group]["hooks"]) > 1:
            text = json_text.cut(text, path)
        elif len(groups) > 1:
            text = json_text.cut(text, path[:3])
        else:
            text = json_text.cut(text, path[:2] if len(hooks) > 1 else path[:1])
    return text


def opt_in(text: str) -> str:
    """The settings with the consent to send what happens under them."""
    if str(parse(text).get("env", {}).get(OPT_IN)).lower() == "true":
        return text
    return json_text.put(text, ("env", OPT_IN), "true")


def opt_out(text: str) -> str:
    """The settings without that consent."""
    env = parse(text).get("env", {})
    if OPT_IN not in env:
        return text
    return json_text.cut(text, ("env", OPT_IN) if len(env) > 1 else ("env",))
