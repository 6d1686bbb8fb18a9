"""Where a setting's value comes from: the destination's table, the environment, the file, in this order.

The table of a destination comes first because it is the more specific: Claude Code hands the `env` of its settings to
every hook, so that keys standing there would otherwise win over every route. Secrets never show in an error text.
"""

import difflib
import os
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import platformdirs

from ccship.config.table import SETTINGS
from ccship.errors import ConfigError

_Choice = TypeVar("_Choice", bound=str)

_TRUE = frozenset({"1", "true", "yes", "on"})
_FALSE = frozenset({"0", "false", "no", "off", ""})

_VARIABLES = {setting.name: setting.looked_up for setting in SETTINGS}
_KEYS = tuple(setting.name for setting in SETTINGS if setting.has_file)
_OF_A_DESTINATION = tuple(setting.name for setting in SETTINGS if setting.per_destination)
_OF_ALL = tuple(setting.name for setting in SETTINGS if setting.in_file and not setting.per_destination)


@dataclass(frozen=True, slots=True)
class Settings:
    """The layers that values are looked up in; names are those of the variables, without `CC_LANGFUSE_`."""

    environ: Mapping[str, str] = field(repr=False)
    file: Mapping[str, Any] = field(repr=False)
    table: Mapping[str, Any] = field(repr=False, default_factory=dict)

    def value(self, name: str) -> Any:
        """What was set, as it was written: text, or whatever TOML has. None where nothing was; empty is unset."""
        for look in (lambda: _in_table(self.table, name), lambda: self._in_environ(name)):
            if (value := look()) not in (None, ""):
                return value
        value = _in_table(self.file, name)
        return None if value == "" else value

    def origin(self, name: str) -> str | None:
        """Where the value of a setting comes from: a key of the destination's table, a variable, a key of the file."""
        twins = ("", "_FILE") if name in _KEYS else ("",)
        names = [f"{variable}{twin}" for variable in _VARIABLES[name] for twin in twins]
        keys = [f"{name}{twin}".lower() for twin in twins]
        for layer, found in ((self.table, keys), (self.environ, names), (self.file, keys)):
            for it in found:
                if layer.get(it) not in (None, ""):
                    return it
        return None

    def text(self, name: str) -> str | None:
        """The value of a setting that is a text."""
        value = self.value(name)
        if isinstance(value, list | dict):
            raise ConfigError(f"{name.lower()} is one text, no {'list' if isinstance(value, list) else 'table'}")
        return None if value is None else str(value)

    def flag(self, name: str, *, default: bool = False) -> bool:
        """The value of a setting that is true or false."""
        value = (self.text(name) or str(default)).lower()
        if value not in _TRUE | _FALSE:
            raise ConfigError(f"{name} is {value!r}: say true or false")
        return value in _TRUE

    def number(self, name: str, default: int, least: int) -> int:
        """The value of a setting that is a whole number."""
        text = self.text(name) or str(default)
        if not text.isdecimal() or int(text) < least:
            raise ConfigError(f"{name} is {text!r}: say a whole number from {least} on")
        return int(text)

    def choice(self, name: str, choices: Sequence[_Choice], default: _Choice) -> _Choice:
        """The value of a setting that is one of a few words."""
        text = (self.text(name) or default).lower()
        for choice in choices:
            if text == choice:
                return choice
        raise ConfigError(f"{name} is {text!r}: say {', '.join(choices)}")

    def words(self, name: str) -> tuple[str, ...]:
        """The value of a setting that is a list: one of TOML, or words separated by commas."""
        return _words(self.value(name))

    def words_of_all(self, name: str) -> tuple[str, ...]:
        """The words of all layers together: none of them can take back what another one wants kept."""
        return (*_words(self._in_environ(name)), *_words(_in_table(self.file, name)))

    def pairs(self, name: str) -> dict[str, str]:
        """The value of a setting that is a table: one of TOML, or `key=value`, separated by commas."""
        value = self.value(name)
        if isinstance(value, dict):
            return {str(key): str(item) for key, item in value.items()}
        pairs = [word.partition("=") for word in _words(value)]
        if any(not key.strip() or not separator for key, separator, _ in pairs):
            raise ConfigError(f"CC_LANGFUSE_{name} is a list of key=value, separated by commas")
        return {key.strip(): text.strip() for key, _, text in pairs}

    def _in_environ(self, name: str) -> str | None:
        for variable in _VARIABLES[name]:
            if value := self.environ.get(variable, "").strip():
                return value
            if name in _KEYS and (path := self.environ.get(f"{variable}_FILE")):
                return _secret(f"{variable}_FILE", path)
        return None


def config_file(environ: Mapping[str, str]) -> Path:
    """Where `config.toml` is, or would be."""
    chosen = environ.get("CC_LANGFUSE_CONFIG")
    return Path(chosen).expanduser() if chosen else platformdirs.user_config_path("ccship") / "config.toml"


def read_file(environ: Mapping[str, str]) -> dict[str, Any]:
    """What stands in `config.toml`; empty where there is none.

    Raises:
        ConfigError: it cannot be read, or says something that nobody would read.
    """
    path = config_file(environ)
    try:
        file = tomllib.loads(path.read_text())
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} cannot be read: {error}") from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path} is not valid TOML: {error}") from error
    tables = file.get("destinations", [])
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        raise ConfigError(f"{path}: write each destination as a table of its own, under [[destinations]]")
    _check_names(file, {*_names(_OF_ALL + _OF_A_DESTINATION), "destinations"}, str(path))
    for n, table in enumerate(tables, 1):
        _check_names(table, {*_names(_OF_A_DESTINATION), "name", "projects"}, f"{path}, destination {n}")
    return file


def _in_table(table: Mapping[str, Any], name: str) -> Any:
    key = name.lower()
    if key in table:
        return table[key]
    if name in _KEYS and (path := table.get(f"{key}_file")):
        return _secret(f"{key}_file", str(path))
    return None


def _words(value: Any) -> tuple[str, ...]:
    items = value if isinstance(value, list) else str("" if value is None else value).split(",")
    return tuple(word for item in items if (word := str(item).strip()))


def _names(settings: Iterable[str]) -> Iterable[str]:
    for setting in settings:
        yield setting.lower()
        if setting in _KEYS:
            yield f"{setting.lower()}_file"


def _check_names(table: Mapping[str, Any], known: set[str], where: str) -> None:
    for key in table.keys() - known:
        near = difflib.get_close_matches(key.lower(), sorted(known), n=1, cutoff=0.5)
        hint = f": did you mean {near[0]}?" if near else f": known are {', '.join(sorted(known))}"
        raise ConfigError(f"{where}: there is no setting {key!r}{hint}")


def _secret(name: str, path: str) -> str:
    file = Path(os.path.expandvars(path)).expanduser()
    try:
        secret = file.read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{name} names {file}, which cannot be read") from error
    if not secret:
        raise ConfigError(f"{name} names {file}, which is empty")
    return secret
