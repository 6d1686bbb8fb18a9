"""Reads from the ledger what was spent, by day, project and branch."""

from collections import defaultdict
from collections.abc import Callable
from datetime import UTC, date, datetime

from ccship.budgets.status import Spent
from ccship.ledger.groups import View, directories, reading
from ccship.ledger.store import Ledger
from ccship.ledger.sums import BIN_MS, Span
from ccship.pricing.prices import Tariff
from ccship.usage.query import steps_of
from ccship.usage.report import cost_of


def spending_of(
    ledger: Ledger,
    tariff_of: Callable[[str, bool], Tariff | None],
    since: datetime,
    until: datetime | None = None,
    *,
    with_directories: bool = True,
) -> list[Spent]:
    """Return what was spent in a time range, by local days. Calls without a time do not count."""
    usd: defaultdict[tuple[date, str, str], float] = defaultdict(float)
    unpriced: defaultdict[tuple[date, str, str], int] = defaultdict(int)
    with reading(ledger):
        view = View(ledger, None, Span(_ms(since), None if until is None else _ms(until)))
        for group in view.groups(("bin", "project", "branch"), steps_of(view, tariff_of)):
            bin_, project, branch = (group.values[column] for column in ("bin", "project", "branch"))
            assert isinstance(bin_, int)  # noqa: S101 - the range leaves out calls without a time
            moment = datetime.fromtimestamp(bin_ * BIN_MS / 1000, UTC).astimezone()
            key = moment.date(), str(project), str(branch)
            cost = cost_of(group, tariff_of(group.model, group.fast))
            usd[key] += cost or 0.0
            unpriced[key] += group.calls if cost is None else 0
        folders = directories(ledger) if with_directories else {}
    return [
        Spent(day, folders.get(project), branch, cost, unpriced[day, project, branch])
        for (day, project, branch), cost in usd.items()
    ]


def _ms(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)
