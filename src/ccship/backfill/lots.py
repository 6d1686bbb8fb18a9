"""Which sessions have to be shipped one after the other, and which may be shipped at the same time."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice

from ccship.config import Config
from ccship.routing import Destination
from ccship.transcript.discover import Session, uuids_in

_FIRST = 16
"""A copy has records of the original among its first, after a few of its own."""


@dataclass(frozen=True, slots=True)
class Lot:
    """Sessions for one process, in the order in which they began, and what holds for them."""

    settings: Config
    sessions: tuple[Session, ...]

    @property
    def size(self) -> int:
        """Bytes of all their files."""
        return sum(session.size for session in self.sessions)


def lots_of(destinations: Iterable[Destination], jobs: int) -> list[Lot]:
    """For one process all sessions of a destination; for several, those that share history: the first one owns it.

    The largest come first, so that no process has to wait for another one at the end.
    """
    lots = []
    for destination in destinations:
        # the way to other destinations is decided by now, and what is left can be handed to another process
        settings = replace(destination.settings, routes=(), exclude=())
        families = _families(destination.sessions) if jobs > 1 else [destination.sessions]
        lots += [Lot(settings, tuple(sessions)) for sessions in families]
    return sorted(lots, key=lambda lot: -lot.size) if jobs > 1 else lots


def _families(sessions: Sequence[Session]) -> list[list[Session]]:
    """Sessions that share records, by their ids: forks and resumes copy what was there before."""
    family = list(range(len(sessions)))
    holder: dict[bytes, int] = {}

    def join(one: int, other: int) -> None:
        kept, gone = sorted((family[one], family[other]))
        if kept != gone:
            family[:] = [kept if it == gone else it for it in family]

    for number, session in enumerate(sessions):
        for uuid in islice(_uuids(session), _FIRST):
            join(number, holder.setdefault(uuid, number))
    for number, session in enumerate(sessions):
        for uuid in _uuids(session):
            if uuid in holder:
                join(number, holder[uuid])
    found: dict[int, list[Session]] = {}
    for number, session in enumerate(sessions):
        found.setdefault(family[number], []).append(session)
    return list(found.values())


def _uuids(session: Session) -> Iterator[bytes]:
    return uuids_in(session.main) if session.main else iter(())
