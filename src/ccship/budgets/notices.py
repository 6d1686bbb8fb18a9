"""Notices that a threshold was reached: one per budget, period and threshold, however many processes check.

A notice is a file in `notices/` of the state folder. One process creates it. It stays until its period is long over, so
that it is never created again. It contains no conversation text.
"""

import fcntl
import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import date, timedelta
from hashlib import blake2b
from pathlib import Path
from typing import Any

import msgspec

from ccship.budgets.status import Status, Threshold
from ccship.config.budgets import Budget
from ccship.storage import private, read_own, write_whole

VERSION = 1
"""Version of the files. Those of a newer version are left alone."""

KEPT_DAYS = 62
"""Days after which a notice is deleted: its period is over, so that its threshold cannot be reached again."""

_TRIED_DAYS = 30
"""Days for which a notice that no channel accepts is tried."""

_LIMIT_S = 20.0
"""Time after which no further notice is sent in a run."""

_MAX_BYTES = 64 * 1024


class Notice(msgspec.Struct, frozen=True):
    """A notice, as it is stored and sent. Amounts are in USD.

    `id`: the same however often it is sent. `text`: for people. `threshold`: percent of the budget, or "unusual".
    """

    id: str
    text: str
    budget: str
    period: str
    threshold: str
    spent_usd: float
    budget_usd: float
    forecast_usd: float
    today_usd: float
    usual_day_usd: float | None
    day: str


class _Stored(msgspec.Struct, frozen=True):
    """A file. `sent`: channels that have accepted it. `is_covered`: a higher threshold was reached at the same time."""

    version: int
    notice: Notice
    sent: tuple[str, ...] = ()
    is_covered: bool = False


Channel = Callable[[Notice], str | None]
"""Sends a notice; returns why it failed, or None."""


def store(folder: Path, status: Status, today: date) -> None:
    """Store a notice for each threshold that a budget has reached for the first time.

    Of thresholds that are reached at once, only the highest is sent.
    """
    folder = private(folder)
    reached = status.reached
    for threshold in reached:
        _create(folder, _notice(status, threshold, today), is_covered=threshold != reached[-1])
    if status.is_unusual:
        _create(folder, _notice(status, "unusual", today), is_covered=False)


def send(
    folder: Path, budgets: Iterable[Budget], channels: Callable[[Budget], Mapping[str, Channel]], today: date
) -> Iterator[str]:
    """Send the notices that are waiting, and delete old ones; yield why some could not be sent.

    After a failure a channel of a budget is left alone until the next call. A notice is sent by one process at a time;
    one that dies between a channel's answer and its own record sends it again, under the same `id`.
    """
    if not folder.is_dir():
        return
    known = {budget.name: channels(budget) for budget in budgets}
    end = time.monotonic() + _LIMIT_S
    failed: set[tuple[str, str]] = set()
    for path in sorted(folder.glob("*.json")):
        stored = _read(path)
        if stored is None:
            continue
        age = today - _day_of(stored, today)
        if age > timedelta(days=KEPT_DAYS):
            path.unlink(missing_ok=True)
            _lock_of(path).unlink(missing_ok=True)
            continue
        name = stored.notice.budget
        if stored.is_covered or age > timedelta(days=_TRIED_DAYS) or not set(known.get(name, ())) - set(stored.sent):
            continue
        if time.monotonic() > end:
            return
        with _locked(_lock_of(path)) as acquired:
            for channel, reason in _sent(path, known[name], failed) if acquired else ():
                failed.add((name, channel))
                yield f"budget {name}: {channel} failed, the next turn tries again: {reason}"


def _sent(path: Path, channels: Mapping[str, Channel], failed: set[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """Send one notice through the channels that lack it; yield those that failed, with the reason."""
    stored = _read(path)  # another process may have sent it meanwhile
    if stored is None:
        return
    for name, channel in channels.items():
        if name in stored.sent or (stored.notice.budget, name) in failed:
            continue
        reason = channel(stored.notice)
        if reason is not None:
            yield name, reason
            continue
        stored = msgspec.structs.replace(stored, sent=(*stored.sent, name))
        write_whole(path, msgspec.json.encode(stored))


def _notice(status: Status, threshold: Threshold, today: date) -> Notice:
    budget = status.budget
    period = f"{today}" if threshold == "unusual" else status.period.key
    identity = blake2b(f"{budget.name}\0{budget.period}\0{budget.usd}".encode(), digest_size=6).hexdigest()
    return Notice(
        id=f"{period}-{threshold}-{identity}",
        text=_text(status, threshold, today),
        budget=budget.name,
        period=period,
        threshold=threshold,
        spent_usd=round(status.spent_usd, 2),
        budget_usd=budget.usd,
        forecast_usd=round(status.forecast_usd, 2),
        today_usd=round(status.today_usd, 2),
        usual_day_usd=None if status.usual_day_usd is None else round(status.usual_day_usd, 2),
        day=f"{today}",
    )


def _text(status: Status, threshold: Threshold, today: date) -> str:
    """Return the text, with the date: a notice may arrive days later."""
    budget = status.budget
    if threshold == "unusual":
        return (
            f"Claude Code budget {budget.name}: ${status.today_usd:,.2f} on {today},"
            f" more than twice the usual day (${status.usual_day_usd:,.2f})"
        )
    return (
        f"Claude Code budget {budget.name}: ${status.spent_usd:,.2f} of ${budget.usd:,.2f} spent"
        f" in {status.period.key} ({status.share:.0%}), forecast ${status.forecast_usd:,.2f}"
    )


def _create(folder: Path, notice: Notice, *, is_covered: bool) -> None:
    """Store a notice unless it exists. A link is created by one process only, and never half-written."""
    path = folder / f"{notice.id}.json"
    if path.exists():
        return
    beside = folder / f".{notice.id}.{os.urandom(8).hex()}"
    try:
        write_whole(beside, msgspec.json.encode(_Stored(VERSION, notice, is_covered=is_covered)))
        with suppress(FileExistsError):
            os.link(beside, path)
    finally:
        beside.unlink(missing_ok=True)


def _read(path: Path) -> _Stored | None:
    """Return a stored notice; None if it is gone, damaged, or of a newer version."""
    try:
        stored = msgspec.json.decode(read_own(path, _MAX_BYTES), type=_Stored)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError):
        return None
    return stored if stored.version == VERSION else None


def _day_of(stored: _Stored, today: date) -> date:
    try:
        return date.fromisoformat(stored.notice.day)
    except ValueError:
        return today


def _lock_of(path: Path) -> Path:
    return path.with_suffix(".lock")


@contextmanager
def _locked(path: Path) -> Iterator[bool]:
    """Lock a file without waiting; yield False if another process has it."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True
    finally:
        os.close(descriptor)


def encoded(notice: Notice) -> bytes:
    """Return a notice as JSON, as channels send it."""
    content: dict[str, Any] = {"version": VERSION, **msgspec.structs.asdict(notice)}
    return msgspec.json.encode(content)
