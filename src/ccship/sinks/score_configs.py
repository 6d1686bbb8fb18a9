"""Score configs in Langfuse: the name, type and meaning of each score, created once.

They are created after scores were accepted, which need no config. Langfuse would create a second config of the
same name, so the existing ones are listed first, by one process at a time.
"""

import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from hashlib import blake2b
from pathlib import Path
from typing import Any

import httpx
import msgspec
import orjson

from ccship.config import Config
from ccship.errors import DeliveryError
from ccship.signals.scores import ScoreName, is_flag
from ccship.sinks.connection import Connection
from ccship.storage import write_whole

CONFIGS = "/api/public/score-configs"

FILE_VERSION = 1
"""A file of another version is replaced: it is only a cache."""

_RETRY_S = 86_400.0
"""Wait after a failure."""

_PAGE = 100
_MOST_PAGES = 50
_LONGEST_PAGE = 1_000_000
_LOCK_S = 6.0
_DEADLINE_S = 5.0
"""For all configs together; the next process creates the rest."""

DESCRIPTIONS: dict[ScoreName, str] = {
    "needs_review": "Whether the turn is worth reading; the comment has the reasons. No measure of quality.",
    "complaint": "The next prompt, or its answer, shows that a person was not content.",
    "interrupted": "A person stopped the turn.",
    "rejected_by_person": "Tool calls that a person refused.",
    "denied_by_rule": "Tool calls that a rule, a hook or the permission mode refused.",
    "repeated_prompt": "The prompt says nearly the same as one of the last three.",
    "repeated_error": "How often the most frequent error of the turn occurred, from three on.",
    "edit_failed": "Edits that failed.",
    "unverified": "Code was written, and nothing was executed at or after the last write.",
    "cache_rebuild_usd": "Cost of writing the cache again after a pause, in USD.",
    "compaction": "The context was compacted automatically in the middle of the work.",
    "api_error": "The turn ended with an API error; the comment has its class.",
    "bypassed_hooks": "Commands that told git to leave out its hooks.",
    "truncated": "An answer was cut off at its limit.",
    "refused": "The model refused.",
    "context_tokens": "The largest context of a call, in tokens.",
    "tool_errors": "Tool calls that failed.",
    "checks": "Shell commands that test, lint or build.",
    "red_checks": "Checks that failed.",
    "api_retry_seconds": "Time between attempts of failed requests, in seconds.",
    "slow_tool_seconds": "The longest time of a tool call, in seconds.",
    "human_wait_seconds": "Seconds from the end of the turn to the next prompt of a person; 0 if it was typed before.",
    "steered": "Prompts that a person typed while the model worked.",
}
"""Sent with the config. `docs/signals.md` says more."""


class _Kept(msgspec.Struct):
    """`names`: of configs that exist."""

    version: int = FILE_VERSION
    ask_again_at: float = 0.0
    names: list[str] = []


class ScoreConfigs:
    """The score configs of one destination."""

    def __init__(self, settings: Config, connection: Connection, *, now: Callable[[], float] = time.time) -> None:
        digest = blake2b(settings.destination.encode(), digest_size=8).hexdigest()
        self._path = settings.state_dir / f"scores-{digest}.json"
        self._connection = connection
        self._now = now
        self._known: set[str] = set()

    def ensure(self, names: Iterable[ScoreName]) -> None:
        """Create the configs that do not exist."""
        if self._known.issuperset(wanted := set(names)):
            return
        self._known |= wanted  # once in a process, whatever happens
        if not wanted.issubset((kept := _read(self._path)).names) and kept.ask_again_at <= self._now():
            self._create(wanted)

    def _create(self, wanted: set[ScoreName]) -> None:
        from filelock import FileLock, Timeout  # noqa: PLC0415 - a few times in a destination's life

        with suppress(Timeout, OSError):
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with FileLock(f"{self._path}.lock", timeout=_LOCK_S, mode=0o600):
                kept = _read(self._path)
                if missing := wanted.difference(kept.names):
                    try:
                        done = self._existing()
                        give_up = time.monotonic() + _DEADLINE_S
                        for name in sorted(missing - done):
                            if time.monotonic() < give_up:
                                self._post(name)
                                done.add(name)
                    except (DeliveryError, ValueError, TypeError, KeyError):
                        kept.ask_again_at = self._now() + _RETRY_S
                    else:
                        kept.names = sorted((missing & done).union(kept.names))
                    write_whole(self._path, msgspec.json.encode(kept))

    def _existing(self) -> set[str]:
        names: set[str] = set()
        for page in range(1, _MOST_PAGES + 1):
            answer = self._connection.get(CONFIGS, {"page": page, "limit": _PAGE}, _LONGEST_PAGE)
            if answer.status != httpx.codes.OK:
                raise ValueError(answer.status)
            content = orjson.loads(answer.body)
            names |= {config["name"] for config in content["data"]}
            if page >= content["meta"]["totalPages"]:
                break
        return names

    def _post(self, name: ScoreName) -> None:
        body: dict[str, Any] = {"name": name, "description": DESCRIPTIONS[name]}
        body |= {"dataType": "BOOLEAN"} if is_flag(name) else {"dataType": "NUMERIC", "minValue": 0}
        answer = self._connection.post(CONFIGS, orjson.dumps(body), {"content-type": "application/json"})
        if answer.status != httpx.codes.OK:
            raise ValueError(answer.status)


def _read(path: Path) -> _Kept:
    try:
        kept = msgspec.json.decode(path.read_bytes(), type=_Kept)
    except (OSError, ValueError):
        return _Kept()
    return kept if kept.version == FILE_VERSION else _Kept()
