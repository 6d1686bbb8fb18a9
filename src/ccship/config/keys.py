"""Decides which keys may be sent to which address.

Keys go only to an address of the same source: keys of `config.toml` to an address in that file or to the default, keys
of the environment to either. A repository's address and keys are never used: it could choose who reads your sessions.
Headers are like keys, and they may replace them: a gateway then adds the keys. A table with an address of its own gets
no headers from elsewhere.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, get_args

from ccship.config.access import is_otlp_variable
from ccship.config.file import config_file
from ccship.config.settings import Found, Settings
from ccship.config.table import DestinationKind
from ccship.errors import ConfigError

SERVER = ("BASE_URL", "PUBLIC_KEY", "SECRET_KEY", "HEADERS")
"""The settings of a server."""

_ACCESS = ("headers", "headers_file", "certificate", "client_certificate", "client_key")


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
    _check_table(settings.table)
    if is_otlp(settings):
        return _otlp_refusal(settings)
    applied = [name for name in SERVER if name not in unread(settings)]
    found = {name: next(settings.found(name), None) for name in applied}
    base_url = found.pop("BASE_URL")
    return _refusal(base_url, [key for key in found.values() if key], str(config_file(settings.environ)))


def is_otlp(settings: Settings) -> bool:
    """Return whether the settings are those of an OTLP destination."""
    return str(settings.table.get("kind", "")).lower() == "otlp"


def has_headers(settings: Settings) -> bool:
    """Return whether headers are set for the destination, even an empty table (`headers = {}`)."""
    return "HEADERS" not in unread(settings) and next(settings.found("HEADERS"), None) is not None


def unread(settings: Settings) -> frozenset[str]:
    """Return the settings of a server that do not apply to a destination, even if they are set."""
    table = settings.table
    if is_otlp(settings):
        return frozenset(SERVER[:3] if _is_in(table, "headers") else SERVER)
    if not table.get("base_url"):
        return frozenset()
    return frozenset(SERVER[1:3] if not _is_in(table, "public_key") else () if _is_in(table, "headers") else SERVER[3:])


def _otlp_refusal(settings: Settings) -> Refusal | None:
    table = settings.table
    if not table.get("from_env"):
        return None
    if foreign := next(filter(is_otlp_variable, settings.foreign), None):
        return Refusal(
            f"{foreign} comes from {settings.foreign[foreign].file}: nothing is sent, because a repository must not set"
            " the server",
            "remove it there, or replace from_env in the table of the destination by endpoint and headers",
        )
    if _is_in(table, "headers") and table.get("headers") != {} and not table.get("endpoint"):
        return Refusal(
            f"headers come from {config_file(settings.environ)}, the address from the environment: nothing is sent,"
            " because headers are used only with an address from the same source",
            "write endpoint into the same table, next to the headers",
        )
    return None


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


def check_names(file: Mapping[str, Any]) -> None:
    """Check that destinations with the same address and name have the same headers: they would share a cursor.

    Raises:
        ConfigError: They have not.
    """
    known: dict[tuple[str, str], tuple[str, object]] = {}
    tables = {f"destination {n}": table for n, table in enumerate(file.get("destinations", []), 1)}
    for title, table in {"the default destination": file, **tables}.items():
        address = table.get("base_url") or table.get("endpoint")
        if not address or _is_in(table, "public_key"):
            continue  # the key tells which it is
        same = (str(address).rstrip("/").removesuffix("/v1/traces"), str(table.get("name") or table.get("kind") or ""))
        access = [table.get(key) for key in _ACCESS]
        other, of_other = known.setdefault(same, (title, access))
        if of_other != access:
            raise ConfigError(
                f"{other} and {title} have the same address and name, but different headers or certificates: give each"
                " a name of its own"
            )


def _is_in(table: Mapping[str, Any], key: str) -> bool:
    return table.get(key) not in (None, "") or bool(table.get(f"{key}_file"))


def _check_table(table: Mapping[str, Any]) -> None:
    """Check that a table has both keys or none, and no settings of another kind of destination."""
    kind = str(table.get("kind") or "langfuse").lower()
    if kind not in get_args(DestinationKind):
        return  # the error about its value follows
    if kind == "otlp":
        if wrong := next((key for key in ("base_url", "public_key", "secret_key") if _is_in(table, key)), None):
            raise ConfigError(f"it is of kind otlp and contains {wrong}: set endpoint and headers instead")
        return
    if wrong := next((key for key in ("endpoint", "from_env") if table.get(key)), None):
        raise ConfigError(f'it contains {wrong}, which only an otlp destination has: set kind = "otlp"')
    named = {name for name in ("public_key", "secret_key") if _is_in(table, name)}
    if len(named) == 1:
        raise ConfigError(f"it contains only {named.pop()}: set both public_key and secret_key (or their _file)")
    if named:
        return
    if table.get("base_url") and not _is_in(table, "headers"):
        raise ConfigError(
            "it contains base_url but no keys: set its public_key and secret_key, or headers for a gateway that adds"
            " the keys"
        )
    if _is_in(table, "headers") and not table.get("base_url"):
        raise ConfigError("it contains headers but no keys: set base_url, the address of the gateway")
