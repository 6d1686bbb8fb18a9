"""Runs `ccship usage` without typer, whose import takes longer than the report.

Whatever this parser does not expect is left to typer: help, errors, completion.
"""

import os
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

from ccship.cli.boundary import exit_code_of
from ccship.cli.usage_report import UsageOptions, report

_FIELDS = {f"--{field.name.removeprefix('as_').replace('_', '-')}": field for field in fields(UsageOptions)}


def run(arguments: list[str]) -> int | None:
    """Run the command and return its exit code; None if typer has to parse the arguments."""
    options = parsed(arguments)
    return None if options is None else exit_code_of(lambda: report(options))


def parsed(arguments: list[str]) -> UsageOptions | None:
    """Return the options; None if an argument is unexpected."""
    values: dict[str, Any] = {}
    if folder := os.environ.get("CLAUDE_CONFIG_DIR"):
        values["claude_dir"] = Path(folder)
    paths: list[Path] = []
    rest = iter(arguments)
    for argument in rest:
        if not argument.startswith("-"):
            paths.append(Path(argument))
            continue
        found = _option(argument, rest)
        if found is None:
            return None
        values.update([found])
    return UsageOptions(**{**values, "paths": tuple(paths)})


def _option(argument: str, rest: Iterator[str]) -> tuple[str, Any] | None:
    name, is_assigned, assigned = argument.partition("=")
    field = _FIELDS.get(name)
    if field is None or field.name == "paths":
        return None
    if isinstance(field.default, bool):
        return None if is_assigned else (field.name, True)
    value = assigned if is_assigned else next(rest, None)
    if value is None:
        return None
    return field.name, Path(value) if isinstance(field.default, Path) else value
