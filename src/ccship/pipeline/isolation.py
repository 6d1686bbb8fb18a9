"""Limits the effect of an unexpected error to the session that raised it."""

import errno
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from ccship.crash import write_report
from ccship.errors import CcshipError

_FULL = (errno.ENOSPC, errno.EDQUOT)


def concerns_every_session(error: Exception) -> bool:
    """Return whether an error affects all sessions: settings, the state, a full disk, a closed pipe."""
    if isinstance(error, (CcshipError, sqlite3.Error, BrokenPipeError)):
        return True
    return isinstance(error, OSError) and error.errno in _FULL


def problem_of(session_id: str, error: Exception) -> str:
    """Write a crash report; return the message about the skipped session."""
    return (
        f"skipped session {session_id} because of a bug ({type(error).__name__}): please report {write_report(error)}"
    )


@contextmanager
def isolated(session_id: str, problems: list[str]) -> Iterator[None]:
    """Turn an unexpected error in a session into an entry of `problems`.

    Raises:
        Exception: The error affects every session.
    """
    try:
        yield
    except Exception as error:
        if concerns_every_session(error):
            raise
        problems.append(problem_of(session_id, error))
