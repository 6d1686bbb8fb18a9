"""Ship, wipe the state, ship in another world: the same trace ids, span ids, types and start times."""

import shutil

import pytest

from ccship.transcript.discover import sessions_of
from conftest import FIXTURES
from faults.case import Case, Key
from helpers import KeepingSink, run_ccship, ship_to

BATCHES = """
from ccship.pipeline import sender
sender.BATCH_SPANS, sender.BATCH_BYTES = {spans}, {size}
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
    return {
        (observation.trace.trace_id, observation.span_id, observation.type, observation.start_ns)
        for observation in sink.sent
    }


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
    given = {**case.environ, "CLAUDE_CONFIG_DIR": str(FIXTURES / "claude"), **environ}
    done = run_ccship("backfill", "--yes", environ=given, first=BATCHES.format(spans=spans, size=size))
    assert done.returncode == 0, done.stderr
