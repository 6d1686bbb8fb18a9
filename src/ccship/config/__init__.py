"""Settings: the only reader of the environment and of config files.

The table of a destination over the environment over `config.toml` over defaults (`settings` says why). The
`CC_LANGFUSE_` form of a name wins over the plain one, and every secret may stand in a file
(`LANGFUSE_SECRET_KEY_FILE`). Secrets never show in a repr or an error text.
"""

import getpass
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from urllib.parse import urlsplit

from ccship.config.projects import Pattern, any_holds, pattern_of
from ccship.config.settings import Settings, read_file
from ccship.errors import ConfigError
from ccship.hook import state_folder
from ccship.observations import Labels
from ccship.privacy import MAX_CHARS, MODES, SHORTEST, Policy
from ccship.redact import Rule, load_rules

__all__ = ["Config", "Route", "load"]

DEFAULT_BASE_URL = "https://cloud.langfuse.com"
_ENVIRONMENT = re.compile(r"(?!langfuse)[a-z0-9_-]{1,40}")


@dataclass(frozen=True, slots=True)
class Config:
    """What holds for the projects of one destination; `load` gives the default one, which knows the ways to the others.

    `name`: how messages call the destination.
    """

    name: str
    opted_in: bool
    public_key: str | None
    secret_key: str | None = field(repr=False)
    base_url: str
    environment: str | None
    user_id: str | None
    tags: tuple[str, ...]
    metadata: dict[str, str]
    trace_seed: str | None
    images: bool
    client_cost: bool
    policy: Policy
    anthropic_base_url: str | None
    debug: bool
    claude_dir: Path
    state_dir: Path
    exclude: tuple[Pattern, ...] = ()
    routes: "tuple[Route, ...]" = ()

    def for_project(self, cwd: str | None) -> "Config | None":
        """What holds for a session that began in `cwd`; None where its project is excluded.

        The first table that names the project decides. A session that names no folder goes to the default destination.

        Raises:
            ConfigError: the settings of that destination are wrong; those of the others may be right.
        """
        if cwd is None:
            return self
        if self.excluded_by(cwd):
            return None
        return next((route.config for route in self.routes if any_holds(route.projects, cwd)), self)

    def excluded_by(self, cwd: str | None) -> Pattern | None:
        """The pattern that keeps the sessions of a project from being shipped."""
        return next((pattern for pattern in self.exclude if cwd and pattern.holds(cwd)), None)

    @property
    def has_keys(self) -> bool:
        """Whether there is something to authenticate with."""
        return bool(self.public_key and self.secret_key)

    @property
    def requests_dir(self) -> Path:
        """Where hooks leave what is to be done."""
        return self.state_dir / "requests"

    @property
    def labels(self) -> Labels:
        """What the person adds to every trace."""
        return Labels(
            user_id=self.user_id,
            tags=self.tags,
            metadata=self.metadata,
            trace_seed=self.trace_seed,
            anthropic_base_url=self.anthropic_base_url,
            environment=self.environment,
            images=self.images,
            client_cost=self.client_cost,
        )

    @property
    def destination(self) -> str:
        """What tells one destination's cursors from another's."""
        return f"{self.base_url} {self.public_key}"


@dataclass(frozen=True)
class Route:
    """A `[[destinations]]` table: which projects it takes, and what holds for them.

    Its settings are read when the first project needs them: a key file that is missing today must not keep the
    sessions of other destinations.
    """

    name: str
    projects: tuple[Pattern, ...]
    _settings: Settings = field(repr=False)

    @cached_property
    def config(self) -> Config:
        """The settings of the destination."""
        try:
            return _config(self.name, self._settings)
        except ConfigError as error:
            raise ConfigError(f"destination {self.name}: {error}") from error


def load(environ: Mapping[str, str] | None = None) -> Config:
    """Read the settings; they are those of the default destination, `Config.for_project` gives the others.

    Raises:
        ConfigError: a setting has a value that cannot be meant, a name that nobody knows, or a file it names cannot be
            read.
    """
    environ = os.environ if environ is None else environ
    file = read_file(environ)
    settings = Settings(environ, file)
    routes = tuple(_route(n, Settings(environ, file, table)) for n, table in enumerate(file.get("destinations", []), 1))
    exclude = tuple(pattern_of(text, "exclude") for text in settings.words_of_all("EXCLUDE"))
    return _config("default", settings, exclude, routes)


def _route(number: int, settings: Settings) -> Route:
    table = settings.table
    projects = table.get("projects")
    texts = [projects] if isinstance(projects, str) else projects
    if not texts or not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        raise ConfigError(f'destination {number}: say which projects go there: projects = ["~/work/acme/**"]')
    name = str(table.get("name") or texts[0])
    return Route(name, tuple(pattern_of(text, f"destination {name}") for text in texts), settings)


def _config(name: str, settings: Settings, exclude: tuple[Pattern, ...] = (), routes: tuple[Route, ...] = ()) -> Config:
    environ = settings.environ
    public_key, secret_key = _keys(settings)
    return Config(
        name=name,
        opted_in=settings.flag("TRACE"),
        public_key=public_key,
        secret_key=secret_key,
        base_url=_base_url(settings.text("BASE_URL") or DEFAULT_BASE_URL),
        environment=_environment(settings.text("ENVIRONMENT")),
        user_id=settings.text("USER_ID") or _user(environ),
        tags=settings.words("TRACE_TAGS"),
        metadata=settings.pairs("METADATA"),
        trace_seed=settings.text("TRACE_SEED"),
        images=settings.flag("CAPTURE_IMAGES", default=True),
        client_cost=settings.choice("COST", ("server", "client"), "server") == "client",
        policy=_policy(settings),
        anthropic_base_url=environ.get("ANTHROPIC_BASE_URL"),
        debug=settings.flag("DEBUG"),
        claude_dir=Path(environ.get("CLAUDE_CONFIG_DIR") or "~/.claude").expanduser(),
        state_dir=Path(state_folder(dict(environ))),
        exclude=exclude,
        routes=routes,
    )


def _keys(settings: Settings) -> tuple[str | None, str | None]:
    """The public and the secret key; a table has both or none, for half a pair opens nothing."""
    named = {
        name for name in ("public_key", "secret_key") if settings.table.get(name) or settings.table.get(f"{name}_file")
    }
    if len(named) == 1:
        raise ConfigError(f"it names a {named.pop()} only: name public_key and secret_key (or their _file) together")
    if not named and settings.table.get("base_url"):
        raise ConfigError(
            "it names a base_url but no keys, and keys are for one server: name public_key and secret_key"
        )
    public_key, secret_key = settings.text("PUBLIC_KEY"), settings.text("SECRET_KEY")
    if (public_key or "").startswith("sk-lf-") or (secret_key or "").startswith("pk-lf-"):
        # the public key stands in the state and in messages: a secret one must not get there
        raise ConfigError("LANGFUSE_PUBLIC_KEY and LANGFUSE_SECRET_KEY are mixed up: pk-lf-... is the public one")
    return public_key, secret_key


def _policy(settings: Settings) -> Policy:
    metadata = settings.pairs("METADATA")
    return Policy(
        capture=settings.choice("CAPTURE", MODES, "full"),
        max_chars=settings.number("MAX_CHARS", MAX_CHARS, least=SHORTEST),
        redact=settings.flag("REDACT", default=True),
        rules=_rules(settings.text("REDACT_EXTRA")),
        images=settings.flag("CAPTURE_IMAGES", default=True),
        own=frozenset({*settings.words("TRACE_TAGS"), *metadata, *metadata.values()}),
    )


def _rules(path: str | None) -> tuple[Rule, ...]:
    """The person's own rules. Without them nothing may be sent: they say what must not leave."""
    if path is None:
        return ()
    file = Path(os.path.expandvars(path)).expanduser()
    try:
        return load_rules(file.read_text())
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"CC_LANGFUSE_REDACT_EXTRA names {file}, which cannot be read") from error
    except ValueError as error:
        raise ConfigError(f"{file}: {error}") from error


def _base_url(url: str) -> str:
    try:
        parts = urlsplit(url)
        is_url = parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        is_url = False
    if "@" in url:
        raise ConfigError("LANGFUSE_BASE_URL holds a user name or a password: the keys have settings of their own")
    if not is_url:
        raise ConfigError(f"LANGFUSE_BASE_URL is {url!r}: it begins with http:// or https:// and names a host")
    return url.rstrip("/")


def _environment(name: str | None) -> str | None:
    if name is not None and not _ENVIRONMENT.fullmatch(name):
        raise ConfigError(
            f"LANGFUSE_TRACING_ENVIRONMENT is {name!r}: Langfuse takes up to 40 of a-z, 0-9, - and _,"
            " and no name that begins with langfuse"
        )
    return name


def _user(environ: Mapping[str, str]) -> str | None:
    if name := environ.get("USER"):
        return name
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return None
