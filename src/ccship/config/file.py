"""`config.toml`: its path, and the keys and tables that it may contain."""

from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Annotated, Any, TypeAlias

import platformdirs
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, create_model

from ccship.config.table import SETTINGS, Setting
from ccship.errors import ConfigError


def _shape(name: str, settings: Iterable[Setting], /, **own: Any) -> type[BaseModel]:
    """Return the model of a table's keys. Values are checked only when they apply: others may be invalid."""
    keys: dict[str, Any] = {key: (Any, None) for setting in settings for key in setting.keys}
    return create_model(name, __config__=ConfigDict(extra="forbid"), **keys, **own)


_Projects: TypeAlias = Annotated[
    list[str], Field(min_length=1), BeforeValidator(lambda value: [value] if isinstance(value, str) else value)
]


@cache
def _shapes() -> tuple[type[BaseModel], type[BaseModel]]:
    """Return the models of the file and of a destination's table. Only users with a file pay for making them."""
    destination = _shape(
        "Destination",
        (setting for setting in SETTINGS if setting.per_destination),
        name=(Any, None),
        projects=(_Projects, ...),
    )
    file = _shape(
        "File",
        (setting for setting in SETTINGS if setting.in_file and not setting.only_in_tables),
        destinations=(list[destination], []),  # type: ignore[valid-type]  # mypy cannot follow a type made at run time
        budgets=(list[dict[str, Any]], []),  # checked by `budgets`: an invalid one must not stop the shipping
    )
    return file, destination


def config_file(environ: Mapping[str, str]) -> Path:
    """Return the path of `config.toml`; it may not exist."""
    chosen = environ.get("CC_LANGFUSE_CONFIG")
    return Path(chosen).expanduser() if chosen else platformdirs.user_config_path("ccship") / "config.toml"


def read_file(environ: Mapping[str, str]) -> dict[str, Any]:
    """Read `config.toml`; empty if it does not exist.

    Raises:
        ConfigError: It cannot be read or contains unknown keys.
    """
    path = config_file(environ)
    try:
        text = path.read_text()
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} cannot be read: {error}") from error
    import tomllib  # noqa: PLC0415 - only users with a file pay for it

    try:
        file = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path} is not valid TOML: {error}") from error
    try:
        _shapes()[0].model_validate(file)
    except ValidationError as error:
        raise ConfigError(f"{path}{_misshapen(error)}") from None
    return file


def _misshapen(error: ValidationError) -> str:
    """Describe the first error, to follow the file's path. Keys may be quoted, values may be secrets."""
    errors = error.errors(include_input=False, include_url=False)
    shape, destination = _shapes()
    first = min(errors, key=lambda found: found["type"] != "extra_forbidden")
    match first["loc"]:
        case (str(key),) if first["type"] == "extra_forbidden":
            return f": {_unknown(key, shape)}"
        case ("destinations", int(n), str(key)) if first["type"] == "extra_forbidden":
            return f", destination {n + 1}: {_unknown(key, destination)}"
        case ("destinations", int(n), "projects", *_):
            return f', destination {n + 1}: list its projects: projects = ["~/work/acme/**"]'
        case (str(key), *_) if key == "budgets":
            return ": write each budget as its own [[budgets]] table"
        case _:
            return ": write each destination as its own [[destinations]] table"


def _unknown(key: str, shape: type[BaseModel]) -> str:
    import difflib  # noqa: PLC0415 - only here

    known = sorted(shape.model_fields)
    near = difflib.get_close_matches(key.lower(), known, n=1, cutoff=0.5)
    return f"unknown setting {key!r}: " + (
        f"did you mean {near[0]}?" if near else f"expected one of {', '.join(known)}"
    )
