"""The table of all settings: name, type, bounds, default and help.

`settings` reads by this table, `ccship config` prints it, and a test compares `docs/configuration.md` with it. To add a
setting, add a field of `Values`, an argument where `Config` is made, and a row in the docs.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Annotated, Any, Literal, TypeAlias, get_args, get_origin

from pydantic import BaseModel, ConfigDict, Field

from ccship.config.kinds import (
    BaseUrl,
    Endpoint,
    EnvironmentName,
    Headers,
    Lower,
    Pairs,
    Paths,
    Regex,
    Text,
    TraceName,
    Words,
)
from ccship.observations import TRACE_NAME, CostMode
from ccship.privacy import MAX_CHARS, SHORTEST, Capture
from ccship.signals.scores import SignalsMode

FromRepository: TypeAlias = Literal["any", "stricter", "adds", "never"]
"""What a repository's settings files may do: set a setting, make it stricter, add to it, or nothing."""

DestinationKind: TypeAlias = Literal["langfuse", "otlp"]
"""What a destination is: a Langfuse server, or any backend that takes OpenTelemetry's protocol."""

Kind: TypeAlias = Literal["text", "flag", "number", "choice", "words", "pairs", "path"]
"""The type of a value in the docs and the home-manager module."""

_LONGEST_QUOTED = 20
"""Characters of an invalid value in a message. Keys are longer."""

_KINDS: dict[Any, Kind] = {bool: "flag", int: "number", Literal: "choice", tuple: "words", dict: "pairs", str: "text"}


@dataclass(frozen=True, slots=True)
class Setting:
    """A setting. `name`: its variable without `CC_LANGFUSE_`; in lower case its key in `config.toml`.

    `plain`: other variables that set it. `has_file`: the value may be in a file (`..._FILE`). `in_file`,
    `per_destination`: may be in `config.toml`, and in a destination's table there; `only_in_tables`: nowhere else.
    `in_plugin`: the Claude Code plugin prompts for it. `least`: the smallest number. `default`, `kind` and `choices`
    usually come from the field of `Values`.
    """

    help: str
    plain: tuple[str, ...] = ()
    has_file: bool = False
    is_secret: bool = False
    in_file: bool = True
    per_destination: bool = True
    only_in_tables: bool = False
    in_plugin: bool = False
    from_repository: FromRepository = "any"
    name: str = ""
    default: str = ""
    kind: Kind = "text"
    choices: tuple[str, ...] = ()
    least: int = 0

    @property
    def variables(self) -> tuple[str, ...]:
        """The variables that set it, the strongest first."""
        return (
            *(() if self.only_in_tables or self.name.startswith("CLAUDE_") else (f"CC_LANGFUSE_{self.name}",)),
            *self.plain,
        )

    @property
    def looked_up(self) -> tuple[str, ...]:
        """The variables, then the one for the plugin's option."""
        return (*self.variables, *((f"CLAUDE_PLUGIN_OPTION_{self.name}",) if self.in_plugin else ()))

    @property
    def twins(self) -> tuple[str, ...]:
        """Suffixes of variables and (in lower case) keys: none, and `_FILE` for the path of a file."""
        return ("", "_FILE") if self.has_file else ("",)

    @property
    def key(self) -> str:
        """The key in `config.toml`."""
        return self.name.lower()

    @property
    def keys(self) -> tuple[str, ...]:
        """The key, and the one for the path of a file."""
        return tuple(f"{self.name}{twin}".lower() for twin in self.twins)

    def refusal_of(self, value: object) -> str:
        """Return why a value is invalid. Only short values are quoted: a long one may be a secret."""
        match self.kind:
            case "flag":
                expected = "true or false"
            case "number":
                expected = f"a whole number of at least {self.least}"
            case "choice":
                expected = f"one of {', '.join(self.choices)}"
            case "words":
                return "must be a list of strings"
            case "pairs":
                return "must be a table, or key=value, separated by commas"
            case _:
                return "must be a string"
        quoted = repr(value) if len(str(value)) <= _LONGEST_QUOTED else "invalid"
        return f"is {quoted}: expected {expected}"


class Values(BaseModel):
    """The settings in `config.toml`, with types and defaults. An empty text means unset."""

    model_config = ConfigDict(frozen=True)

    # fmt: off
    trace: Annotated[bool, Setting(
        "Consent to send: without it, hooks send nothing.", ("TRACE_TO_LANGFUSE",),
        in_plugin=True, from_repository="stricter",
    )] = False
    public_key: Annotated[Text, Setting(
        "Public key of the project.", ("LANGFUSE_PUBLIC_KEY",), has_file=True, in_plugin=True, from_repository="never",
    )] = ""
    secret_key: Annotated[Text, Field(repr=False), Setting(
        "Secret key of the project.", ("LANGFUSE_SECRET_KEY",),
        has_file=True, is_secret=True, in_plugin=True, from_repository="never",
    )] = ""
    base_url: Annotated[BaseUrl, Setting(
        "Address of the Langfuse server.", ("LANGFUSE_BASE_URL", "LANGFUSE_HOST"),
        in_plugin=True, from_repository="never",
    )] = "https://cloud.langfuse.com"
    headers: Annotated[Headers, Field(repr=False), Setting(
        "Headers of every request; without keys, for a gateway that adds the keys.",
        has_file=True, is_secret=True, from_repository="never",
    )] = {}
    kind: Annotated[DestinationKind, Lower, Setting(
        "What the destination is: langfuse, or otlp for any backend that takes OpenTelemetry.", only_in_tables=True,
    )] = "langfuse"
    also: Annotated[bool, Setting(
        "Send the projects of this table to it in addition to their first destination.", only_in_tables=True,
    )] = False
    endpoint: Annotated[Endpoint, Setting(
        "Address of an otlp destination; /v1/traces is appended unless it ends in /traces.", only_in_tables=True,
    )] = ""
    from_env: Annotated[bool, Setting(
        "Read what the table of an otlp destination leaves out from OTEL_EXPORTER_OTLP_* variables.",
        only_in_tables=True,
    )] = False
    certificate: Annotated[Text, Setting(
        "File with the certificates of the authorities to trust.", only_in_tables=True, kind="path",
    )] = ""
    client_certificate: Annotated[Text, Setting(
        "File with the certificate that ccship presents.", only_in_tables=True, kind="path",
    )] = ""
    client_key: Annotated[Text, Setting(
        "File with the key of the client certificate.", only_in_tables=True, kind="path",
    )] = ""
    environment: Annotated[EnvironmentName, Setting(
        "Langfuse environment of the traces.", ("LANGFUSE_TRACING_ENVIRONMENT",), in_plugin=True,
    )] = ""
    user_id: Annotated[Text, Setting("User of every trace.", ("LANGFUSE_USER_ID",), default="your user name")] = ""
    trace_name: Annotated[TraceName, Setting(
        "Name of every trace, with {n}, {project}, {branch} and {trigger}.",
    )] = TRACE_NAME
    trace_tags: Annotated[Words, Setting("List of tags for every trace.")] = ()
    metadata: Annotated[Pairs, Setting("Metadata for every trace: a table, or key=value,key=value.")] = {}
    trace_seed: Annotated[Text, Setting("Seed for predictable trace ids: turn n gets the id of `<seed>:<n>`.")] = ""
    capture: Annotated[Capture, Lower, Setting(
        "Text to send: full, no-tool-io (without input and output of tools) or metadata.",
        in_plugin=True, from_repository="stricter",
    )] = "full"
    capture_images: Annotated[bool, Setting("Send images and PDFs.", from_repository="stricter")] = True
    max_chars: Annotated[int, Field(ge=SHORTEST), Setting(
        "Maximum length of a text in characters; the rest is cut off.", from_repository="stricter",
    )] = MAX_CHARS
    redact: Annotated[bool, Setting(
        "Redact likely credentials.", from_repository="stricter",
    )] = True
    redact_extra: Annotated[Paths, Setting(
        "File with additional redaction rules.", from_repository="adds", kind="path",
    )] = ()
    cost: Annotated[CostMode, Lower, Setting(
        "Who computes costs: auto (ccship, where the server has no price), server or client.",
    )] = "auto"
    signals: Annotated[SignalsMode, Lower, Setting(
        "Scores to send: review (needs_review for every turn, and what fired), all or off.", from_repository="stricter",
    )] = "review"
    ticket: Annotated[Regex, Setting(
        "Regular expression that finds the ticket in the name of a branch, for usage --by ticket.",
        per_destination=False, from_repository="never",
    )] = r"\b[a-z][a-z0-9]{1,9}-[0-9]+\b"
    exclude: Annotated[Words, Setting(
        "List of path patterns of projects that are never sent.", per_destination=False, from_repository="adds",
    )] = ()
    debug: Annotated[bool, Setting("Log details.", per_destination=False)] = False
    # fmt: on


def _settings() -> Iterator[Setting]:
    for key, field in Values.model_fields.items():
        (setting,) = (entry for entry in field.metadata if isinstance(entry, Setting))
        kind = setting.kind if setting.kind == "path" else _KINDS[get_origin(field.annotation) or field.annotation]
        yield replace(
            setting,
            name=key.upper(),
            default=setting.default or ("" if field.default in ((), {}) else str(field.default).lower()),
            kind=kind,
            choices=get_args(field.annotation) if kind == "choice" else (),
            least=next((entry.ge for entry in field.metadata if hasattr(entry, "ge")), 0),
        )


_VARIABLE = Setting("", in_file=False, per_destination=False, from_repository="never", kind="path")

SETTINGS = (
    *_settings(),
    replace(
        _VARIABLE, name="FOREGROUND", kind="flag", default="false", from_repository="any",
        help="Make the hook wait for the worker, for containers that end at once.",
    ),
    replace(
        _VARIABLE, name="TRACEPARENT", kind="text",
        help="Span that contains the turns of a run, as a W3C traceparent.",
    ),
    replace(
        _VARIABLE, name="PARENT_TRACE_ID", kind="text",
        help="The trace id of that span, instead of a traceparent: 32 hex digits.",
    ),
    replace(_VARIABLE, name="PARENT_SPAN_ID", kind="text", help="Its span id: 16 hex digits."),
    replace(_VARIABLE, name="STATE_DIR", help="State folder."),
    replace(_VARIABLE, name="CONFIG", help="Path of config.toml."),
    replace(
        _VARIABLE, name="CLAUDE_CONFIG_DIR", default="~/.claude", plain=("CLAUDE_CONFIG_DIR",),
        help="Claude Code's folder with settings and transcripts.",
    ),
)  # fmt: skip
