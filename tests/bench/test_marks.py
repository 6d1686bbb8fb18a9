"""The marks that must be reached; wants the machine for itself: `uv run pytest -n0 -m bench`."""

import pytest

from bench.marks import MEASURES, measure


@pytest.mark.bench
@pytest.mark.parametrize("number", range(len(MEASURES)))
def test_every_mark_is_reached(number: int, capsys: pytest.CaptureFixture[str]) -> None:
    """Ratios to a reference of the same run; the row is printed either way."""
    (mark,) = measure([MEASURES[number]])
    with capsys.disabled():
        print(f"\n{mark}", end="")
    assert not mark.is_missed
