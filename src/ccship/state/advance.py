"""Computes the checkpoint of a transcript after a delivery. Pure."""

from collections import Counter
from collections.abc import Collection
from dataclasses import replace
from typing import assert_never

from ccship.observations.line_outcomes import outcomes_in
from ccship.signals.model import StoredMemory
from ccship.state.rows import Checkpoint
from ccship.transcript.turns import ResumeState
from ccship.unit import End, Open, Scored, Settled, Start, UnitOutcome, Whole


def advanced(  # noqa: PLR0911 - one for each step
    before: Checkpoint, outcome: UnitOutcome, dead: Collection[str], now: float
) -> Checkpoint:
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
    every = unit.hashes | unit.score_hashes
    if not outcome.arrived:
        # keep what was answered, so that the next run does not send it again
        waiting = {span.digest for span in unit.spans} | {score.digest for score in unit.scores}
        answered = {span.digest for span in (*outcome.accepted, *(span for span, _ in outcome.rejected))}
        answered |= {score.digest for score in (*outcome.scored, *(score for score, _ in outcome.rejected_scores))}
        link = unit.step.link if isinstance(unit.step, Whole) else None  # the span ids of the subagent depend on it
        return replace(before, spans=before.spans | (every - waiting) | answered, link=link or before.link)
    lines = unit.lines.outcomes(dead)
    match unit.step:
        case Settled(position, resume_state, memory):
            return replace(
                before,
                position=position,
                resume_state=resume_state,
                memory=memory,
                scored_from=_scored_from(before, memory),
                counts=before.counts + lines + outcomes_in(unit.lower_bounds),
                seen=position.offset,
                spans=before.spans - every,
                volatile={turn: facts for turn, facts in before.volatile.items() if turn != unit.owns},
            )
        case Open(end):
            volatile = {**before.volatile, unit.owns: unit.volatile} if unit.owns and unit.hashes else before.volatile
            return replace(
                before,
                open=before.open + lines,
                seen=end,
                spans=before.spans | every,
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
        case Scored(is_last):
            # the turns before the cursor are settled: nothing of them is stored
            return replace(before, spans=before.spans | every, scored_from=0 if is_last else before.scored_from)
        case _:
            assert_never(unit.step)


def _scored_from(before: Checkpoint, memory: StoredMemory | None) -> int | None:
    """Return the offset from which all turns have scores, after one more turn."""
    if memory is None:
        return None
    if before.scored_from is not None:
        return before.scored_from
    return before.position.offset if before.position else 0


def _begun(before: Checkpoint, start: Start) -> Checkpoint:
    """Return the checkpoint at the start of a pass: the lines behind the cursor are read again."""
    if start.from_start:
        before = replace(
            before, position=None, resume_state=ResumeState(), counts=Counter(), memory=None, scored_from=None
        )
    if start.resend:
        before = replace(before, spans=set())
    return replace(before, open=Counter(), seen=before.position.offset if before.position else 0)
