"""Tariffs remembered from one report to the next.

The price list takes a quarter of a second to load, longer than counting a month. So what it said of a model is kept in
a file beside the state, until another list is installed. The file is a shortcut and no more: without it, or where it
cannot be read or written, the list is asked.
"""

import os
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path

import msgspec

from ccship.prices import Tariff, tariff_of


class _Kept(msgspec.Struct):
    """`price_list`: what tells one list from another; `tariffs`: by model, and by model in fast mode."""

    price_list: str = ""
    tariffs: dict[str, Tariff | None] = {}
    fast: dict[str, Tariff | None] = {}


class PriceMemory:
    """Says what `prices.tariff_of` says, mostly without asking it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._list = _installed_list()
        self._kept = self._read()
        self._has_learned = False

    def tariff_of(self, model_id: str, fast: bool) -> Tariff | None:
        """The tariff of a model; None when the list does not know it."""
        known = self._kept.fast if fast else self._kept.tariffs
        if model_id not in known:
            known[model_id] = tariff_of(model_id, fast)
            self._has_learned = True
        return known[model_id]

    def save(self) -> None:
        """Keep what was learned. Whole or not at all: another report may be reading."""
        if not self._has_learned:
            return
        beside = self._path.with_name(f"{self._path.name}.{os.getpid()}")
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            beside.write_bytes(msgspec.json.encode(self._kept))
            beside.replace(self._path)
        except OSError:
            with suppress(OSError):
                beside.unlink()

    def _read(self) -> _Kept:
        try:
            kept = msgspec.json.decode(self._path.read_bytes(), type=_Kept)
        except (OSError, msgspec.DecodeError):
            kept = _Kept()
        return kept if kept.price_list == self._list else _Kept(self._list)


def _installed_list() -> str:
    """What changes when another price list is installed."""
    spec = find_spec("genai_prices")
    if spec is None or spec.origin is None:
        return ""
    status = Path(spec.origin).with_name("data.py").stat()
    return f"{spec.origin} {status.st_size} {status.st_mtime_ns}"
