"""The fixtures' sessions give the observations that are written down beside them."""

import dataclasses
from pathlib import Path
from typing import Any

import orjson
import pytest
from msgspec.structs import asdict

from ccship.observations import Observation
from conftest import FIXTURES
from helpers import observe

SESSIONS = sorted(path for path in (FIXTURES / "claude").rglob("*.jsonl") if not path.name.startswith("agent-"))


@pytest.mark.parametrize("transcript", SESSIONS, ids=lambda path: path.stem[:8])
def test_a_session_gives_the_observations_written_down(transcript: Path, request: pytest.FixtureRequest) -> None:
    """Every id, time, name, input, output, usage and piece of metadata, to the byte."""
    golden = FIXTURES / "observations" / f"{transcript.stem}.jsonl"
    observed = b"".join(orjson.dumps(shown(observation)) + b"\n" for observation in observe(transcript))
    if request.config.getoption("--update-golden"):
        golden.parent.mkdir(exist_ok=True)
        golden.write_bytes(observed)
    assert observed == golden.read_bytes()


def shown(observation: Observation) -> dict[str, Any]:
    """The fields but those that only `gen_ai` spans have, which are in `fixtures/gen_ai`."""
    fields = asdict(observation)
    assert fields.pop("events") == ()
    del fields["response_id"]
    assert fields["trace"].parent is None
    fields["trace"] = {name: value for name, value in dataclasses.asdict(fields["trace"]).items() if name != "parent"}
    return fields
