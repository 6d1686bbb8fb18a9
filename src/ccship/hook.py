"""The hook that Claude Code runs at every event: writes a request, starts the worker, exits.

It never disturbs the session: it exits with 0 in any case (2 would stop Claude from stopping) and prints nothing
(Claude Code obeys JSON on stdout). It has milliseconds, so it imports little, and from the standard library only: this
file also runs as `python -I -S .../ccship/hook.py`, without site-packages.
"""

import os
import stat
import sys
import time
from zlib import crc32

MAX_PAYLOAD_BYTES = 4 * 1024 * 1024
"""Claude Code's payload contains the last message; this is many times the longest one."""

MAX_LOG_BYTES = 256 * 1024
"""The worker rotates the log. Without a worker, it stops growing here."""

REQUEST_VERSION = 1
"""Version of request files. 0.1.0 wrote version 1 without the number."""

PARENT_VARIABLES = {
    "traceparent": "CC_LANGFUSE_TRACEPARENT",
    "parent_trace_id": "CC_LANGFUSE_PARENT_TRACE_ID",
    "parent_span_id": "CC_LANGFUSE_PARENT_SPAN_ID",
}
"""Variables that name the parent of a run, by their field in a request."""

_MAX_VALUE_CHARS = 200
"""A longer value is cut: a valid traceparent of a later version stays valid."""

_PRIVATE = 0o600
_TRUE = ("1", "on", "t", "true", "y", "yes")
"""The texts that pydantic parses as true."""

_SECRET_KEYS = (
    "LANGFUSE_SECRET_KEY", "LANGFUSE_SECRET_KEY_FILE", "PLUGIN_OPTION_SECRET_KEY", "CC_LANGFUSE_HEADERS",
    "CC_LANGFUSE_HEADERS_FILE",
)  # fmt: skip
_HIGHEST_DESCRIPTOR = 4096
"""Claude Code passes a few sockets to hooks; the worker must not keep them open."""

_LOCK = 3
"""The descriptor of the session's lock in the worker: the first after stdin, stdout and stderr."""


def main() -> None:
    """Read a hook's payload from stdin and request that its session is shipped. Always exits with 0."""
    try:  # noqa: SIM105 - contextlib takes a millisecond
        _run(sys.stdin.buffer.read(MAX_PAYLOAD_BYTES))
    except BaseException:  # noqa: BLE001, S110 - the hook must never fail
        pass
    # threads of libraries must neither delay the exit nor change its code
    os._exit(0)


def state_folder(environ: "os._Environ[str] | dict[str, str]") -> str:
    """Return the state folder: `CC_LANGFUSE_STATE_DIR`, or platformdirs' folder."""
    if chosen := environ.get("CC_LANGFUSE_STATE_DIR"):
        return os.path.expanduser(os.path.expandvars(chosen))  # noqa: PTH111 - pathlib takes long to load
    # On macOS only newer versions of platformdirs follow XDG_STATE_HOME; with a moved state, all would be sent again.
    return _folder(environ, "" if sys.platform == "darwin" else "XDG_STATE_HOME", "~/.local/state")


def fingerprint_of(message: str) -> str:
    """Return the length and a checksum of a message: requests contain no text."""
    encoded = message.strip().encode("utf-8", "replace")
    return f"{len(encoded)}-{crc32(encoded):08x}"


def request_prefix(session_id: str) -> str:
    """Return the prefix of the file names of a session's requests."""
    return f"{crc32(session_id.encode('utf-8', 'replace')):08x}"


def digest_of(content: bytes) -> str:
    """Return the BLAKE2 digest of 16 bytes in hex."""
    try:
        from _blake2 import blake2b  # noqa: PLC0415 - hashlib takes 3 ms, mostly for OpenSSL
    except ImportError:
        from hashlib import blake2b  # noqa: PLC0415 - see above
    return blake2b(content, digest_size=16).hexdigest()


def lock_name(session_id: str) -> str:
    """Return the name of a session's lock file in `locks/` of the state folder."""
    return digest_of(session_id.encode("utf-8", "replace"))


def lock_session(folder: str, session_id: str) -> "int | None":
    """Lock a session without waiting; return the descriptor that holds the lock.

    The kernel releases the lock when all copies of the descriptor are closed, also those that a child inherited. Return
    None if the session cannot be locked like this (Windows, some file systems): the worker tries by other means.

    Raises:
        BlockingIOError: Another process has the lock.
    """
    try:
        import fcntl  # noqa: PLC0415 - Windows has none
    except ImportError:
        return None
    descriptor = -1
    try:
        path = os.path.join(_own(folder, "locks"), lock_name(session_id))  # noqa: PTH118
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, _PRIVATE)
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if descriptor >= 0:
            os.close(descriptor)
        if isinstance(error, BlockingIOError):
            raise
        return None
    return descriptor


def _run(raw: bytes) -> None:
    payload = parse_json(raw)
    if not isinstance(payload, dict):
        return
    transcript = payload.get("transcript_path")
    if not isinstance(transcript, str) or not transcript:
        return
    environ = os.environ
    reason = _why_not(environ)
    folder = state_folder(environ)
    if reason:
        note(folder, f"{_session_of(transcript)}: {reason}")
        return
    if "CLAUDE_PROJECT_DIR" not in environ:  # old clients; the worker reads the project's settings
        environ["CLAUDE_PROJECT_DIR"] = _text(payload.get("cwd")) or _cwd()
    request = _leave_request(folder, payload, transcript)
    try:
        lock = lock_session(folder, _session_of(transcript))
    except BlockingIOError:  # that process looks for new requests after it releases the lock
        note(folder, f"{_session_of(transcript)}: another process is shipping it")
        return
    if is_foreground(environ):
        _hide_output()
        try:
            from ccship.worker.unchanged import main as work  # noqa: PLC0415 - the foreground does not need it
        except ImportError:  # without site-packages; the worker has them
            _start_worker(request, lock, wait=True)
        else:
            work(request, lock)
    else:
        _start_worker(request, lock)


def is_foreground(environ: "os._Environ[str] | dict[str, str]") -> bool:
    """Return whether the hook waits for its worker."""
    return environ.get("CC_LANGFUSE_FOREGROUND", "").lower() in _TRUE


class _Plain:
    """The options of CPython's JSON scanner for plain JSON."""

    strict = True
    object_hook = object_pairs_hook = None
    parse_float = parse_constant = float
    parse_int = int


def parse_json(raw: bytes) -> object:
    """Parse JSON without importing json, which is 10 of the 12 ms that this module would take to load (`re`, `enum`).

    Uses the C scanner of CPython's json; imports json if the scanner is missing or fails.
    """
    text = raw.decode("utf-8", "replace").strip()
    try:
        from _json import make_scanner  # noqa: PLC0415 - see above

        parsed, end = make_scanner(_Plain)(text, 0)  # type: ignore[arg-type]
    except (ImportError, AttributeError, TypeError, ValueError, StopIteration):
        end = -1
    if end != len(text):
        import json  # noqa: PLC0415 - see above

        return json.loads(text)
    return parsed


def _dump(request: "dict[str, str | int | None]") -> str:
    """Return a flat object as JSON; see `parse_json`."""
    try:
        from _json import encode_basestring_ascii as quoted  # noqa: PLC0415 - see above
    except ImportError:
        import json  # noqa: PLC0415 - see above

        return json.dumps(request)
    values = (
        "null" if value is None else quoted(value) if isinstance(value, str) else str(value)
        for value in request.values()
    )
    return "{" + ", ".join(f"{quoted(name)}: {value}" for name, value in zip(request, values, strict=True)) + "}"


def _text(value: object) -> "str | None":
    return value if isinstance(value, str) else None


def _cwd() -> str:
    try:
        return os.getcwd()  # noqa: PTH109
    except OSError:  # it was deleted
        return "/"


def _session_of(transcript: str) -> str:
    """Return the session of a file. The payload's id may differ: some versions name the parent of a fork."""
    return os.path.splitext(os.path.basename(transcript))[0]  # noqa: PTH119, PTH122


def _why_not(environ: "os._Environ[str]") -> str | None:
    """Return why there is nothing to do, as far as the environment tells; only the worker reads config files."""
    consent = ("CC_LANGFUSE_TRACE", "TRACE_TO_LANGFUSE", "CLAUDE_PLUGIN_OPTION_TRACE")
    asked = next((asked for name in consent if (asked := environ.get(name))), "").lower()
    may_have_config = any(map(os.path.exists, config_files(environ)))
    if asked not in _TRUE and (asked or not may_have_config):
        return "not opted in: set TRACE_TO_LANGFUSE=true"
    has_key = any(name.endswith(_SECRET_KEYS) for name in environ)
    if not has_key and not may_have_config:
        return "no keys: set LANGFUSE_PUBLIC_KEY and LANGFUSE_SECRET_KEY"
    return None


def config_files(environ: "os._Environ[str] | dict[str, str]") -> "list[str]":
    """Return possible paths of `config.toml`: on macOS, not every platformdirs reads XDG_CONFIG_HOME."""
    if chosen := environ.get("CC_LANGFUSE_CONFIG"):
        return [os.path.expanduser(chosen)]  # noqa: PTH111
    variables = ("XDG_CONFIG_HOME", "") if sys.platform == "darwin" else ("XDG_CONFIG_HOME",)
    return [os.path.join(_folder(environ, variable, "~/.config"), "config.toml") for variable in variables]  # noqa: PTH118


def _folder(environ: "os._Environ[str] | dict[str, str]", variable: str, usual: str) -> str:
    """Return a folder as platformdirs would, which takes 50 ms to load."""
    if sys.platform == "win32":
        return os.path.join(environ.get("LOCALAPPDATA", ""), "ccship", "ccship")  # noqa: PTH118
    base = environ.get(variable, "")
    if not base.startswith("/"):  # unset or relative
        base = os.path.expanduser("~/Library/Application Support" if sys.platform == "darwin" else usual)  # noqa: PTH111
    return os.path.join(base, "ccship")  # noqa: PTH118


def _leave_request(folder: str, payload: "dict[str, object]", transcript: str) -> str:
    """Write a request file under a temporary name and rename it, so that a worker never reads half of it."""
    requests = _own(folder, "requests")
    session = _session_of(transcript)
    message = payload.get("last_assistant_message")
    request: dict[str, str | int | None] = {
        "version": REQUEST_VERSION,
        "session_id": session,
        "transcript_path": transcript,
        "agent_transcript_path": _text(payload.get("agent_transcript_path")),
        "event": _text(payload.get("hook_event_name")),
        "last_message": fingerprint_of(message) if isinstance(message, str) and message.strip() else None,
        "size": _size_of(transcript),
        **_parent_of_run(os.environ),
    }
    name = os.path.join(requests, f"{request_prefix(session)}-{time.time_ns()}-{os.getpid()}")  # noqa: PTH118
    descriptor = os.open(f"{name}.tmp", os.O_WRONLY | os.O_CREAT | os.O_EXCL, _PRIVATE)
    try:
        os.write(descriptor, _dump(request).encode())
    finally:
        os.close(descriptor)
    os.rename(f"{name}.tmp", f"{name}.json")  # noqa: PTH104
    return f"{name}.json"


def _size_of(path: str) -> int:
    try:
        return os.stat(path).st_size  # noqa: PTH116
    except (OSError, ValueError):  # not there yet, or no path
        return 0


def _parent_of_run(environ: "os._Environ[str]") -> "dict[str, str | int | None]":
    """Return the values that name the parent of this run, and the project: its settings must not set them."""
    named = {field: environ.get(name, "") for field, name in PARENT_VARIABLES.items()}
    if not any(named.values()):
        return {}
    project = environ["CLAUDE_PROJECT_DIR"]
    try:
        project.encode()
    except UnicodeEncodeError:  # JSON cannot contain it; without the project, the worker ignores the parent
        return {}
    ascii_only = {field: value.encode("ascii", "replace").decode() for field, value in named.items()}
    return {**{field: value[:_MAX_VALUE_CHARS] for field, value in ascii_only.items()}, "project_dir": project}


def _own(folder: str, name: str) -> str:
    """Return a folder in the state folder. Both are created if needed, with access for their owner only."""
    path = os.path.join(folder, name)  # noqa: PTH118
    for each in (folder, path):
        os.makedirs(each, mode=0o700, exist_ok=True)  # noqa: PTH103
        status = os.lstat(each)
        if not stat.S_ISDIR(status.st_mode) or (os.name == "posix" and status.st_mode & 0o022):
            raise PermissionError(each)  # a link, or writable by others: the worker reports it in `status`
    return path


def _start_worker(request: str, lock: "int | None", *, wait: bool = False) -> None:
    """Start the worker detached, so that it survives Claude Code and this process. It inherits the lock."""
    # -P: do not import modules from the current folder, which on Windows is the session's
    command = [sys.executable, "-P", "-m", "ccship.worker", request]
    if sys.platform == "win32":
        import subprocess  # noqa: PLC0415 - only here

        flags = subprocess.DETACHED_PROCESS | subprocess.CREATE_NEW_PROCESS_GROUP
        worker = subprocess.Popen(  # noqa: S603
            command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            close_fds=True, creationflags=flags,
        )  # fmt: skip
        if wait:
            worker.wait()
        return
    if child := os.fork():
        if wait:
            os.waitpid(child, 0)
        return
    try:
        os.setsid()
        os.chdir("/")
        _hide_output()
        if lock is None:
            os.closerange(_LOCK, _HIGHEST_DESCRIPTOR)
        else:
            os.dup2(lock, _LOCK)
            os.set_inheritable(_LOCK, True)  # dup2 does nothing if both are the same
            os.closerange(_LOCK + 1, _HIGHEST_DESCRIPTOR)
            command.append(str(_LOCK))
        os.execv(command[0], command)  # noqa: S606 - our own interpreter
    finally:
        os._exit(0)


def _hide_output() -> None:
    nowhere = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nowhere, descriptor)


def note(folder: str, text: str) -> None:
    """Append a line to the log if it exists: without consent, no file is created."""
    path = os.path.join(folder, "ccship.log")  # noqa: PTH118
    try:
        if os.stat(path).st_size < MAX_LOG_BYTES:  # noqa: PTH116
            descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | getattr(os, "O_NOFOLLOW", 0))
            os.write(descriptor, f"{time.strftime('%Y-%m-%d %H:%M:%S')} INFO {text}\n".encode())
            os.close(descriptor)
    except OSError:
        pass


if __name__ == "__main__":
    main()
