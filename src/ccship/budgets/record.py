"""What the worker does after shipping: enters the session into the ledger, and checks the budgets.

Most users have neither a budget nor a status line: they pay for the ledger only.
"""

import os
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from datetime import datetime
from pathlib import Path

from ccship.config import Config
from ccship.errors import CcshipError, ConfigError
from ccship.ledger.database import set_aside
from ccship.ledger.store import FILE_NAME, Ledger
from ccship.statusline import FILE_NAME as SPENDING


def record(settings: Config, environ: Mapping[str, str], transcripts: Sequence[Path]) -> Iterator[str]:
    """Enter transcripts into the ledger, and send due notices; yield what did not work. Shipping does not depend on it.

    `environ`: the variables that no repository has set.
    """
    folder = settings.state_dir
    try:
        with closing(Ledger(folder / FILE_NAME)) as ledger:
            yield from ledger.catch_up([_listed(path, settings.claude_dir) for path in transcripts], processes=1)
            if settings.budget_tables or (folder / SPENDING).exists():
                yield from _checked(settings, ledger, environ)
    except sqlite3.OperationalError as error:
        yield f"the ledger cannot be used now: {error}"
    except sqlite3.DatabaseError:
        yield f"{set_aside(folder / FILE_NAME)}; ccship usage counts all transcripts again"
    except CcshipError as error:
        yield str(error)


def _listed(path: Path, claude_dir: Path) -> Path:
    """Return a transcript's path as a report lists it: without links in that of the config folder."""
    real = Path(os.path.realpath(claude_dir))
    return next((real / path.relative_to(folder) for folder in (claude_dir, real) if path.is_relative_to(folder)), path)


def _checked(settings: Config, ledger: Ledger, environ: Mapping[str, str]) -> Iterator[str]:
    from ccship.budgets.check import check, notify  # noqa: PLC0415 - see above
    from ccship.ledger.groups import reading  # noqa: PLC0415 - see above

    now = datetime.now().astimezone()
    try:
        budgets = settings.budgets
    except ConfigError as error:
        budgets = ()
        yield str(error)
    with reading(ledger):
        statuses = check(ledger, os.path.realpath(settings.claude_dir), settings.state_dir, budgets, now)
    ledger.close()  # a channel may take seconds
    yield from notify(settings.state_dir, statuses, environ, now.date())
