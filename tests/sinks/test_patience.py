"""How long a server is waited for."""

import pytest

from ccship.errors import DeliveryError, Denied, Retryable
from ccship.sinks.patience import Patience

PATIENCE = Patience(timeout_s=1.0, attempts=3, longest_wait_s=0.01, first_wait_s=0.001)

ANSWERS: dict[str, tuple[list[DeliveryError], int]] = {
    "none fails": ([], 1),
    "one fails": ([Retryable("busy")], 2),
    "all but the last fail": ([Retryable("busy")] * 2, 3),
    "all fail": ([Retryable("busy")] * 4, 3),
    "a wait that is short enough": ([Retryable("busy", 0.01)], 2),
    "a wait that is too long": ([Retryable("busy", 0.02)], 1),
    "keys that are not accepted": ([Denied("no")], 1),
}


@pytest.mark.parametrize(("failures", "requests"), ANSWERS.values(), ids=ANSWERS.keys())
def test_a_request_is_made_again_only_where_that_may_help(failures: list[DeliveryError], requests: int) -> None:
    """And so many times; what the last one said is raised."""
    left, asked = list(failures), 0

    def ask() -> str:
        nonlocal asked
        asked += 1
        if left:
            raise left.pop(0)
        return "accepted"

    if len(failures) < requests:
        assert PATIENCE.call(ask) == "accepted"
    else:
        with pytest.raises(type(failures[0])):
            PATIENCE.call(ask)
    assert asked == requests


def test_the_wait_that_the_server_asks_for_is_kept() -> None:
    """Whatever the own wait would have been."""
    waits: list[float] = []
    errors = [Retryable("busy", 0.009), Retryable("busy", 0.007)]

    def ask() -> None:
        if errors:
            raise errors.pop(0)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("time.sleep", waits.append)
        PATIENCE.call(ask)
    assert waits == [0.009, 0.007]
