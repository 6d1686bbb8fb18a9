"""Crash reports that are safe to publish.

A report contains versions, file names, line numbers and function names. It contains no exception message, no variable
and no user path, because those may quote a transcript or a secret.
"""

import os
import platform
import sys
import tempfile
from datetime import UTC, datetime
from hashlib import blake2b
from importlib.metadata import version
from pathlib import Path

from ccship import __version__
from ccship.errors import StateError, steps_of
from ccship.hook import state_folder
from ccship.storage import private, write_whole

_LIBRARIES = ("langfuse", "opentelemetry-sdk", "pydantic", "typer")


def write_report(error: BaseException) -> Path | str:
    """Write a crash report to the state folder, or to the temporary folder; return its path.

    The file name is a hash of the report, so the same bug in many sessions writes one file. If no file can be written,
    the report itself is returned as text.
    """
    text = "\n".join([*_facts(), "", *steps_of(error), ""])
    try:
        path = (
            private(Path(state_folder(dict(os.environ))))
            / f"bug-{blake2b(text.encode(), digest_size=4).hexdigest()}.txt"
        )
        write_whole(path, text.encode())
    except (OSError, StateError):
        try:
            descriptor, name = tempfile.mkstemp(prefix="bug-", suffix=".txt")
        except OSError:
            return f"this: {' < '.join(reversed(list(steps_of(error))))}"
        with os.fdopen(descriptor, "w") as file:
            file.write(text)
        return Path(name)
    return path


def _facts() -> list[str]:
    libraries = (f"{name} {version(name)}" for name in _LIBRARIES)
    return [
        f"ccship {__version__}, {datetime.now(UTC):%Y-%m-%d}",
        f"Python {platform.python_version()} on {platform.system()} {platform.machine()}",
        *libraries,
        f"command {sys.argv[1] if len(sys.argv) > 1 and sys.argv[1].isalpha() else '-'}",
    ]
