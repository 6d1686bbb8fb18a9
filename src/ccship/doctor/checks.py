"""The checks: each says what is wrong, with the one line that mends it, or nothing.

Pure functions of the facts. To add one: a function and its row in `CHECKS`.
"""

from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass

from ccship import registration
from ccship.doctor.facts import Facts
from ccship.sinks import MIN_SDK

SDK_BELOW = (6,)
"""From this Langfuse SDK on ccship is not tested, as `pyproject.toml` has it."""

MIN_SERVER = (3, 22)
"""The first Langfuse server that takes OpenTelemetry."""

_LONGEST_START_S = 3.0
_WAITING_S = 600.0
"""A worker lives two minutes, and the next one takes up what it left."""

_SOON_S = 3 * 86_400.0
_CLOCK_S = 300.0


@dataclass(frozen=True, slots=True)
class Finding:
    """What is wrong, and what to do about it: a command where there is one."""

    problem: str
    mend: str


def client(facts: Facts) -> Finding | None:
    """Somebody must run the hook."""
    if facts.client is None:
        return Finding("no `claude` on the PATH", "install Claude Code, or put it on the PATH")
    if facts.client.version is None:
        return Finding(f"{facts.client.path} does not tell its version", f"{facts.client.path} --version")
    return None


def settings(facts: Facts) -> Finding | None:
    """A broken file is no settings at all to Claude Code."""
    return Finding("; ".join(facts.settings_errors), "mend the file") if facts.settings_errors else None


def registered(facts: Facts) -> Finding | None:
    """At all the events that together reach every turn."""
    if facts.plugins:
        return None
    missing = [event for event in registration.EVENTS if event not in {it.registered.event for it in facts.hooks}]
    if len(missing) == len(registration.EVENTS):
        return Finding("the hook is not registered", "ccship install")
    return Finding(f"the hook is not registered at {', '.join(missing)}", "ccship install") if missing else None


def registered_once(facts: Facts) -> Finding | None:
    """Claude Code runs identical commands once, but others side by side."""
    commands: defaultdict[str, set[str]] = defaultdict(set)
    for it in facts.hooks:
        commands[it.registered.event].add(it.registered.command)
    twice = [event for event, found in commands.items() if len(found) + len(facts.plugins) > 1]
    if not twice:
        return None
    places = [*dict.fromkeys(str(it.file) for it in facts.hooks), *(f"plugin {name}" for name in facts.plugins)]
    return Finding(
        f"the hook runs more than once at {', '.join(twice)}: {' and '.join(places)}",
        "ccship uninstall --scope project (or local, or user; or disable the plugin), so that one is left",
    )


def known_events(facts: Facts) -> Finding | None:
    """Up to 2.1.100 one unknown event silently disables the whole settings file."""
    version = facts.client.version if facts.client else None
    if version is None:
        return None
    known = registration.events_of(version)
    unknown = {it.registered.event for it in facts.hooks} & registration.LATER_EVENTS.keys() - set(known)
    if not unknown:
        return None
    return Finding(f"this client does not know {', '.join(unknown)}: it ignores the whole file", "ccship install")


def hooks_enabled(facts: Facts) -> Finding | None:
    """One word turns them all off."""
    if facts.hooks_disabled_in is None:
        return None
    return Finding("all hooks are disabled", f'remove "disableAllHooks" from {facts.hooks_disabled_in}')


def guarded(facts: Facts) -> Finding | None:
    """An exit code of 2 stops Claude from stopping."""
    bare = [it for it in facts.hooks if "|| exit 0" not in it.registered.command]
    return Finding(f"the command in {bare[0].file} does not end in `|| exit 0`", "ccship install") if bare else None


def runs_anywhere(facts: Facts) -> Finding | None:
    """The PATH is that of whatever started Claude Code: a desktop's is short."""
    broken = next((probe for probe in facts.probes if probe.complaint), None)
    return Finding(f"outside your shell the hook says: {broken.complaint}", "ccship install") if broken else None


def warm(facts: Facts) -> Finding | None:
    """A script's environment is made when it first runs; a session would wait for it."""
    slow = next((probe for probe in facts.probes if probe.seconds > _LONGEST_START_S), None)
    if slow is None:
        return None
    return Finding(f"the hook took {slow.seconds:.1f} s; its environment is made now", "ccship doctor, once more")


def worker(facts: Facts) -> Finding | None:
    """The hook needs nothing but Python; what it starts needs everything."""
    broken = next((probe for probe in facts.probes if probe.worker_complaint), None)
    if broken is None:
        return None
    return Finding(f"the hook's Python cannot load the worker: {broken.worker_complaint}", "ccship install")


def configuration(facts: Facts) -> Finding | None:
    """As the hook gets it: the environment and the `env` of the settings."""
    return Finding(facts.config_error, "ccship config") if facts.config_error else None


def opted_in(facts: Facts) -> Finding | None:
    """Nothing is sent without consent."""
    if facts.excluded:
        return Finding("this folder is one of those that are never shipped", "look for it in CC_LANGFUSE_EXCLUDE")
    if facts.config is None or facts.config.opted_in:
        return None
    return Finding("no consent to send what happens in this folder", "ccship install --opt-in")


def keys(facts: Facts) -> Finding | None:
    """Without them there is nothing to send to."""
    if facts.config is None or facts.config.has_keys:
        return None
    return Finding("no keys", "set LANGFUSE_PUBLIC_KEY and LANGFUSE_SECRET_KEY (or their _FILE) where Claude Code runs")


def server_answers(facts: Facts) -> Finding | None:
    """It is there, and it is Langfuse."""
    for server in facts.servers:
        if server.error is not None:
            return Finding(f"{server.base_url} does not answer ({server.error})", "check LANGFUSE_BASE_URL")
        if server.version is None:
            said = f"no Langfuse at {server.base_url} (health says {server.health_status})"
            return Finding(said, "check LANGFUSE_BASE_URL")
    return None


def keys_accepted(facts: Facts) -> Finding | None:
    """They belong to a project of that server."""
    for server in facts.servers:
        if server.error is None and server.version is not None and server.keys_status != 200:  # noqa: PLR2004 - OK
            problem = f"{server.base_url} does not accept the keys of destination {server.name} ({server.keys_status})"
            return Finding(problem, "copy both keys anew from the project's settings in Langfuse")
    return None


def server_version(facts: Facts) -> Finding | None:
    """It knows the endpoint that spans go to."""
    for server in facts.servers:
        version = _numbers(server.version or "")
        if version and version < MIN_SERVER:
            needed = ".".join(map(str, MIN_SERVER))
            return Finding(f"{server.base_url} is Langfuse {server.version}", f"update it to {needed} or later")
    return None


def clock(facts: Facts) -> Finding | None:
    """Times come from here; a span of the future is not shown."""
    for server in facts.servers:
        if abs(server.ahead_s) > _CLOCK_S:
            way = "behind" if server.ahead_s > 0 else "ahead of"
            return Finding(f"this clock is {abs(server.ahead_s):,.0f} s {way} {server.base_url}", "set the clock")
    return None


def state(facts: Facts) -> Finding | None:
    """Private, readable, of this version."""
    return Finding(facts.state_error, "see what it says; `ccship status` is fine then") if facts.state_error else None


def backlog(facts: Facts) -> Finding | None:
    """What hooks asked for and no worker has done."""
    behind = [since for since in facts.waiting if facts.now - since > _WAITING_S]
    if not behind:
        return None
    minutes = (facts.now - min(behind)) / 60
    return Finding(f"sessions that wait: {len(behind)}, the longest for {minutes:,.0f} minutes", "ccship backfill")


def last_error(facts: Facts) -> Finding | None:
    """What failed the last time."""
    found = facts.survey.destinations if facts.survey else ()
    errors = Counter(it.last_error for standings in found for it in standings.sessions if it.last_error)
    if not errors:
        return None
    error, count = errors.most_common(1)[0]
    return Finding(f"sessions that failed last time: {count}, with: {error}", "ccship backfill")


def dead_letters(facts: Facts) -> Finding | None:
    """What the server refused for good."""
    found = facts.survey.destinations if facts.survey else ()
    letters = [letter for standings in found for letter in standings.dead_letters]
    if not letters:
        return None
    return Finding(
        f"observations that were refused: {len(letters)}, the first: {letters[0].reason}", "ccship backfill --resend"
    )


def deletion(facts: Facts) -> Finding | None:
    """Claude Code deletes transcripts after `cleanupPeriodDays`; what was not shipped by then is lost."""
    soon = [it for it in facts.deadlines if it.at - facts.now < _SOON_S]
    if not soon:
        return None
    days = max(0.0, (min(it.at for it in soon) - facts.now) / 86_400)
    return Finding(
        f"unshipped sessions that Claude Code deletes: {len(soon)}, the first in {days:.1f} days", "ccship backfill"
    )


def known_records(facts: Facts) -> Finding | None:
    """A newer client may write what this version does not read."""
    found = facts.survey.destinations if facts.survey else ()
    kinds: Counter[str] = Counter()
    for standings in found:
        kinds.update({kind: n for kind, n in standings.books.ignored.items() if kind.startswith("unknown:")})
    if not kinds:
        return None
    names = ", ".join(kind.removeprefix("unknown:") for kind, _ in kinds.most_common(3))
    return Finding(f"records of types that nobody knows here: {kinds.total()} ({names})", "update ccship")


def sdk(facts: Facts) -> Finding | None:
    """The one that ccship is tested with."""
    if MIN_SDK <= facts.sdk < SDK_BELOW:
        return None
    version = ".".join(map(str, facts.sdk))
    return Finding(f"Langfuse's SDK is {version}", "install ccship anew: `uv tool install --force ccship`")


@dataclass(frozen=True, slots=True)
class Check:
    """A check and what is well when it finds nothing. Without what it `needs` there is nothing to judge."""

    name: str
    find: Callable[[Facts], Finding | None]
    needs: Callable[[Facts], object] = lambda _: True


def _hooks(facts: Facts) -> object:
    return facts.hooks


def _servers(facts: Facts) -> object:
    return facts.servers


def _answers(facts: Facts) -> object:
    return facts.servers and server_answers(facts) is None


def _survey(facts: Facts) -> object:
    return facts.survey


def _config(facts: Facts) -> object:
    return facts.config or facts.excluded


CHECKS = (
    Check("Claude Code is there", client),
    Check("its settings can be read", settings),
    Check("hooks are enabled", hooks_enabled),
    Check("the hook is registered", registered),
    Check("it is registered once", registered_once, _hooks),
    Check("the client knows its events", known_events, _hooks),
    Check("it can never block Claude", guarded, _hooks),
    Check("it runs whatever the PATH", runs_anywhere, _hooks),
    Check("it starts at once", warm, _hooks),
    Check("it can load the worker", worker, _hooks),
    Check("the configuration is right", configuration),
    Check("you opted in", opted_in, _config),
    Check("there are keys", keys, _config),
    Check("the server answers", server_answers, _servers),
    Check("it accepts the keys", keys_accepted, _answers),
    Check("it is new enough", server_version, _answers),
    Check("the clocks agree", clock, _answers),
    Check("the SDK is the right one", sdk),
    Check("the state is safe", state, _config),
    Check("nobody waits", backlog, _survey),
    Check("nothing failed", last_error, _survey),
    Check("nothing was refused", dead_letters, _survey),
    Check("nothing is deleted unshipped", deletion, _survey),
    Check("all records are known", known_records, _survey),
)


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".")[:2] if part.isdecimal())
