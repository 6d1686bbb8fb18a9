"""Calls a function in threads while the caller prepares the next arguments."""

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from queue import SimpleQueue
from typing import TypeVar

_THREADS = 4
"""Requests at once: enough to hide the latency of a distant server, few for its rate limit."""

_AHEAD = 2 * _THREADS
"""Items in memory: those in the threads, and as many again, so that no thread waits for the next."""

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")


def in_threads(function: Callable[[_Item], _Result], items: Iterable[_Item]) -> Iterator[tuple[_Item, _Result]]:
    """Yield each item with its result, in the order of `items`. Raises the first exception of a call.

    The threads are daemons, and nobody joins them: after ^C or an exception nobody waits for a server that does not
    answer. The pools of the standard library have threads of their own that are joined.
    """
    tasks: SimpleQueue[tuple[_Item, Future[_Result]] | None] = SimpleQueue()

    def work() -> None:
        while (task := tasks.get()) is not None:
            item, result = task
            try:
                result.set_result(function(item))
            except BaseException as error:  # noqa: BLE001 - the caller raises it
                result.set_exception(error)

    for _ in range(_THREADS):
        threading.Thread(target=work, daemon=True).start()
    calls: deque[tuple[_Item, Future[_Result]]] = deque()
    try:
        for item in items:
            result: Future[_Result] = Future()
            calls.append((item, result))
            tasks.put((item, result))
            while calls and (len(calls) >= _AHEAD or calls[0][1].done()):
                done, call = calls.popleft()
                yield done, call.result()
        for done, call in calls:
            yield done, call.result()
    finally:
        for _ in range(_THREADS):
            tasks.put(None)
