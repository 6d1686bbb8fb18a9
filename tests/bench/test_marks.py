"""The marks that must be reached; wants the machine for itself: `uv run pytest -n0 -m bench`."""

import pytest

from bench.marks import MEASURES, measure_all


@pytest.mark.bench
def test_every_mark_is_reached(capsys: pytest.CaptureFixture[str]) -> None:
    """Ratios to a reference of the same run; the table is printed either way."""
    marks = measure_all()
    with capsys.disabled():
        print("\n" + "\n".join(map(str, marks)))
    assert len(marks) == len(MEASURES)
    assert [mark.name for mark in marks if mark.is_missed] == []
