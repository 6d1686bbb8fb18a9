"""Calls a function in threads while the caller prepares the next arguments."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from multiprocessing.pool import AsyncResult, ThreadPool
from typing import TypeVar

_THREADS = 4
"""Requests at once: enough to hide the latency of a distant server, few for its rate limit."""

_AHEAD = 2 * _THREADS
"""Items in memory: those in the threads, and as many again, so that no thread waits for the next."""

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")


def in_threads(function: Callable[[_Item], _Result], items: Iterable[_Item]) -> Iterator[tuple[_Item, _Result]]:
    """Yield each item with its result, in the order of `items`. Raises the first exception of a call.

    The threads are daemons: after ^C or an exception nobody waits for a server that does not answer.
    """
    with ThreadPool(_THREADS) as pool:
        calls: deque[tuple[_Item, AsyncResult[_Result]]] = deque()
        for item in items:
            calls.append((item, pool.apply_async(function, (item,))))
            while calls and (len(calls) >= _AHEAD or calls[0][1].ready()):
                done, call = calls.popleft()
                yield done, call.get()
        for done, call in calls:
            yield done, call.get()
