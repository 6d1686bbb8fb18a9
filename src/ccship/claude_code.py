"""Claude Code as it is installed here: its settings files and its client.

Reads and writes files and asks the client for its version. What stands in the files is `registration`'s to say.
"""

import json
import os
import re
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

from ccship.errors import ConfigError

Scope: TypeAlias = Literal["user", "project", "local"]
SCOPES: tuple[Scope, ...] = ("user", "project", "local")
"""Settings files from the weakest to the strongest."""

BACKUP_SUFFIX = ".ccship-backup"

_CLIENT_TIMEOUT_S = 10
"""It takes 100 ms on a warm disk; a first start after an update takes seconds."""

_OTHER_PLACES = ("~/.local/bin/claude", "~/.claude/local/claude")
"""Where its installers put it, for those whose PATH does not have it."""


@dataclass(frozen=True, slots=True)
class Client:
    """The `claude` that is found first, and its version; None when it does not tell."""

    path: str
    version: tuple[int, ...] | None


def config_dir(environ: Mapping[str, str]) -> Path:
    """Claude's config folder: what it is told, or `~/.claude`."""
    return Path(environ.get("CLAUDE_CONFIG_DIR") or "~/.claude").expanduser()


def settings_file(scope: Scope, claude_dir: Path, project: Path) -> Path:
    """Where the settings of a scope are; `project` is the project's root."""
    match scope:
        case "user":
            return claude_dir / "settings.json"
        case "project":
            return project / ".claude" / "settings.json"
        case "local":
            return project / ".claude" / "settings.local.json"


def read_settings(path: Path) -> str | None:
    """The text of a settings file with its own line ends; None where there is none.

    Raises:
        ConfigError: it cannot be read.
    """
    try:
        return path.read_bytes().decode()
    except FileNotFoundError:
        return None
    except UnicodeDecodeError:
        raise ConfigError(f"{path} is not UTF-8: mend it first") from None
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}") from error


def refuse_unwritable(path: Path) -> None:
    """Raise ConfigError where a settings file is not the person's to change by hand."""
    if is_store_path(Path(os.path.realpath(path))):
        raise ConfigError(f"{path} is a link into the Nix store: enable ccship in home-manager, which writes that file")
    real = Path(os.path.realpath(path))
    for place in {next(it for it in (real, *real.parents) if it.exists()), real.parent}:
        if place.exists() and not (os.access(place, os.W_OK) and place.stat().st_mode & 0o222):
            raise ConfigError(f"{place} is read-only: ccship cannot register itself there")


def is_store_path(path: Path) -> bool:
    """Whether a path is Nix's to write."""
    return "/nix/store/" in str(path)


def write_settings(path: Path, text: str, *, backup: bool = True) -> Path | None:
    """Replace a settings file as a whole, with a backup beside it; returns the backup, None where there is none.

    A link stays one: the file it names is replaced, and keeps its mode.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            _replace(path, text.encode(), None)
            return None
        if backup:
            shutil.copy2(path, backup_of(path))
        _replace(Path(os.path.realpath(path)), text.encode(), stat.S_IMODE(path.stat().st_mode))
    except OSError as error:
        raise ConfigError(f"{path} cannot be written: {error.strerror}") from error
    return backup_of(path) if backup else None


def remove_settings(path: Path) -> None:
    """Delete a settings file that holds nothing.

    Raises:
        ConfigError: it cannot be deleted.
    """
    try:
        path.unlink()
    except OSError as error:
        raise ConfigError(f"{path} cannot be removed: {error.strerror}") from error


def backup_of(path: Path) -> Path:
    """Where the backup of a settings file is."""
    return path.with_name(path.name + BACKUP_SUFFIX)


def linked_plugins(claude_dir: Path) -> list[str]:
    """Names of the plugins that lie in the skills folder, where clients from 2.1.157 on load them from."""
    names = []
    for manifest in sorted(claude_dir.glob("skills/*/.claude-plugin/plugin.json")):
        try:
            names.append(str(json.loads(manifest.read_bytes())["name"]))
        except (OSError, ValueError, TypeError, KeyError):
            continue
    return names


def find_client(environ: Mapping[str, str]) -> Client | None:
    """The client that a shell would start."""
    found = shutil.which("claude", path=environ.get("PATH"))
    path = found or next((it for place in _OTHER_PLACES if os.access(it := os.path.expanduser(place), os.X_OK)), None)  # noqa: PTH111
    return Client(path, _version_of(path, environ)) if path else None


def _version_of(path: str, environ: Mapping[str, str]) -> tuple[int, ...] | None:
    try:
        done = subprocess.run(  # noqa: S603 - the person's own client
            [path, "--version"], capture_output=True, env=dict(environ), timeout=_CLIENT_TIMEOUT_S, check=False,
            stdin=subprocess.DEVNULL,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired):
        return None
    found = re.match(r"(\d+)\.(\d+)\.(\d+)", done.stdout.decode("utf-8", "replace").strip())
    return tuple(map(int, found.groups())) if found else None


def _replace(path: Path, content: bytes, mode: int | None) -> None:
    """Write beside the file, then rename: a client that starts just now never reads half of it."""
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
            os.fchmod(file.fileno(), 0o644 & ~_umask() if mode is None else mode)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _umask() -> int:
    mask = os.umask(0o077)
    os.umask(mask)
    return mask
