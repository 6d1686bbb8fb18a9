"""Finds Claude Code's settings files, plugins and client.

`settings_file` reads and writes the files, `registration` changes their content.
"""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeAlias

from ccship.claude_code.settings_file import SettingsFile

Scope: TypeAlias = Literal["user", "project", "local"]
SCOPES: tuple[Scope, ...] = ("user", "project", "local")
"""Settings files from the weakest to the strongest."""

_CLIENT_TIMEOUT_S = 10
"""It takes 100 ms on a warm disk, but seconds at the first start after an update."""

_OTHER_PLACES = ("~/.local/bin/claude", "~/.claude/local/claude")
"""Paths of Claude Code's installers, in case they are not on PATH."""

_LINKED_SINCE = (2, 1, 157)
"""Older clients silently ignore a plugin in the skills folder."""


@dataclass(frozen=True, slots=True)
class Client:
    """The first `claude` found, and its version; None if it does not print one."""

    path: str
    version: tuple[int, ...] | None


def config_dir(environ: Mapping[str, str]) -> Path:
    """Return Claude Code's config folder: CLAUDE_CONFIG_DIR or `~/.claude`."""
    return Path(environ.get("CLAUDE_CONFIG_DIR") or "~/.claude").expanduser()


def settings_file(scope: Scope, claude_dir: Path, project: Path) -> SettingsFile:
    """Return the settings file of a scope; `project` is the project's root."""
    match scope:
        case "user":
            return SettingsFile(claude_dir / "settings.json")
        case "project":
            name = "settings.json"
        case "local":
            name = "settings.local.json"
    # In the home folder, `.claude` is the user's own folder, which may be a link. Compare by name: a repository could
    # contain a link to it.
    is_home = claude_dir.name == ".claude" and os.path.realpath(claude_dir.parent) == os.path.realpath(project)
    return SettingsFile(project / ".claude" / name, None if is_home else project)


def plugins_of(settings: Iterable[Mapping[str, Any]], claude_dir: Path, client: Client | None) -> list[str]:
    """Return the enabled or linked ccship plugins that run the hook, the weakest settings first.

    A linked plugin is in the skills folder, from which clients since 2.1.157 load it.
    """
    enabled: dict[str, Any] = {}
    for found in settings:
        plugins = found.get("enabledPlugins")
        enabled |= plugins if isinstance(plugins, dict) else {}
    names = [name for name, on in enabled.items() if on and name.partition("@")[0] == "ccship"]
    if client is None or client.version is None or client.version >= _LINKED_SINCE:
        names += [name for name in _linked_plugins(claude_dir) if name == "ccship"]
    return names


def find_client(environ: Mapping[str, str]) -> Client | None:
    """Return the client that a shell would start."""
    found = shutil.which("claude", path=environ.get("PATH"))
    path = found or next((it for place in _OTHER_PLACES if os.access(it := os.path.expanduser(place), os.X_OK)), None)  # noqa: PTH111
    return Client(path, _version_of(path, environ)) if path else None


def _linked_plugins(claude_dir: Path) -> Iterator[str]:
    for manifest in sorted(claude_dir.glob("skills/*/.claude-plugin/plugin.json")):
        with suppress(OSError, ValueError, TypeError, KeyError):
            yield str(json.loads(manifest.read_bytes())["name"])


def _version_of(path: str, environ: Mapping[str, str]) -> tuple[int, ...] | None:
    try:
        done = subprocess.run(  # noqa: S603 - the user's own client
            [path, "--version"], capture_output=True, env=dict(environ), timeout=_CLIENT_TIMEOUT_S, check=False,
            stdin=subprocess.DEVNULL,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired):
        return None
    found = re.match(r"(\d+)\.(\d+)\.(\d+)", done.stdout.decode("utf-8", "replace").strip())
    return tuple(map(int, found.groups())) if found else None
