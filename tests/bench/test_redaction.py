"""The marks of redaction; they want the machine for themselves: `uv run pytest -n0 -m bench`."""

import pytest

from bench.redaction import growth, hostile_pieces, megabytes_per_second
from conftest import FIXTURES


@pytest.mark.bench
def test_redaction_keeps_up(capsys: pytest.CaptureFixture[str]) -> None:
    """20 MB of transcript a second on one core."""
    speed = max(megabytes_per_second(FIXTURES / "claude") for _ in range(3))
    with capsys.disabled():
        print(f"\nredaction: {speed:.0f} MB/s")
    assert speed >= 20


@pytest.mark.bench
def test_no_text_takes_more_than_linear_time() -> None:
    """A text of four times the length takes four times as long, and half as long again at most."""
    assert [piece for piece in hostile_pieces() if growth(piece) > 1.5 and growth(piece) > 1.5] == []
