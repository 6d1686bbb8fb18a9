"""The registration of ccship in Claude Code's settings: the `hooks` object and its command.

Pure. `ccship install`, the plugin and home-manager all register the same.
"""

import json
import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ccship.claude_code import json_edit
from ccship.errors import ConfigError

EVENTS = ("Stop", "SubagentStop", "SessionEnd", "SessionStart")
"""These events reach every turn, also interrupted and killed ones. Every client since 1.0 has them."""

TIMEOUT_S = 60
"""Many times what the hook takes, and the most that Claude Code grants a SessionEnd hook."""

OPT_IN = "TRACE_TO_LANGFUSE"

LATER_EVENTS = {"StopFailure": (2, 1, 80)}
"""Newer events, with the first client that has them. Up to 2.1.100 one unknown name disables the whole file."""

STATUS_LINE = "statusLine"

_OUR_STATUS_LINE = re.compile(r"""(?:'[^']*'|[^\s';|&]+) -I -S (?:'[^']*|[^\s';|&]*[/\\])ccship[/\\]statusline\.py'?""")
"""The whole command: one that runs other programs too is not ours."""

_ENVIRONMENT_FILE = re.compile(r'\(set -a; \. "(?:[^"\\]|\\.)*"; set \+a; (.*)\) \|\| exit 0')
"""home-manager's wrapper of the command, which loads `environmentFile` first."""

_OURS = re.compile(r"ccship[/\\]hook\.py|ccship_hook\.py|(?:^|[\s/\\'\"])ccship(?:-hook|['\"]?\s+hook)\b")


@dataclass(frozen=True, slots=True)
class Registered:
    """One of our hooks in a settings file, at `hooks.<event>[group].hooks[place]`."""

    event: str
    group: int
    place: int
    hook: Mapping[str, Any]

    @property
    def command(self) -> str:
        """The command for `/bin/sh -c`."""
        return str(self.hook.get("command"))


def hooks_of(
    command: str, events: Sequence[str] = EVENTS, timeout_s: int | None = TIMEOUT_S
) -> dict[str, list[dict[str, Any]]]:
    """Return the `hooks` object for `command` at `events`: `{"Stop": [{"hooks": [{"type": "command", ...}]}], ...}`.

    `timeout_s` in seconds; None for Claude Code's default. Each event gets its own objects.
    """
    hook: dict[str, Any] = {"type": "command", "command": command}
    if timeout_s is not None:
        hook["timeout"] = timeout_s
    return {event: [{"hooks": [dict(hook)]}] for event in events}


def command_of(python: Path, hook: Path) -> str:
    """Return the fastest command for `hook`, for `/bin/sh -c`: without site-packages, always with exit code 0.

    Both paths must be absolute: a client that a desktop started has a short PATH.
    """
    return f"{shlex.quote(str(python))} -I -S {shlex.quote(str(hook))} || exit 0"


def status_line_of(python: Path, script: Path) -> str:
    """Return the command of the status line, as `command_of` does for the hook."""
    return f"{shlex.quote(str(python))} -I -S {shlex.quote(str(script))}"


def without_environment_file(command: str) -> str:
    """Return the command inside home-manager's wrapper; return other commands unchanged."""
    wrapped = _ENVIRONMENT_FILE.fullmatch(command)
    return wrapped[1] if wrapped else command


def events_of(client: tuple[int, ...] | None) -> tuple[str, ...]:
    """Return the events to register for a client version; without one, those that all clients have."""
    return (*EVENTS, *(event for event, since in LATER_EVENTS.items() if client is not None and client >= since))


def parse(text: str) -> dict[str, Any]:
    """Parse settings and check the parts that concern hooks.

    Raises:
        ConfigError: Not a JSON object, or its hooks have an unexpected shape; the text names the place.
    """
    try:
        settings = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"it is not valid JSON ({error}): fix it first") from None
    if not isinstance(settings, dict):
        raise ConfigError("it is not a JSON object: fix it first")
    hooks = settings.get("hooks", {})
    if not isinstance(hooks, dict):
        raise ConfigError("its `hooks` is not an object: fix it first")
    for event, groups in hooks.items():
        if not isinstance(groups, list):
            raise ConfigError(f"its `hooks.{event}` is not a list: fix it first")
    if not isinstance(settings.get("env", {}), dict):
        raise ConfigError("its `env` is not an object: fix it first")
    return settings


def registered(settings: Mapping[str, Any]) -> Iterator[Registered]:
    """Yield every ccship hook in parsed settings, of any version and kind of installation."""
    for event, groups in settings.get("hooks", {}).items():
        for group, entry in enumerate(groups):
            hooks = entry.get("hooks") if isinstance(entry, dict) else None
            for place, hook in enumerate(hooks if isinstance(hooks, list) else ()):
                if isinstance(hook, dict) and _OURS.search(str(hook.get("command"))):
                    yield Registered(event, group, place, hook)


def register(text: str, hooks: Mapping[str, list[dict[str, Any]]]) -> str:
    """Return the settings with exactly these ccship hooks; the same text if it has them already."""
    present = [(found.event, dict(found.hook)) for found in registered(parse(text))]
    wanted = [(event, hook) for event, groups in hooks.items() for group in groups for hook in group["hooks"]]
    if sorted(present, key=repr) == sorted(wanted, key=repr):
        return text
    text = unregister(text)
    for event, groups in hooks.items():
        if event in parse(text).get("hooks", {}):
            for group in groups:
                text = json_edit.append(text, ("hooks", event), group)
        else:
            text = json_edit.put(text, ("hooks", event), groups)
    return text


def unregister(text: str) -> str:
    """Return the settings without any ccship hook, and without objects that are empty then."""
    while found := next(registered(settings := parse(text)), None):
        hooks = settings["hooks"]
        groups = hooks[found.event]
        path = ("hooks", found.event, found.group, "hooks", found.place)
        if len(groups[found.group]["hooks"]) > 1:
            text = json_edit.cut(text, path)
        elif len(groups) > 1:
            text = json_edit.cut(text, path[:3])
        else:
            text = json_edit.cut(text, path[:2] if len(hooks) > 1 else path[:1])
    return text


def opt_in(text: str) -> str:
    """Return the settings with the consent to send."""
    if str(parse(text).get("env", {}).get(OPT_IN)).lower() == "true":
        return text
    return json_edit.put(text, ("env", OPT_IN), "true")


def opt_out(text: str) -> str:
    """Return the settings without the consent to send."""
    env = parse(text).get("env", {})
    if OPT_IN not in env:
        return text
    return json_edit.cut(text, ("env", OPT_IN) if len(env) > 1 else ("env",))


def has_status_line(settings: Mapping[str, Any]) -> bool:
    """Return whether parsed settings have ccship's status line."""
    line = settings.get(STATUS_LINE)
    return isinstance(line, dict) and _OUR_STATUS_LINE.fullmatch(str(line.get("command"))) is not None


def put_status_line(text: str, command: str, *, replace: bool = False) -> str:
    """Return the settings with ccship's status line; the same text if they have this one already.

    Raises:
        ConfigError: There is another status line, and `replace` is false.
    """
    settings = parse(text)
    line = {"type": "command", "command": command}
    if settings.get(STATUS_LINE) == line:
        return text
    if STATUS_LINE in settings and not (replace or has_status_line(settings)):
        raise ConfigError("it has another status line: add --replace to replace it")
    return json_edit.put(text, (STATUS_LINE,), line)


def cut_status_line(text: str) -> str:
    """Return the settings without ccship's status line; another one stays."""
    return json_edit.cut(text, (STATUS_LINE,)) if has_status_line(parse(text)) else text
