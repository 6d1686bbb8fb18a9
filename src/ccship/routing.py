"""Which session goes to which destination: the one decision that the hook's worker and the backfill share."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from ccship.config import Config
from ccship.transcript.discover import Session, cwd_of


@dataclass(slots=True)
class Destination:
    """A destination and the sessions that go there, in the order in which they were found."""

    settings: Config
    sessions: list[Session] = field(default_factory=list)

    @property
    def title(self) -> str:
        """What messages call it."""
        name = self.settings.name
        return "the default destination" if name == "default" else f"destination {name}"


def destination_of(settings: Config, session: Session) -> Config | None:
    """What holds for a session, by the folder it began in; None where that is excluded.

    Raises:
        ConfigError: the settings of its destination are wrong.
    """
    if not settings.routes and not settings.exclude:
        return settings  # nothing to decide: no need to look into the file
    return settings.for_project(cwd_of(session))


def by_destination(settings: Config, sessions: Iterable[Session]) -> tuple[list[Destination], Counter[str]]:
    """The destinations of sessions, and how many sessions each pattern excludes.

    Raises:
        ConfigError: the settings of one of the destinations are wrong.
    """
    found: dict[int, Destination] = {}
    excluded: Counter[str] = Counter()
    for session in sessions:
        own = destination_of(settings, session)
        if own is None:
            pattern = settings.excluded_by(cwd_of(session))
            excluded[pattern.text if pattern else ""] += 1
        else:
            found.setdefault(id(own), Destination(own)).sessions.append(session)
    return list(found.values()), excluded
