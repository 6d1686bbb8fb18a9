"""What Claude Code runs at the end of every turn.

Never harms the session: exits 0 whatever happens (2 would stop Claude from stopping), prints nothing (what looks like
JSON on stdout would be obeyed).
"""

import json
import os
import sys

_MAX_PAYLOAD_BYTES = 4 * 1024 * 1024
"""Claude Code's payload holds the last message; this is many times the longest one."""


def main() -> None:
    """Read the hook's payload from stdin and ship its session."""
    try:
        payload = json.loads(sys.stdin.buffer.read(_MAX_PAYLOAD_BYTES))
        if isinstance(payload, dict) and isinstance(payload.get("transcript_path"), str):
            _work(payload)
    except BaseException:  # noqa: BLE001, S110 - the one promise of this module
        pass
    # Threads of libraries must neither delay the exit nor change its code.
    os._exit(0)


def _work(payload: dict[str, object]) -> None:
    with open(os.devnull, "w") as nowhere:  # noqa: PTH123 - pathlib costs milliseconds here
        os.dup2(nowhere.fileno(), 1)
        os.dup2(nowhere.fileno(), 2)
    from ccship.worker import work  # noqa: PLC0415 - the foreground must not pay for it

    work(payload)
