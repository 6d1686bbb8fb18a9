"""Text in columns of a terminal, where a letter may take two of them or none."""

from collections.abc import Iterable, Sequence

GAP = "  "

_CENT = 0.01


def columns_of(text: str) -> int:
    """How many columns a text takes."""
    if text.isascii():
        return len(text)
    from rich.cells import cell_len  # noqa: PLC0415 - most texts are ASCII

    return cell_len(text)


def cut(text: str, size: int) -> str:
    """The beginning of a text that fits into `size` columns, with an ellipsis where something is left out."""
    if columns_of(text) <= size:
        return text
    if text.isascii():
        return text[: size - 1] + "…"
    from rich.cells import set_cell_size  # noqa: PLC0415 - see above

    return set_cell_size(text, size - 1).rstrip() + "…"


def padded(text: str, size: int) -> str:
    """A text in exactly `size` columns."""
    text = cut(text, size)
    return text + " " * (size - columns_of(text))


def dollars(cost_usd: float) -> str:
    """An amount in whole cents; what is less than one is not nothing."""
    return "<$0.01" if 0 < cost_usd < _CENT / 2 else f"${cost_usd:,.2f}"


def widths(rows: Iterable[Sequence[str]]) -> list[int]:
    """The columns that each cell of a row needs for its longest text."""
    return [max(map(columns_of, column)) for column in zip(*rows, strict=True)]
