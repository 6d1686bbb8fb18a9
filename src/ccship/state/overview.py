"""The status of every session: the state compared with the files on disk. Reads only."""

import os
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from ccship.config import Config
from ccship.errors import ConfigError
from ccship.observations.line_outcomes import RecordCounts
from ccship.state import DeadLetter
from ccship.state.rows import Checkpoint
from ccship.state.snapshot import Account, accounts, record_counts
from ccship.transcript.discover import Session, cwd_of, sessions_of
from ccship.transcript.files import open_transcript, printable


@dataclass(slots=True)
class SessionStatus:
    """The status of one session at one destination."""

    session_id: str
    project: str
    files: tuple[Path, ...]
    counts: RecordCounts = field(default_factory=RecordCounts)
    shipped_at: float | None = None
    last_error: str | None = None

    @property
    def gone(self) -> bool:
        """Whether Claude Code has deleted its files."""
        return not any(path.exists() for path in self.files)

    @property
    def is_complete(self) -> bool:
        """Whether nothing is pending and nothing failed."""
        return not (self.counts.pending or self.counts.dead_lettered or self.last_error)


@dataclass(frozen=True, slots=True)
class DestinationStatus:
    """One destination with its sessions, the latest shipped first.

    `account`: its public key, or the name of a destination without one. `name`: in the settings; None if it is not in
    them any more. `retry_at`: no attempt before this time.
    """

    base_url: str
    account: str
    name: str | None
    retry_at: float | None
    sessions: tuple[SessionStatus, ...]
    dead_letters: tuple[DeadLetter, ...]

    @property
    def counts(self) -> RecordCounts:
        """The counts of all its sessions."""
        total = RecordCounts()
        for session in self.sessions:
            total.add(session.counts)
        return total

    @property
    def shipped_at(self) -> float | None:
        """The time of its last accepted span."""
        return max((session.shipped_at for session in self.sessions if session.shipped_at), default=None)


@dataclass(frozen=True, slots=True)
class Overview:
    """The status of all destinations and files.

    `unread`: sessions on disk that no run has read. `excluded`: sessions that are never sent. `problems`: unreadable
    files, with the reason.
    """

    destinations: tuple[DestinationStatus, ...]
    unread: tuple[Session, ...]
    excluded: tuple[Session, ...]
    problems: tuple[str, ...] = ()


def overview(settings: Config) -> Overview:
    """Return the status of the state and all transcripts.

    Raises:
        StateError: The state cannot be read.
    """
    found = accounts(settings.state_dir)
    known = {transcript.path for account in found for transcript in account.transcripts}
    on_disk = _on_disk(settings)
    rest = [session for session in on_disk if not any(os.path.realpath(path) in known for path in session.paths)]
    found = _with_unread(found, [session for session in on_disk if session not in rest], known)
    excluded = [session for session in rest if settings.exclude and settings.for_project(cwd_of(session)) is None]
    names = _names(settings)
    return Overview(
        tuple(_destination_status(account, names) for account in found if account.transcripts or account.retry_at),
        tuple(session for session in rest if session not in excluded),
        tuple(excluded),
        tuple(_problems(on_disk)),
    )


def _names(settings: Config) -> dict[str, str]:
    """Return the names of destinations by their names in the state, without those whose settings are invalid."""
    names = {settings.destination: settings.name}
    for route in settings.routes:
        with suppress(ConfigError):
            names.setdefault(route.config.destination, route.config.name)
    return names


def _with_unread(found: Iterable[Account], begun: Iterable[Session], known: set[str]) -> list[Account]:
    """Add new files of known sessions to the destination that received their last delivery."""
    found = list(found)
    for session in begun:
        paths = {os.path.realpath(path): path for path in session.paths}
        if new := paths.keys() - known:
            transcripts = [
                (transcript.shipped_at or 0, n)
                for n, account in enumerate(found)
                for transcript in account.transcripts
                if transcript.path in paths
            ]
            _, n = max(transcripts)
            states = tuple(Checkpoint(path, session.session_id) for path in sorted(new))
            found[n] = replace(found[n], transcripts=(*found[n].transcripts, *states))
    return found


def _problems(sessions: Iterable[Session]) -> Iterator[str]:
    for path in (path for session in sessions for path in session.paths):
        try:
            open_transcript(path).close()
        except OSError as error:
            yield f"{printable(path)} cannot be read: {error.strerror}"


def _on_disk(settings: Config) -> list[Session]:
    try:
        return sessions_of(settings.claude_dir)
    except ConfigError:
        return []  # Claude Code was never used here


def _destination_status(account: Account, names: Mapping[str, str]) -> DestinationStatus:
    sessions: defaultdict[str, list[Checkpoint]] = defaultdict(list)
    for transcript in account.transcripts:
        sessions[transcript.session].append(transcript)
    statuses = [_session_status(session_id, transcripts) for session_id, transcripts in sessions.items()]
    base_url, _, key = account.destination.partition(" ")
    return DestinationStatus(
        base_url,
        key,
        names.get(account.destination),
        account.retry_at,
        tuple(sorted(statuses, key=lambda session: (-(session.shipped_at or 0), session.session_id))),
        account.dead_letters,
    )


def _session_status(session_id: str, transcripts: list[Checkpoint]) -> SessionStatus:
    status = SessionStatus(
        session_id, _project(transcripts), tuple(Path(transcript.path) for transcript in transcripts)
    )
    for transcript in transcripts:
        status.counts.add(record_counts(transcript))
        status.shipped_at = max(filter(None, (status.shipped_at, transcript.shipped_at)), default=None)
        status.last_error = transcript.last_error or status.last_error
    return status


def _project(transcripts: list[Checkpoint]) -> str:
    """Return the name of Claude Code's folder for a project's sessions: its path with dashes."""
    path = Path(min((transcript.path for transcript in transcripts), key=len))
    parts = path.parts
    return parts[parts.index("projects") + 1].lstrip("-") if "projects" in parts[:-2] else path.parent.name
