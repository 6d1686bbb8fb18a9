"""R8: ship, wipe the state, ship in another world: the same trace ids, span ids, types and start times."""

import os
import shutil
import subprocess
import sys

import pytest

from ccship.transcript.discover import sessions_of
from conftest import FIXTURES
from faults.case import Case, Key
from helpers import KeepingSink, ship_to

BACKFILL = """
from ccship import outbox
outbox.BATCH_SPANS, outbox.BATCH_BYTES = {spans}, {size}
from ccship.__main__ import main
main()
"""

WORLDS: dict[str, tuple[int, int, dict[str, str]]] = {
    "few spans a batch": (13, 20_000, {"PYTHONHASHSEED": "1", "TZ": "Asia/Kathmandu", "LC_ALL": "tr_TR.UTF-8"}),
    "many": (1_000, 64_000_000, {"PYTHONHASHSEED": "2", "TZ": "Pacific/Kiritimati", "LC_ALL": "C", "LANG": "C"}),
}


@pytest.fixture(scope="module")
def undisturbed() -> set[Key]:
    """What the core says of all sessions of this repository."""
    sink = KeepingSink()
    ship_to(sink, [path for session in sessions_of(FIXTURES / "claude") for path in session.paths])
    return {(it.trace.trace_id, it.span_id, it.type, it.start_ns) for it in sink.sent}


@pytest.mark.parametrize(("spans", "size", "environ"), WORLDS.values(), ids=WORLDS.keys())
def test_a_replay_in_another_world_has_the_same_keys(
    case: Case, undisturbed: set[Key], spans: int, size: int, environ: dict[str, str]
) -> None:
    """All sessions of this repository, shipped twice, the state wiped in between."""
    backfill(case, 512, 4_000_000, {})
    assert case.server.keys == undisturbed
    requests, sent = len(case.server.requests), len(case.server.accepted)
    shutil.rmtree(case.state)
    case.server.clear()
    backfill(case, spans, size, environ)
    assert case.server.keys == undisturbed
    assert len(case.server.accepted) == sent == len(undisturbed)
    assert len(case.server.requests) > requests or spans > 512


def backfill(case: Case, spans: int, size: int, environ: dict[str, str]) -> None:
    done = subprocess.run(
        [sys.executable, "-c", BACKFILL.format(spans=spans, size=size), "backfill", "--yes"],
        env={**os.environ, **case.environ, "CLAUDE_CONFIG_DIR": str(FIXTURES / "claude"), **environ},
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
