"""The checks: each returns a problem with its fix, or None.

Pure functions of the facts. To add one, write a function and add a row to `CHECKS`.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass

from ccship.claude_code import registration
from ccship.doctor.facts import Facts
from ccship.doctor.finding import Finding
from ccship.doctor.server_checks import (
    clock,
    endpoint_names,
    endpoints_accept,
    keys_accepted,
    keys_match,
    priced,
    project_names,
    server_answers,
    server_version,
)
from ccship.observations.line_outcomes import Unknown
from ccship.sinks import MIN_SDK

SDK_BELOW = (6,)
"""The first Langfuse SDK version that ccship does not support; the same as in `pyproject.toml`."""

_LONGEST_START_S = 3.0
_WAITING_S = 600.0
"""A request older than this is a backlog: a worker runs for two minutes, and the next one continues."""

_SOON_S = 3 * 86_400.0


def client(facts: Facts) -> Finding | None:
    """Claude Code is installed and prints its version."""
    if facts.client is None:
        return Finding("claude is not on the PATH", "install Claude Code, or add it to PATH")
    if facts.client.version is None:
        return Finding(f"{facts.client.path} prints no version", f"run `{facts.client.path} --version` to see why")
    return None


def settings(facts: Facts) -> Finding | None:
    """Claude Code can parse its settings files; it ignores one that it cannot parse."""
    return Finding("; ".join(facts.settings_errors), "correct the file") if facts.settings_errors else None


def registered(facts: Facts) -> Finding | None:
    """The hook, or a plugin, handles all the events that together reach every turn."""
    if facts.plugins:
        return None
    missing = [event for event in registration.EVENTS if event not in {hook.registered.event for hook in facts.hooks}]
    if len(missing) == len(registration.EVENTS):
        return Finding("the hook is not registered", _install(facts))
    return Finding(f"the hook is not registered for {', '.join(missing)}", _install(facts)) if missing else None


def registered_once(facts: Facts) -> Finding | None:
    """No event runs the hook twice: Claude Code runs identical commands once, but different ones all."""
    commands: defaultdict[str, set[str]] = defaultdict(set)
    for hook in facts.hooks:
        commands[hook.registered.event].add(hook.registered.command)
    twice = [event for event, distinct in commands.items() if len(distinct) + len(facts.plugins) > 1]
    if not twice:
        return None
    places = [*dict.fromkeys(str(hook.file) for hook in facts.hooks), *(f"plugin {name}" for name in facts.plugins)]
    return Finding(
        f"the hook runs more than once for {', '.join(twice)}: {' and '.join(places)}",
        "keep one: ccship uninstall --scope project (or local, or user), or disable the plugin",
    )


def known_events(facts: Facts) -> Finding | None:
    """Claude Code supports all registered events: up to 2.1.100, an unknown one disables the whole settings file."""
    version = facts.client.version if facts.client else None
    if version is None:
        return None
    known = registration.events_of(version)
    unknown = {hook.registered.event for hook in facts.hooks} & registration.LATER_EVENTS.keys() - set(known)
    if not unknown:
        return None
    return Finding(
        f"this Claude Code does not support {', '.join(unknown)} and ignores the whole settings file", _install(facts)
    )


def hooks_enabled(facts: Facts) -> Finding | None:
    """No settings file sets `disableAllHooks`."""
    if facts.hooks_disabled_in is None:
        return None
    return Finding(
        f"{facts.hooks_disabled_in} disables all hooks", f'remove "disableAllHooks" from {facts.hooks_disabled_in}'
    )


def own(facts: Facts) -> Finding | None:
    """Every registered command is the one of this installation. `doctor` runs no other: it may do harm."""
    others = list(
        dict.fromkeys((hook.file, hook.scope, hook.registered.command) for hook in facts.hooks if not hook.is_own)
    )
    if not others:
        return None
    commands = [
        # as JSON, which escapes control characters: they could change the terminal
        f"{file}: {json.dumps(command)}{'' if '|| exit 0' in command else ' (can block Claude)'}"
        for file, _, command in others
    ]
    shared = next((scope for _, scope, _ in others if scope != "user"), None)
    return Finding(
        f"not run, because `ccship install` did not write this command: {'; '.join(commands)}",
        _install(facts)
        if shared is None
        else f"read it, it may come from the project's author; to remove it: ccship uninstall --scope {shared}",
    )


def runs_anywhere(facts: Facts) -> Finding | None:
    """The hook runs without the PATH of a shell: Claude Code started from a desktop has a short one."""
    if facts.probe is None or not facts.probe.complaint:
        return None
    return Finding(f"run outside your shell, the hook prints: {facts.probe.complaint}", facts.probe.remedy)


def warm(facts: Facts) -> Finding | None:
    """The hook starts fast: uv creates the environment of a script at its first run, which delays a session."""
    if facts.probe is None or facts.probe.seconds <= _LONGEST_START_S:
        return None
    return Finding(
        f"the hook took {facts.probe.seconds:.1f} s to start, if only to create its environment", "rerun ccship doctor"
    )


def worker(facts: Facts) -> Finding | None:
    """The hook's worker starts: unlike the hook, it imports all dependencies."""
    if facts.probe is None or not facts.probe.worker_complaint:
        return None
    return Finding(f"the hook's worker does not start: {facts.probe.worker_complaint}", facts.probe.remedy)


def configuration(facts: Facts) -> Finding | None:
    """The settings are valid, in the environment that a hook has."""
    return Finding(facts.config_error, "correct the setting; ccship config lists all") if facts.config_error else None


def opted_in(facts: Facts) -> Finding | None:
    """The user has opted in to sending from this folder."""
    if facts.excluded:
        return Finding(
            "this folder is excluded from sending", "to send it, remove its pattern from CC_LANGFUSE_EXCLUDE"
        )
    if facts.config is None or facts.config.opted_in:
        return None
    return Finding("sending is not enabled for this folder", "ccship install --opt-in")


def keys(facts: Facts) -> Finding | None:
    """The destination of this folder has keys."""
    if facts.config is None or facts.config.can_send:
        return None
    if refusal := facts.config.refusal:
        return Finding(refusal.problem, refusal.fix)
    return Finding(
        "no keys are set",
        "set LANGFUSE_PUBLIC_KEY and LANGFUSE_SECRET_KEY (or their _FILE variables) where Claude Code runs",
    )


def ignored(facts: Facts) -> Finding | None:
    """No repository or variable tries to loosen a privacy setting."""
    if facts.config is None or not facts.config.ignored:
        return None
    return Finding("; ".join(facts.config.ignored), "remove it or correct it; a privacy setting can be in config.toml")


def state(facts: Facts) -> Finding | None:
    """The state folder is private, readable and of a supported version."""
    return (
        Finding(facts.state_error, "follow the message, then check with `ccship status`") if facts.state_error else None
    )


def backlog(facts: Facts) -> Finding | None:
    """No request of a hook is overdue."""
    behind = [since for since in facts.waiting if facts.now - since > _WAITING_S]
    if not behind:
        return None
    minutes = (facts.now - min(behind)) / 60
    return Finding(
        f"sessions waiting to be sent: {len(behind)}, the oldest for {minutes:,.0f} minutes", "ccship backfill"
    )


def last_error(facts: Facts) -> Finding | None:
    """No session failed when it was last sent."""
    destinations = facts.overview.destinations if facts.overview else ()
    errors = Counter(session.last_error for status in destinations for session in status.sessions if session.last_error)
    if not errors:
        return None
    error, count = errors.most_common(1)[0]
    return Finding(f"sessions that failed: {count}, with: {error}", "ccship backfill")


def dead_letters(facts: Facts) -> Finding | None:
    """The server refused no observation."""
    destinations = facts.overview.destinations if facts.overview else ()
    letters = [letter for status in destinations for letter in status.dead_letters]
    if not letters:
        return None
    return Finding(f"refused observations: {len(letters)}, the first: {letters[0].reason}", "ccship backfill --resend")


def deletion(facts: Facts) -> Finding | None:
    """No unshipped transcript is near its deletion, which Claude Code does after `cleanupPeriodDays`."""
    soon = [deadline for deadline in facts.deadlines if deadline.at - facts.now < _SOON_S]
    if not soon:
        return None
    days = max(0.0, (min(deadline.at for deadline in soon) - facts.now) / 86_400)
    return Finding(
        f"unshipped sessions that Claude Code will delete: {len(soon)}, the first in {days:.1f} days", "ccship backfill"
    )


def known_records(facts: Facts) -> Finding | None:
    """Every record has a known type: a newer Claude Code may write others."""
    destinations = facts.overview.destinations if facts.overview else ()
    kinds = Counter[Unknown]()
    for status in destinations:
        kinds.update(status.counts.unknown)
    if not kinds:
        return None
    names = ", ".join(f"{kind.version}:{kind.type}" for kind, _ in kinds.most_common(3))
    return Finding(f"records of unknown types: {kinds.total()} ({names})", "update ccship")


def sdk(facts: Facts) -> Finding | None:
    """The Langfuse SDK is of a supported version."""
    if MIN_SDK <= facts.sdk < SDK_BELOW:
        return None
    version = ".".join(map(str, facts.sdk))
    return Finding(f"the Langfuse SDK is {version}, not supported", "reinstall: `uv tool install --force ccship`")


@dataclass(frozen=True, slots=True)
class Check:
    """A check, named by the condition that it verifies.

    `find` returns the problem, or None. `detail`: text to print if there is none. `needs`: whether the facts that the
    check depends on are available; it is skipped otherwise.
    """

    name: str
    find: Callable[[Facts], Finding | None]
    needs: Callable[[Facts], object] = lambda _: True
    detail: Callable[[Facts], str] = lambda _: ""


def _hooks(facts: Facts) -> object:
    return facts.hooks


def _own(facts: Facts) -> object:
    return any(hook.is_own for hook in facts.hooks)


def _servers(facts: Facts) -> object:
    return facts.servers


def _endpoints(facts: Facts) -> object:
    return facts.endpoints


def _answers(facts: Facts) -> object:
    return facts.servers and server_answers(facts) is None


def _accepts_keys(facts: Facts) -> object:
    return _answers(facts) and keys_accepted(facts) is None


def _overview(facts: Facts) -> object:
    return facts.overview


def _config(facts: Facts) -> object:
    return facts.config or facts.excluded


CHECKS = (
    Check("Claude Code installed", client),
    Check("settings readable", settings),
    Check("hooks enabled", hooks_enabled),
    Check("hook registered", registered),
    Check("hook registered once", registered_once, _hooks),
    Check("hook events supported", known_events, _hooks),
    Check("hook command is ccship's", own, _hooks),
    Check("hook runs outside a shell", runs_anywhere, _own),
    Check("hook starts fast", warm, _own),
    Check("worker starts", worker, _own),
    Check("configuration valid", configuration),
    Check("sending enabled", opted_in, _config),
    Check("keys set", keys, _config),
    Check("no setting ignored", ignored, _config),
    Check("server reachable", server_answers, _servers),
    Check("endpoints take spans", endpoints_accept, _endpoints, endpoint_names),
    Check("keys accepted", keys_accepted, _answers, project_names),
    Check("keys belong together", keys_match, _accepts_keys),
    Check("model prices known", priced, _accepts_keys),
    Check("server version supported", server_version, _answers),
    Check("clocks agree", clock, _answers),
    Check("SDK version supported", sdk),
    Check("state folder usable", state, _config),
    Check("no backlog", backlog, _overview),
    Check("no failed sessions", last_error, _overview),
    Check("no refused observations", dead_letters, _overview),
    Check("no expiring sessions", deletion, _overview),
    Check("record types known", known_records, _overview),
)


def _install(facts: Facts) -> str:
    """Return the fix that registers a working hook: `ccship install`, unless this installation is broken."""
    return facts.probe.remedy if facts.probe else "ccship install"
