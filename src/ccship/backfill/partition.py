"""Partitions sessions into parts that several processes may ship at the same time."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice

from ccship.config import Config
from ccship.config.routing import Destination
from ccship.transcript.discover import Session, ids_in

_SAMPLED_IDS = 32
"""Ids at the start of a session to index: a fork has some of the original's among them, after a few of its own."""


@dataclass(frozen=True, slots=True)
class Part:
    """Sessions that one process ships, oldest first, and their settings."""

    settings: Config
    sessions: tuple[Session, ...]

    @property
    def size(self) -> int:
        """The size of all their files, in bytes."""
        return sum(session.size for session in self.sessions)


def parts_of(destinations: Iterable[Destination], jobs: int) -> list[Part]:
    """Partition sessions: one part per destination, or with several jobs one per family of sessions.

    Sessions that share history stay in one part, because the first of them owns the shared turns. With several jobs,
    the largest part comes first, so that the processes end at about the same time.
    """
    parts = []
    for destination in destinations:
        # routing is done, and settings without it can be pickled for another process
        settings = replace(destination.settings, routes=(), exclude=())
        families = _families(destination.sessions) if jobs > 1 else [destination.sessions]
        parts += [Part(settings, tuple(sessions)) for sessions in families]
    return sorted(parts, key=lambda part: -part.size) if jobs > 1 else parts


def _families(sessions: Sequence[Session]) -> list[list[Session]]:
    """Group sessions that share record or call ids: forks and resumes copy earlier records."""
    family = list(range(len(sessions)))
    first_with: dict[bytes, int] = {}

    def join(one: int, other: int) -> None:
        kept, gone = sorted((family[one], family[other]))
        if kept != gone:
            family[:] = [kept if member == gone else member for member in family]

    for number, session in enumerate(sessions):
        for shared in islice(_ids(session), _SAMPLED_IDS):
            join(number, first_with.setdefault(shared, number))
    for number, session in enumerate(sessions):
        for shared in _ids(session):
            if shared in first_with:
                join(number, first_with[shared])
    families: dict[int, list[Session]] = {}
    for number, session in enumerate(sessions):
        families.setdefault(family[number], []).append(session)
    return list(families.values())


def _ids(session: Session) -> Iterator[bytes]:
    return ids_in(session.main) if session.main else iter(())
