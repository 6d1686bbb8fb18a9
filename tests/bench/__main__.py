"""Print the table: `python -m tests.bench --help`. Exit code 1 if a row misses its mark or fails."""

import argparse
import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parent.parent)]


def main() -> int:
    """Measure the chosen rows."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.bench",
        description="Measure ccship, each number beside a reference of the same run. Takes minutes.",
    )
    parser.add_argument("text", nargs="*", help="only rows whose name contains one of these texts")
    parser.add_argument("--large", action="store_true", help="also a gigabyte, and several processes")
    arguments = parser.parse_args()
    try:
        from bench.marks import LARGE, ROWS  # noqa: PLC0415 - it needs what may be missing
        from bench.rows import matching, print_table  # noqa: PLC0415
    except ModuleNotFoundError as error:
        remedy = "run `uv sync`, then `uv run python -m tests.bench`, or install ccship and its dependency group `test`"
        parser.exit(2, f"{parser.prog}: Python has no module {error.name}: {remedy}\n")
    rows = [*ROWS, *LARGE] if arguments.large else ROWS
    chosen = matching(rows, arguments.text)
    if not chosen:
        names = "\n  ".join(row.name for row in [*ROWS, *LARGE])
        parser.exit(2, f"{parser.prog}: no row contains {' or '.join(arguments.text)}; rows with --large:\n  {names}\n")
    return 0 if print_table(chosen, sys.stdout) else 1


if __name__ == "__main__":
    sys.exit(main())
