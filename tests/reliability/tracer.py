"""Runs hooks as forked children of a warm interpreter and kills them at the n-th system call that leaves a trace.

The kernel itself stops the child: a seccomp filter hands every write, sync, rename, removal and send to this process,
SQLite's and the SDK's threads' included, before it is carried out. Linux only.

Reads a line of JSON a run from stdin. `payload`: a file for the hook's stdin, or `open`: a state folder that is only
opened. `kill_at`: the number of the call to die at, or null. `pause_at`: the number of the call to stop at (then more
calls count); meanwhile, `more` is appended to `transcript` and another hook runs to its end, or without `more`, a line
`paused` is written and one is read. Writes a line a run to stdout: `killed`, and the `calls` in order.
"""

import ctypes
import encodings.idna
import json
import os
import platform
import signal
import sys
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path

import certifi
import httpcore

from ccship import hook
from ccship.budgets import record
from ccship.pipeline import sender
from ccship.sinks import langfuse
from ccship.state import State
from ccship.worker import main as worker

WARM = (certifi, encodings.idna, httpcore, langfuse, record, worker)
"""Loaded once, here, for all children."""

DESTINATION = "https://traced.example.org pk-lf-traced"
"""Whose state is opened."""

LEDGER = "TRACED_LEDGER"
"""A variable: with it, the worker also enters sessions into the ledger."""

BATCH_SPANS = 3
"""Small batches: more requests and commits to die between."""

CALLS = {
    "x86_64": {
        "write": 1, "pwrite64": 18, "writev": 20, "connect": 42, "sendto": 44, "recvfrom": 45, "sendmsg": 46,
        "flock": 73, "fsync": 74, "fdatasync": 75, "ftruncate": 77, "rename": 82, "mkdir": 83, "unlink": 87,
        "mkdirat": 258, "unlinkat": 263, "renameat": 264, "renameat2": 316,
    },
    "aarch64": {
        "flock": 32, "mkdirat": 34, "unlinkat": 35, "renameat": 38, "ftruncate": 46, "write": 64, "writev": 66,
        "pwrite64": 68, "fsync": 82, "fdatasync": 83, "connect": 203, "sendto": 206, "recvfrom": 207, "sendmsg": 211,
        "renameat2": 276,
    },
}.get(platform.machine(), {})  # fmt: skip
"""Numbers of the calls to die at; `recvfrom` is the moment between acceptance and knowing of it."""

MORE_CALLS = {
    "x86_64": {"close": 3, "getdents64": 217, "openat": 257}, "aarch64": {"openat": 56, "close": 57, "getdents64": 61}
}.get(platform.machine(), {})  # fmt: skip
"""Calls to pause at, beside those: a lock is released by a close, requests are found in a folder."""

NAMES = [*CALLS, *MORE_CALLS]
IS_POSSIBLE = sys.platform == "linux" and bool(CALLS)

_TRACEME, _CONT, _SETOPTIONS, _GETEVENTMSG = 0, 7, 0x4200, 0x4201
_FOLLOW = 0x2 | 0x4 | 0x8  # forks, vforks, threads
_SECCOMP, _EXITKILL = 0x80, 0x100000
_EVENT_SECCOMP = 7
_NO_NEW_PRIVS, _SET_SECCOMP, _FILTER = 38, 22, 2
_ALLOW, _TRACE = 0x7FFF0000, 0x7FF00000
_LOAD, _JUMP_IF_EQUAL, _RETURN = 0x20, 0x15, 0x06
_WALL = 0x40000000


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_char_p))


libc = ctypes.CDLL(None, use_errno=True)
libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
libc.ptrace.restype = ctypes.c_long
libc.prctl.argtypes = [ctypes.c_int, ctypes.c_ulong, ctypes.c_void_p, ctypes.c_ulong, ctypes.c_ulong]


def be_traced(numbers: Iterable[int]) -> None:
    """In the child: wait for the parent, then hand it every call of `numbers`, which begin as `NAMES` do."""
    libc.ptrace(_TRACEME, 0, None, None)
    os.kill(os.getpid(), signal.SIGSTOP)
    steps = [(_LOAD, 0, 0, 0)]
    for index, number in enumerate(numbers):
        steps += [(_JUMP_IF_EQUAL, 0, 1, number), (_RETURN, 0, 0, _TRACE | index)]
    steps.append((_RETURN, 0, 0, _ALLOW))
    code = b"".join(
        kind.to_bytes(2, sys.byteorder) + bytes((yes, no)) + value.to_bytes(4, sys.byteorder)
        for kind, yes, no, value in steps
    )
    program = _Program(len(steps), code)
    refused = libc.prctl(_NO_NEW_PRIVS, 1, None, 0, 0) or libc.prctl(
        _SET_SECCOMP, _FILTER, ctypes.addressof(program), 0, 0
    )
    if refused:
        raise OSError(ctypes.get_errno(), "no seccomp filter")


def follow(child: int, kill_at: int | None, pause_at: int | None, meanwhile: Callable[[], None]) -> list[str]:
    """In the parent: let the child run to its end or to the call to die at; returns its calls.

    Before the call to pause at, `meanwhile` runs.
    """
    os.waitpid(child, 0)
    if libc.ptrace(_SETOPTIONS, child, None, _FOLLOW | _SECCOMP | _EXITKILL):
        raise OSError(ctypes.get_errno(), "no ptrace")
    libc.ptrace(_CONT, child, None, None)
    calls: list[str] = []
    message = ctypes.c_ulong()
    while True:
        stopped, status = os.waitpid(-1, _WALL)
        if not os.WIFSTOPPED(status):
            if stopped == child:
                calls += ["killed"] if os.WIFSIGNALED(status) else []
                return calls
            continue
        signum = os.WSTOPSIG(status)
        if status >> 16 == _EVENT_SECCOMP:
            libc.ptrace(_GETEVENTMSG, stopped, None, ctypes.addressof(message))
            calls.append(NAMES[message.value])
            if len(calls) == kill_at:
                os.kill(child, signal.SIGKILL)
                continue
            if len(calls) == pause_at:
                meanwhile()
        libc.ptrace(_CONT, stopped, None, 0 if signum in (signal.SIGTRAP, signal.SIGSTOP) else signum)


def run_hook(payload: str) -> None:
    """The hook, in the foreground; never returns."""
    os.dup2(os.open(payload, os.O_RDONLY), 0)
    hook.main()


def open_state(folder: str) -> None:
    """What every run does first with the state: bring it to this version."""
    State(Path(folder), DESTINATION)


def ask() -> None:
    """Tell the test that the hook is stopped, and wait until it may go on."""
    print(json.dumps({"paused": True}), flush=True)
    sys.stdin.readline()


def second_hook(payload: str, transcript: str, more: str) -> None:
    """Append to a transcript and run a hook, both to the end."""
    with Path(transcript).open("a") as file:
        file.write(more)
    child = os.fork()
    if not child:
        try:
            run_hook(payload)
        finally:
            os._exit(9)
    os.waitpid(child, 0)


def run(
    action: Callable[[str], None],
    argument: str,
    kill_at: int | None,
    pause_at: int | None,
    meanwhile: Callable[[], None],
) -> dict[str, object]:
    """One run, in a child."""
    child = os.fork()
    if not child:
        try:
            be_traced([*CALLS.values(), *(MORE_CALLS.values() if pause_at is not None else ())])
            action(argument)
        finally:
            os._exit(9)
    calls = follow(child, kill_at, pause_at, meanwhile)
    killed = calls[-1:] == ["killed"]
    return {"killed": killed, "calls": calls[: len(calls) - killed]}


def record_nothing(*_: object) -> list[str]:
    """In place of the ledger, which is written after delivery: most calls would be its own."""
    return []


if __name__ == "__main__":
    vars(sender)["BATCH_SPANS"] = BATCH_SPANS
    if LEDGER not in os.environ:
        vars(record)["record"] = record_nothing
    for line in sys.stdin:
        command = json.loads(line)
        action = open_state if "open" in command else run_hook
        argument = command.get("open") or command["payload"]
        more = command.get("more")
        meanwhile = ask if more is None else partial(second_hook, argument, command["transcript"], more)
        print(json.dumps(run(action, argument, command["kill_at"], command.get("pause_at"), meanwhile)), flush=True)
