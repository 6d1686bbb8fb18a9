"""A terminal of so many columns, and what a program shows in it."""

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from collections.abc import Mapping
from pathlib import Path

_SEQUENCES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_ROWS = 50


def screen_of(arguments: list[str], columns: int, environ: Mapping[str, str], cwd: Path) -> str:
    """What `ccship` prints on a terminal, without colours; progress goes elsewhere."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", _ROWS, columns, 0, 0))
    try:
        process = subprocess.Popen(
            [sys.executable, "-m", "ccship", *arguments],
            stdin=theirs,
            stdout=theirs,
            stderr=subprocess.DEVNULL,
            env={**environ, "TERM": "xterm-256color"},
            cwd=cwd,
        )
        os.close(theirs)
        shown = _read(ours)
        process.wait(60)
    finally:
        os.close(ours)
    return "".join(f"{line.rstrip()}\n" for line in _SEQUENCES.sub("", shown).replace("\r", "").splitlines())


def _read(descriptor: int) -> str:
    """Everything until the other end is closed, which Linux tells by an error."""
    content = b""
    while True:
        try:
            piece = os.read(descriptor, 65536)
        except OSError:
            break
        if not piece:
            break
        content += piece
    return content.decode()
