"""What is left of a bug: a report without secrets and without text, that can be sent to strangers.

It holds where the program was, never what it had in hand: no message of an exception, no variable, no path of the
person's.
"""

import os
import platform
import sys
import tempfile
import traceback
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from ccship import __version__
from ccship.errors import StateError
from ccship.hook import state_folder
from ccship.state import private

_LIBRARIES = ("langfuse", "opentelemetry-sdk", "pydantic", "typer")


def write_report(error: BaseException) -> Path | str:
    """Write the report into the state folder, or where temporary files go; returns where it is."""
    text = "\n".join([*_facts(), "", *_steps(error), ""])
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
    return f"this: {' < '.join(reversed(list(_steps(error))))}"


def _facts() -> list[str]:
    libraries = (f"{name} {version(name)}" for name in _LIBRARIES)
    return [
        f"ccship {__version__}, {datetime.now(UTC):%Y-%m-%d}",
        f"Python {platform.python_version()} on {platform.system()} {platform.machine()}",
        *libraries,
        f"command {sys.argv[1] if len(sys.argv) > 1 and sys.argv[1].isalpha() else '-'}",
    ]


def _steps(error: BaseException) -> list[str]:
    """Where it happened, the innermost last; an exception that it came from is told first."""
    steps = []
    cause = error.__cause__ or error.__context__
    if cause is not None:
        steps += [*_steps(cause), "then"]
    for frame in traceback.extract_tb(error.__traceback__):
        steps.append(f"{'/'.join(Path(frame.filename).parts[-2:])}:{frame.lineno} {frame.name}")
    return [*steps, type(error).__name__]
