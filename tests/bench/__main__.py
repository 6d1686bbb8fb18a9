"""Print the table; exit with 1 when a mark is missed."""

import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parent.parent)]

from bench.marks import measure_all  # noqa: E402 - it is found there

if __name__ == "__main__":
    marks = measure_all()
    print(f"{'measured':<66}{'here':>9}{'reference':>11}{'ratio':>7}{'mark':>7}")
    for mark in marks:
        print(mark)
    sys.exit(any(mark.is_missed for mark in marks))
