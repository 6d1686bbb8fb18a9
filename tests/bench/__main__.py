"""Print the table; exit with 1 when a mark is missed. `--large`: a gigabyte too."""

import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parent.parent)]

from bench.mark import HEAD  # noqa: E402 - it is found there
from bench.marks import LARGE, MEASURES, measure  # noqa: E402

if __name__ == "__main__":
    missed = False
    print(HEAD, flush=True)
    for mark in measure(MEASURES + LARGE * ("--large" in sys.argv)):
        print(mark, flush=True)
        missed = missed or mark.is_missed
    sys.exit(missed)
