"""Times as people type them."""

import re
from datetime import UTC, datetime, timedelta

from ccship.errors import ConfigError

_UNITS = {"d": "days", "h": "hours", "m": "minutes"}


def moment(text: str | None) -> datetime | None:
    """A date, a time (local where it names no zone), or an age: `7d`, `12h`, `30m`."""
    if text is None:
        return None
    try:
        if age := re.fullmatch(r"(\d+)([dhm])", text):
            return datetime.now(UTC) - timedelta(**{_UNITS[age[2]]: int(age[1])})
        return datetime.fromisoformat(text).astimezone()
    except (ValueError, OverflowError):
        raise ConfigError(f"{text!r} is no time: write 2026-11-20, 2026-11-20T15:30, or an age like 7d") from None


def span(since: str | None, until: str | None) -> tuple[datetime | None, datetime | None]:
    """The moments between which something is wanted.

    Raises:
        ConfigError: one of them is no time, or nothing can lie between them.
    """
    begin, end = moment(since), moment(until)
    if begin is not None and begin > datetime.now(UTC):
        raise ConfigError(f"--since {since} is in the future: nothing has happened there yet")
    if begin is not None and end is not None and begin >= end:
        raise ConfigError(f"--since {since} is not before --until {until}: nothing lies between them")
    return begin, end
