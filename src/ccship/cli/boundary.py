"""Runs a command: expected errors become one line, and every end an exit code that docs/cli.md lists."""

import errno
import os
import sys
from collections.abc import Callable

from ccship.errors import CcshipError, ConfigError, StateTooNew


def exit_code_of(command: Callable[[], int], passed: tuple[type[Exception], ...] = ()) -> int:
    """Run a command and return its exit code. `passed`: exceptions that the caller handles."""
    try:
        return command()
    except passed:
        raise
    except (ConfigError, StateTooNew) as error:
        _complain(str(error))
        return 2
    except CcshipError as error:
        _complain(str(error))
        return 1
    except KeyboardInterrupt:
        _complain("interrupted; delivered turns are recorded, rerun the command to resume")
        return 130
    except BrokenPipeError:
        return _silence_stdout()  # the reader closed the pipe (`| head`)
    except Exception as error:  # noqa: BLE001 - the last boundary: everything else is a bug
        return _report_unexpected(error)


def _report_unexpected(error: Exception) -> int:
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        _complain(f"cannot write ({error.strerror}): free some space, then rerun to resume")
        return _silence_stdout()
    from ccship.crash import write_report  # noqa: PLC0415 - rarely needed

    _complain(f"this is a bug ({type(error).__name__}); please report {write_report(error)}")
    return 3


def _silence_stdout() -> int:
    """Redirect stdout to the null device, so that the flush at exit does not fail too."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 1


def _complain(message: str) -> None:
    print(f"ccship: {message}", file=sys.stderr)
