"""The marks that must be reached; wants the machine for itself: `uv run pytest -n0 -m bench`."""

import pytest

from bench.marks import ROWS
from bench.rows import Row


@pytest.mark.bench
@pytest.mark.parametrize("row", ROWS, ids=[row.name for row in ROWS])
def test_every_mark_is_reached(row: Row, capsys: pytest.CaptureFixture[str]) -> None:
    """Ratios to a reference of the same run; the row is printed either way."""
    if row.lacks:
        pytest.skip(f"not measured: {row.lacks}")
    mark = row.measure()
    with capsys.disabled():
        print(f"\n{mark}", end="")
    assert mark.name == row.name
    assert not mark.is_missed
