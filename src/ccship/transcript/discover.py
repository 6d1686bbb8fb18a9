"""Finds transcripts and groups them into sessions."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from ccship.transcript.files import (
    check_named,
    open_transcript,
    printable,
    session_folder_of,
    transcripts_in,
    transcripts_of,
)
from ccship.transcript.limits import MAX_LINE_BYTES
from ccship.transcript.parse import parse_facts
from ccship.transcript.records import Record
from ccship.transcript.tail import entries, lines
from ccship.transcript.turns import Turn

_TIMESTAMP = re.compile(rb'"timestamp":\s*"([^"]+)"')
_HEAD_BYTES = 64 * 1024
_UUID = re.compile(rb'"uuid":\s*"([^"]+)"')
_MESSAGE_ID = re.compile(rb'"message":\s*\{[^{}\[\]]*?"id":\s*"([^"]+)"')
_ASSISTANT = b'"assistant"'
_SESSION_ID = re.compile(r"[\w.-]{1,200}")
"""File names that can be session ids."""

_HEAD_RECORDS = 20
"""A flat agent file (2.0.28 to 2.0.55) names its session in its first records."""


@dataclass(frozen=True, slots=True)
class Session:
    """The transcripts of a session and its subagents. `main` is None if only those of subagents exist."""

    session_id: str
    main: Path | None
    agents: tuple[Path, ...] = ()

    @property
    def paths(self) -> tuple[Path, ...]:
        """All transcripts."""
        return (self.main, *self.agents) if self.main else self.agents

    @property
    def size(self) -> int:
        """Size of all transcripts in bytes."""
        return sum(map(_size_of, self.paths))


def sessions_of(claude_dir: Path) -> list[Session]:
    """Return all sessions under a Claude config folder (`~/.claude`), by start time."""
    return _sessions(transcripts_of(claude_dir))


def sessions_at(paths: Iterable[Path]) -> list[Session]:
    """Return the sessions of files and folders. For a subagent's file, return its whole session."""
    found: list[Path] = []
    for path in paths:
        check_named(path)
        if path.is_dir():
            found += transcripts_in(path)
        else:
            main = _main_of(path)
            found += [main, *_agents_of(main)] if main.is_file() else [path]
    return _sessions(found)


def cwd_of(session: Session) -> str | None:
    """Return the working directory in which a session began: the first in its transcript. None if there is none.

    The `cwd` of the hook's payload is not used: it follows `cd`, and the destination of a session must not change.
    """
    return next((cwd for path in session.paths if (cwd := _cwd_in(path))), None)


def ids_in(path: Path) -> Iterator[bytes]:
    """Yield the ids of a transcript's records and LLM calls; none if it cannot be read."""
    try:
        with open_transcript(path) as file:
            for _, line in lines(file):
                if line and (found := _UUID.search(line)):
                    yield found[1]
                if line and _ASSISTANT in line and (found := _MESSAGE_ID.search(line)):
                    yield found[1]
    except OSError:
        return


def offset_of(uuid: str, path: Path) -> int | None:
    """Return the offset of the line with a record's uuid; None if there is none or the file cannot be read."""
    try:
        with open_transcript(path) as file:
            offset = 0
            for size, line in lines(file):
                if line and (found := _UUID.search(line)) and found[1] == uuid.encode():
                    return offset
                offset += size
    except OSError:
        pass
    return None


def has_successor(session: Session, end_ns: int) -> bool:
    """Return whether another session began in the same folder after `end_ns`, the last time of this one."""
    if session.main is None:
        return False
    paths = (path for path in session.main.parent.glob("*.jsonl") if not path.name.startswith("agent-"))
    others = (path for path in paths if path != session.main and changed_ns(path) > end_ns)
    return any(_time_ns(_began(Session(path.stem, path))) > end_ns for path in others)


def changed_ns(path: Path) -> int:
    """Return the modification time of a file in ns since the epoch; 0 if it does not exist."""
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0


class Originals:
    """The transcripts in the folder of a copy, which may contain the original of a copied turn."""

    def __init__(self, copy: Path) -> None:
        self._folder = copy.parent
        self._ids: dict[str, frozenset[bytes]] = {}

    def contain(self, session_id: str, turn: Turn) -> bool:
        """Return whether the transcript of a session exists and contains a turn: its uuid or all its calls."""
        if session_id not in self._ids:
            self._ids[session_id] = self._read(session_id)
        calls = {message_id.encode() for message_id in turn.exchange.calls}
        return turn.uuid.encode() in self._ids[session_id] or bool(calls and calls <= self._ids[session_id])

    def _read(self, session_id: str) -> frozenset[bytes]:
        return frozenset(ids_in(self._folder / f"{Path(session_id).name}.jsonl"))


def agent_id_of(path: Path) -> str:
    """Return the id in a subagent's file name: `agent-a0ebed58.jsonl` -> `a0ebed58`."""
    return path.stem.removeprefix("agent-")


def agent_facts(path: Path) -> dict[str, Any]:
    """Return a subagent's `meta.json` (agentType, description, toolUseId, ...); empty if missing or damaged."""
    meta = path.with_suffix(".meta.json")
    try:
        with open_transcript(meta) as file:
            return parse_facts(file.read(MAX_LINE_BYTES))
    except OSError:
        return {}


def _sessions(paths: Iterable[Path]) -> list[Session]:
    mains: dict[Path, Path] = {}
    agents: defaultdict[Path, set[Path]] = defaultdict(set)
    for path in paths:
        main = _main_of(path)
        if path.absolute() == main:
            mains[main] = path
        else:
            agents[main].add(path)
    sessions = [
        Session(printable(main.stem), mains.get(main), tuple(sorted(agents[main]))) for main in {*mains, *agents}
    ]
    return sorted(sessions, key=lambda session: (_began(session), session.session_id))


def _began(session: Session) -> bytes:
    """Return the first timestamp of a session (ISO, sorts as text).

    A fork writes lines of its own before the lines that it copies, so the original sorts first. File dates are
    unreliable: a restore or a checkout changes them.
    """
    try:
        with open_transcript(session.paths[0]) as file:
            found = _TIMESTAMP.search(file.read(_HEAD_BYTES))
    except OSError:
        return b""
    return found[1] if found else b""


def _cwd_in(path: Path) -> str | None:
    try:
        with open_transcript(path) as file:
            records = (entry.parsed for entry in entries(file, 0))
            return next((record.cwd for record in records if isinstance(record, Record) and record.cwd), None)
    except OSError:
        return None


def _main_of(path: Path) -> Path:
    """Return the path of the main transcript for a file; it need not exist."""
    path = path.absolute()
    if not path.name.startswith("agent-"):
        return path
    if folder := session_folder_of(path):
        return folder.with_name(f"{folder.name}.jsonl")
    return path.with_name(f"{_session_named_in(path) or path.stem}.jsonl")


def _agents_of(main: Path) -> Iterator[Path]:
    folder = main.with_suffix("") / "subagents"
    if folder.is_dir():
        yield from folder.rglob("agent-*.jsonl")
    for path in main.parent.glob("agent-*.jsonl"):
        if _main_of(path) == main:
            yield path


def _session_named_in(path: Path) -> str | None:
    try:
        with open_transcript(path) as file:
            for _, entry in zip(range(_HEAD_RECORDS), entries(file, 0), strict=False):
                if isinstance(entry.parsed, Record) and entry.parsed.session_id:
                    named = entry.parsed.session_id
                    return named if _SESSION_ID.fullmatch(named) else None
    except OSError:
        return None
    return None


def _size_of(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _time_ns(timestamp: bytes) -> int:
    try:
        return int(datetime.fromisoformat(timestamp.decode()).timestamp() * 10**9)
    except (ValueError, OverflowError):  # empty or not a timestamp
        return 0
