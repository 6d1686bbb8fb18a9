"""Assigns sessions to destinations, for the hook's worker and the backfill."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from ccship.config import Config
from ccship.transcript.discover import Session, cwd_of


@dataclass(slots=True)
class Destination:
    """A destination and its sessions, in the given order."""

    settings: Config
    sessions: list[Session] = field(default_factory=list)

    @property
    def title(self) -> str:
        """The destination's name in messages."""
        name = self.settings.name
        return "the default destination" if name == "default" else f"destination {name}"

    def without_keys(self, consequence: str) -> str:
        """Return the message that keys are missing, with the consequence for its sessions."""
        refusal = self.settings.refusal
        return f"{self.title}: {consequence}: {refusal}" if refusal else f"no keys for {self.title}: {consequence}"


def destination_of(settings: Config, session: Session) -> Config | None:
    """Return the settings for a session by the folder in which it began; None if it is excluded.

    Raises:
        ConfigError: The settings of its destination are invalid.
    """
    if not settings.routes and not settings.exclude:
        return settings  # skips reading the file
    return settings.for_project(cwd_of(session))


def by_destination(settings: Config, sessions: Iterable[Session]) -> tuple[list[Destination], Counter[str]]:
    """Return the destinations of sessions, and the number of sessions that each pattern excludes.

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
            found.setdefault(id(own), Destination(own)).sessions.append(session)
    return list(found.values()), excluded
