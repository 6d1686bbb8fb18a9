"""Print the recall of the redaction, or with `--kind` the wrong cases of one kind.

The sets of made-up secrets are the same ones every time: one made from the vendored rules and a table of everyday
formats, and a hold-out, written by somebody who had not seen the rules. `--unseen` measures a second hold-out, by
another author, and `--practice` a set to improve the rules with.
"""

import argparse
import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parent.parent)]

from ccship.privacy.redact import Redactor  # noqa: E402 - imports follow the change of the path
from recall.holdout import SEED, cases  # noqa: E402
from recall.measure import examples, measure, table  # noqa: E402
from recall.practice import practice_cases  # noqa: E402
from recall.sets import SETS, found  # noqa: E402
from recall.unseen import unseen_cases  # noqa: E402

if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m tests.recall")
    parser.add_argument("--worst", type=int, default=40, help="Number of kinds to print per group")
    parser.add_argument("--kind", help="Print the wrong cases of this kind instead")
    parser.add_argument("--seed", type=int, default=SEED, help="Seed of the values of the hold-out")
    only = parser.add_mutually_exclusive_group()
    only.add_argument("--practice", action="store_true", help="Measure the practice set instead of the others")
    only.add_argument("--unseen", action="store_true", help="Measure the second hold-out instead of the others")
    options = parser.parse_args()
    chosen = practice_cases if options.practice else unseen_cases if options.unseen else cases
    outcomes = measure(chosen(options.seed), Redactor().text)
    if options.kind:
        print(*examples(outcomes, options.kind), sep="\n")
    elif options.practice or options.unseen:
        print(*table(outcomes, options.worst), sep="\n")
    else:
        print("made from the rules")
        for group, samples in SETS.items():
            number, missed = found(samples(), Redactor().text)
            print(f"{group:10}{number:8}{1 - missed.total() / number:9.2%}")
        print("\nhold-out", *table(outcomes, options.worst), sep="\n")
