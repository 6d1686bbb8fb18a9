"""Settings: the only reader of the environment and of config files.

Environment over `config.toml` over defaults. The `CC_LANGFUSE_` form of a name wins over the plain one, and every
secret may stand in a file (`LANGFUSE_SECRET_KEY_FILE`). Secrets never show in a repr or an error text.
"""

import getpass
import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import platformdirs

from ccship.errors import ConfigError
from ccship.hook import state_folder
from ccship.observations import Labels

DEFAULT_BASE_URL = "https://cloud.langfuse.com"
_TRUE = frozenset({"1", "true", "yes", "on"})
_FALSE = frozenset({"0", "false", "no", "off", ""})

_PLAIN = {
    "BASE_URL": ("LANGFUSE_BASE_URL", "LANGFUSE_HOST"),
    "ENVIRONMENT": ("LANGFUSE_TRACING_ENVIRONMENT",),
    "PUBLIC_KEY": ("LANGFUSE_PUBLIC_KEY",),
    "SECRET_KEY": ("LANGFUSE_SECRET_KEY",),
    "USER_ID": ("LANGFUSE_USER_ID",),
    "TRACE": ("TRACE_TO_LANGFUSE",),
}
"""Settings that Langfuse's own programs know too, by the names they know them under."""

_FILE_NAMES = frozenset({"PUBLIC_KEY", "SECRET_KEY"})
"""Settings whose value may be kept in a file of its own."""


@dataclass(frozen=True, slots=True)
class Config:
    """What holds for this run."""

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
    anthropic_base_url: str | None
    debug: bool
    claude_dir: Path
    state_dir: Path

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
            images=self.images,
        )

    @property
    def destination(self) -> str:
        """What tells one destination's cursors from another's."""
        return f"{self.base_url} {self.public_key}"


def load(environ: Mapping[str, str] | None = None) -> Config:
    """Read the settings.

    Raises:
        ConfigError: a setting has a value that cannot be meant, or a file it names cannot be read.
    """
    environ = os.environ if environ is None else environ
    settings = _Settings(environ, _read_file(environ))
    return Config(
        opted_in=settings.flag("TRACE"),
        public_key=settings.text("PUBLIC_KEY"),
        secret_key=settings.text("SECRET_KEY"),
        base_url=_base_url(settings.text("BASE_URL") or DEFAULT_BASE_URL),
        environment=settings.text("ENVIRONMENT"),
        user_id=settings.text("USER_ID") or _user(environ),
        tags=settings.words("TRACE_TAGS"),
        metadata=settings.pairs("METADATA"),
        trace_seed=settings.text("TRACE_SEED"),
        images=settings.flag("CAPTURE_IMAGES", default=True),
        anthropic_base_url=environ.get("ANTHROPIC_BASE_URL"),
        debug=settings.flag("DEBUG"),
        claude_dir=Path(environ.get("CLAUDE_CONFIG_DIR") or "~/.claude").expanduser(),
        state_dir=Path(state_folder(dict(environ))),
    )


@dataclass(frozen=True, slots=True)
class _Settings:
    environ: Mapping[str, str]
    file: Mapping[str, object]

    def text(self, name: str) -> str | None:
        """The value of a setting; empty counts as unset."""
        for variable in (f"CC_LANGFUSE_{name}", *_PLAIN.get(name, ())):
            if value := self.environ.get(variable, "").strip():
                return value
            if name in _FILE_NAMES and (path := self.environ.get(f"{variable}_FILE")):
                return _secret(f"{variable}_FILE", path)
        setting = self.file.get(name.lower())
        if setting is None and name in _FILE_NAMES and (file := self.file.get(f"{name.lower()}_file")):
            return _secret(f"{name.lower()}_file", str(file))
        return None if setting is None else str(setting)

    def flag(self, name: str, *, default: bool = False) -> bool:
        value = (self.text(name) or str(default)).lower()
        if value not in _TRUE | _FALSE:
            raise ConfigError(f"{name} is {value!r}: say true or false")
        return value in _TRUE

    def words(self, name: str) -> tuple[str, ...]:
        value = self.file.get(name.lower()) if not self.environ.get(f"CC_LANGFUSE_{name}") else None
        words = value if isinstance(value, list) else (self.text(name) or "").split(",")
        return tuple(word for item in words if (word := str(item).strip()))

    def pairs(self, name: str) -> dict[str, str]:
        value = self.file.get(name.lower()) if not self.environ.get(f"CC_LANGFUSE_{name}") else None
        if isinstance(value, dict):
            return {str(key): str(item) for key, item in value.items()}
        pairs = [word.partition("=") for word in self.words(name)]
        if any(not key.strip() or not separator for key, separator, _ in pairs):
            raise ConfigError(f"CC_LANGFUSE_{name} is a list of key=value, separated by commas")
        return {key.strip(): text.strip() for key, _, text in pairs}


def _read_file(environ: Mapping[str, str]) -> Mapping[str, object]:
    path = Path(environ.get("CC_LANGFUSE_CONFIG") or platformdirs.user_config_path("ccship") / "config.toml")
    try:
        return tomllib.loads(path.expanduser().read_text())
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} cannot be read: {error}") from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path} is not valid TOML: {error}") from error


def _secret(name: str, path: str) -> str:
    file = Path(os.path.expandvars(path)).expanduser()
    try:
        return file.read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{name} names {file}, which cannot be read") from error


def _base_url(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ConfigError(f"LANGFUSE_BASE_URL is {url!r}: it begins with http:// or https:// and names a host")
    return url.rstrip("/")


def _user(environ: Mapping[str, str]) -> str | None:
    if name := environ.get("USER"):
        return name
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return None
