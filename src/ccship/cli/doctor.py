"""`ccship doctor`: check the setup and print a fix for each problem."""

import os
from pathlib import Path

from rich.text import Text

from ccship.cli.output import JsonOption, console, print_json


def doctor(*, as_json: JsonOption = False) -> int:
    """Check the setup and print a fix for each problem.

    Checks Claude Code, hook, keys, server and state with the settings that a hook has in this folder.
    """
    from ccship.doctor import CHECKS, gather  # noqa: PLC0415 - HTTP takes a tenth of a second to load

    facts = gather(os.environ, Path.cwd())
    results = [(check, check.find(facts) if check.needs(facts) else None) for check in CHECKS]
    failed = sum(finding is not None for _, finding in results)
    if as_json:
        checks = [
            {
                "check": check.name,
                "ok": finding is None if check.needs(facts) else None,
                "problem": finding.problem if finding else None,
                "mend": finding.fix if finding else None,
                "detail": check.detail(facts) or None if check.needs(facts) else None,
            }
            for check, finding in results
        ]
        print_json({"ok": not failed, "checks": checks})
        return 1 if failed else 0
    to = console()
    width = max(len(check.name) for check in CHECKS) + 2
    for check, finding in results:
        if finding is not None:
            to.print(Text.assemble(("FAIL  ", "bold red"), check.name.ljust(width), finding.problem), soft_wrap=True)
            to.print(Text.assemble("      ", ("fix: ", "bold"), finding.fix), soft_wrap=True)
        elif check.needs(facts):
            line = f"{check.name.ljust(width)}{check.detail(facts)}".rstrip()
            to.print(Text.assemble(("ok    ", "green"), line), soft_wrap=True)
        else:
            to.print(Text.assemble(("-     ", "dim"), (f"{check.name.ljust(width)}skipped", "dim")), soft_wrap=True)
    to.print(f"{failed} of {len(results)} checks failed" if failed else "no problems found")
    return 1 if failed else 0
