"""The status line: one line about the session, the day, budgets, context and the backlog.

Claude Code runs it after each answer, so it imports little, and from the standard library only: this file also runs as
`python -I -S .../ccship/statusline.py`. It always exits with 0; the line contains what is known.
"""

import os
import sys
import time

if not __package__:  # it runs as a file: the package is not on the path
    sys.path.append(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))  # noqa: PTH100, PTH120

from ccship.hook import parse_json, state_folder

FILE_NAME = "spending.json"
"""Sums that the worker writes into the state folder for this line."""

VERSION = 1
"""Version of that file; others are not read."""

_MAX_BYTES = 1024 * 1024
_MANY = 1000
"""Requests above which they are not counted one by one."""


def main() -> None:
    """Read Claude Code's JSON from stdin and print one line. Always exits with 0."""
    line = ""
    try:  # noqa: SIM105 - contextlib takes a millisecond
        line = _line(sys.stdin.buffer.read(_MAX_BYTES), dict(os.environ), time.time())
    except BaseException:  # noqa: BLE001, S110 - a status line must never fail
        pass
    try:  # noqa: SIM105 - see above
        os.write(1, f"{line}\n".encode())
    except OSError:
        pass
    os._exit(0)


def line_of(given: object, spending: object, waiting: int, now: float) -> str:
    """Return the line.

    Args:
        given: Claude Code's JSON.
        spending: The worker's sums, or None.
        waiting: Requests that are not shipped yet.
        now: Seconds since the epoch.
    """
    parts = []
    cost = _number(given, "cost", "total_cost_usd")
    if cost is not None:
        parts.append(f"${cost:,.2f} session")
    if isinstance(spending, dict) and spending.get("version") == VERSION:
        today = _number(spending, "today_usd")
        if today is not None and now < (_number(spending, "today_ends") or 0):
            parts.append(f"${today:,.2f} today")
        budgets = spending.get("budgets")
        for budget in budgets if isinstance(budgets, list) else ():
            share = _number(budget, "share")
            if share is not None and "name" in budget and now < (_number(budget, "ends") or 0):
                parts.append(f"budget {budget['name']} {share * 100:.0f} %")
    context = _number(given, "context_window", "used_percentage")
    if context is not None:
        parts.append(f"context {context:.0f} %")
    if waiting:
        parts.append(f"{waiting if waiting < _MANY else f'{_MANY}+'} waiting")
    return _printable(" | ".join(parts))


def _line(content: bytes, environ: "dict[str, str]", now: float) -> str:
    folder = state_folder(environ)
    _request(folder)
    return line_of(_decoded(content), _read(os.path.join(folder, FILE_NAME)), _waiting(folder), now)  # noqa: PTH118


def _request(folder: str) -> None:
    """Create the file of the sums, if missing: the worker computes them only for users of a status line."""
    try:  # noqa: SIM105 - see above
        os.close(os.open(os.path.join(folder, FILE_NAME), os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))  # noqa: PTH118
    except OSError:
        pass


def _waiting(folder: str) -> int:
    """Return the number of requests that no worker has answered."""
    count = 0
    try:
        with os.scandir(os.path.join(folder, "requests")) as found:  # noqa: PTH118 - pathlib takes long to load
            for entry in found:
                count += entry.name.endswith(".json")
                if count >= _MANY:
                    break
    except OSError:
        pass
    return count


def _read(path: str) -> object:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)  # a pipe would block
        try:
            return _decoded(os.read(descriptor, _MAX_BYTES))
        finally:
            os.close(descriptor)
    except OSError:
        return None


def _decoded(content: bytes) -> object:
    try:
        return parse_json(content)
    except (ValueError, RecursionError):
        return None


def _number(content: object, *names: str) -> "float | None":
    """Return the number at a path of names; None if it is missing or no finite number."""
    for name in names:
        content = content.get(name) if isinstance(content, dict) else None
    if isinstance(content, bool) or not isinstance(content, (int, float)):
        return None
    return float(content) if abs(content) < 1e15 else None  # noqa: PLR2004 - also excludes infinities and nan


def _printable(text: str) -> str:
    return "".join(character for character in text if character.isprintable())


if __name__ == "__main__":
    main()
