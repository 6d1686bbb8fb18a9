"""Collects the facts for the checks: the settings that a hook has, Claude Code, the servers, the state."""

import time
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from ccship import config
from ccship.claude_code import own_hook, registration
from ccship.claude_code.installed import SCOPES, Client, Scope, config_dir, find_client, plugins_of, settings_file
from ccship.claude_code.own_hook import Probe
from ccship.claude_code.registration import Registered
from ccship.config import Config
from ccship.doctor.endpoint import Endpoint, try_endpoint
from ccship.doctor.server import Server, ask
from ccship.errors import ConfigError, StateError
from ccship.state.overview import Overview, overview
from ccship.storage import private
from ccship.worker.spool import Pending

_DEFAULT_CLEANUP_DAYS = 30


@dataclass(frozen=True, slots=True)
class HookEntry:
    """A ccship hook and the settings file that contains it. `is_own`: it runs the command of this installation."""

    file: Path
    scope: Scope
    registered: Registered
    is_own: bool


@dataclass(frozen=True, slots=True)
class _Settings:
    scope: Scope
    path: Path
    content: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Deadline:
    """The time at which Claude Code deletes an unshipped session, in epoch seconds."""

    session_id: str
    at: float


@dataclass(frozen=True, slots=True)
class Facts:
    """The collected facts. None where one is unavailable; its `..._error` is the reason. Times are epoch seconds."""

    now: float
    client: Client | None
    hooks: tuple[HookEntry, ...] = ()
    plugins: tuple[str, ...] = ()
    settings_errors: tuple[str, ...] = ()
    hooks_disabled_in: Path | None = None
    probe: Probe | None = None
    config: Config | None = None
    config_error: str | None = None
    excluded: bool = False
    servers: tuple[Server, ...] = ()
    endpoints: tuple[Endpoint, ...] = ()
    state_error: str | None = None
    overview: Overview | None = None
    waiting: tuple[float, ...] = ()
    deadlines: tuple[Deadline, ...] = ()
    sdk: tuple[int, ...] = ()


def gather(environ: Mapping[str, str], project: Path) -> Facts:
    """Collect the facts for a project folder. Asks the servers; takes a few seconds at most."""
    claude_dir = config_dir(environ)
    client = find_client(environ)
    files, errors = _settings(claude_dir, project)
    contents = [file.content for file in files]
    hooks = tuple(
        HookEntry(file.path, file.scope, registered, _is_own(registered.command, file.scope))
        for file in files
        for registered in registration.registered(file.content)
    )
    settings, config_error = _config(_environ_of_hook(environ, contents, project))
    servers, endpoints = _servers(settings)
    state_error, state_overview, waiting = _state(settings)
    return Facts(
        now=time.time(),
        client=client,
        hooks=hooks,
        plugins=tuple(plugins_of(contents, claude_dir, client)),
        settings_errors=tuple(errors),
        hooks_disabled_in=next((file.path for file in files if file.content.get("disableAllHooks") is True), None),
        probe=own_hook.probe(own_hook.own_command()),
        config=_of_project(settings, str(project)) if settings else None,
        config_error=config_error,
        excluded=settings is not None and settings.for_project(str(project)) is None,
        servers=servers,
        endpoints=endpoints,
        state_error=state_error,
        overview=state_overview,
        waiting=waiting,
        deadlines=tuple(_deadlines(state_overview, _cleanup_days(contents))) if state_overview else (),
        sdk=tuple(int(part) for part in version("langfuse").split(".")[:3] if part.isdecimal()),
    )


def _settings(claude_dir: Path, project: Path) -> tuple[list[_Settings], list[str]]:
    """Return the settings files, lowest precedence first, and the errors of those that cannot be read."""
    files = []
    errors = []
    seen = set()
    for scope in SCOPES:
        file = settings_file(scope, claude_dir, project)
        if file.path in seen:
            continue  # in the home folder, user and project settings are the same file
        seen.add(file.path)
        try:
            text = file.read()
            if text is not None:
                files.append(_Settings(scope, file.path, registration.parse(text)))
        except ConfigError as error:
            errors.append(str(error) if str(file.path.parent) in str(error) else f"{file.path}: {error}")
    return files, errors


def _is_own(command: str, scope: Scope) -> bool:
    """Return whether a command is the one of this installation, byte for byte.

    User settings written by home-manager may load an environment file first. Project settings may not: the file could
    come from anyone.
    """
    return own_hook.own_command() == (registration.without_environment_file(command) if scope == "user" else command)


def _environ_of_hook(
    environ: Mapping[str, str], settings: Iterable[Mapping[str, Any]], project: Path
) -> dict[str, str]:
    """Return the environment of a hook: that of Claude Code, overridden by the `env` of its settings."""
    merged = dict(environ)
    for content in settings:
        merged |= {name: str(value) for name, value in content.get("env", {}).items()}
    return merged | {"CLAUDE_PROJECT_DIR": str(project)}


def _config(environ: Mapping[str, str]) -> tuple[Config | None, str | None]:
    try:
        settings = config.load(environ)
        for route in settings.routes:
            _ = route.config
    except ConfigError as error:
        return None, str(error)
    return settings, None


def _of_project(settings: Config, project: str) -> Config | None:
    """Return the settings of a project's first destination; a default one without keys does not count beside others."""
    first, further = settings.for_project(project), settings.also_for_project(project)
    has_no_keys = first is settings and not (first.can_send or first.refusal)
    return further[0].config if further and has_no_keys else first


def _servers(settings: Config | None) -> tuple[tuple[Server, ...], tuple[Endpoint, ...]]:
    """Ask the Langfuse servers that have keys, and the other endpoints. A refused further destination is a problem."""
    if settings is None:
        return (), ()
    destinations = {config.destination: config for config in _all(settings) if config.can_send}
    refused = [
        Endpoint(config.name, "", str(config.refusal)) for config in _all(settings) if config.also and config.refusal
    ]
    with_keys = [each for each in destinations.values() if each.kind == "langfuse" and not each.is_gateway]
    others = [each for each in destinations.values() if each not in with_keys]
    with ThreadPoolExecutor() as pool:
        servers, endpoints = pool.map(ask, with_keys), pool.map(try_endpoint, others)
        return tuple(servers), (*endpoints, *refused)


def _all(settings: Config) -> tuple[Config, ...]:
    return (settings, *(route.config for route in settings.routes))


def _state(settings: Config | None) -> tuple[str | None, Overview | None, tuple[float, ...]]:
    """Return the error of the state folder, or its overview and the time of the oldest request of each session."""
    if settings is None:
        return None, None, ()
    try:
        if settings.state_dir.exists():
            private(settings.state_dir)
        state_overview = overview(settings)
    except StateError as error:
        return str(error), None, ()
    waiting = [
        min(path.stat().st_mtime for path in pending.files if path.exists())
        for folder in dict.fromkeys(config.requests_dir for config in _all(settings))
        for pending in Pending.of(folder)
        if any(path.exists() for path in pending.files)
    ]
    return None, state_overview, tuple(waiting)


def _cleanup_days(settings: Iterable[Mapping[str, Any]]) -> int:
    days = [content["cleanupPeriodDays"] for content in settings if isinstance(content.get("cleanupPeriodDays"), int)]
    return days[-1] if days else _DEFAULT_CLEANUP_DAYS


def _deadlines(state_overview: Overview, days: int) -> list[Deadline]:
    """Return the deadline of each unshipped session: `days` after its last write."""
    unfinished = {
        session.session_id: session.files
        for status in state_overview.destinations
        for session in status.sessions
        if session.counts.pending and not session.gone
    }
    unread = {session.session_id: session.paths for session in state_overview.unread}
    return [
        Deadline(session_id, max(path.stat().st_mtime for path in files if path.exists()) + days * 86_400)
        for session_id, files in {**unread, **unfinished}.items()
        if any(path.exists() for path in files)
    ]
