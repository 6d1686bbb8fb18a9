"""Text layout in terminal columns: a character takes zero, one or two."""

from collections.abc import Iterable, Sequence

GAP = "  "

_CENT = 0.01


def columns_of(text: str) -> int:
    """Return the number of columns that a text takes."""
    if text.isascii():
        return len(text)
    from rich.cells import cell_len  # noqa: PLC0415 - most texts are ASCII

    return cell_len(text)


def cut(text: str, size: int) -> str:
    """Shorten a text to at most `size` columns; an ellipsis replaces the rest."""
    if columns_of(text) <= size:
        return text
    if text.isascii():
        return text[: size - 1] + "…"
    from rich.cells import set_cell_size  # noqa: PLC0415 - see above

    return set_cell_size(text, size - 1).rstrip() + "…"


def padded(text: str, size: int) -> str:
    """Cut or pad a text to exactly `size` columns."""
    text = cut(text, size)
    return text + " " * (size - columns_of(text))


def dollars(cost_usd: float) -> str:
    """Format an amount in whole cents; `<$0.01` for a smaller amount above zero."""
    return "<$0.01" if 0 < cost_usd < _CENT / 2 else f"${cost_usd:,.2f}"


def widths(rows: Iterable[Sequence[str]]) -> list[int]:
    """Return the width of each column of a table: that of its longest cell."""
    return [max(map(columns_of, column)) for column in zip(*rows, strict=True)]
