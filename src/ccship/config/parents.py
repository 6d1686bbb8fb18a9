"""Reads the parent of a run: the span of another program that contains its turns.

The variables are those of the run, which a hook stores in its request: the worker that ships the run may have been
started by another one.
"""

import os
from collections.abc import Mapping

from ccship.config.repository import Foreign, split
from ccship.hook import PARENT_VARIABLES
from ccship.observations import Parent
from ccship.observations.attach import parent_in, parent_of_ids

_TRACEPARENT, _TRACE_ID, _SPAN_ID = PARENT_VARIABLES.values()


def parent_of_run(variables: Mapping[str, str]) -> Parent | None:
    """Return the parent of a run; None if none is set, it is malformed, or a repository sets it.

    `variables`: those in `PARENT_VARIABLES`, and `CLAUDE_PROJECT_DIR`.
    """
    if "CLAUDE_PROJECT_DIR" not in variables:
        return None  # the project's settings cannot be checked
    others = {name: value for name, value in os.environ.items() if name not in PARENT_VARIABLES.values()}
    environment = split({**others, **variables})
    return None if environment.problem else _parent(environment.own)[0]


def ignored_parents(own: Mapping[str, str], foreign: Mapping[str, Foreign]) -> tuple[str, ...]:
    """Return a line for each of the variables that is malformed, or set by a repository."""
    lines = [
        f"{name} in {foreign[name].file} is ignored: a repository cannot set it"
        for name in PARENT_VARIABLES.values()
        if name in foreign
    ]
    _, problem = _parent(own)
    return (*lines, problem) if problem else tuple(lines)


def _parent(environ: Mapping[str, str]) -> tuple[Parent | None, str | None]:
    """Return the parent, or why the variables name none."""
    traceparent, trace_id, span_id = (environ.get(name, "").strip() for name in (_TRACEPARENT, _TRACE_ID, _SPAN_ID))
    if traceparent:
        parent = parent_in(traceparent)
        expected = "00-TRACE_ID-SPAN_ID-FLAGS in lower-case hex, 32, 16 and 2 digits, ids not zero"
        return parent, None if parent else f"{_TRACEPARENT} is ignored: expected {expected}"
    if trace_id or span_id:
        parent = parent_of_ids(trace_id, span_id)
        expected = "both, in lower-case hex, 32 and 16 digits, not zero"
        return parent, None if parent else f"{_TRACE_ID} and {_SPAN_ID} are ignored: expected {expected}"
    return None, None
