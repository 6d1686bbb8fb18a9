"""Caches tariffs between reports.

Loading the price list takes a quarter of a second, longer than counting a month. The cache is a file next to the state
and is valid for one installed list. If it cannot be read or written, the list is loaded.
"""

from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path

import msgspec

from ccship import __version__
from ccship.pricing.prices import Tariff, tariff_of
from ccship.storage import write_whole


class _Kept(msgspec.Struct):
    """`price_list`: identifies the list. `tariffs`: by model, and by model in fast mode."""

    price_list: str = ""
    tariffs: dict[str, Tariff | None] = {}
    fast: dict[str, Tariff | None] = {}


class PriceMemory:
    """A cached `prices.tariff_of`."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._list = _installed_list()
        self._kept = self._read()
        self._has_learned = False

    def tariff_of(self, model_id: str, fast: bool) -> Tariff | None:
        """Return the tariff of a model; None if the list does not contain it."""
        known = self._kept.fast if fast else self._kept.tariffs
        if model_id not in known:
            known[model_id] = tariff_of(model_id, fast)
            self._has_learned = True
        return known[model_id]

    def save(self) -> None:
        """Write the cache atomically: another report may be reading it."""
        if not self._has_learned:
            return
        with suppress(OSError):
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            write_whole(self._path, msgspec.json.encode(self._kept))

    def _read(self) -> _Kept:
        try:
            kept = msgspec.json.decode(self._path.read_bytes(), type=_Kept)
        except (OSError, msgspec.DecodeError):
            kept = _Kept()
        return kept if kept.price_list == self._list else _Kept(self._list)


def _installed_list() -> str:
    """Identify the installed price list and the version that reads it."""
    spec = find_spec("genai_prices")
    if spec is None or spec.origin is None:
        return ""
    status = Path(spec.origin).with_name("data.py").stat()
    return f"ccship {__version__} {spec.origin} {status.st_size} {status.st_mtime_ns}"
