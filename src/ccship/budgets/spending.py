"""Reads from the ledger what was spent, by day, project and branch."""

from collections import defaultdict
from collections.abc import Callable
from datetime import UTC, date, datetime

from ccship.budgets.status import Spent
from ccship.ledger.groups import View, directories, files_under
from ccship.ledger.store import Ledger
from ccship.ledger.sums import BIN_MS, Span
from ccship.pricing.prices import Tariff
from ccship.usage.query import steps_of
from ccship.usage.report import cost_of


def spending_of(
    ledger: Ledger,
    root: str,
    tariff_of: Callable[[str, bool], Tariff | None],
    since: datetime,
    *,
    with_directories: bool = True,
) -> list[Spent]:
    """Return what was spent since a moment, by local days. Use it inside `reading`, once.

    Calls without a time do not count. `root`: the Claude config folder. `with_directories`: find those of projects.
    """
    usd: defaultdict[tuple[date, str, str], float] = defaultdict(float)
    unpriced: defaultdict[tuple[date, str, str], int] = defaultdict(int)
    view = View(ledger, files_under(ledger, root).values(), Span(round(since.timestamp() * 1000)))
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
