"""Parse the times of `--since` and `--until`."""

import re
from datetime import UTC, datetime, timedelta

from ccship.errors import ConfigError

_UNITS = {"d": "days", "h": "hours", "m": "minutes"}


def moment(text: str | None) -> datetime | None:
    """Parse a date, a time (local unless it names a zone), or an age: `7d`, `12h`, `30m`."""
    if text is None:
        return None
    try:
        if age := re.fullmatch(r"(\d+)([dhm])", text):
            return datetime.now(UTC) - timedelta(**{_UNITS[age[2]]: int(age[1])})
        return datetime.fromisoformat(text).astimezone()
    except (ValueError, OverflowError):
        raise ConfigError(f"{text!r} is not a time: write 2026-11-20, 2026-11-20T15:30, or an age like 7d") from None


def span(since: str | None, until: str | None) -> tuple[datetime | None, datetime | None]:
    """Parse a time range.

    Raises:
        ConfigError: a value is not a time, or the range is empty.
    """
    begin, end = moment(since), moment(until)
    if begin is not None and begin > datetime.now(UTC):
        raise ConfigError(f"--since {since} is in the future: choose an earlier time")
    if begin is not None and end is not None and begin >= end:
        raise ConfigError(f"--since {since} is not before --until {until}: the range is empty")
    return begin, end
