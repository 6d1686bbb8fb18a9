"""Whose fault it is, and what happens next."""

import traceback
from pathlib import Path

_STEPS = "steps"


class CcshipError(Exception):
    """Something a person can mend; the text says how."""


class ConfigError(CcshipError):
    """A setting is missing or wrong."""


class StateError(CcshipError):
    """The state folder cannot be used."""


class StateDamaged(StateError):
    """The state could not be read and was set aside; the next run begins with a new one, under the same ids."""


class DeliveryError(Exception):
    """The server did not take a request."""


class Retryable(DeliveryError):
    """Not now: the same request may be taken later. `retry_after_s`: what the server asked for, in seconds."""

    def __init__(self, reason: str, retry_after_s: float | None = None) -> None:
        super().__init__(reason)
        self.retry_after_s = retry_after_s


class Denied(DeliveryError):
    """Not with these keys or not at this address: sending again changes nothing until the configuration does."""


class TooLarge(DeliveryError):
    """The request is too large; a smaller one may be taken."""


class Rejected(DeliveryError):
    """Something in the request is poison; the rest of it is not."""


def steps_of(error: BaseException) -> list[str]:
    """Where an error happened, the innermost last: files, lines and functions, but nothing that they had in hand.

    An error that it came from is told first, as are the steps that it brought from another process.
    """
    steps: list[str] = []
    cause = error.__cause__ or error.__context__
    if cause is not None:
        steps += [*steps_of(cause), "then"]
    steps += error.__dict__.get(_STEPS, ())
    for frame in traceback.extract_tb(error.__traceback__):
        steps.append(f"{'/'.join(Path(frame.filename).parts[-2:])}:{frame.lineno} {frame.name}")
    return [*steps, type(error).__name__]


def keep_steps(error: BaseException) -> None:
    """Let an error take along to another process where it happened: a traceback cannot go there."""
    error.__dict__[_STEPS] = steps_of(error)
