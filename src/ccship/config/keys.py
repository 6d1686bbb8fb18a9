"""Decides which keys may be sent to which address.

Keys go only to an address of the same source: keys of `config.toml` to an address in that file or to the default, keys
of the environment to either. A repository's address and keys are never used: it could choose who reads your sessions.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from ccship.config.file import config_file
from ccship.config.settings import Found, Settings
from ccship.errors import ConfigError

SERVER = ("BASE_URL", "PUBLIC_KEY", "SECRET_KEY")
"""The settings of a server."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """The reason why the keys must not be sent to the address, and the fix."""

    problem: str
    fix: str

    def __str__(self) -> str:
        return f"{self.problem}. Fix: {self.fix}"


def refusal_of(settings: Settings) -> Refusal | None:
    """Return why the keys must not be used, or None. Reads no key file.

    Raises:
        ConfigError: The table of a destination contains only a part of the server's settings.
    """
    _check_table(settings)
    base_url, *keys = (next(settings.found(name), None) for name in SERVER)
    return _refusal(base_url, [key for key in keys if key], str(config_file(settings.environ)))


def _refusal(base_url: Found | None, keys: Sequence[Found], file: str) -> Refusal | None:
    found = [*([base_url] if base_url else []), *keys]
    if any(value.layer == "repository" for value in found):
        return Refusal(
            f"{_sources(found)}: nothing is sent, because a repository must not set the server or the keys",
            f"write the address and its keys into a [[destinations]] table of {file} whose projects include this one",
        )
    if base_url and base_url.layer == "environment" and any(key.in_config for key in keys):
        where = "into the same table of" if any(key.layer == "table" for key in keys) else "into"
        return Refusal(
            f"{_sources(found)}: nothing is sent, because keys are used only with an address from the same source",
            f"write base_url {where} {file}, next to the keys",
        )
    return None


def _sources(found: Sequence[Found]) -> str:
    """List the origins of values."""
    keys: dict[str, list[str]] = {}
    for value in found:
        keys.setdefault(value.source, []).append(value.key)
    come = {source: "comes" if len(names) == 1 else "come" for source, names in keys.items()}
    return ", ".join(f"{' and '.join(names)} {come[source]} from {source}" for source, names in keys.items())


def _check_table(settings: Settings) -> None:
    """Check that a table has both keys or none."""
    table = settings.table
    named = {name for name in ("public_key", "secret_key") if table.get(name) or table.get(f"{name}_file")}
    if len(named) == 1:
        raise ConfigError(f"it contains only {named.pop()}: set both public_key and secret_key (or their _file)")
    if not named and table.get("base_url"):
        raise ConfigError("it contains base_url but no keys: set its public_key and secret_key")
