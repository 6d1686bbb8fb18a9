"""Records of a main transcript -> turns.

Contract: `TurnBuilder` is fed records in file order and says which turns can no longer change (*settled*). It holds
only the turns that still may, never the transcript. Starting again at the offset of the first unsettled turn, with
the `Carry` that belongs to it, gives the same turns as never having stopped: a turn depends on no record before it.

A turn is settled when two turns have started after it (a response may still be flushed after the next prompt) and all
its tools have answered, or `MAX_OPEN_TURNS` have started.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

import msgspec

from ccship.transcript.classify import TRIGGERS, TYPED, Trigger, UserKind, classify
from ccship.transcript.exchange import Exchange
from ccship.transcript.records import (
    ApiRequest,
    Assistant,
    BadRecord,
    Parsed,
    QueueOperation,
    Record,
    Skipped,
    User,
)
from ccship.transcript.usage import is_final

SETTLING_TURNS = 2
"""Turns that must have started after a turn before it is settled."""

MAX_OPEN_TURNS = 8
"""A tool that never answered (killed, compacted away) holds the cursor back no longer than this."""


class Entry(msgspec.Struct, frozen=True):
    """What one physical line gave, and the bytes it stood on: `[start, end)`."""

    start: int
    end: int
    parsed: Parsed


@dataclass(frozen=True, slots=True)
class Carry:
    """All that a reader who starts at a cursor must know of the records before it.

    `turns`: how many turns there were. `strays`: records behind the cursor that belong to turns before it (uuid ->
    offset).
    """

    turns: int = 0
    strays: Mapping[str, int] = field(default_factory=dict)


@dataclass(slots=True)
class Turn:
    """A numbered exchange of a session.

    `start`: the offset of its first line; `counts`: lines by what they are; `starts`: the kinds of lines that started
    it or were folded into it; `strays`: its records that stand behind the next turn's start, with their offsets.
    """

    number: int
    trigger: Trigger | None
    start: int
    exchange: Exchange
    counts: Counter[str] = field(default_factory=Counter)
    strays: dict[str, int] = field(default_factory=dict)
    starts: list[UserKind] = field(default_factory=list)

    @property
    def uuid(self) -> str:
        """The seed of the turn's identity: the uuid of the record that opened it, else of its first record."""
        return self.exchange.opening.uuid or next(iter(self.exchange.uuids), "")

    def lower_bounds(self) -> Counter[str]:
        """Calls whose final usage was never written, by client version."""
        calls = (call.lines for call in self.exchange.calls.values())
        return Counter(f"lower_bound:{lines[0].version}" for lines in calls if not is_final(lines))

    @property
    def is_shippable(self) -> bool:
        """Whether there is something to ship: an identity, a time, and a call or somebody's own words."""
        exchange = self.exchange
        has_work = bool(exchange.calls or exchange.sidechains or exchange.error)
        return bool(self.uuid and exchange.start_ns is not None and (has_work or self.trigger in TYPED))


@dataclass(slots=True)
class _Gap:
    """Lines since the last one that belongs to a turn: they go to whichever turn comes next."""

    start: int
    counts: Counter[str] = field(default_factory=Counter)
    operations: list[ApiRequest | QueueOperation] = field(default_factory=list)


class TurnBuilder:
    """Feeds on entries, keeps the turns that may still change in `open`."""

    def __init__(self, carry: Carry | None = None) -> None:
        carry = carry or Carry()
        self.open: list[Turn] = []
        self._settled_turns = carry.turns
        self._strays = dict(carry.strays)
        self._gap: _Gap | None = None
        self._prelude: list[Record] = []
        self._version = ""

    def feed(self, entry: Entry) -> Iterator[Turn]:
        """Take one entry; gives the turns that are settled now, in order."""
        parsed = entry.parsed
        match parsed:
            case BadRecord():
                self._between(entry).counts["bad"] += 1
            case Skipped():
                self._between(entry).counts[kind_of(parsed, self._version)] += 1
            case ApiRequest() | QueueOperation():
                gap = self._between(entry)
                gap.counts["turn"] += 1
                gap.operations.append(parsed)
            case _ if parsed.uuid in self._strays:
                # the turn that it belongs to has had it; its place is in this one
                self._between(entry).counts["turn"] += 1
                self._close_gap()
            case _ if self._is_open(parsed.uuid):
                # its place is in the turn before it: read from the next turn on, nobody would know it
                self._between(entry).counts["ignored:duplicate"] += 1
                self._close_gap()
            case _:
                self._version = parsed.version or self._version
                for misfit in parsed.misfits:
                    self._between(entry).counts[f"drift:{self._version}:{parsed.type}.{misfit}"] += 1
                if self._starts_turn(parsed):
                    yield from self._start(entry, parsed)
                else:
                    yield from self._continue(entry, parsed)

    def carry(self) -> Carry:
        """What belongs to a cursor at the start of the first open turn."""
        return Carry(self._settled_turns, dict(self._strays))

    def cursor(self, end: int) -> int:
        """Where reading must start again: the first line that may still matter; `end` when none does."""
        if self.open:
            return self.open[0].start
        return self._gap.start if self._gap else end

    def unassigned(self) -> Counter[str]:
        """Lines at the end that belong to no turn yet."""
        return Counter(self._gap.counts) if self._gap else Counter()

    def _is_open(self, uuid: str | None) -> bool:
        """Whether a record is part of an open turn already: some versions write history again."""
        if uuid is not None:
            for turn in self.open:  # for every record: a generator would take three times as long
                if uuid in turn.exchange.uuids:
                    return True
        return False

    def _starts_turn(self, record: Record) -> bool:
        if not isinstance(record, User) or record.is_sidechain:
            return False
        kind = classify(record)
        if kind not in TRIGGERS:
            return False
        current = self.open[-1] if self.open else None
        if current is None or current.exchange.was_answered:
            return True
        # two prompts that were queued together are answered by one call: one turn with both
        return not (kind in TYPED and current.trigger in TYPED and record.parent_uuid in current.exchange.uuids)

    def _start(self, entry: Entry, record: Record) -> Iterator[Turn]:
        assert isinstance(record, User)  # noqa: S101 - _starts_turn has looked
        kind = classify(record)
        gap = self._between(entry)
        self._gap = None
        folded = self._fold_empty(gap)
        turn = Turn(
            number=self._settled_turns + len(self.open) + 1,
            trigger=kind if kind in TRIGGERS else None,  # type: ignore[arg-type]
            start=gap.start,
            exchange=Exchange(record),
            counts=gap.counts,
            starts=[*(folded.starts if folded else ()), kind],
        )
        # an attempt from before the prompt was made for one that was given up
        gap.operations = [it for it in gap.operations if (it.time_ns or 0) >= (record.time_ns or 0)]
        self._adopt(turn, gap)
        self.open.append(turn)
        if folded:
            turn.exchange.add_event("local_command", folded.exchange.opening)
            turn.exchange.uuids.update(folded.exchange.uuids)
        turn.counts["turn"] += 1
        turn.exchange.give(record)
        yield from self._settle()

    def _continue(self, entry: Entry, record: Record) -> Iterator[Turn]:
        owner = self._owner(record)
        if owner is None and not self.open:
            if not isinstance(record, Assistant) or not record.is_llm_output:
                gap = self._between(entry)
                gap.counts["turn"] += 1
                self._prelude.append(record)
                return
            self._open_unprompted(entry, record)
        turn = owner or self.open[-1]
        if owner is None and _resumes_copied(turn.exchange, record):
            # a fork went on in the middle of a turn: what it added is its own
            self._open_unprompted(entry, record)
            yield from self._settle()
            turn = self.open[-1]
        self._close_gap()
        self.open[-1].counts["turn"] += 1
        if owner not in (None, self.open[-1]) and record.uuid:
            turn.strays[record.uuid] = entry.start
        self._assign(turn, record)

    def _open_unprompted(self, entry: Entry, record: Record) -> None:
        """A file that begins in the middle of the work: a continuation after compaction, a slice."""
        gap = self._between(entry)
        self._gap = None
        opening = self._prelude[0] if self._prelude else record
        turn = Turn(self._settled_turns + len(self.open) + 1, None, gap.start, Exchange(opening), gap.counts)
        self._adopt(turn, gap)
        self.open.append(turn)

    def _adopt(self, turn: Turn, gap: _Gap) -> None:
        for operation in gap.operations:
            turn.exchange.add(operation)
        for record in self._prelude:
            self._assign(turn, record)
        self._prelude.clear()

    def _assign(self, turn: Turn, record: Record) -> None:
        exchange = turn.exchange
        if record.is_sidechain:
            _sidechain_of(exchange, record).add(record)
            return
        if isinstance(record, User):
            self._assign_user(turn, record)
        else:
            exchange.add(record)

    def _assign_user(self, turn: Turn, record: User) -> None:
        kind = classify(record)
        exchange = turn.exchange
        if kind == "tool_result":
            exchange.add_result(record)
            for block in record.tool_results:
                for earlier in self.open[:-1]:
                    if str(block.get("tool_use_id")) in earlier.exchange.tools:
                        earlier.exchange.complete(str(block.get("tool_use_id")), record, block)
            return
        if kind in TRIGGERS:  # queued together with the prompt before it
            turn.starts.append(kind)
            exchange.add_event("queued_prompt", record)
        exchange.add_user(record, kind)

    def _owner(self, record: Record) -> Turn | None:
        """The earlier open turn that a line of a response belongs to, flushed after the next turn had begun."""
        if isinstance(record, Assistant) and record.message and record.message.id:
            for turn in self.open:
                if record.message.id in turn.exchange.calls:
                    return turn
        if record.is_sidechain and record.parent_uuid:
            for turn in self.open:
                if any(record.parent_uuid in sidechain.uuids for sidechain in turn.exchange.sidechains):
                    return turn
        return None

    def _fold_empty(self, gap: _Gap) -> Turn | None:
        """A command or notification that called no model is an event of the turn that follows."""
        if not self.open or self.open[-1].is_shippable:
            return None
        folded = self.open.pop()
        gap.start = folded.start
        gap.counts.update(folded.counts)
        return folded

    def _settle(self) -> Iterator[Turn]:
        while len(self.open) > SETTLING_TURNS:
            if self.open[0].exchange.has_open_tools and len(self.open) <= MAX_OPEN_TURNS:
                return
            turn = self.open.pop(0)
            self._settled_turns += 1
            start = self.open[0].start
            self._strays = {uuid: at for uuid, at in {**self._strays, **turn.strays}.items() if at >= start}
            yield turn

    def _close_gap(self) -> None:
        """The lines since the last record belong to the open turn, for another record of it came after them."""
        if self._gap is not None:
            self._adopt(self.open[-1], self._gap)
            self.open[-1].counts.update(self._gap.counts)
            self._gap = None

    def _between(self, entry: Entry) -> _Gap:
        if self._gap is None:
            self._gap = _Gap(entry.start)
        return self._gap


def _resumes_copied(exchange: Exchange, record: Record) -> bool:
    """Whether a response is the first of this file's own behind responses that were copied into it."""
    if not isinstance(record, Assistant) or not record.is_llm_output or record.is_sidechain:
        return False
    last = next(reversed(exchange.calls.values()), None)
    return last is not None and last.lines[0].is_copy and not record.is_copy


def _sidechain_of(exchange: Exchange, record: Record) -> Exchange:
    """The inline subagent (1.0) that a record continues, or a new one that it opens."""
    for sidechain in exchange.sidechains:
        if record.parent_uuid in sidechain.uuids:
            return sidechain
    sidechain = Exchange(record)
    exchange.sidechains.append(sidechain)
    return sidechain


def kind_of(skipped: Skipped, version: str) -> str:
    """What a line that is not needed is counted as."""
    return f"ignored:{skipped.type}" if skipped.known else f"unknown:{version}:{skipped.type}"


def read_subagent(entries: Iterable[Entry]) -> tuple[Exchange | None, Counter[str], int]:
    """A subagent's own transcript as one exchange, its lines by what they are, and where the last one ends."""
    exchange: Exchange | None = None
    head: list[Record] = []
    counts: Counter[str] = Counter()
    end = 0
    for entry in entries:
        end = entry.end
        match entry.parsed:
            case BadRecord():
                counts["bad"] += 1
            case Skipped() as skipped:
                counts[kind_of(skipped, "")] += 1
            case record if exchange is not None and record.uuid in exchange.uuids:
                counts["ignored:duplicate"] += 1
            case record:
                counts["turn"] += 1
                head.append(record)
                if exchange is None and isinstance(record, User | Assistant):
                    exchange = Exchange(record)
                if exchange is not None:
                    for waiting in head:
                        exchange.add(waiting)
                    head.clear()
    return exchange, counts, end
