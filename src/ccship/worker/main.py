"""The background process of the hook: ships the requested session, then the backlog of its destination.

A worker runs for at most `LIFE_S`, detached from Claude Code. A lock allows one worker per session: the hook takes it
and the worker inherits it. Its holder checks for new requests after it releases the lock, because hooks that find it
taken start no worker.
"""

import gc
import logging
import os
import sqlite3
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

from ccship import config
from ccship.config import Config
from ccship.config.keys import Refusal
from ccship.config.repository import split
from ccship.errors import CcshipError, Retryable, StateDamaged, StateTooNew
from ccship.hook import is_foreground, state_folder
from ccship.pipeline.git import Repositories
from ccship.pipeline.plan import Options
from ccship.pipeline.report import Report
from ccship.pipeline.ship import Shipper
from ccship.sinks import Sink
from ccship.sinks.server_prices import ServerPrices
from ccship.state import State
from ccship.transcript.discover import changed_ns, cwd_of
from ccship.transcript.files import session_folder_of
from ccship.worker.further import Further
from ccship.worker.log import LOG, name_in_log, open_log, sent_text
from ccship.worker.parents import record_parents
from ccship.worker.routes import belongs, destination_of, outside_reason, sessions_of
from ccship.worker.spool import Pending, Request, add_request
from ccship.worker.unchanged import STARTED, digest_of_inputs, is_lock_of, remember

LIFE_S = 120.0
"""The most seconds that a worker runs: enough for a slow server, short enough not to pile up processes."""

_ENDED = "SessionEnd"
"""The hook event at the end of a session."""

_RECENT_S = 86_400.0
"""Age in seconds above which the worker ignores subagents of other sessions: `ccship backfill` ships those."""


def main(request_file: str, lock: int | None = None) -> None:
    """Ship the session of a request file. Never raises; errors are logged.

    `lock`: the descriptor of the session's lock, if the hook has taken it.
    """
    os.umask(0o077)
    try:
        open_log(Path(state_folder(dict(split(os.environ).own))))
        settings = config.load()
        LOG.setLevel(logging.DEBUG if settings.debug else logging.INFO)
        request = Request.model_validate_json(Path(request_file).read_bytes())
        _work(settings, request, Path(request_file).parent, lock)
    except FileNotFoundError:
        return  # another worker has shipped it
    except CcshipError as error:
        LOG.error("%s", error)
    except Exception as error:  # noqa: BLE001 - the boundary of this process
        # without its message, which may quote the transcript
        frame = error.__traceback__
        while frame is not None and frame.tb_next is not None:
            frame = frame.tb_next
        where = f"{Path(frame.tb_frame.f_code.co_filename).name}:{frame.tb_lineno}" if frame else "?"
        LOG.error("%s at %s: please report", type(error).__name__, where)


def _work(root: Config, request: Request, spool: Path, lock: int | None = None) -> None:
    """Ship from the spool of one destination. That of the first destination starts the workers of the others."""
    until = time.monotonic() + LIFE_S
    is_first = spool == root.requests_dir
    further = Further(root, os.environ, is_active=is_first)
    reason = outside_reason(root, request)
    try:
        if reason is None:
            further.copy(request.session_id)
        further.start_backlog()
        _ship_request(root, request, spool, reason, further, lock)
        if reason is None:
            further.copy(request.session_id)  # those that came after the last look, while it was still locked
    finally:
        for problem in dict.fromkeys(further.problems):
            LOG.error("%s: %s", request.session_id, problem)
        if is_foreground(os.environ):
            further.wait(until)


def _ship_request(
    root: Config, request: Request, spool: Path, reason: str | None, further: Further, lock: int | None = None
) -> None:
    settings = root
    if reason is None:
        settings, reason = destination_of(root, request, spool)
        further.copy(request.session_id)  # its folder may have been unknown before
    if settings.also:
        name_in_log(settings.name)
    for line in settings.ignored:
        LOG.warning("%s: %s", request.session_id, line)
    if reason is not None or settings.refusal is not None:
        _put_aside(spool, request, reason, settings.refusal)
        if settings.refusal is None and not (settings.can_send and settings.opted_in):
            _put_others_aside(root, settings, spool, str(reason), further)
        return
    worker = _Worker(root, settings, further, lock, time.monotonic() + LIFE_S)
    try:
        worker.work(request)
    except StateDamaged as error:
        LOG.warning("%s", error)
        worker.work(request)
    except StateTooNew:
        _keep_newest(spool, request)
        raise
    finally:
        worker.close()
        if not settings.also:
            _record(root, worker.transcripts)
    if worker.is_rerouted:
        _ship_request(root, request, spool, None, further)


def _record(root: Config, transcripts: Collection[Path]) -> None:
    """Enter what was used into the ledger, and send notices of budgets. The sessions are unlocked by now."""
    if not transcripts:
        return
    from ccship.budgets.record import record  # noqa: PLC0415 - after shipping, which must not wait for these imports

    variables = split(os.environ)
    environ = {name: value for name, value in variables.own.items() if name not in variables.names}
    try:
        for problem in record(root, environ, list(transcripts)):
            LOG.warning("%s", problem)
    except (OSError, sqlite3.Error) as error:
        LOG.warning("spending was not recorded: %s", error)
    except Exception as error:  # noqa: BLE001 - shipping continues; the message may quote the transcript
        LOG.error("spending was not recorded: %s: please report", type(error).__name__)


def _put_aside(spool: Path, request: Request, reason: str | None, refusal: Refusal | None) -> None:
    """Log why a session is not shipped; delete its requests, or keep one until the user changes the settings."""
    if reason is None:
        LOG.error("%s: %s", request.session_id, refusal)
        _keep_newest(spool, request)
        return
    LOG.info("%s: %s", request.session_id, reason)
    for pending in Pending.of(spool, request.session_id):
        pending.done()


def _put_others_aside(root: Config, settings: Config, spool: Path, reason: str, further: Further) -> None:
    """Do the same with other sessions of this destination: their own workers were killed before."""
    for pending in Pending.of(spool):
        request = pending.newest
        if any(map(cwd_of, sessions_of(request))) and belongs(root, settings, request):
            further.copy(request.session_id)
            _put_aside(spool, request, reason, None)


def _keep_newest(spool: Path, request: Request) -> None:
    """Keep one request of a session that cannot be shipped until the user fixes the setup."""
    for pending in Pending.of(spool, request.session_id):
        pending.keep_newest()


class _Worker:
    """Ships sessions to one destination until no request is left, one fails, or the deadline passes.

    `is_rerouted`: the session turned out to belong to another destination. `transcripts`: those that it has read.
    """

    _state: State

    def __init__(self, root: Config, settings: Config, further: Further, lock: int | None, deadline: float) -> None:
        self._root = root
        self._further = further
        self._settings = settings
        self._environ = dict(os.environ)  # the SDK's sink changes it
        self._inherited = lock
        self._deadline = deadline
        self._sink: Sink | None = None
        self._prices = ServerPrices(settings)
        self._failed = False
        self._deferred: set[Path] = set()
        self.is_rerouted = False
        self.transcripts: dict[Path, None] = {}

    def work(self, request: Request) -> None:
        """Ship the requested session, then all others of this destination that have a request."""
        settings = self._settings
        with State(settings.state_dir, settings.destination, lock_id=settings.lock_id) as self._state:
            is_first = request.event == STARTED or not self._has_seen(request.transcript_path)
            self._ship(request.session_id)
            self._release()
            if is_first:
                self._request_interrupted(request.transcript_path)
            for pending in Pending.of(self._settings.requests_dir):
                if belongs(self._root, self._settings, pending.newest):
                    self._ship(pending.newest.session_id)

    def close(self) -> None:
        """Stop the SDK's threads, if any."""
        if self._sink is not None:
            self._sink.close()

    def _has_seen(self, transcript: Path) -> bool:
        return self._state.transcript(transcript, transcript.stem).seen > 0

    def _request_interrupted(self, transcript: Path) -> None:
        """Request sessions of the same folder with unseen subagents: a killed session runs no hook for them."""
        since = time.time() - _RECENT_S
        agents = transcript.parent.glob("*/subagents/**/agent-*.jsonl")
        folders = {
            session_folder_of(path) for path in agents if changed_ns(path) / 1e9 > since and not self._has_seen(path)
        }
        for folder in sorted(filter(None, folders)):
            main = folder.with_name(f"{folder.name}.jsonl")
            if main != transcript and self._has_seen(main):
                add_request(self._settings.requests_dir, main, lock=self._settings.lock_id(main.stem))

    def _ship(self, session_id: str) -> None:
        """Ship a session until it has no new requests."""
        while not self._failed and time.monotonic() < self._deadline:
            if all(
                self._deferred.issuperset(pending.files)
                for pending in Pending.of(self._settings.requests_dir, session_id)
            ):
                return  # no new requests
            # A request that arrives while this worker holds the lock is handled in the next iteration: its hook
            # found the session locked.
            with self._locked(session_id) as acquired, self._further.copying(session_id):
                if not acquired:
                    LOG.info("%s: another process is shipping it", session_id)
                    return
                for pending in Pending.of(self._settings.requests_dir, session_id):
                    if not self._ship_once(pending):
                        return

    def _release(self) -> None:
        """Release an inherited lock that was not needed: another process had answered the request."""
        if self._inherited is not None:
            os.close(self._inherited)
            self._inherited = None

    @contextmanager
    def _locked(self, session_id: str) -> Iterator[bool]:
        """Lock a session; yield False if another process has the lock. An inherited lock is used once."""
        lock_id = self._settings.lock_id(session_id)
        if self._inherited is None or not is_lock_of(self._inherited, str(self._settings.state_dir), lock_id):
            with self._state.lock(session_id, wait_s=0) as acquired:
                yield acquired
            return
        lock, self._inherited = self._inherited, None
        try:
            yield True
        finally:
            os.close(lock)

    def _ship_once(self, pending: Pending) -> bool:
        """Ship the requests of one session once; return whether the caller may continue with it."""
        request = pending.newest
        self._further.copy(request.session_id)
        record_parents(self._state, pending)
        if not self._await_backoff(request.session_id):
            if belongs(self._root, self._settings, request):  # spending is recorded while the server is down, too
                self.transcripts.update((path, None) for session in sessions_of(request) for path in session.paths)
            return False
        if not request.wait_for_flush():
            LOG.info("%s: the last message is not on disk yet; the next event ships it", request.session_id)
        self._further.copy(request.session_id)  # its folder may have been unknown before
        sessions = sessions_of(request)
        if not sessions:
            LOG.info("%s: no transcript yet", request.session_id)
            pending.done()
            return True
        if not belongs(self._root, self._settings, request):
            self.is_rerouted = True  # the transcript named its folder only during the wait
            return False
        self.transcripts.update((path, None) for session in sessions for path in session.paths)
        digest = digest_of_inputs(self._environ, str(self._settings.state_dir), str(request.transcript_path))
        if not self._further.has_copied(request.session_id, digest):
            digest = ""  # the next event asks the further destinations, too
        shipper = Shipper(
            self._open_sink(), self._state,
            Options(
                self._settings.trace_settings, is_live=True, has_ended=request.event == _ENDED,
                server_prices=self._prices, signals=self._settings.signals,
                folds_events=self._settings.kind == "otlp",
            ),
            policy=self._settings.policy, repositories=Repositories(live=True), locked=True,
            enough=lambda: time.monotonic() > self._deadline,
        )  # fmt: skip
        return self._finish(pending, shipper.ship(sessions), digest)

    def _finish(self, pending: Pending, report: Report, digest: str) -> bool:
        """Log the result, and delete the requests, or keep one if the session is not fully shipped."""
        request = pending.newest
        if report.unpriced:
            self._prices.remember_unpriced(report.unpriced)
        for problem in report.problems:
            LOG.warning("%s: %s", request.session_id, problem)
        if report.failure is not None:
            wait_s = self._state.postpone(
                report.failure.retry_after_s if isinstance(report.failure, Retryable) else None
            )
            LOG.warning("%s: %s; next attempt in %.0f s", request.session_id, report.failure, wait_s)
            pending.keep_newest()
            self._failed = True
            return False
        self._state.resume()
        if report.stopped:
            LOG.info("%s: stopped at the time limit; the next event resumes", request.session_id)
            pending.keep_newest()
            return False
        LOG.info("%s: %s", request.session_id, sent_text(report))
        if report.scores["unsupported"]:
            LOG.info(
                "%s: the server, or the gateway before it, takes no scores; CC_LANGFUSE_SIGNALS=off sends none",
                request.session_id,
            )
        if report.turns["waiting"]:
            LOG.info("%s: a subagent's launch is not on disk yet; the next event checks again", request.session_id)
            pending.keep_newest()
            self._deferred.update(pending.files)
        else:
            if not report.problems:
                remember(str(self._settings.state_dir), self._settings.lock_id(request.session_id), digest)
            pending.done()
        return True

    def _await_backoff(self, session_id: str) -> bool:
        """Wait until the destination's back-off ends; return False if that is after the deadline."""
        wait_s = self._state.postponed_s()
        if wait_s > self._deadline - time.monotonic():
            LOG.info("%s: backing off, next attempt in %.0f s", session_id, wait_s)
            self._failed = True
            return False
        time.sleep(wait_s)
        return True

    def _open_sink(self) -> Sink:
        if self._sink is None:
            from ccship.sinks.servers import sink_of  # noqa: PLC0415 - takes a second to load

            gc.freeze()
            gc.enable()  # `unchanged` has disabled it for the imports
            self._sink = sink_of(self._settings, self._state.dead_names())
        return self._sink
