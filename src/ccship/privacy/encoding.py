"""Encodes observations for sinks: each field becomes JSON once, for the hash, the size and the wire.

Pure. Runs after redaction.
"""

from dataclasses import dataclass
from hashlib import blake2b
from itertools import chain
from struct import Struct
from typing import Any

import orjson

from ccship.observations import ID_BYTES, Observation
from ccship.privacy.media import contents_of

_DIGEST_BYTES = 5
_LENGTH = Struct(">Q")


@dataclass(frozen=True, slots=True)
class Encoded:
    """An observation with its JSON.

    `input`, `output`: texts, or values that may contain media, which the SDK must find. `attributes`: the metadata by
    key. `digest`: eight bytes that change with the observation. The first `ID_BYTES` are those of the span id, so that
    the state recognises a changed span. `size`: bytes of text.
    """

    observation: Observation
    input: Any
    output: Any
    attributes: dict[str, str]
    digest: bytes
    size: int

    @property
    def span_id(self) -> str:
        """The id of its span."""
        return self.observation.span_id


def encode(observation: Observation) -> Encoded:
    """Encode an observation.

    The digest excludes volatile facts and prices: a backfill from another shell finds other values, which is no reason
    to send a span again. It includes the digests of folded events: a new event sends its parent again.
    """
    given, given_json = _field(observation.input)
    answer, answer_json = _field(observation.output)
    metadata = _attributes(observation.metadata)
    parts = [_frame(observation), given_json, answer_json]
    for key in sorted(metadata):
        parts += (key.encode(), metadata[key].encode())
    events = [encode(event) for event in observation.events]
    parts += (event.digest for event in events)
    lengths = map(_LENGTH.pack, map(len, parts))  # so that text cannot move between fields unnoticed
    hashed = b"".join(chain.from_iterable(zip(lengths, parts, strict=True)))
    return Encoded(
        observation,
        given,
        answer,
        {**metadata, **_attributes(observation.volatile)},
        bytes.fromhex(observation.span_id)[:ID_BYTES] + blake2b(hashed, digest_size=_DIGEST_BYTES).digest(),
        len(hashed) - _LENGTH.size * len(parts) + sum(event.size for event in events),
    )


def _field(value: Any) -> tuple[Any, bytes]:
    """Return a field for the wire, and its bytes for the hash."""
    if value is None:
        return None, b""
    if isinstance(value, str):
        return value, value.encode()
    encoded = orjson.dumps(value)
    return value if contents_of(value)[0] else encoded.decode(), encoded


def _attributes(values: dict[str, Any]) -> dict[str, str]:
    """Return metadata as attributes. Strings are not JSON-encoded: older servers display the SDK's quotes."""
    return {
        key: value if isinstance(value, str) else str(value) if type(value) is int else orjson.dumps(value).decode()
        for key, value in values.items()
    }


def _frame(observation: Observation) -> bytes:
    """Return the hashed fields except input, output and metadata."""
    trace = observation.trace
    return orjson.dumps(
        (
            (trace.trace_id, trace.session_id, trace.version, trace.tags),
            observation.parent_span_id,
            observation.type,
            observation.name,
            observation.start_ns,
            observation.end_ns,
            # an empty text differs from a missing one
            observation.input is None,
            observation.output is None,
            observation.level,
            observation.status_message,
            observation.model,
            observation.model_parameters,
            observation.usage_details,
            observation.completion_start_ns,
        ),
        option=orjson.OPT_SORT_KEYS,
    )
