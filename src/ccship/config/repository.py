"""Separates the variables that a repository sets from the user's.

Claude Code merges the `env` of its settings files into the environment of hooks; a project's files override the user's.
A clone contains `.claude/settings.json`, and possibly `.claude/settings.local.json`: both may be hostile. An untracked
`settings.local.json` belongs to the user.
"""

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ccship.claude_code import registration
from ccship.claude_code.installed import config_dir
from ccship.claude_code.settings_file import SettingsFile
from ccship.config.access import is_otlp_variable
from ccship.config.table import SETTINGS
from ccship.config.tracked import is_tracked
from ccship.errors import ConfigError

_GUARDED = frozenset(
    f"{variable}{twin}"
    for setting in SETTINGS
    if setting.from_repository != "any"
    for variable in setting.looked_up
    for twin in setting.twins
)
_HOMES = frozenset({"HOME", "CLAUDE_CONFIG_DIR"})
"""They select the user's settings file, so a repository must never set them."""

_NEVER = frozenset({"CC_LANGFUSE_CONFIG", "CC_LANGFUSE_STATE_DIR", "XDG_CONFIG_HOME", "XDG_STATE_HOME", *_HOMES})
"""Variables that decide where ccship reads and writes."""

_TRANSPORT = frozenset({"HTTP_PROXY", "ALL_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR", "SSLKEYLOGFILE"})
"""With these, in either case, others could read the traffic. HTTPS_PROXY is harmless: certificates are still checked.
"""


@dataclass(frozen=True, slots=True)
class Foreign:
    """A variable's value and the repository's settings file that sets it."""

    value: str
    file: str


@dataclass(frozen=True, slots=True)
class Environment:
    """An environment, separated.

    `own`: variables that ccship may use. `foreign`: those set by a repository. `names`: the names of all variables that
    it sets, with the file. `problem`: the reason if nothing may be sent at all.
    """

    own: Mapping[str, str] = field(repr=False)
    foreign: Mapping[str, Foreign] = field(repr=False, default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)
    problem: str | None = None

    def used_in(self, file: Mapping[str, Any]) -> str | None:
        """Return why nothing may be sent: a path in the settings uses a variable that a repository sets."""
        texts = [str(file), *(value for name, value in self.own.items() if _is_setting(name))]
        used = {name for text in texts for name in re.findall(r"\$\{?(\w+)", text)}
        name = next((name for name in self.names if name in used), None)
        return name and (
            f"a setting uses ${name}, which comes from {self.names[name]}: nothing is sent. Fix: write the path out"
        )


def split(environ: Mapping[str, str]) -> Environment:
    """Separate an environment by origin. Variables that a repository may set freely stay in `own`.

    Inside Claude Code a settings file overrides the shell, so names are compared. In a shell, values must be equal too.
    """
    own_file = config_dir(environ) / "settings.json"
    user = _user_variables(own_file)
    inside_claude = "CLAUDE_PROJECT_DIR" in environ or "CLAUDECODE" in environ
    names: dict[str, str] = {}
    try:
        for name, (value, file) in _set_by_repository(environ, own_file).items():
            if name not in environ or not (inside_claude or environ[name] == value):
                continue
            if name in _HOMES or user.get(name) != environ[name]:
                names[name] = file
    except ConfigError as error:
        return Environment(environ, problem=f"{error}. What it sets is unknown, so nothing is sent")
    foreign = {name: Foreign(environ[name], file) for name, file in names.items() if _is_guarded(name)}
    own = {name: value for name, value in environ.items() if name not in foreign}
    own |= {name: user[name] for name in foreign if name in user and name not in _HOMES}
    return Environment(own, foreign, names, _problem(foreign, own_file))


def _problem(foreign: Mapping[str, Foreign], own_file: Path) -> str | None:
    name = next((name for name in foreign if name in _NEVER or name.upper() in _TRANSPORT), None)
    if name is None:
        return None
    return (
        f"{name} comes from {foreign[name].file}: nothing is sent, because it decides where ccship reads, writes or"
        f" connects. Fix: remove it there, or set it to the same value in the env of {own_file}"
    )


def _set_by_repository(environ: Mapping[str, str], own_file: Path) -> dict[str, tuple[str, str]]:
    """Return variables by name: the value and the file. The nearest folder and the user's own files decide.

    Raises:
        ConfigError: A file of the repository cannot be read.
    """
    found: dict[str, tuple[str, str] | None] = {}
    for folder in _folders(environ):
        local, shared = folder / "settings.local.json", folder / "settings.json"
        if not is_tracked(local):
            found = dict.fromkeys(_user_variables(local)) | found
        else:
            found = _from(local, f"{local} (tracked by git)") | found
        if not _is_own(shared, own_file):
            found = _from(shared, str(shared)) | found
    return {name: origin for name, origin in found.items() if origin is not None}


def _from(path: Path, file: str) -> dict[str, tuple[str, str] | None]:
    return {name: (value, file) for name, value in _variables(path).items()}


def _folders(environ: Mapping[str, str]) -> Iterator[Path]:
    """Yield the `.claude` folders of the project and its parents, up to the user's home."""
    try:
        project = Path(environ.get("CLAUDE_PROJECT_DIR") or Path.cwd())
    except FileNotFoundError:  # the current directory was deleted
        return
    home = _home()
    for folder in (project, *project.parents):
        if home is not None and os.path.realpath(folder) == home:
            return
        if os.path.isdir(folder / ".claude"):  # noqa: PTH112 - also False without permission
            yield folder / ".claude"


def _home() -> str | None:
    """Return the home folder in the user database: a repository can set HOME."""
    try:
        import pwd  # noqa: PLC0415 - not on Windows

        return os.path.realpath(pwd.getpwuid(os.getuid()).pw_dir)
    except (ImportError, KeyError):
        return None


def _is_own(path: Path, own_file: Path) -> bool:
    """Return whether a file is the user's. A repository that redirects the user's path to itself does not count."""
    return os.path.realpath(path) == os.path.realpath(own_file) and not _HOMES & _variables(path).keys()


def _user_variables(path: Path) -> Mapping[str, str]:
    """Return the variables in a settings file of the user; none if Claude Code cannot read it either."""
    try:
        return _variables(path)
    except ConfigError:
        return {}


def _variables(path: Path) -> dict[str, str]:
    """Return the variables that a settings file sets, including plugin options.

    Raises:
        ConfigError: The file cannot be read or is not a settings file.
    """
    if not os.path.isfile(path):  # noqa: PTH113 - also False without permission
        return {}
    try:
        # follow links, as Claude Code does: check the content that it passes to hooks
        settings = registration.parse(SettingsFile(path).read() or "{}")
    except ConfigError as error:
        raise ConfigError(str(error) if str(path) in str(error) else f"{path}: {error}") from None
    # an environment ends a name at a NUL
    variables = {name.partition("\0")[0]: str(value) for name, value in settings.get("env", {}).items()}
    return variables | _plugin_options(settings.get("pluginConfigs"))


def _plugin_options(plugins: Any) -> dict[str, str]:
    """Return the plugin's options as the variables that Claude Code makes of them."""
    found: dict[str, str] = {}
    for name, plugin in plugins.items() if isinstance(plugins, dict) else ():
        options = plugin.get("options") if isinstance(plugin, dict) else None
        if name.partition("@")[0] == "ccship" and isinstance(options, dict):
            found |= {f"CLAUDE_PLUGIN_OPTION_{option.upper()}": str(value) for option, value in options.items()}
    return found


def _is_guarded(name: str) -> bool:
    return _is_setting(name) or name in _NEVER or name.upper() in _TRANSPORT


def _is_setting(name: str) -> bool:
    return name in _GUARDED or is_otlp_variable(name)
