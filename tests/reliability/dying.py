"""Run in a worker's process before it: counts the events from here on, and dies at one of them.

An event is a file that is opened, renamed, removed or made in the state folder, a connection, or an SQL statement.
"""

import os
import signal
import sqlite3
import sys
from typing import Any

from ccship.pipeline import sender

FILE_EVENTS = frozenset({"open", "os.rename", "os.remove", "os.mkdir"})
BATCH_SPANS = 3
"""Small batches: more requests and commits to die between."""


def die_at(point: int | None) -> None:
    """Die at the event `point`, if any."""
    count = 0
    vars(sender)["BATCH_SPANS"] = BATCH_SPANS

    def tick() -> None:
        nonlocal count
        count += 1
        if count == point:
            os.kill(os.getpid(), signal.SIGKILL)

    def hear(event: str, arguments: tuple[Any, ...]) -> None:
        is_file = event in FILE_EVENTS and "state" in str(arguments[0])
        if is_file or event in ("socket.connect", "sqlite3.connect"):
            tick()

    connect = sqlite3.connect

    def traced(*arguments: Any, **options: Any) -> sqlite3.Connection:
        database: sqlite3.Connection = connect(*arguments, **options)
        database.set_trace_callback(lambda _: tick())
        return database

    sqlite3.connect = traced  # type: ignore[assignment]
    sys.addaudithook(hear)
