"""The kinds of lines. Every key of a count begins with a kind.

The state contains these keys: never rename a kind.
"""

from enum import StrEnum
from functools import lru_cache


class LineKind(StrEnum):
    """The kind or outcome of a line. `DRIFT` and `LOWER_BOUND` are remarks on lines that are counted already.

    Keys of counts are plain strings (`value`, `key`): JSON encoders reject an enum member.
    """

    TURN = "turn"
    BAD = "bad"
    IGNORED = "ignored"
    UNKNOWN = "unknown"
    PENDING = "pending"
    DEAD_LETTERED = "dead_lettered"
    DRIFT = "drift"
    LOWER_BOUND = "lower_bound"

    def key(self, *details: str | None) -> str:
        """Return the key of a count: the kind and its details (a client's version, a type of line)."""
        return _key(self, details)


@lru_cache(1024)
def _key(kind: LineKind, details: tuple[str | None, ...]) -> str:
    return ":".join([kind, *map(str, details)])
