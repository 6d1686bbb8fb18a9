#!/usr/bin/env -S uv run --quiet --script
# /// script
# requires-python = ">=3.11"
# dependencies = ["ccship"]
#
# [tool.uv.sources]
# ccship = { path = "..", editable = true }
# ///
"""The hook that Claude Code runs: ships the turn that just ended to Langfuse.

Register it for Stop with an absolute path, and with `|| exit 0` behind it: should uv itself fail, it exits with 2,
which from a Stop hook means "go on".
"""

import sys

try:
    from ccship.hook import main

    main()
except BaseException:  # noqa: BLE001 - nothing that happens here is the session's concern
    sys.exit(0)
