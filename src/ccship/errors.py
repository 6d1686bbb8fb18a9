"""Error types. `CcshipError`: the user must act. `DeliveryError`: a request failed; the type decides about a retry."""

import traceback
from pathlib import Path

_STEPS = "steps"


class CcshipError(Exception):
    """The user can fix the cause; the message says how."""


class ConfigError(CcshipError):
    """A setting or argument is missing or invalid."""


class StateError(CcshipError):
    """The state folder cannot be used."""


class StateDamaged(StateError):
    """The state database was unreadable and has been renamed; a retry starts an empty one. Span ids do not change."""


class StateTooNew(StateError):
    """A newer ccship wrote the state; this version does not open it."""


class DeliveryError(Exception):
    """The server did not accept a request."""


class Retryable(DeliveryError):
    """A temporary failure: retry the same request later. `retry_after_s`: the server's Retry-After, in seconds."""

    def __init__(self, reason: str, retry_after_s: float | None = None) -> None:
        super().__init__(reason)
        self.retry_after_s = retry_after_s


class Denied(DeliveryError):
    """The keys or the address are wrong: do not retry until the configuration changes."""


class TooLarge(DeliveryError):
    """The request is too large: split it and retry."""


class Rejected(DeliveryError):
    """The server refuses at least one span of the request: split it to find which."""


class PartlyRejected(DeliveryError):
    """The server stored the spans of a request except `count` that it refuses; it does not tell which."""

    def __init__(self, reason: str, count: int) -> None:
        super().__init__(reason)
        self.count = count


def steps_of(error: BaseException) -> list[str]:
    """Return the stack of an error, innermost last, as `folder/file:line function`, without messages or values.

    Causes come first, then frames that `keep_steps` recorded in another process.
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
    """Record the stack of an error in the error itself, because pickling drops the traceback."""
    error.__dict__[_STEPS] = steps_of(error)
