"""Settings. The only package that reads the environment and config files.

`settings` defines the precedence of sources, `repository` separates a repository's variables from the user's, `keys`
decides which keys may go to which address. A name with `CC_LANGFUSE_` takes precedence over the plain one. A secret may
be in a file (`LANGFUSE_SECRET_KEY_FILE`). Secrets never appear in a repr or an error.
"""

import getpass
import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ccship.config.access import Access, access_of, otlp_of
from ccship.config.file import config_file, read_file
from ccship.config.keys import SERVER, Refusal, check_names, has_headers, refusal_of, unread
from ccship.config.kinds import fields_of
from ccship.config.parents import ignored_parents
from ccship.config.projects import Pattern, any_matches, pattern_of
from ccship.config.repository import split
from ccship.config.settings import Settings
from ccship.config.table import DestinationKind, Values
from ccship.errors import ConfigError
from ccship.hook import state_folder
from ccship.observations import TraceSettings
from ccship.privacy import Policy
from ccship.privacy.redact import Rule, load_rules
from ccship.signals.scores import SignalsMode

if TYPE_CHECKING:
    from ccship.config.budgets import Budget

__all__ = ["Config", "Route", "load", "user_name"]


@dataclass(frozen=True, slots=True)
class Config:
    """The settings of one destination. `load` returns those of the default, with routes to the others.

    `name`: the destination's name in messages. `base_url`: the address of the Langfuse server, or the full one of an
    OTLP destination. `account`: what tells it from others at this address, if it has no public key. `is_gateway`: the
    server is behind a gateway that adds the keys. `also`: it gets sessions in addition to another destination.
    `refusal`: the reason if keys are set but must not be used. `ignored`: a line for each value that would have
    loosened a privacy setting, or names no parent.
    """

    name: str
    opted_in: bool
    public_key: str | None
    secret_key: str | None = field(repr=False)
    base_url: str
    access: Access
    trace_settings: TraceSettings
    policy: Policy
    signals: SignalsMode
    ticket: str
    debug: bool
    claude_dir: Path
    state_dir: Path
    kind: DestinationKind = "langfuse"
    account: str = ""
    is_gateway: bool = False
    also: bool = False
    refusal: Refusal | None = None
    ignored: tuple[str, ...] = ()
    exclude: tuple[Pattern, ...] = ()
    routes: "tuple[Route, ...]" = ()
    budget_tables: tuple[Mapping[str, Any], ...] = field(default=(), repr=False, compare=False)
    config_file: Path = Path("config.toml")

    @property
    def budgets(self) -> "tuple[Budget, ...]":
        """The budgets.

        Raises:
            ConfigError: One is invalid. Shipping does not depend on them.
        """
        if not self.budget_tables:
            return ()
        from ccship.config.budgets import budgets_of  # noqa: PLC0415 - only users with a budget pay for it

        return budgets_of(self.budget_tables, self.config_file)

    def for_project(self, cwd: str | None) -> "Config | None":
        """Return the settings of the first destination of a session that began in `cwd`; None if it is excluded.

        The first table without `also` that matches the project decides. A session without a folder goes to the default
        destination.

        Raises:
            ConfigError: The settings of that destination are invalid; those of others may be valid.
        """
        if cwd is None:
            return self
        if self.excluded_by(cwd):
            return None
        return next((route.config for route in self.routes if not route.also and route.matches(cwd)), self)

    def also_for_project(self, cwd: str | None) -> "tuple[Route, ...]":
        """Return the routes to the other destinations of a session that began in `cwd`."""
        if cwd is None or self.excluded_by(cwd):
            return ()
        return tuple(route for route in self.routes if route.also and route.matches(cwd))

    def excluded_by(self, cwd: str | None) -> Pattern | None:
        """Return the pattern that excludes a project, if any."""
        return next((pattern for pattern in self.exclude if cwd and pattern.matches(cwd)), None)

    @property
    def can_send(self) -> bool:
        """Whether all that the server asks for is set: both keys, or what an OTLP destination or a gateway has."""
        is_complete = self.kind == "otlp" or self.is_gateway or bool(self.public_key and self.secret_key)
        return is_complete and self.refusal is None

    @property
    def why_no_keys(self) -> str:
        """The message about missing keys of this destination."""
        return str(self.refusal or "no keys: set LANGFUSE_PUBLIC_KEY and LANGFUSE_SECRET_KEY")

    @property
    def requests_dir(self) -> Path:
        """The folder of request files. A destination in addition to another has a folder of its own."""
        folder = self.state_dir / "requests"
        return folder / blake2b(self.destination.encode(), digest_size=8).hexdigest() if self.also else folder

    @property
    def destination(self) -> str:
        """The name of this destination in the state."""
        return f"{self.base_url} {self.account or self.public_key}"

    def lock_id(self, session_id: str) -> str:
        """Return what is locked while a session is shipped there: destinations do not wait for each other."""
        return f"{session_id} {self.destination}" if self.also else session_id


@dataclass(frozen=True)
class Route:
    """A `[[destinations]]` table: its projects and settings.

    The settings are read when the first project needs them, so that a missing key file does not block other
    destinations.
    """

    name: str
    projects: tuple[Pattern, ...]
    also: bool
    _settings: Settings = field(repr=False)

    def matches(self, cwd: str) -> bool:
        """Return whether the projects of the table contain a folder."""
        return any_matches(self.projects, cwd)

    @cached_property
    def config(self) -> Config:
        """The settings of the destination."""
        try:
            return _config(self.name, self._settings)
        except ConfigError as error:
            raise ConfigError(f"destination {self.name}: {error}") from error


def load(environ: Mapping[str, str] | None = None) -> Config:
    """Read the settings of the default destination; `Config.for_project` returns the others.

    Raises:
        ConfigError: A value is invalid, a name is unknown, or a file cannot be read.
    """
    environment = split(os.environ if environ is None else environ)
    if environment.problem:
        raise ConfigError(environment.problem)
    file = read_file(environment.own)
    if problem := environment.used_in(file):
        raise ConfigError(problem)
    settings = Settings(environment.own, file, environment.foreign)
    check_names(file)
    routes = tuple(_route(replace(settings, table=table)) for table in file.get("destinations", []))
    budgets = tuple(file.get("budgets", ()))
    return replace(
        _config("default", settings, routes), budget_tables=budgets, config_file=config_file(environment.own)
    )


def _route(settings: Settings) -> Route:
    projects = settings.table["projects"]
    texts = [projects] if isinstance(projects, str) else projects
    name = str(settings.table.get("name") or texts[0])
    also = settings.table.get("also") or False
    if not isinstance(also, bool):
        raise ConfigError(f"destination {name}: also must be true or false")
    return Route(name, tuple(pattern_of(text, f"destination {name}") for text in texts), also, settings)


def _config(name: str, settings: Settings, routes: tuple[Route, ...] = ()) -> Config:
    environ = settings.environ
    refusal = refusal_of(settings)
    values = settings.values(without=SERVER if refusal else unread(settings))
    _check(values)
    base_url, access = _server(values, environ) if refusal is None else (values.base_url, Access())
    is_gateway = values.kind == "langfuse" and refusal is None and not values.public_key and has_headers(settings)
    return Config(
        name=name,
        opted_in=values.trace,
        public_key=values.public_key or None,
        secret_key=values.secret_key or None,
        base_url=base_url,
        access=access,
        trace_settings=_trace_settings(values, environ, has_media=values.kind == "langfuse" and not is_gateway),
        policy=_policy(values),
        signals=values.signals if values.kind == "langfuse" else "off",
        ticket=values.ticket,
        debug=values.debug,
        claude_dir=Path(environ.get("CLAUDE_CONFIG_DIR") or "~/.claude").expanduser(),
        state_dir=Path(state_folder(dict(environ))),
        kind=values.kind,
        account=str(settings.table.get("name") or values.kind) if is_gateway or values.kind == "otlp" else "",
        is_gateway=is_gateway,
        also=values.also,
        refusal=refusal,
        ignored=(*settings.ignored, *ignored_parents(environ, settings.foreign)),
        exclude=tuple(pattern_of(text, "exclude") for text in values.exclude),
        routes=routes,
    )


def _server(values: Values, environ: Mapping[str, str]) -> tuple[str, Access]:
    return otlp_of(values, environ) if values.kind == "otlp" else (values.base_url, access_of(values))


def _check(values: Values) -> None:
    """Raise ConfigError if two settings contradict each other."""
    if values.public_key.startswith("sk-lf-") or values.secret_key.startswith("pk-lf-"):
        # the state and messages contain the public key: it must not be a secret one
        raise ConfigError("LANGFUSE_PUBLIC_KEY and LANGFUSE_SECRET_KEY are mixed up: pk-lf-... is the public one")
    if values.capture == "metadata" and ("branch", "", None) in fields_of(values.trace_name):
        raise ConfigError(
            f"CC_LANGFUSE_TRACE_NAME is {values.trace_name!r}: the capture mode metadata sends no branch,"
            " so remove {branch}"
        )


def _trace_settings(values: Values, environ: Mapping[str, str], *, has_media: bool) -> TraceSettings:
    return TraceSettings(
        user_id=values.user_id or user_name(environ),
        trace_name=values.trace_name,
        tags=values.trace_tags,
        metadata=values.metadata,
        trace_seed=values.trace_seed or None,
        anthropic_base_url=environ.get("ANTHROPIC_BASE_URL"),
        user_name=user_name(environ),
        namespace=environ.get("POD_NAMESPACE"),
        environment=values.environment or None,
        images=values.capture_images and has_media,
        cost=values.cost if values.kind == "langfuse" else "server",
    )


def _policy(values: Values) -> Policy:
    return Policy(
        capture=values.capture,
        max_chars=values.max_chars,
        redact=values.redact,
        rules=tuple(rule for path in dict.fromkeys(values.redact_extra) for rule in _rules(path)),
        images=values.capture_images,
        own=frozenset({*values.trace_tags, *values.metadata, *values.metadata.values()}),
    )


def _rules(path: str) -> tuple[Rule, ...]:
    """Read the rules in a file. If it cannot be read, nothing may be sent."""
    file = Path(os.path.expandvars(path)).expanduser()
    if file.exists() and not file.is_file():  # a repository may name a device that never ends
        raise ConfigError(f"CC_LANGFUSE_REDACT_EXTRA names {file}, which is not a file")
    try:
        return load_rules(file.read_text())
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"CC_LANGFUSE_REDACT_EXTRA names {file}, which cannot be read") from error
    except ValueError as error:
        raise ConfigError(f"{file}: {error}") from error


def user_name(environ: Mapping[str, str]) -> str | None:
    """Return the name of the user account; None if it has none."""
    if name := environ.get("USER"):
        return name
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return None
