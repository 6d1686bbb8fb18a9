"""The marks of redaction; they want the machine for themselves: `uv run pytest -n0 -m bench`."""

import pytest

from bench.redaction import growth, hostile_pieces


@pytest.mark.bench
def test_no_text_takes_more_than_linear_time() -> None:
    """A text of four times the length takes four times as long, and half as long again at most.

    Sixteen times the length of a longer text decides in case of doubt. A text that is shorter than what a rule looks at
    may grow faster, and where a text is cut may add a pass. Quadratic time would be 16 times as long for a character.
    """
    assert [piece for piece in hostile_pieces() if growth(piece) > 1.5 and growth(piece, 16_000, times=16) > 4] == []
