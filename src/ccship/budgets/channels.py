"""Ways in which a notice reaches a person: a webhook, or a command. Each has a time limit and never raises."""

import os
import signal
import subprocess
from collections.abc import Mapping
from functools import partial

import httpx

from ccship import __version__
from ccship.budgets.notices import Channel, Notice, encoded
from ccship.config.budgets import Budget
from ccship.sinks.patience import deadline

LIMIT_S = 10.0
"""Longest time of a request or a command."""

_PASSED_ON = ("HOME", "USER", "LANG", "DISPLAY", "WAYLAND_DISPLAY", "DBUS_SESSION_BUS_ADDRESS", "XDG_RUNTIME_DIR")
"""Variables of a command, for example to show a notification on the desktop. Others may come from a repository."""


def channels_of(budget: Budget, environ: Mapping[str, str]) -> dict[str, Channel]:
    """Return the channels of a budget by name. `environ`: the variables that no repository has set."""
    found: dict[str, Channel] = {}
    if budget.webhook:
        found["webhook"] = partial(_post, budget.webhook)
    if budget.command:
        found["command"] = partial(_run, budget.command, environ)
    return found


def _post(address: str, notice: Notice) -> str | None:
    """Send a notice to a webhook. The reason of a failure does not contain the address, which may be secret."""
    try:
        with (
            httpx.Client(timeout=LIMIT_S, follow_redirects=False) as client,
            deadline(client, LIMIT_S),
            client.stream(
                "POST",
                address,
                content=encoded(notice),
                headers={"content-type": "application/json", "user-agent": f"ccship/{__version__}"},
            ) as reply,
        ):
            return None if reply.is_success else f"it answers with status {reply.status_code}"
    except (httpx.HTTPError, httpx.InvalidURL, OSError, RuntimeError, ValueError) as error:  # ValueError: a host
        return f"it does not answer ({type(error).__name__})"


def _run(command: tuple[str, ...], environ: Mapping[str, str], notice: Notice) -> str | None:
    """Run a command with a notice on its standard input."""
    passed = {"PATH": os.defpath, **{name: environ[name] for name in _PASSED_ON if name in environ}}
    try:
        process = subprocess.Popen(  # noqa: S603 - the user's own command
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=passed,
            cwd="/",
            start_new_session=True,
        )
    except (OSError, ValueError) as error:  # ValueError: a NUL
        return f"{command[0]} cannot be run: {getattr(error, 'strerror', None) or error}"
    try:
        process.communicate(encoded(notice), timeout=LIMIT_S)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        return f"{command[0]} was stopped after {LIMIT_S:.0f} seconds"
    return None if process.returncode == 0 else f"{command[0]} ended with exit code {process.returncode}"
