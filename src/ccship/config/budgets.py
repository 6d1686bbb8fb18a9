"""The `[[budgets]]` tables of `config.toml`."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from ccship.config.projects import Pattern, any_matches, pattern_of
from ccship.errors import ConfigError

PeriodName: TypeAlias = Literal["day", "week", "month"]

_Texts: TypeAlias = Annotated[
    tuple[str, ...], BeforeValidator(lambda value: (value,) if isinstance(value, str) else value)
]


@dataclass(frozen=True, slots=True)
class Budget:
    """What may be spent in each period. It covers all calls, or those of some projects or branches.

    `branches`: names in which `*` and `?` match any text. `webhook`: the address that gets notices, which may be
    secret. `command`: the program that gets them, and its arguments.
    """

    name: str
    period: PeriodName
    usd: float
    projects: tuple[Pattern, ...] = ()
    branches: tuple[str, ...] = ()
    webhook: str | None = None
    command: tuple[str, ...] = ()

    def __repr__(self) -> str:
        """Leave out the webhook: whoever has its address can write to it."""
        return f"Budget({self.name!r}, {self.period!r}, {self.usd!r})"

    def covers(self, directory: str | None, branch: str) -> bool:
        """Return whether it covers calls in a project's directory on a branch."""
        if self.projects and not (directory and any_matches(self.projects, directory)):
            return False
        return not self.branches or any(fnmatchcase(branch, pattern) for pattern in self.branches)


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Annotated[str, Field(min_length=1)]
    period: PeriodName
    usd: Annotated[float, Field(gt=0, allow_inf_nan=False)]
    projects: _Texts = ()
    branches: _Texts = ()
    webhook: str = ""
    webhook_file: str = ""
    command: _Texts = ()


_EXPECTED = {
    "name": "a text",
    "period": "day, week or month",
    "usd": "a number of dollars above 0",
    "projects": 'a list of path patterns, such as ["~/work/acme/**"]',
    "branches": 'a list of branch patterns, such as ["feature/*"]',
    "webhook": "an address that starts with https:// (http:// on this machine only)",
    "webhook_file": "the path of a file that contains the address",
    "command": "a list: the absolute path of a program, and its arguments",
}
"""Keys of a table, and their values."""

_ADDRESS = re.compile(r"https://[^\s/]+(?:/\S*)?|http://(?:localhost|127\.0\.0\.1|\[::1\])(?::\d+)?(?:/\S*)?")


def budgets_of(tables: Sequence[Mapping[str, Any]], path: Path) -> tuple[Budget, ...]:
    """Return the budgets in some tables of the file at `path`.

    Raises:
        ConfigError: A table has an unknown key or an invalid value, or two have the same name.
    """
    budgets = tuple(_budget(table, f"{path}, budget {n}") for n, table in enumerate(tables, 1))
    names = [budget.name for budget in budgets]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise ConfigError(f"{path}: two budgets are named {twice!r}: notices are counted by name, so rename one")
    return budgets


def _budget(table: Mapping[str, Any], where: str) -> Budget:
    try:
        values = _Table.model_validate(table)
    except ValidationError as error:
        raise ConfigError(f"{where}{_explained(error)}") from None
    if values.webhook and values.webhook_file:
        raise ConfigError(f"{where}: webhook and webhook_file are both set: remove one")
    webhook = _read(values.webhook_file, where) if values.webhook_file else values.webhook
    if webhook and not _ADDRESS.fullmatch(webhook):
        key = "webhook_file" if values.webhook_file else "webhook"
        raise ConfigError(f"{where}: {key} is invalid: expected {_EXPECTED['webhook']}")
    command = tuple(str(Path(part).expanduser()) if n == 0 else part for n, part in enumerate(values.command))
    if command and not Path(command[0]).is_absolute():
        # a repository's settings can set PATH for the hook
        raise ConfigError(f"{where}: command is {command[0]!r}: write the absolute path of the program")
    return Budget(
        values.name,
        values.period,
        values.usd,
        tuple(pattern_of(text, where) for text in values.projects),
        values.branches,
        webhook or None,
        command,
    )


def _explained(error: ValidationError) -> str:
    """Describe the first error. Values are not quoted: they may be secret."""
    errors = error.errors(include_input=False, include_url=False)
    first = min(errors, key=lambda found: found["type"] != "extra_forbidden")
    key = str(first["loc"][0]) if first["loc"] else ""
    match first["type"]:
        case "extra_forbidden":
            return f": unknown setting {key!r}: expected one of {', '.join(_EXPECTED)}"
        case "missing":
            return f": {key} is missing: expected {_EXPECTED[key]}"
        case _ if key in _EXPECTED:
            return f": {key} is invalid: expected {_EXPECTED[key]}"
        case _:
            return " is not a table: write each budget as its own [[budgets]] table"


def _read(path: str, where: str) -> str:
    file = Path(path).expanduser()
    try:
        return file.read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{where}: webhook_file names {file}, which cannot be read") from error
