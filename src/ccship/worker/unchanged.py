"""The first part of the worker: answers the requests of a session that has not changed since it was shipped.

It loads neither the SDK nor pydantic, which take 400 ms, and little of the standard library. When a session has been
shipped completely, the worker writes a digest of everything that decides what is shipped into the session's lock file.
While the digest stays the same, there is nothing to ship.
"""

import gc
import os
import sys
import time

from ccship import __version__
from ccship.hook import REQUEST_VERSION, config_files, digest_of, lock_name, lock_session, note, parse_json
from ccship.transcript.flush import is_flushed

_SETTINGS = (
    "CC_LANGFUSE_", "CLAUDE_CONFIG_DIR", "CLAUDE_PLUGIN_OPTION_", "CLAUDE_PROJECT_DIR", "LANGFUSE_", "TRACE_TO_LANGFUSE"
)  # fmt: skip
"""Prefixes of the environment variables that decide what is shipped, and to where."""

STARTED = "SessionStart"
"""The hook event at the start of a session. Its worker also looks for sessions that were killed."""

_DIGEST_BYTES = 32
_CLOCK_TICK_NS = 20_000_000
"""Twice the longest time between two values of the clock that dates files."""


def main(request_file: str, lock: "int | None" = None) -> None:
    """Ship the session of a request file. `lock`: the descriptor of the session's lock, if the hook has it.

    Never raises; errors are logged.
    """
    try:
        while lock is not None and _answer(request_file, lock):
            os.close(lock)
            # hooks that found the session locked left their requests to this process
            if not (left := _requests_beside(request_file)):
                return
            request_file = left[-1]
            lock = lock_session(_state_folder_of(request_file), _lock_id(_read(request_file)))
    except BlockingIOError:
        return  # the process that has the lock now looks for requests later
    except OSError:
        pass  # the rest of the worker reports what is wrong
    _load_less()
    from ccship.worker.main import main as ship  # noqa: PLC0415 - most workers need no more than the above

    ship(request_file, lock)


def digest_of_inputs(environ: "os._Environ[str] | dict[str, str]", folder: str, transcript: str) -> str:
    """Return a digest of what decides what is shipped of a session: settings, state and transcripts.

    Of files it contains the inode, size and time of modification. Of the state, which other sessions change too, only
    the inode: it is another one after the state was deleted or set aside. Return "" if a file has just changed: the
    next change could have the same time.
    """
    facts = [__version__, *sorted(f"{name}={value}" for name, value in environ.items() if name.startswith(_SETTINGS))]
    steady_ns = time.time_ns() - _CLOCK_TICK_NS
    for path in (*config_files(environ), transcript, *_subagents_of(transcript)):
        inode, size, changed_ns = _stat_of(path)
        if changed_ns > steady_ns:
            return ""
        facts.append(f"{path} {inode} {size} {changed_ns}")
    facts.append(str(_stat_of(os.path.join(folder, "state.db"))[0]))  # noqa: PTH118 - pathlib takes 10 ms to load
    return digest_of("\0".join(facts).encode("utf-8", "surrogateescape"))


def is_remembered(lock: int, digest: str) -> bool:
    """Return whether a session was shipped completely when it had this digest. `lock`: the descriptor of its lock."""
    return bool(digest) and os.pread(lock, _DIGEST_BYTES, 0) == digest.encode()


def remember(folder: str, lock_id: str, digest: str) -> None:
    """Store the digest of a session that was shipped completely, if possible. The caller has its lock."""
    try:
        descriptor = os.open(_lock_file(folder, lock_id), os.O_WRONLY | getattr(os, "O_NOFOLLOW", 0))
    except OSError:
        return  # the next event looks at the session again
    try:
        os.write(descriptor, digest.ljust(_DIGEST_BYTES).encode())
    except OSError:
        pass
    finally:
        os.close(descriptor)


def is_lock_of(lock: int, folder: str, lock_id: str) -> bool:
    """Return whether a descriptor is that of a session's lock file."""
    try:
        held, wanted = os.fstat(lock), os.stat(_lock_file(folder, lock_id))  # noqa: PTH116
    except OSError:
        return False
    return os.path.samestat(held, wanted)


def _answer(request_file: str, lock: int) -> bool:
    """Delete all requests of the session if there is nothing to ship; return whether that is so."""
    folder = _state_folder_of(request_file)
    files = _requests_beside(request_file)
    requests = [_read(path) for path in files]
    if _has_backlog(request_file) or not all(map(_is_plain, requests)):
        return False
    if len({(request["session_id"], request["transcript_path"]) for request in requests}) > 1:
        return False  # two sessions whose ids have the same checksum
    for request in requests:
        if not is_remembered(lock, digest_of_inputs(os.environ, folder, request["transcript_path"])):
            return False
        if not is_flushed(_awaited(request), request.get("last_message")):
            return False
    for path in files:
        os.unlink(path)  # noqa: PTH108
    for request in requests[:1]:
        note(folder, f"{request['session_id']}: up to date")
    return True


def _requests_beside(request_file: str) -> "list[str]":
    """Return the request files of the same session, the oldest first."""
    folder, name = os.path.split(request_file)
    prefix = f"{name.partition('-')[0]}-"
    found = [entry for entry in os.listdir(folder) if entry.startswith(prefix) and entry.endswith(".json")]  # noqa: PTH208
    return [os.path.join(folder, entry) for entry in sorted(found)]  # noqa: PTH118


def _has_backlog(request_file: str) -> bool:
    """Return whether another session or a further destination has a request and no process that ships it."""
    spool, name = os.path.split(request_file)
    prefix = f"{name.partition('-')[0]}-"
    for entry in os.listdir(spool):  # noqa: PTH208
        path = os.path.join(spool, entry)  # noqa: PTH118
        if os.path.isdir(path) and _has_backlog(os.path.join(path, "")):  # noqa: PTH112, PTH118
            return True
        if entry.endswith(".json") and not entry.startswith(prefix):
            try:
                lock = lock_session(_state_folder_of(path), _lock_id(_read(path)))
            except BlockingIOError:
                continue
            if lock is not None:
                # A hook that finds the session locked at this moment leaves its request to this worker.
                os.close(lock)
            return True
    return False


def _read(path: str) -> "dict[str, str]":
    """Return a request as it is in its file; empty if it cannot be read."""
    try:
        with open(path, "rb") as file:  # noqa: PTH123
            request = parse_json(file.read())
    except (OSError, ValueError, RecursionError):
        return {}
    return request if isinstance(request, dict) else {}


def _is_plain(request: "dict[str, str]") -> bool:
    version = request.get("version", REQUEST_VERSION)
    return (
        version == REQUEST_VERSION
        and request.get("event") != STARTED
        and isinstance(request.get("session_id"), str)
        and isinstance(request.get("transcript_path"), str)
    )


def _awaited(request: "dict[str, str]") -> "str | None":
    """Return the file that must contain the last message, as `Request.awaited` does."""
    agent = request.get("agent_transcript_path")
    if not agent:
        return request["transcript_path"]
    return agent if os.path.exists(agent) else None  # noqa: PTH110


def _subagents_of(transcript: str) -> "list[str]":
    """Return the files of a session's subagents; those of old clients lie beside all sessions of a project."""
    try:
        with os.scandir(os.path.dirname(transcript)) as entries:  # noqa: PTH120
            found = [entry.path for entry in entries if entry.name.startswith("agent-")]
    except OSError:
        found = []
    for folder, _, names in os.walk(os.path.join(os.path.splitext(transcript)[0], "subagents")):  # noqa: PTH118, PTH122
        found += [os.path.join(folder, name) for name in names]  # noqa: PTH118
    return sorted(found)


def _stat_of(path: str) -> "tuple[int, int, int]":
    """Return the inode, size and time of modification in ns; zeros for a file that does not exist."""
    try:
        status = os.stat(path)  # noqa: PTH116
    except OSError:
        return (0, 0, 0)
    return status.st_ino, status.st_size, status.st_mtime_ns


def _lock_file(folder: str, lock_id: str) -> str:
    return os.path.join(folder, "locks", lock_name(lock_id))  # noqa: PTH118


def _lock_id(request: "dict[str, str]") -> str:
    """Return what the worker of a request locks; a further destination of a session has a lock of its own."""
    return str(request.get("lock") or request.get("session_id"))


def _state_folder_of(request_file: str) -> str:
    """Return the folder that contains `requests`. The spool of a further destination is a folder in it."""
    folder = os.path.dirname(request_file)  # noqa: PTH120
    while os.path.basename(folder) not in ("requests", ""):  # noqa: PTH119
        folder = os.path.dirname(folder)  # noqa: PTH120
    return os.path.dirname(folder)  # noqa: PTH120


def _load_less() -> None:
    """Make the rest of the worker load faster."""
    gc.disable()  # nothing that an import creates is garbage
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "true")  # it would search all installed distributions
    # httpx would load its own command line, rich included
    sys.modules.setdefault("click", None)  # type: ignore[arg-type]
