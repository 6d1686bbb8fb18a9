"""Calls in threads while the next arguments are prepared."""

import threading
import time
from collections.abc import Iterator

import pytest

from ccship.verify.ahead import in_threads

ITEMS = 40
MOST = 8
"""Items in memory at once."""


def test_results_come_in_the_order_of_the_items() -> None:
    """The first calls take longest."""

    def slow(item: int) -> int:
        time.sleep((ITEMS - item) / 10_000)
        return -item

    assert list(in_threads(slow, range(ITEMS))) == [(item, -item) for item in range(ITEMS)]


def test_items_are_prepared_in_the_thread_of_the_caller_while_calls_run() -> None:
    """The first call ends only after the next item is there; a database connection belongs to one thread."""
    next_is_there = threading.Event()
    prepared_by = set()

    def items() -> Iterator[int]:
        for item in range(ITEMS):
            prepared_by.add(threading.current_thread())
            if item:
                next_is_there.set()
            yield item

    results = dict(in_threads(lambda item: next_is_there.wait(30) if item == 0 else True, items()))
    assert all(results.values())
    assert prepared_by == {threading.current_thread()}


def test_few_items_wait_for_their_results() -> None:
    """Thousands of sessions do not fill the memory while a server is slow."""
    enough = threading.Event()
    prepared = yielded = most = 0

    def items() -> Iterator[int]:
        nonlocal prepared, most
        for item in range(ITEMS):
            prepared += 1
            most = max(most, prepared - yielded)
            if prepared == MOST:
                enough.set()
            yield item

    for _ in in_threads(lambda _: enough.wait(30), items()):
        yielded += 1
    assert (yielded, most) == (ITEMS, MOST)


def test_the_exception_of_a_call_is_raised_in_its_place() -> None:
    """Results before it are not lost, and nobody waits for the calls after it."""
    never = threading.Event()

    def fail(item: int) -> None:
        if item == 2:
            raise ValueError(item)
        if item > 2:
            never.wait()

    results = in_threads(fail, range(ITEMS))
    assert [next(results), next(results)] == [(0, None), (1, None)]
    with pytest.raises(ValueError, match="2"):
        next(results)
