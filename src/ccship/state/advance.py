"""Computes the checkpoint of a transcript after a delivery. Pure."""

from collections import Counter
from collections.abc import Collection
from dataclasses import replace
from typing import assert_never

from ccship.observations.line_outcomes import outcomes_in
from ccship.state.rows import Checkpoint
from ccship.transcript.turns import ResumeState
from ccship.unit import End, Open, Settled, Start, UnitOutcome, Whole


def advanced(before: Checkpoint, outcome: UnitOutcome, dead: Collection[str], now: float) -> Checkpoint:
    """Return the checkpoint of a transcript after an outcome.

    Args:
        before: The checkpoint before it.
        outcome: The outcome of one of its units.
        dead: Ids of its dead letters, including those of this outcome.
        now: Seconds since the epoch.
    """
    unit = outcome.unit
    if unit.start is not None:
        before = _begun(before, unit.start)
    if outcome.accepted:
        before = replace(before, shipped_at=now)
    if not outcome.arrived:
        # keep what was accepted, so that the next run does not send it again
        waiting = {span.digest for span in unit.spans}
        arrived = {span.digest for span in outcome.accepted} | {span.digest for span, _ in outcome.rejected}
        link = unit.step.link if isinstance(unit.step, Whole) else None  # the span ids of the subagent depend on it
        return replace(before, spans=before.spans | (unit.hashes - waiting) | arrived, link=link or before.link)
    lines = unit.lines.outcomes(dead)
    match unit.step:
        case Settled(position, resume_state):
            return replace(
                before,
                position=position,
                resume_state=resume_state,
                counts=before.counts + lines + outcomes_in(unit.lower_bounds),
                seen=position.offset,
                spans=before.spans - unit.hashes,
                volatile={turn: facts for turn, facts in before.volatile.items() if turn != unit.owns},
            )
        case Open(end):
            volatile = {**before.volatile, unit.owns: unit.volatile} if unit.owns and unit.hashes else before.volatile
            return replace(
                before,
                open=before.open + lines,
                seen=end,
                spans=before.spans | unit.hashes,
                volatile=volatile,
            )
        case Whole(position, link):
            return replace(
                before,
                position=position,
                counts=lines,
                seen=position.offset,
                spans=set(unit.hashes),
                link=link or before.link,
            )
        case End(end, turns, hashes):
            before = replace(before, open=before.open + lines, seen=end)
            if turns is None:
                return before
            volatile = {turn: facts for turn, facts in before.volatile.items() if turn in turns}
            return replace(before, spans=before.spans & hashes, volatile=volatile)
        case _:
            assert_never(unit.step)


def _begun(before: Checkpoint, start: Start) -> Checkpoint:
    """Return the checkpoint at the start of a pass: the lines behind the cursor are read again."""
    if start.from_start:
        before = replace(before, position=None, resume_state=ResumeState(), counts=Counter())
    if start.resend:
        before = replace(before, spans=set())
    return replace(before, open=Counter(), seen=before.position.offset if before.position else 0)
