"""Is the turn that just ended on disk yet?

Claude Code calls the Stop hook before the last lines are flushed, mostly by 100 to 200 ms; the hook's payload says
what the last message will be.
"""

import time
from pathlib import Path

from ccship.hook import fingerprint_of
from ccship.transcript.records import Assistant
from ccship.transcript.tail import entries

LONGEST_WAIT_S = 5.0
_POLL_S = 0.05
_TAIL_BYTES = 1024 * 1024
"""The last message is among the last lines; longer tails only cost time at every look."""


def settle(transcript: Path | None, last_message: str | None) -> bool:
    """Wait until the transcript holds the last message (as `fingerprint_of` gives it); False when it did not come.

    Without a file or a message to wait for, there is nothing to wait for.
    """
    if transcript is None or last_message is None:
        return True
    deadline = time.monotonic() + LONGEST_WAIT_S
    looked_at = -1
    while time.monotonic() < deadline:
        size = _size(transcript)
        if size != looked_at and _is_there(transcript, last_message):
            return True
        looked_at = size
        time.sleep(_POLL_S)
    return False


def _size(transcript: Path) -> int:
    """The size of a regular file, -1 where there is none: a pipe would be waited for."""
    try:
        return transcript.stat().st_size if transcript.is_file() else -1
    except OSError:
        return -1


def _is_there(transcript: Path, last_message: str) -> bool:
    try:
        with transcript.open("rb") as file:
            size = file.seek(0, 2)
            return any(
                fingerprint_of(entry.parsed.text) == last_message
                for entry in entries(file, max(0, size - _TAIL_BYTES))
                if isinstance(entry.parsed, Assistant)
            )
    except OSError:
        return False
