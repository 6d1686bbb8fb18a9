"""Assigns sessions to destinations, for the hook's worker and the backfill."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from ccship.config import Config
from ccship.errors import ConfigError
from ccship.transcript.discover import Session, cwd_of


@dataclass(slots=True)
class Destination:
    """A destination and its sessions, in the given order."""

    settings: Config
    sessions: list[Session] = field(default_factory=list)

    @property
    def title(self) -> str:
        """The destination's name in messages."""
        return title_of(self.settings.name)

    def without_keys(self, consequence: str) -> str:
        """Return the message that keys are missing, with the consequence for its sessions."""
        refusal = self.settings.refusal
        return f"{self.title}: {consequence}: {refusal}" if refusal else f"no keys for {self.title}: {consequence}"


def title_of(name: str) -> str:
    """Return a destination's name in messages."""
    return "the default destination" if name == "default" else f"destination {name}"


def destination_of(settings: Config, session: Session) -> Config | None:
    """Return the settings for a session by the folder in which it began; None if it is excluded.

    Raises:
        ConfigError: The settings of its destination are invalid.
    """
    if not settings.routes and not settings.exclude:
        return settings  # skips reading the file
    return settings.for_project(cwd_of(session))


def also_of(settings: Config, session: Session, problems: list[str]) -> list[Config] | None:
    """Return the settings of the further destinations of a session; None while its folder is unknown.

    `problems`: gets the errors of those whose settings are invalid; they do not concern the others.
    """
    if (cwd := cwd_of(session)) is None:
        return None
    try:
        first = destination_of(settings, session)
    except ConfigError:
        first = None  # does not concern the others
    found: dict[str, Config] = {}
    for route in settings.also_for_project(cwd):
        try:
            found.setdefault(route.config.destination, route.config)
        except ConfigError as error:
            problems.append(str(error))
    return [each for each in found.values() if first is None or each.destination != first.destination]


def by_destination(
    settings: Config, sessions: Iterable[Session], *, only_first: bool = False
) -> tuple[list[Destination], Counter[str]]:
    """Return the destinations of sessions, and the number of sessions that each pattern excludes.

    `only_first`: without further destinations. A default destination without keys does not count if there are others.

    Raises:
        ConfigError: The settings of a destination are invalid.
    """
    found: dict[int, Destination] = {}
    excluded: Counter[str] = Counter()
    for session in sessions:
        own = destination_of(settings, session)
        if own is None:
            pattern = settings.excluded_by(cwd_of(session))
            excluded[pattern.text if pattern else ""] += 1
        else:
            further = _further(settings, session) if not only_first and settings.routes else []
            first = [] if further and own is settings and not (own.can_send or own.refusal) else [own]
            for each in (*first, *further):
                found.setdefault(id(each), Destination(each)).sessions.append(session)
    return list(found.values()), excluded


def _further(settings: Config, session: Session) -> list[Config]:
    problems: list[str] = []
    further = also_of(settings, session, problems) or []
    if problems:
        raise ConfigError(problems[0])
    return further
