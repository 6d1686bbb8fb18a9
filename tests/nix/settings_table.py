"""The settings table as `nix/settings.json` has it, from which the home-manager module declares its options."""

from typing import Any

from ccship.config.table import SETTINGS, Setting
from conftest import ROOT

FILE = ROOT / "nix/settings.json"


def rows() -> dict[str, dict[str, Any]]:
    """A row for each key of `config.toml`: `kind`, `help`, `perDestination`, and others where they apply.

    The path of a file that contains a key is a row of its own, of kind `keyFile`; a secret key is of kind `secret`,
    a table with secret values of kind `headers`. `onlyPerDestination`: it is in tables of destinations only.
    """
    return dict(sorted(row for setting in SETTINGS if setting.in_file for row in _rows_of(setting)))


def _rows_of(setting: Setting) -> list[tuple[str, dict[str, Any]]]:
    row: dict[str, Any] = {
        "kind": _kind_of(setting),
        "help": setting.help,
        "perDestination": setting.per_destination,
    }
    if setting.only_in_tables:
        row["onlyPerDestination"] = True
    if setting.choices:
        row["choices"] = list(setting.choices)
    if setting.kind == "number":
        row["least"] = setting.least
    if not setting.has_file:
        return [(setting.key, row)]
    key_file = {**row, "kind": "keyFile", "help": f"The path of a file instead. {setting.help}"}
    return [(setting.key, row), (f"{setting.key}_file", key_file)]


def _kind_of(setting: Setting) -> str:
    if setting.name == "CLIENT_KEY":
        return "keyFile"
    if setting.is_secret:
        return "headers" if setting.kind == "pairs" else "secret"
    return setting.kind
