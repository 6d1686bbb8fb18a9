"""The rows of the state as values: what is kept, and how it is written down."""

from collections import Counter
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any
from uuid import UUID

import orjson
from pydantic import TypeAdapter

from ccship.observations import Trace
from ccship.transcript.tail import Position
from ccship.transcript.turns import Carry

_HASH_BYTES = 8
_UUID_BYTES = 16
_CARRY = TypeAdapter(Carry)
_COUNTS = TypeAdapter(dict[str, int])


@dataclass(frozen=True, slots=True)
class Launch:
    """A tool call that launches a subagent, and the trace it is part of.

    `message_id`: the LLM call that asked for it; `agent_id`: the subagent (or the folder of several), once the result
    tells; `prompt`: a hash of what it was told.
    """

    tool_use_id: str
    trace: Trace
    message_id: str
    agent_id: str | None
    agent_type: str | None
    prompt: bytes


@dataclass(frozen=True, slots=True)
class Link:
    """What a subagent hangs under; `parent_span_id` is None for one that nobody launched.

    `message_id`: the LLM call that launched it; a forked subagent repeats it in its own transcript.
    """

    trace: Trace
    parent_span_id: str | None
    agent_type: str | None = None
    message_id: str | None = None


@dataclass(frozen=True, slots=True)
class Owner:
    """The session that a turn was shipped from, and whether it could no longer change then."""

    session: str
    settled: bool


@dataclass(slots=True)
class TranscriptState:
    """What is known of one transcript.

    `counts`: the lines before the cursor by what became of them; `open`: those from there to the offset `seen`, of
    which a later look may say otherwise. `spans`: hashes of what was accepted, for turns that may change.
    `shipped_at`: when something was accepted last, in seconds since the epoch.
    """

    path: str
    session: str
    position: Position | None = None
    carry: Carry = field(default_factory=Carry)
    counts: Counter[str] = field(default_factory=Counter)
    open: Counter[str] = field(default_factory=Counter)
    seen: int = 0
    spans: set[bytes] = field(default_factory=set)
    link: Link | None = None
    shipped_at: float | None = None
    last_error: str | None = None


def compact(uuid: str) -> bytes:
    """Sixteen bytes for a uuid, whatever it looks like."""
    return blake2b(uuid.encode(), digest_size=16).digest()


def pack_session(session: str) -> bytes | str:
    """Sixteen bytes for a session id that is a uuid, as nearly all are: there is one in every turn's row."""
    try:
        packed = UUID(session)
    except ValueError:
        return session
    return packed.bytes if str(packed) == session else session


def unpack_session(packed: bytes | str) -> str:
    """The session id that was packed."""
    return str(UUID(bytes=packed)) if isinstance(packed, bytes) and len(packed) == _UUID_BYTES else str(packed)


def pack_spans(spans: set[bytes]) -> bytes:
    """Hashes, side by side."""
    return b"".join(sorted(spans))


def _unpack_spans(packed: bytes) -> set[bytes]:
    packed = memoryview(packed).tobytes()  # not a text
    return {packed[at : at + _HASH_BYTES] for at in range(0, len(packed) - _HASH_BYTES + 1, _HASH_BYTES)}


def load_transcript(known: TranscriptState, row: tuple[Any, ...] | None) -> TranscriptState:
    """A row of the transcripts; ValueError or TypeError when somebody else wrote it."""
    if row is None:
        return known
    offset, device, inode, fingerprint, carry, counts, opened, seen, spans, link, shipped_at, last_error = row
    if fingerprint is not None:
        known.position = Position(max(0, int(offset)), int(device), int(inode), bytes(fingerprint))
    known.carry = _CARRY.validate_json(carry) if carry else Carry()
    known.counts = Counter(_COUNTS.validate_json(counts)) if counts else Counter()
    known.open = Counter(_COUNTS.validate_json(opened)) if opened else Counter()
    known.seen = int(seen)
    known.spans = _unpack_spans(spans or b"")
    known.link = _load_link(link)
    known.shipped_at = float(shipped_at) if shipped_at is not None else None
    known.last_error = last_error
    return known


def load_trace(text: str | bytes) -> Trace:
    """A trace as it was kept with a launch or a link."""
    fields = orjson.loads(text)
    return Trace(**{**fields, "tags": tuple(fields["tags"])})


def _load_link(text: str | bytes | None) -> Link | None:
    if not text:
        return None
    fields = orjson.loads(text)
    return Link(**{**fields, "trace": load_trace(orjson.dumps(fields["trace"]))})
