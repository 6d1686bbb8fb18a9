"""`ccship doctor`: what is wrong, and the one line that mends it."""

import os
from pathlib import Path

from rich.text import Text

from ccship.cli.output import JsonOption, console, print_json


def doctor(*, as_json: JsonOption = False) -> int:
    """Check client, hook, keys, server and state, as the hook finds them when Claude Code runs in this folder."""
    from ccship.doctor import CHECKS, gather  # noqa: PLC0415 - HTTP takes a tenth of a second to load

    facts = gather(os.environ, Path.cwd())
    results = [(check, check.find(facts) if check.needs(facts) else None) for check in CHECKS]
    wrong = sum(finding is not None for _, finding in results)
    if as_json:
        checks = [
            {
                "check": check.name,
                "ok": finding is None if check.needs(facts) else None,
                "problem": finding.problem if finding else None,
                "mend": finding.mend if finding else None,
            }
            for check, finding in results
        ]
        print_json({"ok": not wrong, "checks": checks})
        return 1 if wrong else 0
    to = console()
    for check, finding in results:
        if finding is not None:
            to.print(Text.assemble(("wrong ", "bold red"), f"{check.name}: {finding.problem}"), soft_wrap=True)
            to.print(Text.assemble("      ", ("-> ", "bold"), finding.mend), soft_wrap=True)
        elif check.needs(facts):
            to.print(Text.assemble(("ok    ", "green"), check.name), soft_wrap=True)
        else:
            to.print(Text.assemble(("-     ", "dim"), (f"{check.name}: not looked at", "dim")), soft_wrap=True)
    to.print(f"{wrong} of {len(results)} checks found something." if wrong else "All is well.")
    return 1 if wrong else 0
