"""How far every session is: what the state says, held against what is on disk. Reads only."""

import os
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

from ccship.config import Config
from ccship.errors import ConfigError
from ccship.shares import Books
from ccship.state.books import Account, DeadLetter, accounts, books_of
from ccship.state.rows import TranscriptState
from ccship.transcript.discover import Session, cwd_of, sessions_of


@dataclass(slots=True)
class Standing:
    """One session at one destination."""

    session_id: str
    project: str
    files: tuple[Path, ...]
    books: Books = field(default_factory=Books)
    shipped_at: float | None = None
    last_error: str | None = None

    @property
    def gone(self) -> bool:
        """Whether Claude Code has deleted its files."""
        return not any(path.exists() for path in self.files)

    @property
    def is_complete(self) -> bool:
        """Whether nothing waits and nothing failed."""
        return not (self.books.pending or self.books.dead_lettered or self.last_error)


@dataclass(frozen=True, slots=True)
class Standings:
    """One destination: its sessions, those first that were shipped last. `retry_at`: it is left alone until then."""

    base_url: str
    public_key: str
    retry_at: float | None
    sessions: tuple[Standing, ...]
    dead_letters: tuple[DeadLetter, ...]

    @property
    def books(self) -> Books:
        """The books of all its sessions."""
        total = Books()
        for session in self.sessions:
            total.add(session.books)
        return total

    @property
    def shipped_at(self) -> float | None:
        """When something was accepted last."""
        return max((it.shipped_at for it in self.sessions if it.shipped_at), default=None)


@dataclass(frozen=True, slots=True)
class Survey:
    """Everything there is. `unread`: sessions on disk that were never begun; `excluded`: those that never will be."""

    destinations: tuple[Standings, ...]
    unread: tuple[Session, ...]
    excluded: tuple[Session, ...]


def survey(settings: Config) -> Survey:
    """Look at the state and at all transcripts.

    Raises:
        StateError: the state cannot be read.
    """
    found = accounts(settings.state_dir)
    known = {transcript.path for account in found for transcript in account.transcripts}
    rest = [it for it in _on_disk(settings) if not any(os.path.realpath(path) in known for path in it.paths)]
    excluded = [it for it in rest if settings.exclude and settings.for_project(cwd_of(it)) is None]
    return Survey(
        tuple(_standings(account) for account in found if account.transcripts or account.retry_at),
        tuple(it for it in rest if it not in excluded),
        tuple(excluded),
    )


def _on_disk(settings: Config) -> list[Session]:
    try:
        return sessions_of(settings.claude_dir)
    except ConfigError:
        return []  # nobody has used Claude Code here


def _standings(account: Account) -> Standings:
    sessions: defaultdict[str, list[TranscriptState]] = defaultdict(list)
    for transcript in account.transcripts:
        sessions[transcript.session].append(transcript)
    standings = [_standing(session_id, transcripts) for session_id, transcripts in sessions.items()]
    base_url, _, public_key = account.destination.partition(" ")
    return Standings(
        base_url,
        public_key,
        account.retry_at,
        tuple(sorted(standings, key=lambda it: (-(it.shipped_at or 0), it.session_id))),
        account.dead_letters,
    )


def _standing(session_id: str, transcripts: list[TranscriptState]) -> Standing:
    standing = Standing(session_id, _project(transcripts), tuple(Path(it.path) for it in transcripts))
    for transcript in transcripts:
        standing.books.add(books_of(transcript))
        standing.shipped_at = max(filter(None, (standing.shipped_at, transcript.shipped_at)), default=None)
        standing.last_error = transcript.last_error or standing.last_error
    return standing


def _project(transcripts: list[TranscriptState]) -> str:
    """The name of the folder that Claude Code keeps a project's sessions in: its path with dashes."""
    path = Path(min((it.path for it in transcripts), key=len))
    parts = path.parts
    return parts[parts.index("projects") + 1].lstrip("-") if "projects" in parts[:-2] else path.parent.name
