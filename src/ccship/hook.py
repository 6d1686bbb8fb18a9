"""What Claude Code runs at every event: leave a note of what is to be shipped, start the worker, go.

Never harms the session: exits 0 whatever happens (2 would stop Claude from stopping) and prints nothing (what looks
like JSON on stdout would be obeyed). It has milliseconds, so it imports the standard library only, and little of it:
this file also runs by itself, as `python -I -S .../ccship/hook.py`, without site-packages.
"""

import os
import stat
import sys
import time
from zlib import crc32

MAX_PAYLOAD_BYTES = 4 * 1024 * 1024
"""Claude Code's payload holds the last message; this is many times the longest one."""

MAX_LOG_BYTES = 256 * 1024
"""The log is rotated by the worker; where none runs, it stops growing here."""

_PRIVATE = 0o600
_TRUE = ("1", "true", "yes", "on")
_SECRET_KEYS = ("LANGFUSE_SECRET_KEY", "LANGFUSE_SECRET_KEY_FILE", "PLUGIN_OPTION_SECRET_KEY")
_HIGHEST_DESCRIPTOR = 4096
"""Claude Code hands its hooks a few sockets; none of them may stay open in the worker."""


def main() -> None:
    """Read the payload of a hook from stdin and see to it that its session is shipped."""
    try:  # noqa: SIM105 - contextlib takes a millisecond
        _run(sys.stdin.buffer.read(MAX_PAYLOAD_BYTES))
    except BaseException:  # noqa: BLE001, S110 - the one promise of this module
        pass
    # Threads of libraries must neither delay the exit nor change its code.
    os._exit(0)


def state_folder(environ: "os._Environ[str] | dict[str, str]") -> str:
    """Where the state is: `CC_LANGFUSE_STATE_DIR`, else what platformdirs would say, which takes 50 ms to load."""
    if chosen := environ.get("CC_LANGFUSE_STATE_DIR"):
        return os.path.expanduser(os.path.expandvars(chosen))  # noqa: PTH111 - see above
    if sys.platform == "win32":
        return os.path.join(environ.get("LOCALAPPDATA", ""), "ccship", "ccship")  # noqa: PTH118
    if sys.platform == "darwin":
        return os.path.expanduser("~/Library/Application Support/ccship")  # noqa: PTH111
    base = environ.get("XDG_STATE_HOME", "").strip() or os.path.expanduser("~/.local/state")  # noqa: PTH111
    return os.path.join(base, "ccship")  # noqa: PTH118


def fingerprint_of(message: str) -> str:
    """What stands for a message in a request: its length and a checksum, never its text."""
    encoded = message.strip().encode("utf-8", "replace")
    return f"{len(encoded)}-{crc32(encoded):08x}"


def request_prefix(session_id: str) -> str:
    """How the names of a session's requests begin."""
    return f"{crc32(session_id.encode('utf-8', 'replace')):08x}"


def _run(raw: bytes) -> None:
    payload = _parse(raw)
    if not isinstance(payload, dict):
        return
    transcript = payload.get("transcript_path")
    if not isinstance(transcript, str) or not transcript:
        return
    environ = os.environ
    reason = _why_not(environ)
    folder = state_folder(environ)
    if reason:
        _note(folder, f"{_session_of(transcript)}: {reason}")
        return
    request = _leave_request(folder, payload, transcript)
    if environ.get("CC_LANGFUSE_FOREGROUND", "").lower() in _TRUE:
        _hide_output()
        try:
            from ccship.worker import main as work  # noqa: PLC0415 - the foreground must not pay for it
        except ImportError:  # there are no site-packages here; the worker will have them
            _start_worker(request, wait=True)
        else:
            work(request)
    else:
        _start_worker(request)


class _Plain:
    """How the scanner of CPython's json is told to read plain JSON."""

    strict = True
    object_hook = object_pairs_hook = None
    parse_float = parse_constant = float
    parse_int = int


def _parse(raw: bytes) -> object:
    """Parse JSON without importing json, which is 10 of the 12 ms that this module would take to load (`re`, `enum`).

    The scanner below it is CPython's own; wherever it is missing or does not like the text, json has the word.
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


def _dump(request: "dict[str, str | None]") -> str:
    """JSON of a flat object; see `_parse`."""
    try:
        from _json import encode_basestring_ascii as quoted  # noqa: PLC0415 - see above
    except ImportError:
        import json  # noqa: PLC0415 - see above

        return json.dumps(request)
    pairs = (f"{quoted(name)}: {'null' if value is None else quoted(value)}" for name, value in request.items())
    return "{" + ", ".join(pairs) + "}"


def _text(value: object) -> "str | None":
    return value if isinstance(value, str) else None


def _session_of(transcript: str) -> str:
    """The session a file belongs to, whatever the payload says: some versions name the parent of a fork."""
    return os.path.splitext(os.path.basename(transcript))[0]  # noqa: PTH119, PTH122


def _why_not(environ: "os._Environ[str]") -> str | None:
    """Why there is nothing to do, as far as the environment tells; a config file is the worker's to read."""
    consent = ("CC_LANGFUSE_TRACE", "TRACE_TO_LANGFUSE", "CLAUDE_PLUGIN_OPTION_TRACE")
    asked = next((asked for name in consent if (asked := environ.get(name))), "").lower()
    may_have_config = os.path.exists(_config_file(environ))  # noqa: PTH110
    if asked not in _TRUE and (asked or not may_have_config):
        return "not opted in: set TRACE_TO_LANGFUSE=true"
    has_key = any(name.endswith(_SECRET_KEYS) for name in environ)
    if not has_key and not may_have_config:
        return "no keys: set LANGFUSE_PUBLIC_KEY and LANGFUSE_SECRET_KEY"
    return None


def _config_file(environ: "os._Environ[str]") -> str:
    if chosen := environ.get("CC_LANGFUSE_CONFIG"):
        return os.path.expanduser(chosen)  # noqa: PTH111
    if sys.platform == "win32":
        return os.path.join(environ.get("LOCALAPPDATA", ""), "ccship", "ccship", "config.toml")  # noqa: PTH118
    if sys.platform == "darwin":
        return os.path.expanduser("~/Library/Application Support/ccship/config.toml")  # noqa: PTH111
    base = environ.get("XDG_CONFIG_HOME", "").strip() or os.path.expanduser("~/.config")  # noqa: PTH111
    return os.path.join(base, "ccship", "config.toml")  # noqa: PTH118


def _leave_request(folder: str, payload: "dict[str, object]", transcript: str) -> str:
    """Write what is to be done beside its final name, then rename it: a worker never reads half a request."""
    requests = os.path.join(folder, "requests")  # noqa: PTH118
    for path in (folder, requests):
        os.makedirs(path, mode=0o700, exist_ok=True)  # noqa: PTH103
        status = os.lstat(path)
        if not stat.S_ISDIR(status.st_mode) or (os.name == "posix" and status.st_mode & 0o022):
            raise PermissionError(path)  # a link, or a place where others write: the worker says so in `status`
    session = _session_of(transcript)
    message = payload.get("last_assistant_message")
    request = {
        "session_id": session,
        "transcript_path": transcript,
        "agent_transcript_path": _text(payload.get("agent_transcript_path")),
        "event": _text(payload.get("hook_event_name")),
        "last_message": fingerprint_of(message) if isinstance(message, str) and message.strip() else None,
    }
    name = os.path.join(requests, f"{request_prefix(session)}-{time.time_ns()}-{os.getpid()}")  # noqa: PTH118
    descriptor = os.open(f"{name}.tmp", os.O_WRONLY | os.O_CREAT | os.O_EXCL, _PRIVATE)
    try:
        os.write(descriptor, _dump(request).encode())
    finally:
        os.close(descriptor)
    os.rename(f"{name}.tmp", f"{name}.json")  # noqa: PTH104
    return f"{name}.json"


def _start_worker(request: str, *, wait: bool = False) -> None:
    """Start the worker so that nothing that happens to Claude Code or to this process reaches it."""
    command = [sys.executable, "-m", "ccship.worker", request]
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
        os.closerange(3, _HIGHEST_DESCRIPTOR)
        os.execv(command[0], command)  # noqa: S606 - our own interpreter
    finally:
        os._exit(0)


def _hide_output() -> None:
    nowhere = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nowhere, descriptor)


def _note(folder: str, text: str) -> None:
    """A line in the log, where there is a log: somebody who never opted in gets no files from us."""
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
