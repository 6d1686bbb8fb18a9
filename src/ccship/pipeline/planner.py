"""Sessions on disk -> units, in the order of delivery.

The planner reads transcripts, the state and repositories, and writes nothing. One planner serves a whole run: it
remembers turns that are planned but not committed, so a turn that two transcripts contain is planned once.
"""

import os
import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, BinaryIO, Literal, TypeAlias

from ccship.observations.line_outcomes import (
    COPIED,
    DUPLICATE,
    NO_TURN,
    PENDING,
    SHIPPED,
    Shipped,
    TurnOutcome,
)
from ccship.pipeline.copies import ONLY_THIS_CALL, without_claimed
from ccship.pipeline.git import Repositories
from ccship.pipeline.parents import Parents
from ccship.pipeline.plan import Options, plan_subagent, plan_turn, prepare
from ccship.pipeline.scoring import Scorer, memory_at, units_of_scores, with_scores
from ccship.pipeline.subagents import Linked, link_of, orphan
from ccship.privacy import Protection
from ccship.signals.scores import Score, scores_of_copy
from ccship.signals.stream import first_sent
from ccship.state import Checkpoint, Claim, Owner, State
from ccship.state.rows import short_key
from ccship.transcript.discover import Originals, Session, agent_facts, agent_id_of, has_successor
from ccship.transcript.exchange import Exchange
from ccship.transcript.files import open_transcript, printable
from ccship.transcript.records import Record
from ccship.transcript.subagent import read_subagent
from ccship.transcript.tail import entries, notes_at, position_at, resume_offset
from ccship.transcript.turns import Entry, ResumeState, Turn, TurnBuilder
from ccship.unit import End, Launch, Lines, Open, Settled, Start, Step, Unit, Whole

OVER_AFTER_S = 3600.0
"""Age of a session's last record after which the session counts as over.

A launch is written within a second, so a launch that is still missing after an hour will not follow.
"""

_UNLINKED: Literal["unlinked"] = "unlinked"
_Planned: TypeAlias = Unit | Literal["unlinked"] | None
"""The plan of a subagent: its unit, "unlinked" while its launch is unknown, None without new records."""


@dataclass(slots=True)
class _Pass:
    """One pass over a main transcript.

    `start`: set until the first unit is planned. `read`: the offset before which units are planned. `is_complete`: the
    window contains all turns so far. `end_ns`: the latest time in the transcript. `scorer`: None if no scores are sent.
    """

    session: str
    file: BinaryIO
    checkpoint: Checkpoint
    start: Start | None
    sent_ids: frozenset[bytes]
    launches: dict[str, Launch]
    originals: Originals
    parents: Parents
    read: int
    scorer: Scorer | None = None
    seen: set[str] = field(default_factory=set)
    is_complete: bool = True
    end_ns: int = 0


class Planner:
    """Plans the units of sessions.

    `problems`: files that cannot be read. `waiting`: subagents whose launch is unknown.
    """

    def __init__(
        self, state: State, protection: Protection, options: Options, repositories: Repositories | None = None
    ) -> None:
        self.problems: list[str] = []
        self.waiting: set[Path] = set()
        self._state = state
        self._protection = protection
        self._options = options
        self._repositories = repositories
        self._owners: dict[str, bytes] = {}
        self._claims: dict[str, Claim] = {}

    def forget_planned(self) -> None:
        """Forget owners and claims of planned turns. Call it once all are committed: the state then contains them."""
        self._owners.clear()
        self._claims.clear()

    def units(self, session: Session) -> Iterator[Unit]:
        """Plan the new turns of a session: its main transcript first, then its subagents."""
        if session.main is not None and not (self._options.resend and not self._options.signals_only):
            yield from self._scores(session, session.main)
        if self._options.signals_only:
            return
        launches = {launch.tool_use_id: launch for launch in self._state.launches(session.session_id)}
        end_ns: int | None = None
        if session.main is not None:
            end_ns = yield from self._main(session, session.main, launches)
        yield from self._subagents(session, launches, end_ns)

    def _scores(self, session: Session, path: Path) -> Iterator[Unit]:
        try:
            yield from units_of_scores(path, session.session_id, self._state, self._options)
        except OSError as error:
            if self._options.signals_only:
                self.problems.append(f"{printable(path)} cannot be read: {error.strerror}")

    def _main(self, session: Session, path: Path, launches: dict[str, Launch]) -> Generator[Unit, None, int | None]:
        """Plan a main transcript; return its latest time, or None if it cannot be read."""
        try:
            with open_transcript(path) as file:
                current = self._begin(session, path, file, launches)
                yield from self._turns(current)
                return current.end_ns
        except OSError as error:
            self.problems.append(f"{printable(path)} cannot be read: {error.strerror}")
        return None

    def _begin(self, session: Session, path: Path, file: BinaryIO, launches: dict[str, Launch]) -> _Pass:
        checkpoint = self._state.transcript(path, session.session_id)
        resend = self._options.resend
        sent_ids = frozenset() if resend else checkpoint.ids_sent(os.fstat(file.fileno()).st_size)
        offset = 0 if resend else resume_offset(file, checkpoint.position)
        if offset == 0:
            checkpoint = replace(checkpoint, resume_state=ResumeState())
        if resend:
            checkpoint = replace(checkpoint, spans=set())
        start = Start(from_start=offset == 0, resend=resend)
        scorer, parents = None, Parents(self._state, path, session.session_id)
        if self._options.signals != "off":
            scorer = Scorer(self._options, session.session_id, memory_at(file, offset, checkpoint.memory), parents.of)
        return _Pass(
            session.session_id, file, checkpoint, start, sent_ids, launches, Originals(path), parents, offset, scorer
        )

    def _turns(self, current: _Pass) -> Iterator[Unit]:
        checkpoint, file = current.checkpoint, current.file
        builder = TurnBuilder(checkpoint.resume_state, notes_at(file, checkpoint.resume_state.notes.values()))
        end = current.read
        for entry in entries(file, end):
            end = entry.end
            _see(current, entry)
            for turn in builder.feed(entry):
                current.is_complete = current.is_complete and self._options.window.contains(turn.exchange.start_ns)
                scores = current.scorer.scores(turn, builder.open) if current.scorer else ()
                memory = current.scorer.memory if current.scorer else None
                step = (
                    Settled(position_at(file, builder.cursor(end)), builder.resume_state(), memory)
                    if current.is_complete
                    else Open(builder.cursor(end))
                )
                yield self._scored(self._turn(turn, step, current), turn, builder.open, scores, current)
        memory = current.scorer.memory if current.scorer else None
        hashes: set[bytes] = set()
        ends = [*(turn.start for turn in builder.open[1:]), builder.assigned(end)]
        for n, (turn, turn_end) in enumerate(zip(builder.open, ends, strict=False)):
            later = builder.open[n + 1 :]
            scores = current.scorer.scores(turn, later) if current.scorer else ()
            unit = self._scored(self._turn(turn, Open(turn_end), current), turn, later, scores, current)
            hashes |= unit.hashes | unit.score_hashes
            yield unit
        turns = frozenset(turn.uuid for turn in builder.open) if current.is_complete else None
        rest = Lines(builder.unassigned())
        last = Unit(checkpoint.path, current.session, End(end, turns, frozenset(hashes), memory), lines=rest)
        yield self._started(last, current, end)

    def _scored(self, unit: Unit, turn: Turn, later: Sequence[Turn], scores: tuple[Score, ...], current: _Pass) -> Unit:
        """Return the unit of a turn with those of its scores that this transcript sends."""
        if not scores:
            return unit
        owner = self._state.owner(turn.uuid)
        match unit.lines.outcome:
            case Shipped() if not (owner and owner.settled) or self._options.resend:
                return with_scores(unit, scores, current.checkpoint.spans)
            case outcome if outcome == COPIED and self._is_copy(turn, owner, current):  # under the same ids
                after = first_sent(later)
                if after is not None and not self._is_copy(after, self._state.owner(after.uuid), current):
                    if owner is None and turn.uuid not in self._owners:
                        return replace(unit, lacks_trace=bool(scores_of_copy(scores)))
                    return with_scores(unit, scores_of_copy(scores), current.checkpoint.spans)
        return unit

    def _turn(self, turn: Turn, step: Step, current: _Pass) -> Unit:
        checkpoint = current.checkpoint
        turn, copied = without_claimed(turn, lambda call: self._claims.get(call) or self._state.claim(call))
        owner = self._state.owner(turn.uuid)
        outcome = self._outcome(turn, copied, owner, current)
        was_settled = bool(owner and owner.settled) and not self._options.resend
        exchange, repositories = turn.exchange, self._repositories
        opening = exchange.opening
        git = (
            repositories.facts(opening.cwd, opening.git_branch, exchange.start_ns or 0, exchange.end_ns or 0)
            if repositories and outcome == SHIPPED and not was_settled
            else {}
        )
        unit = plan_turn(
            turn, checkpoint.path, current.session, step, outcome, self._options,
            was_settled=was_settled, git=git, kept=checkpoint.volatile.get(turn.uuid),
            parent=current.parents.of(turn),
        )  # fmt: skip
        unit = prepare(
            unit, self._protection, checkpoint.spans, current.sent_ids, folds_events=self._options.folds_events
        )
        current.launches.update({launch.tool_use_id: launch for launch in unit.launches})
        if unit.claims is not None:
            call, until_s = unit.claims
            here = self._owners[turn.uuid] = short_key(current.session)
            self._claims[call] = Claim(short_key(turn.uuid), here, until_s)
        end = step.position.offset if isinstance(step, Settled) else step.end if isinstance(step, Open) else 0
        return self._started(unit, current, end)

    def _started(self, unit: Unit, current: _Pass, end: int) -> Unit:
        """Return the unit with the number of bytes read for it and, if it is the first, the start of the pass."""
        unit = replace(unit, start=current.start, read=max(0, end - current.read))
        current.start, current.read = None, max(end, current.read)
        return unit

    def _outcome(self, turn: Turn, copied: Claim | None, owner: Owner | None, current: _Pass) -> TurnOutcome:
        """Return the outcome of a turn's lines once its spans are delivered.

        `copied`: the claim on calls that were removed from it; `owner`: its owner according to the state.
        """
        here = short_key(current.session)
        if not self._options.window.contains(turn.exchange.start_ns):
            return PENDING  # a run that selects it will send it
        if copied is not None and copied.until_s != ONLY_THIS_CALL and not turn.exchange.calls:
            return DUPLICATE if copied.session == here else COPIED
        if not turn.is_shippable:
            return NO_TURN
        if turn.uuid in current.seen:
            return DUPLICATE  # the same file contains it twice
        current.seen.add(turn.uuid)
        return COPIED if self._is_copy(turn, owner, current) else SHIPPED

    def _is_copy(self, turn: Turn, owner: Owner | None, current: _Pass) -> bool:
        """Return whether a turn belongs to another session. `owner`: its owner according to the state."""
        origin = turn.exchange.origin(current.session)
        owned_by = owner.session if owner else self._owners.get(turn.uuid)
        is_owned = owned_by is not None and owned_by != short_key(current.session)
        return is_owned or bool(origin and current.originals.contain(origin, turn))

    def _subagents(self, session: Session, launches: dict[str, Launch], main_end_ns: int | None) -> Iterator[Unit]:
        """Plan the subagents of a session.

        Subagents may launch others: repeat until no more can be linked, then plan the orphans.
        """
        unlinked = list(session.agents)
        while unlinked:
            paths, unlinked = unlinked, []
            for path in paths:
                planned = self._subagent(path, session, launches, lambda _: False)
                if planned == _UNLINKED:
                    unlinked.append(path)
                elif isinstance(planned, Unit):
                    yield planned
            if len(unlinked) == len(paths):
                break
        for path in unlinked:
            planned = self._subagent(
                path, session, launches, lambda exchange: self._is_orphan(exchange, session, main_end_ns)
            )
            if isinstance(planned, Unit):
                yield planned
            elif planned == _UNLINKED:
                self.waiting.add(path)

    def _is_orphan(self, exchange: Exchange, session: Session, main_end_ns: int | None) -> bool:
        """Return whether no launch will follow for a subagent.

        True once its main transcript has later records or the session is over.
        """
        if main_end_ns is None:
            return session.main is None  # a main transcript that cannot be read may contain the launch
        if (exchange.start_ns or 0) < main_end_ns:
            return True
        end_ns = max(time_ns or 0 for time_ns in (main_end_ns, *exchange.uuids.values()))
        is_old = time.time() - end_ns / 1e9 > OVER_AFTER_S
        return self._options.has_ended or is_old or has_successor(session, end_ns)

    def _subagent(
        self, path: Path, session: Session, launches: dict[str, Launch], is_orphan: Callable[[Exchange], bool]
    ) -> _Planned:
        """Plan a subagent if it has new records."""
        try:
            with open_transcript(path) as file:
                return self._read_subagent(file, path, session, launches, is_orphan)
        except OSError as error:
            self.problems.append(f"{printable(path)} cannot be read: {error.strerror}")
            return None

    def _read_subagent(
        self,
        file: BinaryIO,
        path: Path,
        session: Session,
        launches: dict[str, Launch],
        is_orphan: Callable[[Exchange], bool],
    ) -> _Planned:
        options = self._options
        checkpoint = self._state.transcript(path, session.session_id)
        size = os.fstat(file.fileno()).st_size
        if checkpoint.link and not options.resend and resume_offset(file, checkpoint.position) == size:
            return None
        exchange, counts, end = read_subagent(entries(file, 0))
        position = position_at(file, end)
        if exchange is None:
            return Unit(checkpoint.path, session.session_id, Whole(position, None), lines=Lines(counts))
        facts = agent_facts(path)
        linked = (
            Linked(checkpoint.link)
            if checkpoint.link
            else self._link(path, exchange, facts, session, launches, is_orphan)
        )
        if linked is None:
            return _UNLINKED
        if not options.window.contains(exchange.start_ns):
            return None
        if linked.launched is not None:
            launches.pop(linked.launched, None)
        exchange.forget_call(linked.link.message_id)
        unit = plan_subagent(
            exchange, counts, checkpoint.path, session.session_id, agent_id_of(path), facts, linked, position,
            options,
        )  # fmt: skip
        sent = set() if options.resend else checkpoint.spans
        unit = prepare(unit, self._protection, sent, folds_events=options.folds_events)
        launches.update({launch.tool_use_id: launch for launch in unit.launches})
        return replace(unit, start=Start(from_start=True, resend=options.resend), read=end)

    def _link(
        self,
        path: Path,
        exchange: Exchange,
        facts: Mapping[str, Any],
        session: Session,
        launches: dict[str, Launch],
        is_orphan: Callable[[Exchange], bool],
    ) -> Linked | None:
        """Return the parent of a new subagent. It never changes: the span ids of the subagent depend on it."""
        linked = link_of(path, exchange, facts, launches, self._options.trace_settings)
        if linked is None and is_orphan(exchange):
            linked = Linked(orphan(path, exchange, self._options.trace_settings, session.session_id))
        if linked is None:
            return None
        return replace(linked, link=replace(linked.link, trace=self._protection.trace(linked.link.trace)))


def _see(current: _Pass, entry: Entry) -> None:
    if isinstance(entry.parsed, Record):
        current.end_ns = max(current.end_ns, entry.parsed.time_ns or 0)
