"""Scores of turns: computes the signals of a transcript in file order, and adds scores to units."""

import sys
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO, TypeAlias

from ccship.observations import Parent, trace_of
from ccship.pipeline.parents import Parents
from ccship.pipeline.plan import Options
from ccship.signals.evaluate import signals_of
from ccship.signals.model import Memory, Signals, StoredMemory
from ccship.signals.prompts import recalled
from ccship.signals.scores import Score, scores_of, scores_of_copy
from ccship.signals.stream import Evaluated, evaluate, first_sent
from ccship.state import Checkpoint, State
from ccship.state.rows import short_key
from ccship.transcript.files import open_transcript
from ccship.transcript.tail import entries, records_at
from ccship.transcript.turns import Turn, TurnBuilder
from ccship.unit import Scored, Unit

ParentOf: TypeAlias = Callable[[Turn], Parent | None]


class Scorer:
    """Computes the scores of one transcript's turns. Give it all turns in file order.

    `memory`: after the turns before. `parent_of`: returns the parent of a turn.
    """

    def __init__(self, options: Options, session: str, memory: Memory, parent_of: ParentOf) -> None:
        self._options = options
        self._session = session
        self._memory = memory
        self._parent_of = parent_of

    @property
    def memory(self) -> StoredMemory:
        """The memory after the last turn, to be stored."""
        return self._memory.stored()

    def scores(self, turn: Turn, later: Iterable[Turn]) -> tuple[Score, ...]:
        """Return the scores of the next turn. `later`: the turns after it that have begun."""
        if not turn.is_shippable:
            return ()
        signals, self._memory = signals_of(turn, first_sent(later), self._memory)
        return _scores(turn, signals, self._options, self._session, self._parent_of)


def memory_at(file: BinaryIO, offset: int, stored: StoredMemory | None) -> Memory:
    """Return the memory for a reader at a cursor.

    Its prompts are read again. Without a stored memory (an earlier version wrote the state, or no scores were sent so
    far) everything before the cursor is read again, once.
    """
    if offset == 0:
        return Memory()
    if stored is not None:
        return recalled(stored, records_at(file, {place.uuid: place.start for place in stored.prompts}, offset))
    memory = Memory()
    for evaluated in evaluate(entries(file, 0), TurnBuilder(), memory):
        if evaluated.turn.start >= offset:
            break
        memory = evaluated.memory
    return memory


def units_of_scores(path: Path, session: str, state: State, options: Options) -> Iterator[Unit]:
    """Plan scores of delivered turns: those that failed before, or all that are missing (`Options.signals_only`).

    Raises:
        OSError: The transcript cannot be read or is not one; `strerror` is the reason.
    """
    with open_transcript(path) as file:
        checkpoint = state.transcript(path, session)
        cursor = checkpoint.position.offset if checkpoint.position else 0
        wanted = _without_scores(checkpoint, cursor, options)
        if options.signals == "off" or not wanted:
            return
        here, is_complete, is_known, read = short_key(session), True, False, 0
        seen: set[str] = set()
        parent_of = Parents(state, path, session).of

        def is_ours(turn: Turn | None) -> bool | None:
            """Return whether this session has shipped a turn; None if none has."""
            owner = state.owner(turn.uuid) if turn else None
            return None if owner is None else owner.session == here

        for evaluated, after in _with_next(evaluate(entries(file, 0), TurnBuilder(), Memory())):
            turn = evaluated.turn
            is_repeated = turn.uuid in seen  # the same file contains it twice
            seen.add(turn.uuid)
            if is_repeated or not any(turn.start in offsets for offsets in wanted):
                continue
            if not options.window.contains(turn.exchange.start_ns):
                is_complete = False
                continue
            owned = is_ours(turn)
            if owned is None:
                is_complete = is_complete and (options.signals_only or turn.exchange.origin(session) is None)
                continue
            is_known = True
            scores = _scores(turn, evaluated.signals, options, session, parent_of)
            if not owned:
                scores = scores_of_copy(scores) if is_ours(after) is not False else ()
            unit = Unit(checkpoint.path, session, Scored(), began_ns=turn.exchange.start_ns, read=turn.start - read)
            unit = with_scores(unit, scores, () if options.resend else checkpoint.spans)
            read = turn.start
            # of a settled turn no hash is stored
            yield unit if turn.start >= cursor else replace(unit, score_hashes=frozenset())
        if is_complete and (is_known or not options.signals_only):
            yield Unit(checkpoint.path, session, Scored("all" if options.signals_only else "failed"))


def _without_scores(checkpoint: Checkpoint, cursor: int, options: Options) -> list[range]:
    """Return the offsets of turns that have no scores. Open turns get theirs when they are sent."""
    if not options.signals_only:
        return [] if checkpoint.unscored_from is None else [range(checkpoint.unscored_from, cursor)]
    if options.resend:
        return [range(sys.maxsize)]
    failed = cursor if checkpoint.unscored_from is None else checkpoint.unscored_from
    before = cursor if checkpoint.scored_from is None else checkpoint.scored_from
    missing = [range(before), range(failed, cursor)]
    return [*filter(len, missing), range(cursor, sys.maxsize)] if any(map(len, missing)) else []


def _with_next(turns: Iterator[Evaluated]) -> Iterator[tuple[Evaluated, Turn | None]]:
    """Yield each turn with the one after it."""
    current = next(turns, None)
    while current is not None:
        following = next(turns, None)
        yield current, following.turn if following else None
        current = following


def with_scores(unit: Unit, scores: tuple[Score, ...], delivered: Collection[bytes]) -> Unit:
    """Return a unit with its scores. `delivered`: hashes of what need not be sent again."""
    return replace(
        unit,
        scores=tuple(score for score in scores if score.digest not in delivered),
        score_hashes=frozenset(score.digest for score in scores),
    )


def _scores(turn: Turn, signals: Signals, options: Options, session: str, parent_of: ParentOf) -> tuple[Score, ...]:
    exchange = turn.exchange
    trace = trace_of(turn, exchange.session_id or session, options.trace_settings, parent_of(turn))
    return scores_of(signals, options.signals, trace, exchange.start_ns or 0, exchange.extent)
