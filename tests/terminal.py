"""The program on a terminal of so many columns."""

import fcntl
import os
import pty
import select
import struct
import subprocess
import sys
import termios
from collections.abc import Mapping
from pathlib import Path

LIMIT_S = 60


def on_terminal(
    columns: int,
    *arguments: str | Path,
    environ: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    typed: str = "",
) -> list[str]:
    """The lines that `ccship` writes to a terminal without colours, in UTC; `typed`: what a person answers."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
    settings = {**os.environ, "TZ": "UTC", "NO_COLOR": "1", "TERM": "xterm", **(environ or {})}
    settings.pop("COLUMNS", None)
    process = subprocess.Popen(
        [sys.executable, "-m", "ccship", *map(str, arguments)],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env=settings,
        cwd=cwd,
    )
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
    process.wait(LIMIT_S)
    return written.decode().replace("\r\n", "\n").splitlines()
