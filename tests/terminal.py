"""The program on a terminal of so many columns."""

import fcntl
import os
import pty
import select
import struct
import termios
from collections.abc import Mapping
from pathlib import Path

from fork_server import LIMIT_S, fork_server


def on_terminal(
    columns: int,
    *arguments: str | Path,
    environ: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    typed: str = "",
    first: str = "",
) -> list[str]:
    """The lines that `ccship` writes to a terminal without colours, in UTC.

    `typed`: what a person answers; `first`: a program of the test's own to run in its process before.
    """
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
    settings = {**os.environ, "TZ": "UTC", "NO_COLOR": "1", "TERM": "xterm", **(environ or {})}
    settings.pop("COLUMNS", None)
    streams = (theirs, theirs, theirs)
    child = fork_server().start("ccship", [*map(str, arguments)], settings, cwd or Path.cwd(), streams, first)
    os.close(theirs)
    os.write(ours, typed.encode())
    written = b""
    while select.select([ours], [], [], LIMIT_S)[0]:
        try:
            got = os.read(ours, 65536)
        except OSError:  # Linux says so when the other end is closed
            break
        if not got:
            break
        written += got
    os.close(ours)
    child.wait()
    return written.decode().replace("\r\n", "\n").splitlines()
