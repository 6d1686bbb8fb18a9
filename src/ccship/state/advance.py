"""Computes the checkpoint of a transcript after a delivery. Pure."""

from collections import Counter
from collections.abc import Collection
from dataclasses import replace
from typing import assert_never

from ccship.observations.line_outcomes import SHIPPED, Outcomes, outcomes_in
from ccship.state.rows import Checkpoint
from ccship.transcript.turns import ResumeState
from ccship.unit import End, Open, Scored, Settled, Start, UnitOutcome, Whole


def advanced(  # noqa: C901, PLR0911 - one for each step
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
    scored = {score.digest for score in (*outcome.scored, *(score for score, _ in outcome.rejected_scores))}
    score_hashes = (unit.score_hashes - {score.digest for score in unit.scores}) | (unit.score_hashes & scored)
    if not outcome.arrived:
        return _in_part(before, outcome, score_hashes)
    lines = unit.lines.outcomes(dead)
    match unit.step:
        case Settled():
            return _settled(before, outcome, unit.step, before.counts + lines + outcomes_in(unit.lower_bounds))
        case Open(end):
            volatile = {**before.volatile, unit.owns: unit.volatile} if unit.owns and unit.hashes else before.volatile
            return replace(
                before,
                open=before.open + lines,
                seen=end,
                spans=before.spans | unit.hashes | score_hashes,
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
        case End(end, turns, hashes, memory):
            before = replace(before, open=before.open + lines, seen=end)
            if turns is None:
                return before
            volatile = {turn: facts for turn, facts in before.volatile.items() if turn in turns}
            return replace(before, spans=before.spans & hashes, volatile=volatile, memory=memory)
        case Scored(closes):
            before = replace(before, spans=before.spans | score_hashes)
            if closes is None or outcome.unscored:
                return before
            return replace(before, unscored_from=None, scored_from=0 if closes == "all" else before.scored_from)
        case _:
            assert_never(unit.step)


def _settled(before: Checkpoint, outcome: UnitOutcome, step: Settled, counts: Outcomes) -> Checkpoint:
    """Return the checkpoint behind a turn that is settled: its hashes and volatile facts are not needed any more."""
    unit = outcome.unit
    return replace(
        before,
        position=step.position,
        resume_state=step.resume_state,
        memory=step.memory,
        scored_from=_scored_from(before, outcome, step),
        unscored_from=_unscored_from(before, outcome),
        counts=counts,
        seen=step.position.offset,
        spans=before.spans - unit.hashes - unit.score_hashes,
        volatile={turn: facts for turn, facts in before.volatile.items() if turn != unit.owns},
    )


def _in_part(before: Checkpoint, outcome: UnitOutcome, score_hashes: frozenset[bytes]) -> Checkpoint:
    """Return the checkpoint with what was answered of a unit, so that the next run does not send it again."""
    unit = outcome.unit
    waiting = {span.digest for span in unit.spans}
    answered = {span.digest for span in (*outcome.accepted, *(span for span, _ in outcome.rejected))}
    link = unit.step.link if isinstance(unit.step, Whole) else None  # the span ids of the subagent depend on it
    spans = before.spans | (unit.hashes - waiting) | answered | score_hashes
    return replace(before, spans=spans, link=link or before.link)


def _scored_from(before: Checkpoint, outcome: UnitOutcome, step: Settled) -> int | None:
    """Return the offset from which all turns have scores, after one more turn."""
    if step.memory is None or outcome.unscored == "unsupported":
        return None
    unit = outcome.unit
    if unit.lines.outcome == SHIPPED and not unit.score_hashes:
        return step.position.offset  # it was settled before, without scores as far as is known
    return _start(before) if before.scored_from is None else before.scored_from


def _unscored_from(before: Checkpoint, outcome: UnitOutcome) -> int | None:
    """Return the offset of the first settled turn whose scores have to be sent again."""
    if outcome.unscored != "failed" or before.unscored_from is not None:
        return before.unscored_from
    return _start(before)


def _start(before: Checkpoint) -> int:
    """Return the offset of the next turn."""
    return before.position.offset if before.position else 0


def _begun(before: Checkpoint, start: Start) -> Checkpoint:
    """Return the checkpoint at the start of a pass: the lines behind the cursor are read again."""
    if start.from_start:
        before = replace(
            before, position=None, resume_state=ResumeState(), counts=Counter(), memory=None,
            scored_from=before.scored_from if before.scored_from == 0 else None, unscored_from=None,
        )  # fmt: skip
    if start.resend:
        before = replace(before, spans=set())
    return replace(before, open=Counter(), seen=before.position.offset if before.position else 0)
