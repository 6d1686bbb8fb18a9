"""The hook's background half: ships the session it was started for, then those that are behind.

Detached from Claude Code, it may take its time, but not for ever: `LIFE_S`. One worker per session at a time; a worker
that finds its session taken leaves the request to the one that has it, which looks again after it let go.
"""

import logging
import os
import sys
import time
from logging.handlers import RotatingFileHandler
from pathlib import Path

from ccship import config
from ccship.config import Config
from ccship.errors import CcshipError, ConfigError, Retryable, StateDamaged
from ccship.hook import MAX_LOG_BYTES, state_folder
from ccship.requests import Pending, Request
from ccship.routing import destination_of
from ccship.ship import Shipper
from ccship.sinks import Sink
from ccship.state import State, private
from ccship.transcript.discover import Session, cwd_of, sessions_at
from ccship.transcript.settle import settle

LIFE_S = 120.0
"""Longer than any server should take, shorter than anybody would wonder about a process."""

_log = logging.getLogger("ccship")


def main(request_file: str) -> None:
    """Do what a request file asks for. Never raises; what went wrong is in the log."""
    os.umask(0o077)
    try:
        _open_log(Path(state_folder(dict(os.environ))))
        settings = config.load()
        _log.setLevel(logging.DEBUG if settings.debug else logging.INFO)
        request = Request.model_validate_json(Path(request_file).read_bytes())
        _work(settings, request)
    except FileNotFoundError:
        return  # done by another worker
    except CcshipError as error:
        _log.error("%s", error)
    except Exception as error:  # noqa: BLE001 - the boundary of this process
        # not its text: it may quote what it could not read
        frame = error.__traceback__
        while frame is not None and frame.tb_next is not None:
            frame = frame.tb_next
        where = f"{Path(frame.tb_frame.f_code.co_filename).name}:{frame.tb_lineno}" if frame else "?"
        _log.error("%s at %s: please report", type(error).__name__, where)


def _work(root: Config, request: Request) -> None:
    settings, reason = root, _outside(root, request)
    if reason is None:
        settings, reason = _destination_of(root, request)
    if reason is not None:
        _log.info("%s: %s", request.session_id, reason)
        for pending in Pending.of(root.requests_dir, request.session_id):
            pending.done()
        return
    worker = _Worker(root, settings, time.monotonic() + LIFE_S)
    try:
        worker.work(request.session_id)
    except StateDamaged as error:
        _log.warning("%s", error)
        worker.work(request.session_id)
    finally:
        worker.close()
    if worker.moved:
        _work(root, request)


def _outside(root: Config, request: Request) -> str | None:
    """Why a file must not even be looked into."""
    projects = os.path.realpath(root.claude_dir / "projects")
    inside = os.path.realpath(request.transcript_path).startswith(projects + os.sep)
    return None if inside else f"the transcript is not under {projects}"


def _destination_of(root: Config, request: Request) -> tuple[Config, str | None]:
    """Where the session of a request goes; or why nowhere.

    A transcript that does not name its folder yet is waited for as long as its last message would be.
    """
    if (root.routes or root.exclude) and not any(map(cwd_of, _sessions(request))):
        settle(request.awaited, request.last_message)
    settings: Config | None = root
    for session in _sessions(request):
        settings = destination_of(root, session)
    if settings is None:
        return root, "its project is excluded"
    if not settings.opted_in:
        return settings, "not opted in: set TRACE_TO_LANGFUSE=true"
    if not settings.has_keys:
        return settings, f"no keys for the {settings.name} destination: set LANGFUSE_PUBLIC_KEY and LANGFUSE_SECRET_KEY"
    return settings, None


def _sessions(request: Request) -> list[Session]:
    """The session of a request; none while it has no transcript."""
    try:
        return sessions_at([request.transcript_path])
    except ConfigError:
        return []


class _Worker:
    """Ships session after session to one destination, until there is nothing left or time is over."""

    _state: State

    def __init__(self, root: Config, settings: Config, deadline: float) -> None:
        self._root = root
        self._settings = settings
        self._deadline = deadline
        self._sink: Sink | None = None
        self._failed = False
        self.moved = False

    def work(self, session_id: str) -> None:
        """Ship one session first, then all of the same destination that are behind."""
        with State(self._settings.state_dir, self._settings.destination) as self._state:
            self._ship(session_id)
            for pending in Pending.of(self._settings.requests_dir):
                if self._is_ours(pending.newest):
                    self._ship(pending.newest.session_id)

    def close(self) -> None:
        """Stop the SDK's threads, if they were started."""
        if self._sink is not None:
            self._sink.close()

    def _ship(self, session_id: str) -> None:
        """Ship a session as long as it is asked for."""
        while not self._failed and time.monotonic() < self._deadline:
            if not Pending.of(self._settings.requests_dir, session_id):
                return
            # A request that comes while we hold the lock is seen here afterwards: its own worker finds the lock
            # taken and leaves.
            with self._state.lock(session_id, wait_s=0) as mine:
                if not mine:
                    _log.info("%s: another worker has it", session_id)
                    return
                for pending in Pending.of(self._settings.requests_dir, session_id):
                    if not self._ship_once(pending):
                        return

    def _is_ours(self, request: Request) -> bool:
        """Whether a session goes to this destination, as far as its file tells by now; the others have workers."""
        try:
            return _outside(self._root, request) is None and all(
                destination_of(self._root, session) == self._settings for session in _sessions(request)
            )
        except ConfigError as error:
            _log.error("%s: %s", request.session_id, error)
            return False

    def _ship_once(self, pending: Pending) -> bool:
        """Do what one session's requests ask for; says whether more may be done for it."""
        request = pending.newest
        if not self._await_turn(request.session_id):
            return False
        if not settle(request.awaited, request.last_message):
            _log.info("%s: the last message did not come; the next event ships it", request.session_id)
        sessions = _sessions(request)
        if not sessions:
            _log.info("%s: no transcript yet", request.session_id)
            pending.done()
            return True
        if not self._is_ours(request):
            self.moved = True  # the file named its folder only while it was waited for
            return False
        shipper = Shipper(
            self._open_sink(), self._state, self._settings.labels, policy=self._settings.policy,
            locked=True, live=True, enough=lambda: time.monotonic() > self._deadline,
        )  # fmt: skip
        for session in sessions:
            shipper.ship(session)
        report = shipper.report
        for problem in report.problems:
            _log.warning("%s: %s", request.session_id, problem)
        if report.failure is not None:
            wait_s = self._state.postpone(
                report.failure.retry_after_s if isinstance(report.failure, Retryable) else None
            )
            _log.warning("%s: %s; not before %.0f s from now", request.session_id, report.failure, wait_s)
            pending.keep_newest()
            self._failed = True
            return False
        self._state.resume()
        if report.stopped:
            _log.info("%s: more than fits into one run; the next event goes on", request.session_id)
            pending.keep_newest()
            return False
        sent, dead = report.spans["accepted"], report.spans["dead_lettered"]
        _log.info("%s: %s", request.session_id, f"sent {sent} spans, {dead} refused" if sent or dead else "up to date")
        pending.done()
        return True

    def _await_turn(self, session_id: str) -> bool:
        """Wait out what is left of the destination's back-off; False when that is longer than this worker lives."""
        wait_s = self._state.postponed_s()
        if wait_s > self._deadline - time.monotonic():
            _log.info("%s: the server asked to wait %.0f s more", session_id, wait_s)
            self._failed = True
            return False
        time.sleep(wait_s)
        return True

    def _open_sink(self) -> Sink:
        if self._sink is None:
            from ccship.sinks.langfuse import LangfuseSink  # noqa: PLC0415 - a second, only when there is something

            self._sink = LangfuseSink(self._settings)
        return self._sink


def _open_log(folder: Path) -> None:
    path = private(folder) / "ccship.log"
    if path.is_symlink():
        path.unlink()  # it would let others choose what is written to
    handler = RotatingFileHandler(path, maxBytes=MAX_LOG_BYTES, backupCount=1)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s", "%Y-%m-%d %H:%M:%S"))
    _log.addHandler(handler)
    _log.propagate = False
    _log.setLevel(logging.INFO)


if __name__ == "__main__":
    main(sys.argv[1])
