"""Rows of the store <-> values.

The only module with column names: `..._row` returns a row as a dict of columns, `load_...` reads one.
"""

import sqlite3
from collections import Counter
from dataclasses import asdict, dataclass, field, fields
from hashlib import blake2b
from uuid import UUID

import msgspec
import orjson
from pydantic import TypeAdapter

from ccship.observations import ID_BYTES, Parent, Trace
from ccship.observations.line_outcomes import Outcomes, by_key, outcomes_in
from ccship.observations.volatile import Volatile
from ccship.signals.model import StoredMemory
from ccship.transcript.tail import Position
from ccship.transcript.turns import ResumeState
from ccship.unit import Launch, Link

_HASH_BYTES = 8
_HASHES = 3
"""The version of the data that `encode` hashes. Raise it when that data changes: older hashes are then not compared."""

_KEY_BYTES = 7
_UUID_BYTES = 16
_RESUME_STATE = TypeAdapter(ResumeState)
_COUNTS = TypeAdapter(dict[str, int])
_VOLATILE = TypeAdapter(dict[str, Volatile])


@dataclass(frozen=True, slots=True)
class Owner:
    """The session (its key) that shipped a turn, and whether the turn was settled."""

    session: bytes
    settled: bool


@dataclass(frozen=True, slots=True)
class Claim:
    """The turn (its key) that ships a call, the key of its session, and the time of its last response.

    A copy repeats calls with their times: those up to `until_s` (seconds since the epoch) belong to `turn`.
    """

    turn: bytes
    session: bytes
    until_s: int


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A span that the server refused permanently. `at`: seconds since the epoch."""

    trace_id: str
    span_id: str
    name: str
    transcript: str
    reason: str
    at: float


@dataclass(slots=True)
class Checkpoint:
    """Everything that the state stores about a transcript.

    `counts`: the lines before the cursor by outcome. `open`: those from the cursor to the offset `seen`; their
    outcome may change. `spans`: hashes of delivered spans and scores of open turns. `shipped_at`: time of the last
    delivery, in seconds since the epoch. `volatile`: volatile facts that were sent with open turns, by the turns'
    uuids. `memory`: for the signals of the turns from the cursor on; None if it has to be read again.
    `scored_from`: the offset from which on all turns before the cursor have scores; None if none has.
    `unscored_from`: the offset of the first settled turn whose scores failed; the next run sends them.
    `is_outdated`: an older version made the hashes in `spans`.
    """

    path: str
    session: str
    position: Position | None = None
    resume_state: ResumeState = field(default_factory=ResumeState)
    counts: Outcomes = field(default_factory=Counter)
    open: Outcomes = field(default_factory=Counter)
    seen: int = 0
    spans: set[bytes] = field(default_factory=set)
    link: Link | None = None
    shipped_at: float | None = None
    last_error: str | None = None
    volatile: dict[str, Volatile] = field(default_factory=dict)
    memory: StoredMemory | None = None
    scored_from: int | None = None
    unscored_from: int | None = None
    is_outdated: bool = False

    def ids_sent(self, size: int) -> frozenset[bytes]:
        """Return ids (their first bytes) of spans that an older version sent; their hashes cannot be compared.

        Empty if the file (`size` in bytes) has grown beyond `seen`. Otherwise nothing can have changed, and an upgrade
        sends nothing again.
        """
        if not self.is_outdated or size != self.seen:
            return frozenset()
        return frozenset(span[:ID_BYTES] for span in self.spans)


def short_key(name: str) -> bytes:
    """Return a seven-byte key for a uuid or an id. The state has three keys per turn, so they are short."""
    return blake2b(name.encode(), digest_size=_KEY_BYTES).digest()


def old_key(name: str) -> bytes:
    """Return the sixteen-byte key of a turn's uuid in version 0.1.0."""
    return blake2b(name.encode(), digest_size=_UUID_BYTES).digest()


def session_key(stored: bytes | str) -> bytes:
    """Return the key of a session. Version 0.1.0 stored its id instead, a uuid as sixteen bytes."""
    if isinstance(stored, str):
        return short_key(stored)
    return short_key(str(UUID(bytes=stored))) if len(stored) == _UUID_BYTES else stored


def transcript_row(checkpoint: Checkpoint) -> dict[str, object]:
    """Return the columns of a checkpoint. `link` and `volatile` are NULL if empty, as in most rows."""
    position = checkpoint.position
    resume_state = {name: value for name, value in asdict(checkpoint.resume_state).items() if value}
    volatile = {uuid: kept for uuid, kept in checkpoint.volatile.items() if kept}
    return {
        "path": checkpoint.path,
        "session": checkpoint.session,
        "offset": position.offset if position else 0,
        "device": position.device if position else None,
        "inode": position.inode if position else None,
        "fingerprint": position.fingerprint if position else None,
        "resume_state": orjson.dumps(resume_state),
        "counts": orjson.dumps(by_key(checkpoint.counts)),
        "open": orjson.dumps(by_key(checkpoint.open)),
        "seen": checkpoint.seen,
        "spans": b"".join(sorted(checkpoint.spans)),
        "link": orjson.dumps(checkpoint.link) if checkpoint.link else None,
        "shipped_at": checkpoint.shipped_at,
        "last_error": checkpoint.last_error,
        "hashes": _HASHES,
        "volatile": orjson.dumps(volatile) if volatile else None,
        "memory": msgspec.msgpack.encode(checkpoint.memory) if checkpoint.memory else None,
        "scored_from": checkpoint.scored_from,
        "unscored_from": checkpoint.unscored_from,
    }


def load_transcript(row: sqlite3.Row) -> Checkpoint:
    """Return the checkpoint in a row.

    Raises:
        ValueError, TypeError, LookupError: ccship did not write it.
    """
    position = None
    if row["fingerprint"] is not None:
        offset, fingerprint = max(0, int(row["offset"])), bytes(row["fingerprint"])
        position = Position(offset, int(row["device"]), int(row["inode"]), fingerprint)
    return Checkpoint(
        path=row["path"],
        session=row["session"],
        position=position,
        resume_state=_RESUME_STATE.validate_json(row["resume_state"]) if row["resume_state"] else ResumeState(),
        counts=_load_counts(row["counts"]),
        open=_load_counts(row["open"]),
        seen=int(row["seen"]),
        spans=_load_spans(row["spans"]),
        link=_load_link(row["link"]),
        shipped_at=None if row["shipped_at"] is None else float(row["shipped_at"]),
        last_error=row["last_error"],
        volatile=_VOLATILE.validate_json(row["volatile"]) if row["volatile"] else {},
        memory=_load_memory(row["memory"]),
        scored_from=_load_offset(row["scored_from"]),
        unscored_from=_load_offset(row["unscored_from"]),
        is_outdated=int(row["hashes"]) != _HASHES,
    )


def launch_row(launch: Launch) -> dict[str, object]:
    """Return the columns of a launch."""
    return {field.name: getattr(launch, field.name) for field in fields(launch)} | {"trace": orjson.dumps(launch.trace)}


def load_launch(row: sqlite3.Row) -> Launch:
    """Return the launch in a row."""
    return Launch(**{field.name: row[field.name] for field in fields(Launch)} | {"trace": load_trace(row["trace"])})


def load_dead_letter(row: sqlite3.Row) -> DeadLetter:
    """Return the dead letter in a row."""
    return DeadLetter(**{field.name: row[field.name] for field in fields(DeadLetter)})


def _load_counts(text: str | bytes | None) -> Outcomes:
    return outcomes_in(_COUNTS.validate_json(text)) if text else Counter()


def _load_spans(packed: bytes | None) -> set[bytes]:
    hashes = memoryview(packed or b"").tobytes()  # fails for text
    return {hashes[at : at + _HASH_BYTES] for at in range(0, len(hashes) - _HASH_BYTES + 1, _HASH_BYTES)}


def _load_offset(value: int | None) -> int | None:
    return None if value is None else int(value)


def _load_memory(packed: bytes | None) -> StoredMemory | None:
    return msgspec.msgpack.decode(packed, type=StoredMemory) if packed else None


def load_trace(text: str | bytes) -> Trace:
    """Return a trace that was stored with a launch or a link."""
    fields = orjson.loads(text)
    parent = fields.get("parent")
    return Trace(
        **{
            **fields,
            "tags": tuple(fields["tags"]),
            "settings_tags": tuple(fields.get("settings_tags", ())),
            "parent": Parent(**parent) if parent else None,
        }
    )


def _load_link(text: str | bytes | None) -> Link | None:
    if not text:
        return None
    fields = orjson.loads(text)
    return Link(**{**fields, "trace": load_trace(orjson.dumps(fields["trace"]))})
