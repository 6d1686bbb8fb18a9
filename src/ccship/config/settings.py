"""The precedence of settings.

Layers, the strongest first: the destination's table, the environment (a repository's variables before the user's),
`config.toml`, the default. The table is first because Claude Code passes the `env` of its settings to every hook: keys
there would otherwise override every destination.

Privacy settings differ: the stricter of `config.toml` and the environment applies, and a repository can only make a
setting stricter. Secrets never appear in an error.
"""

import operator
import os
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any, Literal, TypeAlias

from pydantic import ValidationError

from ccship.config.file import config_file
from ccship.config.repository import Foreign
from ccship.config.table import SETTINGS, Setting, Values
from ccship.errors import ConfigError

Layer: TypeAlias = Literal["table", "repository", "environment", "file", "default"]

_SETTINGS = {setting.name: setting for setting in SETTINGS}


@dataclass(frozen=True, slots=True)
class Found:
    """A value in a layer. `key`: its key or variable; `source`: the file or environment; `raw`: as written."""

    layer: Layer
    key: str
    source: str
    raw: Any = field(repr=False)

    @property
    def is_path(self) -> bool:
        """Whether `raw` is the path of a file with the value."""
        return self.key.lower().endswith("_file")

    @property
    def value(self) -> Any:
        """The value. Reads the file if `raw` is a path.

        Raises:
            ConfigError: That file cannot be read.
        """
        return _secret(self.key, str(self.raw)) if self.is_path else self.raw

    @property
    def in_config(self) -> bool:
        """Whether it is in `config.toml`."""
        return self.layer in ("table", "file")


@dataclass(frozen=True, slots=True)
class Applied:
    """The values that apply: none for the default, several if they add up. `ignored`: values that would be looser."""

    found: tuple[Found, ...]
    ignored: tuple[Found, ...] = ()


@dataclass(frozen=True, slots=True)
class Settings:
    """All layers. Settings are named like their variables, without `CC_LANGFUSE_`."""

    environ: Mapping[str, str] = field(repr=False)
    file: Mapping[str, Any] = field(repr=False)
    foreign: Mapping[str, Foreign] = field(repr=False, default_factory=dict)
    table: Mapping[str, Any] = field(repr=False, default_factory=dict)

    def found(self, name: str) -> Iterator[Found]:
        """Yield all values, the strongest first. Empty means unset, unless a repository empties a variable."""
        setting = _SETTINGS[name]
        path = str(config_file(self.environ))
        yield from _in_table(self.table, name, "table", path)
        for variable in (f"{variable}{twin}" for variable in setting.looked_up for twin in setting.twins):
            if variable in self.foreign:
                yield Found("repository", variable, self.foreign[variable].file, self.foreign[variable].value)
            if text := self.environ.get(variable, "").strip():
                yield Found("environment", variable, "the environment", text)
        yield from _in_table(self.file, name, "file", path)

    def applied(self, name: str) -> Applied:
        """Return the values that apply."""
        if name in _STRICTNESS:
            return self._strictest(name)
        found = tuple(self.found(name))
        return Applied(_by_layer(found) if _SETTINGS[name].from_repository == "adds" else found[:1])

    def _strictest(self, name: str) -> Applied:
        found = _by_layer(self.found(name))
        own = [value for value in found if value.layer != "repository"] or [_default(name)]
        if name == "TRACE":
            own = own[:1]  # consent is per project: the environment takes precedence over config.toml
        candidates = [*own, *(value for value in found if value.layer == "repository")]
        strictness = [_STRICTNESS[name](_typed(_SETTINGS[name], value)) for value in candidates]
        applied = candidates[strictness.index(max(strictness))]
        blocked = {"repository", "environment"} if applied.in_config else {"repository"}
        looser = [value for value, rank in zip(candidates, strictness, strict=True) if rank < max(strictness)]
        return Applied(
            () if applied.layer == "default" else (applied,), tuple(value for value in looser if value.layer in blocked)
        )

    @property
    def ignored(self) -> tuple[str, ...]:
        """A line for each value that would have loosened a privacy setting."""
        applied = map(self.applied, _STRICTNESS)
        return tuple(_explained(ignored, chosen.found) for chosen in applied for ignored in chosen.ignored)

    def values(self, *, without: Collection[str] = ()) -> Values:
        """Return the typed values that apply. Settings in `without` are not read and get their defaults.

        Raises:
            ConfigError: A value is invalid, or the file that contains it cannot be read.
        """
        typed: dict[str, Any] = {}
        for setting in (setting for setting in SETTINGS if setting.in_file and setting.name not in without):
            values = [_typed(setting, value) for value in self.applied(setting.name).found if value.raw != ""]
            if values:
                typed[setting.key] = values[0] if len(values) == 1 else tuple(chain.from_iterable(values))
        return Values(**typed)


def _in_table(table: Mapping[str, Any], name: str, layer: Layer, path: str) -> Iterator[Found]:
    for key in _SETTINGS[name].keys:
        if table.get(key) not in (None, ""):
            yield Found(layer, key, path, table[key])


def _typed(setting: Setting, found: Found) -> Any:
    try:
        return getattr(Values.model_validate({setting.key: found.value}), setting.key)
    except ValidationError as error:
        (first, *_) = error.errors(include_input=False, include_url=False)
        reason = first["ctx"]["error"] if first["type"] == "value_error" else setting.refusal_of(found.raw)
        raise ConfigError(f"{found.key} in {found.source} {reason}") from None


_STRICTNESS: Mapping[str, Callable[[Any], int]] = {
    "TRACE": operator.not_,
    "CAPTURE": _SETTINGS["CAPTURE"].choices.index,
    "CAPTURE_IMAGES": operator.not_,
    "MAX_CHARS": operator.neg,
    "REDACT": bool,
    "SIGNALS": ("all", "review", "off").index,
}
"""The strictness of a value: a larger number means that less is sent."""


def _by_layer(found: Iterable[Found]) -> tuple[Found, ...]:
    """Return the strongest value of each of `config.toml`, the user's environment and a repository's."""
    layers: dict[str, Found] = {}
    for value in found:
        if value.raw != "":
            layers.setdefault("config.toml" if value.in_config else value.layer, value)
    return tuple(layers.values())


def _default(name: str) -> Found:
    return Found("default", "", "default", _SETTINGS[name].default)


def _explained(ignored: Found, applied: Sequence[Found]) -> str:
    written = f"{ignored.key}={ignored.raw}"
    if ignored.layer == "repository":
        return f"{written} in {ignored.source} is ignored: a repository can only make settings stricter"
    return f"{written} is ignored: {applied[0].key} in {applied[0].source} is stricter"


def _secret(name: str, path: str) -> str:
    file = Path(os.path.expandvars(path)).expanduser()
    try:
        secret = file.read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{name} names {file}, which cannot be read") from error
    if not secret:
        raise ConfigError(f"{name} names {file}, which is empty")
    return secret
