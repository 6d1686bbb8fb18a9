"""A count of transcripts without the ledger: their readings, merged here."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from ccship.ledger.calls import Call, merged, with_advisors
from ccship.ledger.reader import Reading, Transcript, changed, read_all
from ccship.ledger.scan import Scan
from ccship.ledger.sums import DAY_MS, Group


@dataclass(frozen=True)
class Count:
    """All calls, and what could not be read."""

    calls: list[Call]
    problems: list[str]


def count(paths: Iterable[Path], processes: int | None = None) -> Count:
    """The calls of transcripts, each once: that of the transcript that began first."""
    found = [changed(path, None) for path in paths]
    batches = read_all([each for each in found if isinstance(each, Transcript)], processes)
    readings = [reading for batch in batches for reading in batch]
    calls: dict[str, Call] = {}
    for reading in sorted(readings, key=_order):
        for call in reading.calls:
            calls[call.key] = merged(calls[call.key], call) if call.key in calls else call
    problems = [
        *(each for each in found if isinstance(each, str)),
        *(each.problem for each in readings if each.problem),
    ]
    return Count(list(with_advisors(calls.values())), problems)


def calls_on(lines: Iterable[bytes], session: str) -> list[Call]:
    """The calls on lines of a transcript."""
    scan = Scan(session, is_agent=False)
    for number, line in enumerate(lines):
        scan.add(line, number)
    return scan.calls


def group_of(call: Call) -> Group:
    """A call as the report sums it."""
    day = None if call.time_ms is None else call.time_ms // DAY_MS
    return Group(call.model, call.fast, day, call.tokens.prompt, 1, call.tokens, not call.is_final, None, None)


def _order(reading: Reading) -> tuple[str, str]:
    return (reading.cursor.began if reading.cursor else "", reading.transcript.path)
