"""`ccship config`: every setting, its value, and where that comes from."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import typer

from ccship import config as configuration
from ccship.cli.output import JsonOption, console, print_json, print_table
from ccship.config.settings import Settings, config_file, read_file
from ccship.config.table import SETTINGS, Setting
from ccship.errors import ConfigError
from ccship.hook import state_folder

_SECRET = "sk-lf-"  # noqa: S105 - how they begin
_MASK = "********"


@dataclass(frozen=True, slots=True)
class _Row:
    """A setting as it is shown; `origin` is None for a default."""

    setting: Setting
    value: object
    origin: str | None


def config(*, as_json: JsonOption = False) -> int:
    """Show every setting, its value with secrets masked, and where it comes from."""
    environ = os.environ
    path = config_file(environ)
    error: str | None = None
    try:
        loaded = configuration.load(environ)
        for route in loaded.routes:
            _ = route.config
    except ConfigError as wrong:
        error = str(wrong)
    try:
        file = read_file(environ)
    except ConfigError:
        file = {}  # `error` says what is wrong with it
    rows = _rows(Settings(environ, file))
    tables = {
        _name(table): [row for row in _rows(Settings(environ, file, table)) if row.origin in table]
        for table in file.get("destinations", [])
    }
    if as_json:
        print_json({"file": str(path), "file_exists": path.exists(), "error": error, **_document(rows, tables)})
    else:
        _show(rows, tables, path)
        if error:
            typer.echo(f"ccship: {error}", err=True)
    return 2 if error else 0


def _rows(settings: Settings) -> list[_Row]:
    return [_row(setting, settings) for setting in SETTINGS]


def _row(setting: Setting, settings: Settings) -> _Row:
    if setting.name == "STATE_DIR":
        return _Row(setting, state_folder(dict(settings.environ)), _variable(setting, settings.environ))
    if setting.name == "CONFIG":
        return _Row(setting, str(config_file(settings.environ)), _variable(setting, settings.environ))
    origin = settings.origin(setting.name)
    try:
        value = settings.value(setting.name) if origin else setting.default
    except ConfigError as error:
        value = f"? {error}"
    else:
        value = _masked(value) if setting.is_secret or str(value).startswith(_SECRET) else value
    return _Row(setting, value, origin)


def _variable(setting: Setting, environ: Mapping[str, str]) -> str | None:
    return next((it for it in setting.variables if environ.get(it)), None)


def _masked(secret: object) -> object:
    """A secret key is one wherever somebody put it."""
    return secret and (f"{_SECRET}{_MASK}" if str(secret).startswith(_SECRET) else _MASK)


def _name(table: Mapping[str, Any]) -> str:
    projects = table.get("projects")
    first = projects[0] if isinstance(projects, list) and projects else projects
    return str(table.get("name") or first or "destination")


def _show(rows: list[_Row], tables: dict[str, list[_Row]], path: Path) -> None:
    to = console()
    to.print(f"{path}{'' if path.exists() else ' (not there)'}", soft_wrap=True)
    to.print()
    headers = ("setting", "value", "from")
    print_table(to, headers, [_cells(row) for row in rows], flexible="value")
    for name, own in tables.items():
        to.print()
        to.print(f"destination {name}, where it differs:", soft_wrap=True, markup=False)
        print_table(to, headers, [_cells(row) for row in own], flexible="value")


def _cells(row: _Row) -> tuple[str, str, str]:
    value = row.value
    if isinstance(value, list):
        value = ", ".join(map(str, value))
    elif isinstance(value, dict):
        value = ", ".join(f"{key}={item}" for key, item in value.items())
    shown = str(value).lower() if isinstance(value, bool) else str(value)
    name = row.setting.key if row.setting.in_file else row.setting.variables[0]
    return name, shown or "-", _place(row)


def _place(row: _Row) -> str:
    """Variables are in capitals, keys of the file are not."""
    if row.origin is None:
        return "default"
    return row.origin if row.origin.isupper() else f"config.toml: {row.origin}"


def _document(rows: list[_Row], tables: dict[str, list[_Row]]) -> dict[str, object]:
    return {
        "settings": [_entry(row) for row in rows],
        "destinations": [{"name": name, "settings": [_entry(row) for row in own]} for name, own in tables.items()],
    }


def _entry(row: _Row) -> dict[str, object]:
    return {
        "setting": row.setting.key,
        "value": row.value if row.value != "" else None,
        "from": _place(row),
        "variables": row.setting.variables,
        "help": row.setting.help,
    }
