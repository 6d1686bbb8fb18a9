"""Waits until the turn that just ended is on disk.

Claude Code calls the Stop hook before it flushes the last lines, usually 100 to 200 ms before. The hook's payload
contains the last message. Imports only what the hook imports: most workers need no more than this.
"""

import os
import stat
import time

from ccship.hook import fingerprint_of, parse_json

LONGEST_WAIT_S = 5.0
_POLL_S = 0.05
_TAIL_BYTES = 1024 * 1024
"""Bytes searched at the end of the file. The last message is among its last lines."""


def wait_for_flush(transcript: str | None, last_message: str | None) -> bool:
    """Wait until the transcript contains the last message (as `fingerprint_of` returns it); return False on a timeout.

    Return at once without a file or a message.
    """
    deadline = time.monotonic() + LONGEST_WAIT_S
    looked_at = -1
    while time.monotonic() < deadline:
        size = _size(transcript) if transcript else 0
        if size != looked_at and is_flushed(transcript, last_message):
            return True
        looked_at = size
        time.sleep(_POLL_S)
    return False


def is_flushed(transcript: str | None, last_message: str | None) -> bool:
    """Return whether the transcript contains the last message now; True without a file or a message."""
    if transcript is None or last_message is None:
        return True
    if (size := _size(transcript)) < 0:
        return False
    try:
        with open(transcript, "rb") as file:  # noqa: PTH123 - pathlib takes 10 ms to load
            file.seek(max(0, size - _TAIL_BYTES))
            lines = file.read(_TAIL_BYTES).split(b"\n")
    except OSError:
        return False
    return any(fingerprint_of(_text_of(line)) == last_message for line in reversed(lines) if b'"assistant"' in line)


def _size(transcript: str) -> int:
    """Return the size of a regular file, else -1: reading a pipe could block forever."""
    try:
        status = os.stat(transcript)  # noqa: PTH116 - as above
    except OSError:
        return -1
    return status.st_size if stat.S_ISREG(status.st_mode) else -1


def _text_of(line: bytes) -> str:
    """Return the text of a line of Claude's, its blocks joined by newlines as `Record.text` does."""
    try:
        record = parse_json(line)
    except (ValueError, RecursionError):
        return ""
    message = record.get("message") if isinstance(record, dict) and record.get("type") == "assistant" else None
    content = message.get("content") if isinstance(message, dict) else None
    if isinstance(content, str):
        return content
    blocks = content if isinstance(content, list) else []
    texts = [block.get("text") for block in blocks if isinstance(block, dict) and block.get("type") == "text"]
    return "\n".join(text for text in texts if isinstance(text, str))
