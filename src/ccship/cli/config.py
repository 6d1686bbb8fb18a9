"""`ccship config`: print every setting with its value and source."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import typer
from pydantic import ValidationError
from rich.text import Text

from ccship import config as configuration
from ccship.cli.output import JsonOption, console, print_json, print_table
from ccship.config.file import config_file, read_file
from ccship.config.repository import split
from ccship.config.settings import Found, Settings
from ccship.config.table import SETTINGS, Setting, Values
from ccship.errors import ConfigError
from ccship.hook import PARENT_VARIABLES, state_folder

_SECRET = "sk-lf-"  # noqa: S105 - how they begin
_MASK = "********"
_PARENTS = frozenset(PARENT_VARIABLES.values())


@dataclass(frozen=True, slots=True)
class _Row:
    """One setting. `found`: the sources that apply, empty for a default; `ignored`: the sources that do not apply."""

    setting: Setting
    value: object
    found: tuple[Found, ...]
    ignored: tuple[Found, ...] = ()


def config(*, as_json: JsonOption = False) -> int:
    """Show every setting, its value and its source.

    Secrets are masked.
    """
    environment = split(os.environ)
    path = config_file(environment.own)
    error: str | None = None
    try:
        loaded = configuration.load()
        refused = [each.refusal for each in (loaded, *(route.config for route in loaded.routes)) if each.refusal]
        error = str(refused[0]) if refused else None
    except ConfigError as invalid:
        error = str(invalid)
    try:
        file = read_file(environment.own)
    except ConfigError:
        file = {}  # `error` contains the reason
    settings = Settings(environment.own, file, environment.foreign)
    rows = [_row(setting, settings) for setting in SETTINGS if not setting.only_in_tables]
    tables = {_name(table): _destination_rows(replace(settings, table=table)) for table in file.get("destinations", [])}
    if as_json:
        print_json({"file": str(path), "file_exists": path.exists(), "error": error, **_document(rows, tables)})
    else:
        _show(rows, tables, path)
        if error:
            typer.echo(f"ccship: {error}", err=True)
    return 2 if error else 0


def _destination_rows(settings: Settings) -> list[_Row]:
    """Return the settings that a destination sets itself."""
    rows = (_row(setting, settings) for setting in SETTINGS)
    return [row for row in rows if any(source.layer == "table" for source in row.found)]


def _row(setting: Setting, settings: Settings) -> _Row:
    if setting.name in ("STATE_DIR", "CONFIG") or not _PARENTS.isdisjoint(setting.variables):
        found = tuple(settings.found(setting.name))
        applied_sources = tuple(source for source in found if source.layer != "repository")
        ignored = tuple(source for source in found if source.layer == "repository")
        return _Row(setting, _value_of_variable(setting, settings.environ), applied_sources[:1], ignored)
    if setting.name == "USER_ID" and not any(source.raw for source in settings.applied("USER_ID").found):
        return _Row(setting, configuration.user_name(settings.environ) or "", ())
    try:
        applied = settings.applied(setting.name)
        values = [_value(setting, source) for source in applied.found]
    except ConfigError as error:
        first = next(settings.found(setting.name))
        return _Row(setting, f"? {error}" if first.is_path else _value(setting, first), (first,))
    if len(values) > 1:
        return _Row(setting, [str(value) for value in values], applied.found)
    return _Row(setting, values[0] if values else setting.default, applied.found, applied.ignored)


def _value_of_variable(setting: Setting, environ: Mapping[str, str]) -> str:
    """Return the value of a setting that a repository cannot set."""
    match setting.name:
        case "STATE_DIR":
            return state_folder(dict(environ))
        case "CONFIG":
            return str(config_file(environ))
        case _:
            return environ.get(setting.variables[0], "")


def _value(setting: Setting, found: Found) -> object:
    """Return the value, masked if it is a secret. A file named by a repository is not read."""
    value = found.raw if found.layer == "repository" else found.value
    if setting.kind == "pairs" and setting.is_secret:
        return _masked_pairs(value)
    has_password = "://" in str(value) and "@" in str(value)
    return _masked(value) if setting.is_secret or has_password or str(value).startswith(_SECRET) else value


def _masked(secret: object) -> object:
    """Mask a value, but keep the prefix that identifies a Langfuse secret key."""
    return secret and (f"{_SECRET}{_MASK}" if str(secret).startswith(_SECRET) else _MASK)


def _masked_pairs(value: object) -> object:
    """Mask the values of headers, but show their names. All of it if it cannot be parsed."""
    try:
        headers = Values.model_validate({"headers": value}).headers
    except ValidationError:
        return _MASK
    return {name: _masked(text) for name, text in headers.items()}


def _name(table: Mapping[str, Any]) -> str:
    projects = table.get("projects")
    first = projects[0] if isinstance(projects, list) and projects else projects
    return str(table.get("name") or first or "destination")


def _show(rows: list[_Row], tables: dict[str, list[_Row]], path: Path) -> None:
    to = console()
    to.print(f"{path}{'' if path.exists() else ' (does not exist)'}", soft_wrap=True)
    to.print()
    headers = ("setting", "value", "from")
    print_table(to, headers, _lines(rows), flexible="value")
    for name, overrides in tables.items():
        to.print()
        to.print(f"destination {name} overrides:", soft_wrap=True, markup=False)
        print_table(to, headers, _lines(overrides), flexible="value")


def _lines(rows: list[_Row]) -> list[tuple[str, Text, str]]:
    """Return the cells of each setting, followed by those of its ignored values."""
    lines = []
    for row in rows:
        name = row.setting.key if row.setting.in_file else row.setting.variables[0]
        place = _place(row.found)
        lines.append((name, _shown(row.value), "environment" if place == name else place))
        lines += [(name, _shown(source.raw), f"ignored: {_origin(source)}") for source in row.ignored]
    return lines


def _shown(value: object) -> Text:
    """Return a value as text, in which brackets are no markup."""
    if isinstance(value, list):
        value = ", ".join(map(str, value))
    elif isinstance(value, dict):
        value = ", ".join(f"{key}={item}" for key, item in value.items())
    return Text((str(value).lower() if isinstance(value, bool) else str(value)) or "-")


def _place(found: Sequence[Found]) -> str:
    """Return the sources of a value: names of variables, or keys of config.toml."""
    return ", ".join(map(_origin, found)) or "default"


def _origin(found: Found) -> str:
    if found.layer == "repository":
        return f"{found.key} in {found.source}"
    return f"config.toml: {found.key}" if found.in_config else found.key


def _document(rows: list[_Row], tables: dict[str, list[_Row]]) -> dict[str, object]:
    return {
        "settings": [_entry(row) for row in rows],
        "destinations": [
            {"name": name, "settings": [_entry(row) for row in overrides]} for name, overrides in tables.items()
        ],
    }


def _entry(row: _Row) -> dict[str, object]:
    return {
        "setting": row.setting.key,
        "value": row.value if row.value != "" else None,
        "from": _place(row.found),
        "ignored": [{"value": source.raw, "from": _origin(source)} for source in row.ignored],
        "variables": row.setting.variables,
        "help": row.setting.help,
    }
