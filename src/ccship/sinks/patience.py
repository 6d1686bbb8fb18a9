"""Retries of requests to a server: how many, and after which waits. And the end of a request that takes too long."""

import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

import httpx

from ccship.errors import Retryable

_Answer = TypeVar("_Answer")


@dataclass(frozen=True, slots=True)
class Patience:
    """`timeout_s`: for each step of a request; `deadline_s`: for all of it; `attempts`: requests before giving up.

    Waits start at `first_wait_s` and double up to `longest_wait_s`. If the server requests more, the call fails.
    """

    timeout_s: float
    attempts: int
    longest_wait_s: float
    first_wait_s: float = 0.5
    deadline_s: float = 30.0

    def call(self, ask: Callable[[], _Answer]) -> _Answer:
        """Return the result of `ask`; call it again if the server is busy or does not answer.

        Raises:
            DeliveryError: The last call failed.
        """
        for failed in range(1, self.attempts):
            try:
                return ask()
            except Retryable as error:
                wait_s = max(self._backoff_s(failed), error.retry_after_s or 0)
                if wait_s > self.longest_wait_s:
                    raise
            time.sleep(wait_s)
        return ask()

    def _backoff_s(self, failed: int) -> float:
        """Return an exponential wait with jitter, so that many hooks do not retry at once."""
        longest = min(self.longest_wait_s, self.first_wait_s * 2.0 ** (failed - 1))
        return random.uniform(0.1, 1.0) * longest  # noqa: S311 - no secret depends on it


@contextmanager
def deadline(client: httpx.Client, seconds: float) -> Iterator[None]:
    """Close a client after some seconds. A server that sends one byte per second never reaches a timeout.

    This is the only public way to end a request. The request raises an `httpx.HTTPError`, or a RuntimeError before it
    is connected.
    """
    timer = threading.Timer(seconds, client.close)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
