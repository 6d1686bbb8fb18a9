"""Runs ccship in children that are forked from an interpreter which has imported it: 30 ms each instead of a second.

Such a child has arguments, environment, folder, umask and standard streams of its own, and shares nothing with the
test's process. What it cannot show is how a program starts: tests of imports, of installed scripts, of process groups
and of variables that an interpreter reads when it starts run a new interpreter.
"""

import atexit
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from select import select
from typing import IO

READ_AT_START = (
    "_PYTHON_PROJECT_BASE", "_PYTHON_SYSCONFIGDATA_NAME", "ANDROID_DATA", "LANG", "LANGUAGE",
    "LANGFUSE_MAX_BATCH_SIZE_BYTES", "LANGFUSE_PROMPT_CACHE_DEFAULT_TTL_SECONDS",
    "PROTOCOL_BUFFERS_PYTHON_IMPLEMENTATION", "PYDANTIC_DISABLE_PLUGINS", "TYPER_USE_RICH",
)  # fmt: skip
"""Variables that an interpreter and the modules of a child read before it is forked."""

READ_AT_START_PREFIXES = ("LC_", "LD_", "MALLOC_", "OTEL_", "PYTHON", "_PYTHON")


NO_TLS = {"SSL_CERT_FILE": "", "SSL_CERT_DIR": str(Path(__file__).parent)}
"""No certificates, unless a test asks for some: to read the system's takes a run more time than all it does."""

LIMIT_S = 120
"""No child takes as long."""


class Child:
    """A started child, to be used as a `Popen`."""

    def __init__(self, answers: IO[bytes]) -> None:
        self._answers = answers
        self.pid = int(answers.readline())
        self.returncode: int | None = None

    def send_signal(self, number: int) -> None:
        """Send it a signal."""
        os.kill(self.pid, number)

    def kill(self) -> None:
        """Kill it."""
        self.send_signal(signal.SIGKILL)

    def wait(self, timeout: float = LIMIT_S) -> int:
        """Its exit code, negative for a signal."""
        if self.returncode is None:
            if not select([self._answers], [], [], timeout)[0]:
                raise subprocess.TimeoutExpired(str(self.pid), timeout)
            with self._answers:
                self.returncode = int(self._answers.readline())
        return self.returncode


class ForkServer:
    """An interpreter that has imported ccship."""

    def __init__(self) -> None:
        self._environ = dict(os.environ)
        ours, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, Path(__file__).with_name("warm_interpreter.py")],
                stdin=theirs.fileno(),
                cwd="/",
                start_new_session=True,  # a ^C is the test's own
            )
        self._calls = ours

    def can_show(self, environ: Mapping[str, str]) -> bool:
        """Whether a child of this interpreter is what one with this environment would be."""
        names = {name for name in {*environ, *self._environ} if name.startswith(READ_AT_START_PREFIXES)}
        return all(environ.get(name) == self._environ.get(name) for name in {*names, *READ_AT_START})

    def start(
        self,
        module: str,
        arguments: list[str],
        environ: Mapping[str, str],
        cwd: Path,
        streams: tuple[IO[bytes] | int, IO[bytes] | int, IO[bytes] | int],
        first: str = "",
    ) -> Child:
        """Start `python -m module` with these standard streams; `first` is a program to run in it before."""
        assert self.can_show(environ)
        umask = os.umask(0o077)
        os.umask(umask)
        reader, writer = os.pipe()
        given = {name: value for name, value in environ.items() if os.environ.get(name) != value or name not in NO_TLS}
        call = {
            "module": module, "arguments": arguments, "environ": NO_TLS | given, "cwd": str(cwd), "umask": umask,
            "first": first,
        }  # fmt: skip
        descriptors = [stream if isinstance(stream, int) else stream.fileno() for stream in streams]
        try:
            socket.send_fds(self._calls, [b"\n"], [*descriptors, writer])
            self._calls.sendall(f"{json.dumps(call)}\n".encode())
        finally:
            os.close(writer)
        return Child(os.fdopen(reader, "rb", buffering=0))

    def close(self) -> None:
        """End it; what it has started goes on."""
        self._calls.close()
        self._process.wait()


@cache
def fork_server() -> ForkServer:
    """The one of this process; it ends with it."""
    server = ForkServer()
    atexit.register(server.close)
    return server
