"""Runs workers as forked children of a warm interpreter, and kills them at a point of their choosing.

Reads a line of JSON a run from stdin (`request`: the request file, `kill_at`: the number of the event to die at, or
null), writes one to stdout: `killed`, and how many events there were. An event is a file that is opened, renamed,
removed or made in the state folder, a connection, or an SQL statement.
"""

import json
import os
import signal
import sqlite3
import sys
from typing import Any

from ccship import outbox, worker
from ccship.sinks import langfuse  # noqa: F401 - loaded once, here, for all children

FILE_EVENTS = frozenset({"open", "os.rename", "os.remove", "os.mkdir"})
BATCH_SPANS = 3
"""Small batches: more requests and commits to die between."""


def die_at(point: int | None, report: int) -> None:
    """Count events from here on; write each number to `report`, and die at `point`."""
    count = 0

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
    try:
        worker.main(sys.argv[1])
    finally:
        os.write(report, str(count).encode())


def run(request: str, point: int | None) -> dict[str, object]:
    reader, writer = os.pipe()
    child = os.fork()
    if not child:
        try:
            nowhere = os.open(os.devnull, os.O_RDWR)
            for descriptor in (0, 1, 2):
                os.dup2(nowhere, descriptor)
            sys.argv = ["worker", request]
            die_at(point, writer)
        finally:
            os._exit(0)
    os.close(writer)
    _, status = os.waitpid(child, 0)
    told = os.read(reader, 100)
    os.close(reader)
    return {"killed": os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL, "events": int(told or 0)}


if __name__ == "__main__":
    vars(outbox)["BATCH_SPANS"] = BATCH_SPANS
    for line in sys.stdin:
        command = json.loads(line)
        print(json.dumps(run(command["request"], command["kill_at"])), flush=True)
