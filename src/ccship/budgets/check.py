"""Compares what was spent with the budgets, and keeps the sums that the status line shows."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import date, datetime, timedelta
from pathlib import Path

import msgspec

from ccship.budgets.channels import channels_of
from ccship.budgets.notices import send, store
from ccship.budgets.periods import period_at
from ccship.budgets.spending import spending_of
from ccship.budgets.status import USUAL_DAYS, Spent, Status, status_of
from ccship.config.budgets import Budget
from ccship.ledger.groups import rows_within
from ccship.ledger.store import Ledger
from ccship.ledger.sums import Span
from ccship.pricing.cache import PriceMemory
from ccship.statusline import FILE_NAME, VERSION
from ccship.storage import read_own, write_whole

_DAYS = 2 * USUAL_DAYS + 31
"""Days before today that count: a whole month, and enough to find the last active days of most people."""

_LIVE_DAYS = 1
"""Days before today that are read at every turn: a turn may end, and be entered, after midnight."""

_MAX_BYTES = 16 * 1024 * 1024


class _Older(msgspec.Struct):
    """What was spent before the days that are read at every turn. Read once a day; `day` is today.

    `rows`: of the ledger at that time; a session of an earlier day may be entered later. `root`: the config folder.
    """

    root: str
    day: date
    rows: int
    spending: list[Spent]


class _ShownBudget(msgspec.Struct):
    name: str
    share: float
    ends: float


class _Sums(msgspec.Struct):
    """The file for the status line. Times are in seconds since the epoch."""

    version: int
    today_usd: float
    today_ends: float
    budgets: list[_ShownBudget] = []
    older: _Older | None = None


def check(
    ledger: Ledger, root: str, folder: Path, budgets: Sequence[Budget], now: datetime, *, reread: bool = False
) -> list[Status]:
    """Return the status of each budget, and write the sums for the status line. Use it inside `reading`, once.

    `root`: the Claude config folder whose calls count. `folder`: the state folder. `reread`: read all days, also those
    that were read before today.
    """
    prices = PriceMemory(folder / "prices.json")
    path = folder / FILE_NAME
    today = period_at("day", now.date())
    live = today.first - timedelta(days=_LIVE_DAYS)
    # days of their own, not a number of hours: a day on which clocks change has 23 or 25
    first, begin = (period_at("day", now.date() - timedelta(days=days)).start for days in (_DAYS, _LIVE_DAYS))
    rows = rows_within(ledger, Span(_ms(first), _ms(begin))) if budgets else 0
    older = None if reread or not budgets else _remembered(path, (root, today.first, rows))
    is_whole = bool(budgets) and older is None
    spending = spending_of(
        ledger,
        root,
        prices.tariff_of,
        first if is_whole else begin,
        with_directories=is_whole or any(budget.projects for budget in budgets),  # a later budget may need them
    )
    if is_whole:
        older = _Older(root, today.first, rows, [spent for spent in spending if spent.day < live])
    spending = [spent for spent in spending if spent.day >= live] + (older.spending if older else [])
    prices.save()
    statuses = [status_of(budget, spending, now) for budget in budgets]
    sums = _Sums(
        VERSION,
        round(sum((spent.usd for spent in spending if spent.day == today.first), 0.0), 4),
        today.end.timestamp(),
        [_ShownBudget(each.budget.name, round(each.share, 4), each.period.end.timestamp()) for each in statuses],
        older,
    )
    with suppress(OSError):  # a full disk: the status line shows older sums
        write_whole(path, msgspec.json.encode(sums))
    return statuses


def _remembered(path: Path, key: tuple[str, date, int]) -> _Older | None:
    try:
        sums = msgspec.json.decode(read_own(path, _MAX_BYTES), type=_Sums)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError):
        return None
    older = sums.older if sums.version == VERSION else None
    return older if older is not None and (older.root, older.day, older.rows) == key else None


def _ms(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)


def notify(folder: Path, statuses: Sequence[Status], environ: Mapping[str, str], today: date) -> Iterator[str]:
    """Send the notices that are due; yield why some could not be sent. `environ`: of commands."""
    notices = folder / "notices"
    for status in statuses:
        store(notices, status, today)
    yield from send(notices, [status.budget for status in statuses], lambda budget: channels_of(budget, environ), today)
