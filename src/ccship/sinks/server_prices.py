"""The models for which a Langfuse server has prices: its list of models, read at most once a day.

The list is cached in a file next to the state. It must never delay or fail a delivery: if it cannot be read, the cached
list applies, and without one, every model counts as priced. A pattern that Python cannot compile (the server uses
PostgreSQL) is compared as plain text.
"""

import re
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from hashlib import blake2b
from typing import Any

import msgspec

from ccship.config import Config
from ccship.errors import ConfigError
from ccship.pricing.prices import tariff_of
from ccship.storage import write_whole

FILE_VERSION = 1
"""A file of another version is replaced: it is only a cache."""

_DAY_S = 86_400.0
_RETRY_S = 3600.0
"""Wait after a failure, so that a server without such a list gets no request at every turn."""

_TIMEOUT_S = 3.0
_DEADLINE_S = 6.0
"""For all pages together."""

_PAGE = 100
_MOST_PAGES = 50


class _Kept(msgspec.Struct):
    """`patterns`: of the models with a price, None before the first answer. `unpriced`: models without any price."""

    version: int = FILE_VERSION
    ask_again_at: float = 0.0
    patterns: list[str] | None = None
    unpriced: list[str] = []


class ServerPrices:
    """The price list of one destination's server. Call it with a model name to learn whether the server prices it."""

    def __init__(self, settings: Config, *, now: Callable[[], float] = time.time) -> None:
        digest = blake2b(settings.destination.encode(), digest_size=8).hexdigest()
        self._settings = settings
        self._path = settings.state_dir / f"models-{digest}.json"
        self._now = now
        self._kept: _Kept | None = None
        self._priced: dict[str, bool] = {}

    def __call__(self, model: str) -> bool:
        """Return whether the server has a price for a model; True while its list is unknown."""
        if model not in self._priced:
            patterns = self._current().patterns
            self._priced[model] = patterns is None or any(_matches(pattern, model) for pattern in patterns)
        return self._priced[model]

    def unpriced(self) -> list[str]:
        """Return the models of past calls for which neither the server nor ccship has a price."""
        if not self._read().unpriced:
            return []  # without a request
        return [model for model in self._current().unpriced if not self(model) and tariff_of(model) is None]

    def remember_unpriced(self, models: Iterable[str]) -> None:
        """Store names of models without a price, for `unpriced`."""
        kept = self._current()
        if new := sorted(set(models) - set(kept.unpriced)):
            kept.unpriced += new
            self._write(kept)

    def _current(self) -> _Kept:
        """Return the cached list, refreshed if it is older than a day."""
        if self._kept is None:
            self._kept = self._read()
            if self._kept.ask_again_at <= self._now():
                self._refresh()
        return self._kept

    def _refresh(self) -> None:
        """Request the list. One process does it; others use its result."""
        from filelock import FileLock, Timeout  # noqa: PLC0415 - once a day

        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with FileLock(f"{self._path}.lock", timeout=_DEADLINE_S, mode=0o600):
                self._kept = self._read()
                if self._kept.ask_again_at <= self._now():
                    answer = _ask(self._settings)
                    self._kept.patterns = self._kept.patterns if answer is None else answer
                    self._kept.ask_again_at = self._now() + (_RETRY_S if answer is None else _DAY_S)
                    self._write(self._kept)
        except (Timeout, OSError):
            return  # another process is requesting it, or the folder is not writable: use the cached list

    def _read(self) -> _Kept:
        try:
            kept = msgspec.json.decode(self._path.read_bytes(), type=_Kept)
        except (OSError, ValueError):
            return _Kept()
        return kept if kept.version == FILE_VERSION else _Kept()

    def _write(self, kept: _Kept) -> None:
        with suppress(OSError):
            write_whole(self._path, msgspec.json.encode(kept))


def _matches(pattern: str, model: str) -> bool:
    try:
        return re.search(pattern, model) is not None
    except re.error:
        return pattern == model


def _ask(settings: Config) -> list[str] | None:
    """Return the patterns of models with a price; None if the server does not answer as expected."""
    import httpx  # noqa: PLC0415 - a tenth of a second, once a day

    give_up = time.monotonic() + _DEADLINE_S
    from ccship.sinks.access import client_of  # noqa: PLC0415 - a tenth of a second, once a day

    patterns: list[str] = []
    try:
        with client_of(settings, _TIMEOUT_S) as client:
            for page in range(1, _MOST_PAGES + 1):
                reply = client.get("/api/public/models", params={"limit": _PAGE, "page": page})
                if reply.status_code != httpx.codes.OK or time.monotonic() > give_up:
                    return None
                answer = reply.json()
                patterns += _patterns_in(answer["data"])
                if page >= answer["meta"]["totalPages"]:
                    return patterns
    except (ConfigError, httpx.HTTPError, httpx.InvalidURL, OSError, ValueError, TypeError, KeyError):
        return None
    return None


def _patterns_in(models: Iterable[dict[str, Any]]) -> Iterator[str]:
    """Yield the patterns of models with a price; older servers give it only in three single fields."""
    for model in models:
        single = (model.get(name) for name in ("inputPrice", "outputPrice", "totalPrice"))
        if model.get("prices") or any(price is not None for price in single):
            yield str(model["matchPattern"])
