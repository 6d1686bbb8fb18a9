"""What is left of a bug: a report without secrets and without text, that can be sent to strangers.

It holds where the program was, never what it had in hand: no message of an exception, no variable, no path of the
person's.
"""

import os
import platform
import sys
import tempfile
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from ccship import __version__
from ccship.errors import StateError, steps_of
from ccship.hook import state_folder
from ccship.state import private

_LIBRARIES = ("langfuse", "opentelemetry-sdk", "pydantic", "typer")


def write_report(error: BaseException) -> Path | str:
    """Write the report into the state folder, or where temporary files go; returns where it is."""
    text = "\n".join([*_facts(), "", *steps_of(error), ""])
    for folder in (Path(state_folder(dict(os.environ))), Path(tempfile.gettempdir())):
        try:
            if folder != Path(tempfile.gettempdir()):
                private(folder)
            descriptor, name = tempfile.mkstemp(prefix="bug-", suffix=".txt", dir=folder, text=True)
        except (OSError, StateError):
            continue
        with os.fdopen(descriptor, "w") as file:
            file.write(text)
        return Path(name)
    return f"this: {' < '.join(reversed(list(steps_of(error))))}"


def _facts() -> list[str]:
    libraries = (f"{name} {version(name)}" for name in _LIBRARIES)
    return [
        f"ccship {__version__}, {datetime.now(UTC):%Y-%m-%d}",
        f"Python {platform.python_version()} on {platform.system()} {platform.machine()}",
        *libraries,
        f"command {sys.argv[1] if len(sys.argv) > 1 and sys.argv[1].isalpha() else '-'}",
    ]
