"""Builds turns from the records of a main transcript.

Feed `TurnBuilder` records in file order; it yields the turns that are settled: no later line can change them. It keeps
only open turns in memory. A builder that starts at the first open turn with its `ResumeState` yields the same turns as
one that never stopped: a turn depends on no other record before it.

A turn is settled when two turns have started after it (a response may be flushed after the next prompt) and all its
tools have results, or when `MAX_OPEN_TURNS` have started.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, MutableMapping
from dataclasses import dataclass, field

import msgspec

from ccship.transcript.classify import TRIGGERS, TYPED, Trigger, UserKind, classify
from ccship.transcript.exchange import Exchange
from ccship.transcript.line_kinds import LineKind
from ccship.transcript.notes import SessionNotes
from ccship.transcript.parts import Event, EventKind
from ccship.transcript.records import (
    ApiRequest,
    Assistant,
    BadRecord,
    Parsed,
    QueueOperation,
    Record,
    SessionNote,
    Skipped,
    System,
    User,
)
from ccship.transcript.typed import as_typed, is_bare_compact
from ccship.transcript.usage import is_final

SETTLING_TURNS = 2
"""Turns that must start after a turn before it is settled."""

MAX_OPEN_TURNS = 8
"""Limit for a turn with a tool that never gets a result (killed, compacted away): it must not hold the cursor back."""

_TURN = LineKind.TURN.value

_EVENTS: dict[Trigger, EventKind] = {"task_notification": "task_notification", "scheduled": "scheduled"}
"""The events that folded turns become, by trigger; `local_command` for all others."""


class Entry(msgspec.Struct, frozen=True, gc=False):
    """The content of one physical line and its bytes `[start, end)`."""

    start: int
    end: int
    parsed: Parsed


@dataclass(frozen=True, slots=True)
class ResumeState:
    """The state that a reader at a cursor needs from the records before it.

    `turns`: the number of turns. `late_records`: records behind the cursor that belong to turns before it (uuid ->
    offset). `notes`: the latest session notes (type -> offset); their text is not stored.
    """

    turns: int = 0
    late_records: Mapping[str, int] = field(default_factory=dict)
    notes: Mapping[str, int] = field(default_factory=dict)


@dataclass(slots=True)
class Turn:
    """A numbered exchange of a session.

    `start`: the offset of its first line, which may be a bookkeeping line of an earlier run. `opened`: the offset of
    the prompt or response that began it. `counts`: lines by kind. `starts`: the kinds of lines that started it or were
    folded into it. `late_records`: its records behind the next turn's start, with their offsets. `title`: the session's
    title when the turn began. `pull_requests`: URLs by number, of the session and the turn. `notes_before`: the offsets
    of the notes that apply to its first line.
    """

    number: int
    trigger: Trigger | None
    start: int
    exchange: Exchange
    counts: Counter[str] = field(default_factory=Counter)
    late_records: dict[str, int] = field(default_factory=dict)
    starts: list[UserKind] = field(default_factory=list)
    title: str | None = None
    pull_requests: dict[int, str] = field(default_factory=dict)
    notes_before: Mapping[str, int] = field(default_factory=dict)
    opened: int = 0

    @property
    def uuid(self) -> str:
        """The uuid of the record that opened it, else of its first record. Its ids are derived from it."""
        return self.exchange.opening.uuid or next(iter(self.exchange.uuids), "")

    def lower_bounds(self) -> Counter[str]:
        """Calls without final usage, by client version."""
        calls = (call.lines for call in self.exchange.calls.values())
        return Counter(LineKind.LOWER_BOUND.key(lines[0].version) for lines in calls if not is_final(lines))

    @property
    def is_shippable(self) -> bool:
        """Whether it is sent: it has an id, a time, and an LLM call or a user's prompt."""
        exchange = self.exchange
        has_work = bool(exchange.calls or exchange.sidechains or exchange.error)
        return bool(self.uuid and exchange.start_ns is not None and (has_work or self.trigger in TYPED))


@dataclass(slots=True)
class _Gap:
    """Lines since the last record of a turn. They belong to the turn of the next record."""

    start: int
    notes_before: Mapping[str, int]
    counts: defaultdict[str, int] = field(default_factory=lambda: defaultdict(int))
    pull_requests: dict[int, str] = field(default_factory=dict)
    operations: list[ApiRequest | QueueOperation] = field(default_factory=list)


class TurnBuilder:
    """Builds turns from entries; `open` contains the turns that later lines may change."""

    def __init__(self, resume_state: ResumeState | None = None, notes: SessionNotes | None = None) -> None:
        """Start at a cursor with its `resume_state`; `notes`: the content of the notes at its offsets."""
        resume_state = resume_state or ResumeState()
        self._notes = notes or SessionNotes()
        self.open: list[Turn] = []
        self._settled_turns = resume_state.turns
        self._late_records = dict(resume_state.late_records)
        self._gap: _Gap | None = None
        self._prelude: list[Record] = []
        self._version = ""

    def feed(self, entry: Entry) -> Iterable[Turn]:
        """Add one entry; return the turns that are settled now, in order. Read them before the next entry."""
        parsed = entry.parsed
        match parsed:
            case Assistant() | User():  # most lines
                return self._record(entry, parsed)
            case BadRecord():
                self._between(entry).counts[LineKind.BAD.value] += 1
            case Skipped():
                self._between(entry).counts[kind_of(parsed, self._version)] += 1
            case SessionNote():
                gap = self._between(entry)
                gap.counts[LineKind.IGNORED.key(parsed.type)] += 1
                self._notes = self._notes.with_note(parsed, entry.start)
                gap.pull_requests.update(self._notes.pull_requests if parsed.pr_number else {})
            case ApiRequest() | QueueOperation():
                gap = self._between(entry)
                gap.counts[_TURN] += 1
                gap.operations.append(parsed)
            case _:
                return self._record(entry, parsed)
        return ()

    def _record(self, entry: Entry, record: Record) -> Iterable[Turn]:
        if record.uuid in self._late_records:
            # a late record: it is already part of an earlier turn, and only its line counts here
            self._between(entry).counts[_TURN] += 1
            self._close_gap()
            return ()
        if self._is_open(record.uuid):
            # count it with the previous turn: a reader that resumes at the next turn could not recognise it
            self._between(entry).counts[LineKind.IGNORED.key("duplicate")] += 1
            self._close_gap()
            return ()
        self._version = record.version or self._version
        for misfit in record.misfits:
            self._between(entry).counts[LineKind.DRIFT.key(self._version, f"{record.type}.{misfit}")] += 1
        if not isinstance(record, User):
            return self._continue(entry, record, None)
        kind = classify(record)
        if kind in TRIGGERS and self._starts_turn(record, kind):
            return self._start(entry, record, kind)  # type: ignore[arg-type]
        return self._continue(entry, record, kind)

    def resume_state(self) -> ResumeState:
        """Return the resume state for a cursor at the start of the first open turn."""
        place = self.open[0] if self.open else self._gap
        notes = place.notes_before if place else self._notes.offsets
        return ResumeState(self._settled_turns, dict(self._late_records), dict(notes))

    def cursor(self, end: int) -> int:
        """Return the offset of the first line that may still matter; `end` if none does."""
        if self.open:
            return self.open[0].start
        return self._gap.start if self._gap else end

    def assigned(self, end: int) -> int:
        """Return the offset of the first line that belongs to no turn yet; `end` if there is none."""
        return self._gap.start if self._gap else end

    def unassigned(self) -> Counter[str]:
        """Count the lines at the end that belong to no turn yet."""
        return Counter(self._gap.counts) if self._gap else Counter()

    def _is_open(self, uuid: str | None) -> bool:
        """Return whether an open turn contains a record already: some versions write history again."""
        if uuid is not None:
            for turn in self.open:  # runs for every record: a generator would take three times as long
                if uuid in turn.exchange.uuids:
                    return True
        return False

    def _starts_turn(self, record: Record, kind: UserKind) -> bool:
        """Return whether a user line of a kind that starts a turn does so here."""
        if record.is_sidechain:
            return False
        current = self.open[-1] if self.open else None
        if current is None or current.exchange.was_answered:
            return True
        # two prompts that were queued together and answered by one call make one turn
        return not (kind in TYPED and current.trigger in TYPED and record.parent_uuid in current.exchange.uuids)

    def _start(self, entry: Entry, record: User, kind: Trigger) -> Iterator[Turn]:
        gap = self._between(entry)
        self._gap = None
        folded = self._fold_empty(gap)
        turn = Turn(
            number=self._settled_turns + len(self.open) + 1,
            trigger=kind,
            start=gap.start,
            exchange=Exchange(record),
            counts=Counter(gap.counts),
            starts=[*(folded.starts if folded else ()), kind],
            opened=entry.start,
        )
        self._annotate(turn, gap)
        # an attempt from before the prompt belongs to an abandoned prompt
        gap.operations = [
            operation for operation in gap.operations if (operation.time_ns or 0) >= (record.time_ns or 0)
        ]
        self._adopt(turn, gap)
        self.open.append(turn)
        if folded:
            turn.exchange.uuids.update(folded.exchange.uuids)
            turn.exchange.folded = _events_of(folded, record)
        turn.counts[_TURN] += 1
        turn.exchange.give(record)
        return self._settle()

    def _continue(self, entry: Entry, record: Record, kind: UserKind | None) -> Iterable[Turn]:
        owner = self._owner(record)
        if owner is None and not self.open:
            if not isinstance(record, Assistant) or not record.is_llm_output:
                gap = self._between(entry)
                gap.counts[_TURN] += 1
                self._prelude.append(record)
                return ()
            self._open_unprompted(entry, record)
        turn = owner or self.open[-1]
        settled: Iterable[Turn] = ()
        if owner is None and _resumes_copied(turn.exchange, record):
            # a fork continues in the middle of a turn: its own records make a turn of their own
            self._open_unprompted(entry, record)
            settled, turn = self._settle(), self.open[-1]
        self._close_gap()
        self.open[-1].counts[_TURN] += 1
        if owner is not None and owner is not self.open[-1] and record.uuid:
            turn.late_records[record.uuid] = entry.start
        self._assign(turn, record, kind)
        return settled

    def _open_unprompted(self, entry: Entry, record: Record) -> None:
        """Open a turn in a file that begins in the middle of the work: a continuation after compaction, a slice."""
        gap = self._between(entry)
        self._gap = None
        opening = self._prelude[0] if self._prelude else record
        turn = Turn(self._settled_turns + len(self.open) + 1, None, gap.start, Exchange(opening), Counter(gap.counts))
        turn.opened = entry.start
        self._annotate(turn, gap)
        self._adopt(turn, gap)
        self.open.append(turn)

    def _annotate(self, turn: Turn, gap: _Gap) -> None:
        turn.title = self._notes.title
        turn.pull_requests = {**self._notes.pull_requests, **gap.pull_requests}
        turn.notes_before = gap.notes_before

    def _adopt(self, turn: Turn, gap: _Gap) -> None:
        for operation in gap.operations:
            turn.exchange.add(operation)
        for record in self._prelude:
            self._assign(turn, record, classify(record) if isinstance(record, User) else None)
        self._prelude.clear()

    def _assign(self, turn: Turn, record: Record, kind: UserKind | None) -> None:
        exchange = turn.exchange
        if record.is_sidechain:
            exchange.sidechain_of(record).add(record)
        elif kind is not None and isinstance(record, User):
            self._assign_user(turn, record, kind)
        else:
            exchange.add(record)

    def _assign_user(self, turn: Turn, record: User, kind: UserKind) -> None:
        exchange = turn.exchange
        if kind == "tool_result":
            exchange.add_result(record)
            for block in record.tool_results:
                tool_use_id = str(block.get("tool_use_id"))
                for earlier in self.open[:-1]:
                    if tool_use_id in earlier.exchange.tools:
                        earlier.exchange.complete(tool_use_id, record, block)
            return
        if kind in TRIGGERS:  # queued together with the previous prompt
            turn.starts.append(kind)
            exchange.add_event("queued_prompt", record)
        exchange.add_user(record, kind)

    def _owner(self, record: Record) -> Turn | None:
        """Return the earlier open turn to which a line belongs; None for the current one.

        A response may be flushed after the next turn began. A compaction is part of the work before its command.
        """
        if isinstance(record, Assistant) and record.message and record.message.id:
            for turn in self.open:
                if call := turn.exchange.calls.get(record.message.id):
                    is_copied = turn is not self.open[-1] and call.has_line(record)
                    return None if is_copied else turn
        is_asked_compaction = isinstance(record, System) and record.is_asked_compaction
        if is_asked_compaction and len(self.open) > 1 and not self.open[-1].is_shippable:
            return self.open[-2]
        if record.is_sidechain and record.parent_uuid:
            for turn in self.open:
                if any(record.parent_uuid in sidechain.uuids for sidechain in turn.exchange.sidechains):
                    return turn
        return None

    def _fold_empty(self, gap: _Gap) -> Turn | None:
        """Fold a command or notification without a model call into the next turn, as an event."""
        if not self.open or self.open[-1].is_shippable:
            return None
        folded = self.open.pop()
        gap.start, gap.notes_before = folded.start, folded.notes_before
        _add(gap.counts, folded.counts)
        return folded

    def _settle(self) -> Iterator[Turn]:
        while len(self.open) > SETTLING_TURNS:
            if self.open[0].exchange.has_open_tools and len(self.open) <= MAX_OPEN_TURNS:
                return
            turn = self.open.pop(0)
            self._settled_turns += 1
            start = self.open[0].start
            late = {**self._late_records, **turn.late_records}
            self._late_records = {uuid: offset for uuid, offset in late.items() if offset >= start}
            yield turn

    def _close_gap(self) -> None:
        """Count the lines since the last record with the open turn: another record of it followed."""
        if self._gap is not None:
            self._adopt(self.open[-1], self._gap)
            _add(self.open[-1].counts, self._gap.counts)
            self.open[-1].pull_requests.update(self._gap.pull_requests)
            self._gap = None

    def _between(self, entry: Entry) -> _Gap:
        if self._gap is None:
            self._gap = _Gap(entry.start, self._notes.offsets)
        return self._gap


def _add(counts: MutableMapping[str, int], more: Mapping[str, int]) -> None:
    """Add counts; for the few of a gap this is several times as fast as `Counter.update`."""
    for kind, count in more.items():
        counts[kind] = counts.get(kind, 0) + count


def _resumes_copied(exchange: Exchange, record: Record) -> bool:
    """Return whether a response is the file's first own one after copied responses."""
    if not isinstance(record, Assistant) or not record.is_llm_output or record.is_sidechain:
        return False
    last = next(reversed(exchange.calls.values()), None)
    return last is not None and last.lines[0].is_copy and not record.is_copy


def _events_of(folded: Turn, following: User) -> list[Event]:
    """Return the events of a folded turn: of the turns folded into it, its opening, and its own.

    Clients from 2.1.212 to 2.1.232 write `/compact` twice, first as typed: the second line is the event.
    """
    exchange, opening = folded.exchange, folded.exchange.opening
    is_repeated = is_bare_compact(opening.text) and as_typed(opening) == as_typed(following)
    kind = _EVENTS.get(folded.trigger or "local_command", "local_command")
    own = [Event(kind, opening, opening.uuid)] if opening.uuid and not is_repeated else []
    return [*exchange.folded, *own, *exchange.events]


def kind_of(skipped: Skipped, version: str) -> str:
    """Return the key under which a skipped line is counted."""
    return LineKind.IGNORED.key(skipped.type) if skipped.known else LineKind.UNKNOWN.key(version, skipped.type)
