"""Plans, sends and commits sessions.

The hook's worker and the backfill select different sessions and stop at different times. The rest is the same.
"""

import gc
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager

from ccship.pipeline.git import Repositories
from ccship.pipeline.isolation import isolated
from ccship.pipeline.plan import Options
from ccship.pipeline.planner import Planner
from ccship.pipeline.report import Report
from ccship.pipeline.sender import Sender
from ccship.privacy import Policy, Protection
from ccship.sinks import Sink
from ccship.state import State
from ccship.transcript.discover import Session
from ccship.unit import BatchOutcome, Unit

_PROTECTED = Policy()

_MAX_LOCKS = 16
"""Sessions whose units may share a batch. A hook that finds its session locked leaves its turn to the next run."""

_COLLECT_AFTER = 20_000
"""New objects between two runs of the garbage collector; Python's default is 700."""


class Shipper:
    """Ships sessions to one sink and records the deliveries in one state.

    `policy`: by default, likely credentials are redacted. `repositories`: the source of git facts. `locked`: the caller
    has the locks of the sessions. `enough`: called after each unit; if it returns True the run stops, and the next run
    resumes there. `progress`: called with the transcript bytes of each unit.
    """

    def __init__(
        self,
        sink: Sink,
        state: State,
        options: Options | None = None,
        *,
        policy: Policy = _PROTECTED,
        repositories: Repositories | None = None,
        locked: bool = False,
        enough: Callable[[], bool] = lambda: False,
        progress: Callable[[int], None] = lambda _: None,
    ) -> None:
        self.report = Report()
        self._state = state
        self._sender = Sender(sink)
        self._protection = Protection(policy)
        self._options = options or Options()
        self._planner = Planner(state, self._protection, self._options, repositories)
        self._locked = locked
        self._locks = ExitStack()
        self._held = 0
        self._enough = enough
        self._progress = progress

    def ship(self, sessions: Iterable[Session]) -> Report:
        """Ship the new turns of sessions and their subagents.

        Failed deliveries and unreadable files are in the report. Only errors that affect every session are raised.
        """
        report = self.report
        with self._locks, _rare_collections():
            early = self._ship_each(self._counted(sessions), report.planned)
            if report.sessions > 1 and not self._options.resend:
                self._ship_each(early, lambda _: None)  # the originals of forks may have been shipped after them
        redactor = self._protection.redactor
        report.redacted = redactor.counts + Counter(error=redactor.errors)
        report.turns["waiting"] = len(self._planner.waiting)
        report.problems += self._planner.problems
        return report

    def _counted(self, sessions: Iterable[Session]) -> Iterator[Session]:
        for session in sessions:
            yield session
            self.report.sessions += 1

    def _ship_each(self, sessions: Iterable[Session], planned: Callable[[Unit], None]) -> list[Session]:
        """Ship sessions; return those that have scores for traces which no session has shipped yet.

        `planned`: called with each unit before it is sent.
        """
        report, early = self.report, []
        for session in sessions:
            if report.is_over:
                break
            self._lock(session)
            lacks_trace = False
            with isolated(session.session_id, report.problems):
                for unit in self._planner.units(session):
                    planned(unit)
                    lacks_trace = lacks_trace or unit.lacks_trace
                    self._commit(self._sender.send(unit))
                    self._progress(unit.read)
                    report.stopped = self._enough()
                    if report.is_over:
                        break
            if lacks_trace:
                early.append(session)
            if not self._sender.is_waiting:
                self._commit_all()
        self._commit_all()
        return early

    def _commit(self, deliveries: Iterator[BatchOutcome]) -> None:
        for delivered in deliveries:
            self._state.commit(delivered)
            self.report.delivered(delivered)
            if delivered.failure is not None:
                return

    def _commit_all(self) -> None:
        """Commit all planned units, then release the session locks."""
        if self.report.failure is None:
            self._commit(self._sender.flush())
            self._planner.forget_planned()
        self._locks.close()
        self._held = 0

    def _lock(self, session: Session) -> None:
        """Lock a session until its units are committed.

        Wait only while this process has no other lock: two processes that each wait for the other's lock would
        deadlock.
        """
        if self._locked:
            return
        if self._held >= _MAX_LOCKS or not self._locks.enter_context(self._state.lock(session.session_id, wait_s=0)):
            self._commit_all()
            self._locks.enter_context(self._state.lock(session.session_id))
        self._held += 1


@contextmanager
def _rare_collections() -> Iterator[None]:
    """Collect garbage rarely: a batch has many objects that stay alive, and almost no cycles (12 % faster)."""
    thresholds = gc.get_threshold()
    gc.set_threshold(_COLLECT_AFTER, *thresholds[1:])
    try:
        yield
    finally:
        gc.set_threshold(*thresholds)
