"""The state folder for commands that read no other setting."""

import os
from pathlib import Path

from ccship.errors import ConfigError
from ccship.hook import state_folder


def own_state_folder() -> Path:
    """Return the state folder. Inside Claude Code, a repository's settings may have set the variable that names it.

    Raises:
        ConfigError: They have.
    """
    environ = dict(os.environ)
    if environ.keys() & {"CLAUDE_PROJECT_DIR", "CLAUDECODE"}:
        from ccship.config.repository import split  # noqa: PLC0415 - takes longer than a report

        environment = split(environ)
        if environment.problem:
            raise ConfigError(environment.problem)
        environ = dict(environment.own)
    return Path(state_folder(environ))
