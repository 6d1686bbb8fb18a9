"""Whose fault it is, and what happens next."""


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
