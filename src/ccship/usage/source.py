"""Counts transcripts with the ledger, or in memory if the ledger cannot be used.

Both give the same sums, except that only the ledger contains calls of deleted transcripts.
"""

import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import TypeVar

from ccship.errors import StateDamaged, StateError
from ccship.ledger.database import set_aside
from ccship.ledger.groups import reading
from ccship.ledger.store import Ledger

_Result = TypeVar("_Result")

_TRIES = 2
"""How often a ledger is opened: a damaged one is set aside, and a new one is made."""


def read_ledger(
    ledger_file: Path | None,
    transcripts: Sequence[Path],
    read: Callable[[Ledger], _Result],
    *,
    recount: bool = False,
    processes: int | None = None,
) -> tuple[_Result, list[str], str | None]:
    """Enter what is new in transcripts, and read the ledger.

    Args:
        ledger_file: The ledger; None counts in memory.
        transcripts: All transcripts of the report that are on disk.
        read: Reads the result from the ledger, which does not change meanwhile.
        recount: Read all transcripts from the beginning.
        processes: The maximum; default: the number of processors.

    Returns:
        The result; what could not be read; what was wrong with the ledger, if anything.
    """

    def attempt(path: Path | None) -> tuple[_Result, list[str]]:
        try:
            with closing(Ledger(path)) as ledger:
                if recount:
                    ledger.read_again(transcripts)
                problems = ledger.catch_up(transcripts, processes)
                with reading(ledger):
                    return read(ledger), problems
        except sqlite3.OperationalError:
            raise
        except sqlite3.DatabaseError as error:
            raise set_aside(path or Path()) from error

    note = None
    for _ in range(_TRIES if ledger_file else 0):
        try:
            return *attempt(ledger_file), note
        except StateDamaged as error:
            note = f"{error}, and counted the transcripts again"
        except (StateError, sqlite3.OperationalError) as error:
            note = f"{error}: counted without the ledger"
            break
    return *attempt(None), note
