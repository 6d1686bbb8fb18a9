"""Which transcripts there are, and which belong together."""

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ccship.transcript.files import check_named, session_folder_of, transcripts_in, transcripts_of
from ccship.transcript.records import Record
from ccship.transcript.tail import entries

_TIMESTAMP = re.compile(rb'"timestamp":\s*"([^"]+)"')
_HEAD_BYTES = 64 * 1024
_UUID = re.compile(rb'"uuid":\s*"([^"]+)"')

_HEAD_RECORDS = 20
"""A flat agent file (2.0.28 to 2.0.55) names its session in its first records."""


@dataclass(frozen=True, slots=True)
class Session:
    """A session's transcript and those of its subagents; `main` is None where only subagents are left."""

    session_id: str
    main: Path | None
    agents: tuple[Path, ...] = ()

    @property
    def paths(self) -> tuple[Path, ...]:
        """All its files."""
        return (self.main, *self.agents) if self.main else self.agents

    @property
    def size(self) -> int:
        """Bytes of all its files."""
        return sum(path.stat().st_size for path in self.paths if path.exists())


def sessions_of(claude_dir: Path) -> list[Session]:
    """All sessions under a Claude config folder (`~/.claude`) in the order in which they began."""
    return _sessions(transcripts_of(claude_dir))


def sessions_at(paths: Iterable[Path]) -> list[Session]:
    """The sessions that files and folders belong to. A subagent's file brings its whole session."""
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
    """The working directory that a session began in: the first that its own transcript names; None where none does.

    Not what the hook's payload says: that follows `cd`, and the destination of a session must not change on its way.
    """
    return next((cwd for path in session.paths if (cwd := _cwd_in(path))), None)


def uuids_in(path: Path) -> Iterator[bytes]:
    """The ids of a transcript's records, one a line; none where it cannot be read."""
    if not path.is_file():
        return  # a pipe would never end
    try:
        with path.open("rb") as file:
            yield from (found[1] for line in file if (found := _UUID.search(line)))
    except OSError:
        return


class Originals:
    """The transcripts beside one that may hold what it copied."""

    def __init__(self, copy: Path) -> None:
        self._folder = copy.parent
        self._uuids: dict[str, frozenset[bytes]] = {}

    def hold(self, session_id: str, uuid: str) -> bool:
        """Whether the transcript of a session is on disk and holds a record."""
        if session_id not in self._uuids:
            self._uuids[session_id] = self._read(session_id)
        return uuid.encode() in self._uuids[session_id]

    def _read(self, session_id: str) -> frozenset[bytes]:
        return frozenset(uuids_in(self._folder / f"{Path(session_id).name}.jsonl"))


def agent_id_of(path: Path) -> str:
    """`agent-a0ebed58.jsonl` -> `a0ebed58`."""
    return path.stem.removeprefix("agent-")


def agent_facts(path: Path) -> dict[str, Any]:
    """A subagent's `meta.json`: agentType, description, toolUseId, ...; empty where there is none or it is broken."""
    meta = path.with_suffix(".meta.json")
    try:
        facts = json.loads(meta.read_bytes()) if meta.is_file() else {}
    except (OSError, ValueError):
        return {}
    return facts if isinstance(facts, dict) else {}


def _sessions(paths: Iterable[Path]) -> list[Session]:
    mains: dict[Path, Path] = {}
    agents: defaultdict[Path, set[Path]] = defaultdict(set)
    for path in paths:
        main = _main_of(path)
        if path.absolute() == main:
            mains[main] = path
        else:
            agents[main].add(path)
    sessions = [Session(main.stem, mains.get(main), tuple(sorted(agents[main]))) for main in {*mains, *agents}]
    return sorted(sessions, key=lambda session: (_began(session), session.session_id))


def _began(session: Session) -> bytes:
    """The first time that a session's file names (ISO, sorts as text).

    A fork's file begins with lines of its own, before the ones it copied: so the original comes first, whatever the
    files' own dates are after a restore or a checkout.
    """
    if not session.paths[0].is_file():
        return b""
    try:
        with session.paths[0].open("rb") as file:
            found = _TIMESTAMP.search(file.read(_HEAD_BYTES))
    except OSError:
        return b""
    return found[1] if found else b""


def _cwd_in(path: Path) -> str | None:
    if not path.is_file():
        return None  # a pipe would never end
    try:
        with path.open("rb") as file:
            records = (entry.parsed for entry in entries(file, 0))
            return next((it.cwd for it in records if isinstance(it, Record) and it.cwd), None)
    except OSError:
        return None


def _main_of(path: Path) -> Path:
    """The main transcript that a file belongs to, whether it exists or not."""
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
    if not path.is_file():
        return None
    try:
        with path.open("rb") as file:
            for _, entry in zip(range(_HEAD_RECORDS), entries(file, 0), strict=False):
                if isinstance(entry.parsed, Record) and entry.parsed.session_id:
                    return entry.parsed.session_id
    except OSError:
        return None
    return None
