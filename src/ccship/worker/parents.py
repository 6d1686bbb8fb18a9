"""Records the parents of live runs, so that a later backfill attaches their turns to the same spans."""

from ccship.config.parents import parent_of_run
from ccship.state import State
from ccship.state.parents import RunEvent
from ccship.worker.spool import Pending
from ccship.worker.unchanged import STARTED


def record_parents(state: State, pending: Pending) -> None:
    """Record the parents of the runs that requested to ship a session. Call it before any of their turns is shipped."""
    for at_ns, request in pending.by_time:
        if request.size is not None:  # a hook of the run wrote it
            variables = request.parent_variables
            parent = parent_of_run(variables) if variables else None
            is_start = request.event == STARTED
            state.record_event(request.transcript_path, RunEvent(at_ns, request.size, is_start, parent))
