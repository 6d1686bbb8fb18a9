"""Types of settings, for values from variables (text) and from TOML.

The text of a ValueError follows the name and the origin of the setting.
"""

import re
from string import Formatter
from typing import Annotated, Any, TypeAlias
from urllib.parse import unquote, urlsplit

from pydantic import AfterValidator, BeforeValidator

from ccship.observations import TRACE_NAME_FIELDS

_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_HEADER_VALUE = re.compile(r"[ \t\x21-\x7e]*")
_OWN_HEADERS = frozenset({"content-encoding", "content-length", "content-type", "host", "transfer-encoding"})
"""Those that a request sets itself; a second value would make it unreadable."""

_ENVIRONMENT = re.compile(r"(?!langfuse)[a-z0-9_-]{1,40}")


def _text(value: Any) -> Any:
    return value if isinstance(value, list | tuple | dict) else str(value)


def _lower(value: Any) -> Any:
    return value.lower() if isinstance(value, str) else value


def _words(value: Any) -> Any:
    if isinstance(value, dict):
        return value
    items = value if isinstance(value, list | tuple) else str(value).split(",")
    return tuple(item for item in items if not isinstance(item, str) or item.strip())


def _pairs(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    pairs = [word.partition("=") for word in value.split(",") if word.strip()]
    if any(not key.strip() or not separator for key, separator, _ in pairs):
        raise ValueError("must be a list of key=value, separated by commas")
    return {key.strip(): text.strip() for key, _, text in pairs}


def _headers(value: Any) -> Any:
    """Return headers by name: from a table, from lines `name: value`, or from the format of OpenTelemetry's variables.

    No error quotes a value.
    """
    if isinstance(value, dict):
        return value
    text = str(value).strip()
    if "\n" in text or re.match(r"[^=,]*:", text):
        pairs = [line.partition(":") for line in text.splitlines() if line.strip()]
    else:
        words = [word.partition("=") for word in text.split(",") if word.strip()]
        pairs = [(name, equals, unquote(rest)) for name, equals, rest in words]
    if any(not separator for _, separator, _ in pairs):
        raise ValueError("must be a table, lines of name: value, or name=value separated by commas")
    return {name.strip(): rest.strip() for name, _, rest in pairs}


def _header_fields(headers: dict[str, str]) -> dict[str, str]:
    for name, value in headers.items():
        if not _HEADER_NAME.fullmatch(name):
            raise ValueError("contains a name that is not the name of a header")
        if name.lower() in _OWN_HEADERS:
            raise ValueError(f"contains {name.lower()}, which ccship sets itself")
        if not _HEADER_VALUE.fullmatch(value):
            raise ValueError(f"contains a value of {name} that no header can have")
    return headers


def _otlp_url(url: str) -> str:
    if not url:
        return url
    url = _url(url, "set headers instead")
    if "?" in url or "#" in url:
        raise ValueError("contains a query or a fragment: set headers instead")
    return url


def _endpoint(url: str) -> str:
    """Return the full address for traces, with the path that OpenTelemetry's protocol defines as the default."""
    return url if not url or url.endswith("/traces") else f"{url}/v1/traces"


def _base_url(url: str) -> str:
    return _url(url, "set public_key and secret_key instead")


def _url(url: str, instead: str) -> str:
    if "@" in url:
        raise ValueError(f"contains a user name or a password: {instead}")
    try:
        parts = urlsplit(url)
        is_url = parts.scheme in ("http", "https") and bool(parts.hostname) and not re.search(r"\s", url)
    except ValueError:
        is_url = False
    if not is_url:
        raise ValueError(f"is {url!r}: expected http:// or https:// and a host")
    return url.rstrip("/")


def _environment(name: str) -> str:
    if name and not _ENVIRONMENT.fullmatch(name):
        raise ValueError(f"is {name!r}: expected at most 40 of a-z, 0-9, - and _, not starting with langfuse")
    return name


def _trace_name(template: str) -> str:
    try:
        fields = fields_of(template)
    except ValueError as error:
        raise ValueError(f"is {template!r}: {error} (write {{{{ for a literal brace)") from error
    if not fields <= {(name, "", None) for name in TRACE_NAME_FIELDS}:
        known = ", ".join(f"{{{name}}}" for name in TRACE_NAME_FIELDS)
        raise ValueError(f"is {template!r}: use only the fields {known}, without formats")
    return template


def _regex(pattern: str) -> str:
    try:
        re.compile(pattern)
    except re.error as error:
        raise ValueError(f"is no regular expression: {error}") from error
    return pattern


def fields_of(template: str) -> set[tuple[str | None, str | None, str | None]]:
    """Return the fields of a trace name: name, format, conversion.

    Raises:
        ValueError: It is not a template.
    """
    return {(name, form, conversion) for _, name, form, conversion in Formatter().parse(template) if name is not None}


Text: TypeAlias = Annotated[str, BeforeValidator(_text)]
Lower = BeforeValidator(_lower)
Words: TypeAlias = Annotated[tuple[Annotated[Text, AfterValidator(str.strip)], ...], BeforeValidator(_words)]
"""A TOML list, or words separated by commas."""

Pairs: TypeAlias = Annotated[dict[str, Text], BeforeValidator(_pairs)]
"""A TOML table, or `key=value` separated by commas."""

Paths: TypeAlias = Annotated[
    tuple[Text, ...], BeforeValidator(lambda value: value if isinstance(value, tuple) else (value,))
]
"""One path. The paths of several layers add up."""

Headers: TypeAlias = Annotated[dict[str, Text], BeforeValidator(_headers), AfterValidator(_header_fields)]
"""A TOML table, lines `name: value`, or `name=value` separated by commas with percent encoding."""

OtlpUrl: TypeAlias = Annotated[Text, AfterValidator(_otlp_url)]
Endpoint: TypeAlias = Annotated[OtlpUrl, AfterValidator(_endpoint)]
BaseUrl: TypeAlias = Annotated[Text, AfterValidator(_base_url)]
EnvironmentName: TypeAlias = Annotated[Text, AfterValidator(_environment)]
Regex: TypeAlias = Annotated[Text, AfterValidator(_regex)]
TraceName: TypeAlias = Annotated[Text, AfterValidator(_trace_name)]
