"""Looks at everything that the checks judge: settings as the hook gets them, the client, the server, the state."""

import os
import shlex
import subprocess
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from ccship import config, registration
from ccship.claude_code import SCOPES, Client, config_dir, find_client, linked_plugins, read_settings, settings_file
from ccship.config import Config
from ccship.doctor.server import Server, ask
from ccship.errors import ConfigError, StateError
from ccship.registration import Registered
from ccship.requests import Pending
from ccship.state import private
from ccship.survey import Survey, survey

_PROBE_TIMEOUT_S = 30
"""A cold script environment takes so long to be made; the probe makes it."""

_DEFAULT_CLEANUP_DAYS = 30


@dataclass(frozen=True, slots=True)
class Placed:
    """A hook of ours and the settings file it stands in."""

    file: Path
    registered: Registered


@dataclass(frozen=True, slots=True)
class Probe:
    """How the registered command runs without anything of the person's shell; `complaint` is what it printed."""

    command: str
    complaint: str
    seconds: float
    worker_complaint: str


@dataclass(frozen=True, slots=True)
class Deadline:
    """A session that is not shipped, and when Claude Code deletes it, in seconds since the epoch."""

    session_id: str
    at: float


@dataclass(frozen=True, slots=True)
class Facts:
    """What was found. What could not be looked at is None, and its `..._error` says why; times are epoch seconds."""

    now: float
    client: Client | None
    hooks: tuple[Placed, ...] = ()
    plugins: tuple[str, ...] = ()
    settings_errors: tuple[str, ...] = ()
    hooks_disabled_in: Path | None = None
    probes: tuple[Probe, ...] = ()
    config: Config | None = None
    config_error: str | None = None
    excluded: bool = False
    servers: tuple[Server, ...] = ()
    state_error: str | None = None
    survey: Survey | None = None
    waiting: tuple[float, ...] = ()
    deadlines: tuple[Deadline, ...] = ()
    sdk: tuple[int, ...] = ()


def gather(environ: Mapping[str, str], project: Path) -> Facts:
    """Look at what there is for somebody who works in a project folder; takes a few seconds at most."""
    claude_dir = config_dir(environ)
    files, errors = _settings(claude_dir, project)
    hooks = tuple(Placed(file, it) for file, found in files.items() for it in registration.registered(found))
    settings, config_error = _config(_environ_of_hook(environ, files.values()))
    state_error, found, waiting = _state(settings)
    return Facts(
        now=time.time(),
        client=find_client(environ),
        hooks=hooks,
        plugins=(*_plugins(files.values()), *(name for name in linked_plugins(claude_dir) if name == "ccship")),
        settings_errors=tuple(errors),
        hooks_disabled_in=next((file for file, it in files.items() if it.get("disableAllHooks") is True), None),
        probes=tuple(_probe(command) for command in dict.fromkeys(it.registered.command for it in hooks)),
        config=settings.for_project(str(project)) if settings else None,
        config_error=config_error,
        excluded=settings is not None and settings.for_project(str(project)) is None,
        servers=_servers(settings),
        state_error=state_error,
        survey=found,
        waiting=waiting,
        deadlines=tuple(_deadlines(found, _cleanup_days(files.values()))) if found else (),
        sdk=tuple(int(part) for part in version("langfuse").split(".")[:3] if part.isdecimal()),
    )


def _settings(claude_dir: Path, project: Path) -> tuple[dict[Path, dict[str, Any]], list[str]]:
    """The settings files by their path, the weakest first, and what is wrong with those that cannot be read."""
    files: dict[Path, dict[str, Any]] = {}
    errors = []
    for path in dict.fromkeys(settings_file(scope, claude_dir, project) for scope in SCOPES):
        try:
            text = read_settings(path)
            if text is not None:
                files[path] = registration.parse(text)
        except ConfigError as error:
            errors.append(str(error) if str(path) in str(error) else f"{path}: {error}")
    return files, errors


def _environ_of_hook(environ: Mapping[str, str], settings: Any) -> dict[str, str]:
    """The environment that Claude Code gives to a hook: its own, and the `env` of its settings over it."""
    merged = dict(environ)
    for found in settings:
        merged |= {name: str(value) for name, value in found.get("env", {}).items()}
    return merged


def _plugins(settings: Any) -> list[str]:
    enabled: dict[str, Any] = {}
    for found in settings:
        plugins = found.get("enabledPlugins")
        enabled |= plugins if isinstance(plugins, dict) else {}
    return [name for name, on in enabled.items() if on and name.partition("@")[0] == "ccship"]


def _config(environ: Mapping[str, str]) -> tuple[Config | None, str | None]:
    try:
        settings = config.load(environ)
        for route in settings.routes:
            _ = route.config
    except ConfigError as error:
        return None, str(error)
    return settings, None


def _probe(command: str) -> Probe:
    """Run a registered command as a desktop's client would, with a payload that asks for nothing."""
    environ = {name: os.environ[name] for name in ("HOME", "UV_CACHE_DIR", "XDG_CACHE_HOME") if name in os.environ}
    began = time.monotonic()
    complaint = _complaint(["/bin/sh", "-c", command], environ)
    seconds = time.monotonic() - began
    words = shlex.split(command) if complaint == "" else []
    is_fast_form = words[1:3] == ["-I", "-S"]
    worker = _complaint([words[0], "-c", "import ccship.worker"], environ) if is_fast_form else ""
    return Probe(command, complaint, seconds, worker)


def _complaint(command: list[str], environ: Mapping[str, str]) -> str:
    """What a command prints, which should be nothing, in one line; the last one tells most."""
    try:
        done = subprocess.run(  # noqa: S603 - what the person's own settings run at every turn
            command, input=b"{}", capture_output=True, env=dict(environ), cwd="/", timeout=_PROBE_TIMEOUT_S, check=False
        )
    except subprocess.TimeoutExpired:
        return f"it did not end within {_PROBE_TIMEOUT_S} s"
    except OSError as error:
        return str(error.strerror)
    lines = (done.stdout + done.stderr).decode("utf-8", "replace").strip().splitlines()
    return lines[-1] if lines else f"exit code {done.returncode}" if done.returncode else ""


def _servers(settings: Config | None) -> tuple[Server, ...]:
    if settings is None:
        return ()
    places = {it.destination: it for it in (settings, *(route.config for route in settings.routes)) if it.has_keys}
    with ThreadPoolExecutor() as pool:
        return tuple(pool.map(ask, places.values()))


def _state(settings: Config | None) -> tuple[str | None, Survey | None, tuple[float, ...]]:
    """What is wrong with the state folder, what is in it, and since when requests wait there."""
    if settings is None:
        return None, None, ()
    try:
        if settings.state_dir.exists():
            private(settings.state_dir)
        found = survey(settings)
    except StateError as error:
        return str(error), None, ()
    waiting = [
        min(path.stat().st_mtime for path in pending.files if path.exists())
        for pending in Pending.of(settings.requests_dir)
        if any(path.exists() for path in pending.files)
    ]
    return None, found, tuple(waiting)


def _cleanup_days(settings: Any) -> int:
    days = [found["cleanupPeriodDays"] for found in settings if isinstance(found.get("cleanupPeriodDays"), int)]
    return days[-1] if days else _DEFAULT_CLEANUP_DAYS


def _deadlines(found: Survey, days: int) -> list[Deadline]:
    """Sessions that are not shipped, with the day on which Claude Code deletes them."""
    unfinished = {
        session.session_id: session.files
        for standings in found.destinations
        for session in standings.sessions
        if session.books.pending and not session.gone
    }
    unread = {session.session_id: session.paths for session in found.unread}
    return [
        Deadline(session_id, max(path.stat().st_mtime for path in files if path.exists()) + days * 86_400)
        for session_id, files in {**unread, **unfinished}.items()
        if any(path.exists() for path in files)
    ]
