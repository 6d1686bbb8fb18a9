"""How a destination's server is reached: address, headers and certificates.

The table of an OTLP destination names them, or the standard variables of OpenTelemetry exporters if it says `from_env`.
Claude Code removes variables that begin with `OTEL_` from hooks, so each may also begin with `CC_LANGFUSE_OTEL_`.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, Field, ValidationError

from ccship.config.kinds import Headers, OtlpUrl
from ccship.config.table import Values
from ccship.errors import ConfigError

OTLP_VARIABLES = "OTEL_EXPORTER_OTLP_"
"""The prefix of the standard variables."""

_PREFIXES = (f"CC_LANGFUSE_{OTLP_VARIABLES}TRACES_", f"{OTLP_VARIABLES}TRACES_",
             f"CC_LANGFUSE_{OTLP_VARIABLES}", OTLP_VARIABLES)  # fmt: skip
"""The strongest first: those for traces win over those for all signals."""

_NAMES = ("ENDPOINT", "HEADERS", "TIMEOUT", "PROTOCOL", "COMPRESSION", "CERTIFICATE", "CLIENT_CERTIFICATE",
          "CLIENT_KEY")  # fmt: skip
_VARIABLES = frozenset(f"{prefix}{name}" for prefix in _PREFIXES for name in _NAMES)

_PROTOCOL = "http/protobuf"
_COMPRESSIONS = ("gzip", "none")
_MS = 1000.0


@dataclass(frozen=True, slots=True)
class Access:
    """Headers and certificates for a server. `timeout_s`: of a request; None for the usual one.

    `certificate`: path of the authorities to trust, None for the system's. `client_certificate`, `client_key`: paths.
    """

    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    certificate: str | None = None
    client_certificate: str | None = None
    client_key: str | None = None
    timeout_s: float | None = None
    compresses: bool = True


class _Variables(BaseModel):
    """The values of variables that need more than text."""

    endpoint: OtlpUrl = ""
    headers: Headers = {}
    timeout: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.0


def access_of(values: Values) -> Access:
    """Return the access in a destination's settings.

    Raises:
        ConfigError: A file cannot be read, or only one of client certificate and key is set.
    """
    return _checked(_in_table(values))


def otlp_of(values: Values, environ: Mapping[str, str]) -> tuple[str, Access]:
    """Return the address for traces of an OTLP destination, and the access to it.

    Raises:
        ConfigError: There is no address, or a variable or file is invalid.
    """
    if not values.from_env:
        if not values.endpoint:
            raise ConfigError('it has no address: set endpoint = "https://...", or from_env = true')
        return values.endpoint, access_of(values)
    access = _in_table(values)
    found = {name: _found(environ, name) for name in _NAMES}
    variable, protocol = found["PROTOCOL"]
    if protocol not in ("", _PROTOCOL):
        raise ConfigError(f"{variable} is {protocol!r}: ccship sends {_PROTOCOL} only")
    variable, compression = found["COMPRESSION"]
    if compression not in ("", *_COMPRESSIONS):
        raise ConfigError(f"{variable} is {compression!r}: expected one of {', '.join(_COMPRESSIONS)}")
    variable, endpoint = found["ENDPOINT"]
    if not (values.endpoint or endpoint):
        raise ConfigError(
            f"from_env is true, but {OTLP_VARIABLES}ENDPOINT is not set (Claude Code removes OTEL_* from hooks: set"
            f" CC_LANGFUSE_{OTLP_VARIABLES}ENDPOINT in the env of its settings)"
        )
    if endpoint and "TRACES_ENDPOINT" not in variable:
        endpoint = f"{endpoint.rstrip('/')}/v1/traces"
    typed = _typed(
        endpoint=(variable, endpoint), headers=found["HEADERS"], timeout=(found["TIMEOUT"][0], found["TIMEOUT"][1])
    )
    return values.endpoint or typed.endpoint, _checked(
        replace(
            access,
            headers=values.headers if "headers" in values.model_fields_set else typed.headers,
            certificate=access.certificate or _path(found["CERTIFICATE"][1]),
            client_certificate=access.client_certificate or _path(found["CLIENT_CERTIFICATE"][1]),
            client_key=access.client_key or _path(found["CLIENT_KEY"][1]),
            timeout_s=typed.timeout / _MS or None,
            compresses=compression != "none",
        )
    )


def is_otlp_variable(name: str) -> bool:
    """Return whether a variable sets something of a destination with `from_env`."""
    return name in _VARIABLES


def _in_table(values: Values) -> Access:
    return Access(values.headers, _path(values.certificate), _path(values.client_certificate), _path(values.client_key))


def _found(environ: Mapping[str, str], name: str) -> tuple[str, str]:
    """Return the variable that applies and its value; the last one and "" if none is set."""
    names = [f"{prefix}{name}" for prefix in _PREFIXES]
    variable = next((variable for variable in names if environ.get(variable, "").strip()), names[-1])
    return variable, environ.get(variable, "").strip()


def _typed(**found: tuple[str, str]) -> _Variables:
    values = {name: text for name, (_, text) in found.items() if text}
    try:
        return _Variables.model_validate(values)
    except ValidationError as error:
        (first, *_) = error.errors(include_input=False, include_url=False)
        variable, _ = found[str(first["loc"][0])]
        reason = first["ctx"]["error"] if first["type"] == "value_error" else "is not a number of milliseconds"
        raise ConfigError(f"{variable} {reason}") from None


def _path(text: str) -> str | None:
    return str(Path(os.path.expandvars(text)).expanduser()) if text else None


def _checked(access: Access) -> Access:
    if bool(access.client_certificate) != bool(access.client_key):
        raise ConfigError("set both client_certificate and client_key, or none")
    for name in ("certificate", "client_certificate", "client_key"):
        path = getattr(access, name)
        if path and not Path(path).is_absolute():  # a hook runs in a repository, which could contain the file
            raise ConfigError(f"{name} is {path!r}: expected an absolute path")
        if path and not os.access(path, os.R_OK):
            raise ConfigError(f"{name} names {path}, which cannot be read")
    return access
