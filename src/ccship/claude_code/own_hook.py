"""The hook command of this installation, and a test run of it.

`install` registers and `doctor` runs this command only: a command in a settings file may come from a repository.
"""

import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import ccship.hook
from ccship.claude_code import registration
from ccship.claude_code.settings_file import is_store_path

_TIMEOUT_S = 30
"""Creating a script environment takes this long when nothing is cached; the probe does it."""

_PASSED_ON = ("HOME", "UV_CACHE_DIR", "XDG_CACHE_HOME", "NIX_LD", "NIX_LD_LIBRARY_PATH")
"""Variables that every session has, also on a desktop. NIX_LD: without it, no wheel from PyPI loads on NixOS."""


@dataclass(frozen=True, slots=True)
class Probe:
    """The result of the test run outside the user's shell. Complaints are one line, or empty."""

    command: str
    complaint: str
    seconds: float
    worker_complaint: str

    @property
    def works(self) -> bool:
        """Whether the installation can ship sessions."""
        return not (self.complaint or self.worker_complaint)

    @property
    def remedy(self) -> str:
        """The commands that register a working hook."""
        if self.works:
            return "ccship install"
        if is_store_path(self.command):
            return "put `programs.ccship.enable = true;` into your home-manager configuration (see docs/nix.md)"
        return "uv tool install --force ccship, then ccship install"


def own_command() -> str:
    """Return the command that runs this installation's hook, for `/bin/sh -c`.

    Nix packages pass it with `python -X ccship_hook=...`, because a project's settings can set environment variables.
    """
    named = sys._xoptions.get("ccship_hook")  # noqa: SLF001 - public despite its name
    if isinstance(named, str):
        return named
    return registration.command_of(Path(sys.executable), Path(ccship.hook.__file__))


@cache
def probe(command: str) -> Probe:
    """Run the hook as a desktop client would, with a payload that requests nothing.

    Then import the worker with the same interpreter. Takes about a second; runs once per process.
    """
    began = time.monotonic()
    complaint = _complaint(["/bin/sh", "-c", command])
    seconds = time.monotonic() - began
    worker = _complaint([sys.executable, "-P", "-c", "import ccship.worker.main"])
    return Probe(command, complaint, seconds, f"{sys.executable} cannot import it ({worker})" if worker else "")


def _complaint(command: Sequence[str]) -> str:
    """Return the last line that a command prints; empty, as expected, if it prints nothing."""
    environ: Mapping[str, str] = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    try:
        done = subprocess.run(  # noqa: S603 - our own command
            command, input=b"{}", capture_output=True, env=environ, cwd="/", timeout=_TIMEOUT_S, check=False
        )
    except subprocess.TimeoutExpired:
        return f"it did not exit within {_TIMEOUT_S} s"
    except OSError as error:
        return str(error.strerror)
    lines = (done.stdout + done.stderr).decode("utf-8", "replace").strip().splitlines()
    return lines[-1] if lines else f"exit code {done.returncode}" if done.returncode else ""
