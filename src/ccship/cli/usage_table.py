"""The table of `ccship usage`: full or abbreviated numbers by width, with bars on a terminal."""

from collections.abc import Sequence
from typing import Final

from ccship.cli.columns import GAP, columns_of, dollars, padded, widths
from ccship.usage.dimensions import By
from ccship.usage.report import Row

_COLUMNS: Final = ("calls", "input", "output", "cache_read", "cache_write_5m", "cache_write_1h")
_HEADS: Final = ("calls", "input", "output", "cache read", "write 5m", "write 1h", "cost")
_SHORT_HEADS: Final = ("calls", "in", "out", "read", "w 5m", "w 1h", "cost")

_WIDE = 120
"""Columns from which full numbers fit."""

_MIN_BAR, _MAX_BAR = 6, 40
_MIN_LABEL = 10
_EIGHTHS = " ▏▎▍▌▋▊▉"
_UNITS = ("", "k", "M", "G", "T", "P")


def table_of(rows: Sequence[tuple[Sequence[str], Row]], total: Row, by: Sequence[By], width: int | None) -> list[str]:
    """Return the lines of a table: rows with labels, and their total. `width` in columns; None for a pipe: no bars."""
    short = width is not None and width < _WIDE
    heads = _SHORT_HEADS if short else _HEADS
    cells = [_cells(row, short=short) for row in (*(row for _, row in rows), total)]
    sizes = widths([heads, *cells])
    head, *labels = _joined([by, *(label for label, _ in rows)])
    room = None if width is None else max(_MIN_LABEL, width - sum(sizes) - len(GAP) * len(sizes))
    longest = max(map(columns_of, (head, *labels, "total")))
    label_size = longest if room is None else min(longest, room)
    bar_size = 0 if room is None else min(_MAX_BAR, room - label_size - len(GAP))
    bars = ["", *_bars([row for _, row in rows], bar_size), ""]
    return [
        _line(label, line, bar, label_size, sizes)
        for label, line, bar in zip((head, *labels, "total"), (heads, *cells), bars, strict=True)
    ]


def _joined(rows: Sequence[Sequence[str]]) -> list[str]:
    """Return the labels of each row as one, all but the last padded to the width of their column."""
    *sizes, _ = widths(rows)
    return [GAP.join([*map(padded, labels, sizes), labels[-1]]) for labels in rows]


def cost_of(row: Row) -> float | None:
    """Return the cost in USD, to six decimals; None if no call of the row has a price."""
    return None if row.unpriced_calls == row.calls and not row.cost_usd else round(row.cost_usd, 6)


def _cells(row: Row, *, short: bool) -> list[str]:
    counts = [getattr(row, name) for name in _COLUMNS]
    return [*(_short(count) if short else f"{count:,}" for count in counts), _money(row)]


def _money(row: Row) -> str:
    cost = cost_of(row)
    return ("?" if cost is None else dollars(cost)) + ("*" if row.unpriced else "")


def _short(count: int) -> str:
    """Abbreviate a count to three digits and a unit: 999, 1.25k, 46.5M."""
    rounded = int(float(f"{count:.3g}"))
    thousands = (len(str(rounded)) - 1) // 3
    return f"{rounded / 1000**thousands:g}{_UNITS[thousands]}"


def _bars(rows: Sequence[Row], size: int) -> list[str]:
    """Draw the cost of each row relative to the most expensive one."""
    most = max((row.cost_usd for row in rows), default=0.0)
    if size < _MIN_BAR or most <= 0:
        return [""] * len(rows)
    return [_bar(row.cost_usd / most * size) for row in rows]


def _bar(length: float) -> str:
    eighths = round(length * 8)
    return ("█" * (eighths // 8) + _EIGHTHS[eighths % 8]).rstrip()


def _line(label: str, cells: Sequence[str], bar: str, label_size: int, sizes: Sequence[int]) -> str:
    columns = [cell.rjust(size) for cell, size in zip(cells, sizes, strict=True)]
    return GAP.join([padded(label, label_size), *columns, bar]).rstrip()
