"""The process behind `fork_server.py`: it has imported ccship, and forks a child for every call.

Each call comes from the socket that is its standard input: a byte with four descriptors (the child's stdin, stdout and
stderr, and a pipe for the answers), then a line of JSON, the arguments of `run`. Two lines answer it: the child's
process id, and its exit code (negative: the signal that ended it). A process between waits for each child, so that
calls may overlap.
"""

import atexit
import gc
import json
import os
import runpy
import signal
import socket
import sys
import threading
import time
import traceback
from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Any

WARM = (
    "ccship.cli.app", "ccship.cli.backfill", "ccship.cli.config", "ccship.cli.doctor", "ccship.cli.install",
    "ccship.cli.show", "ccship.cli.status", "ccship.cli.usage", "ccship.cli.verify", "ccship.crash", "ccship.doctor",
    "ccship.doctor.server", "ccship.sinks.langfuse", "ccship.sinks.otlp_file", "ccship.worker.main",
    # what they and their libraries import when they come to it
    "certifi", "concurrent.futures.thread", "encodings.idna", "httpcore", "pwd", "rich._emoji_codes",
)  # fmt: skip
"""Imported once, here, with everything that they import, for all children."""

ANEW = ("ccship.cli", "ccship.worker.main")
"""Imported again in each child, with what is below: the first look at the terminal when they are imported, the second
is run as a script."""


def warm_up() -> None:
    """Import everything, and load what is loaded once a process."""
    for name in WARM:
        import_module(name)
    # what a command does once a process: a test asks what the imports alone read, so not at the top
    from ccship.claude_code.own_hook import own_command, probe  # noqa: PLC0415
    from ccship.pricing.prices import tariff_of  # noqa: PLC0415

    probe(own_command())
    tariff_of("")
    assert threading.active_count() == 1, "a fork copies one thread only"
    # what is not looked at by the collector is not copied in the children
    gc.collect()
    gc.freeze()


def serve(calls: socket.socket) -> None:
    """Start a child for each call, until nobody can send one any more."""
    lines = calls.makefile("rb")
    while True:
        first, descriptors, _, _ = socket.recv_fds(calls, 1, 4)
        reap()
        if not first:
            return
        call = json.loads(lines.readline())
        if not os.fork():
            wait_for_child(call, descriptors)
        for descriptor in descriptors:
            os.close(descriptor)


def reap() -> None:
    """Wait for what has ended, so that its CPU time is counted as ours."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        return


def wait_for_child(call: Mapping[str, Any], descriptors: Sequence[int]) -> None:
    """The process between: start the child, tell who it is and how it ended."""
    *standard, answer = descriptors
    child = os.fork()
    if not child:
        os._exit(run(standard, **call))
    os.write(answer, f"{child}\n".encode())
    for descriptor in standard:  # whoever reads what the child writes sees its end
        os.close(descriptor)
    _, status = os.waitpid(child, 0)
    try:
        os.write(answer, f"{os.waitstatus_to_exitcode(status)}\n".encode())
    finally:
        os._exit(0)


def run(
    standard: Sequence[int],
    module: str,
    arguments: list[str],
    environ: dict[str, str],
    cwd: str,
    umask: int,
    first: str,
) -> int:
    """`python -m module arguments`, after the program `first`; returns the exit code."""
    for target, descriptor in enumerate(standard):
        os.dup2(descriptor, target)
    os.closerange(3, 256)
    os.umask(umask)
    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(environ)
    time.tzset()
    sys.argv = ["-m", *arguments]
    sys.path[0] = cwd  # as `-m` does
    open_streams()
    for name in [name for name in sys.modules if name.startswith(ANEW)]:
        del sys.modules[name]
    code = 1
    try:
        exec(first, {})  # noqa: S102 - the test's own
        runpy.run_module(module, run_name="__main__", alter_sys=True)
        code = 0
    except SystemExit as end:
        code = code_of(end)
    except KeyboardInterrupt:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGINT)
    except BaseException:  # noqa: BLE001 - an interpreter prints whatever nobody caught
        traceback.print_exc()
    return finish(code)


def open_streams() -> None:
    """What an interpreter opens when it starts: whether lines are buffered depends on the descriptor."""
    encoding, errors = sys.stdout.encoding, sys.stdout.errors
    sys.stdin = open(0, encoding=encoding, errors=errors, closefd=False)  # noqa: SIM115
    sys.stdout = open(  # noqa: SIM115
        1, "w", buffering=1 if os.isatty(1) else -1, encoding=encoding, errors=errors, closefd=False
    )
    sys.stderr = open(  # noqa: SIM115
        2, "w", buffering=1, encoding=encoding, errors="backslashreplace", closefd=False
    )


def code_of(end: SystemExit) -> int:
    """The exit code that `sys.exit` asked for; a text is printed."""
    match end.code:
        case None:
            return 0
        case int():
            return end.code & 0xFF
        case text:
            print(text, file=sys.stderr)
            return 1


def finish(code: int) -> int:
    """What an interpreter does at its end, without taking 800 modules apart, which takes 50 ms."""
    for thread in threading.enumerate():
        if thread is not threading.current_thread() and not thread.daemon:
            thread.join()
    atexit._run_exitfuncs()  # noqa: SLF001 - what is public runs them when the interpreter is gone
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except OSError:
        return code or 120  # as an interpreter does, when nobody reads any more
    return code


if __name__ == "__main__":
    warm_up()
    with socket.socket(fileno=os.dup(0)) as given:
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        serve(given)
