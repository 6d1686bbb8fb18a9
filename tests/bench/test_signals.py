"""No text makes the signals slow; wants the machine for itself: `uv run pytest -n0 -m bench`."""

import time
from itertools import pairwise

import pytest

from lines import Lines, tool
from signals.evaluated import evaluated

HOSTILE = (
    "<<a ", "<<A\n", "'", '"', '\\"', "$(", "$($(a ", "A=$(", "npm -a ", "npm --a b ", "uv run --with -a ", "make -",
    "timeout -a ", "sudo ", "((((", "|", "a|", "nix develop ", "#", "# a\n", "x=", "git -c ", "gofmt -", "cat > ",
    "<system-reminder>", "[Image ",
    "1 failed ", "== 1 failed ", "FAIL ", " \n", "exit ", "you ",
    "it is still ", "\u276f error",
)  # fmt: skip


def seconds(piece: str, size: int) -> float:
    """CPU that a turn takes whose texts are this one again and again."""
    text = piece * (size // len(piece))
    lines = Lines().prompt(text).assistant("m1", tool("t1", command=text)).result("t1", text, is_error=True)
    lines.assistant("m2", tool("t2", command="pytest " + text)).result("t2", text).prompt(text).assistant("m3", text)
    content = "\n".join(lines.lines).encode()
    began = time.process_time()
    evaluated(content)
    return time.process_time() - began


@pytest.mark.bench
@pytest.mark.parametrize("piece", HOSTILE)
def test_hostile_texts_take_no_longer_than_others(piece: str) -> None:
    """Four times the text takes about four times as long, up to the bounds."""
    took = [min(seconds(piece, size) for _ in range(3)) for size in (5_000, 20_000, 80_000)]
    assert all(longer < 8 * shorter + 0.05 for shorter, longer in pairwise(took))
