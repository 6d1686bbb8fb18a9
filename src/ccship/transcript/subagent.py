"""Reads a subagent's transcript as one exchange, always from its beginning."""

from collections import Counter
from collections.abc import Iterable

from ccship.transcript.exchange import Exchange
from ccship.transcript.line_kinds import LineKind
from ccship.transcript.records import Assistant, BadRecord, Record, SessionNote, Skipped, User
from ccship.transcript.turns import Entry, kind_of


def read_subagent(entries: Iterable[Entry]) -> tuple[Exchange | None, Counter[str], int]:
    """Return a subagent's exchange, its lines by kind, and the offset where the last one ends."""
    exchange: Exchange | None = None
    head: list[Record] = []
    counts: Counter[str] = Counter()
    end = 0
    for entry in entries:
        end = entry.end
        match entry.parsed:
            case BadRecord():
                counts[LineKind.BAD.value] += 1
            case Skipped() as skipped:
                counts[kind_of(skipped, "")] += 1
            case SessionNote() as note:
                counts[LineKind.IGNORED.key(note.type)] += 1
            case record if exchange is not None and record.uuid in exchange.uuids:
                counts[LineKind.IGNORED.key("duplicate")] += 1
            case record:
                counts[LineKind.TURN.value] += 1
                head.append(record)
                if exchange is None and isinstance(record, User | Assistant):
                    exchange = Exchange(record)
                if exchange is not None:
                    for waiting in head:
                        exchange.add(waiting)
                    head.clear()
    return exchange, counts, end
