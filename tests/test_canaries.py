"""Made-up credentials of every shape, in every place of a session: found nowhere behind the door."""

import gzip
import json
from pathlib import Path

import pytest

from canaries import CANARIES
from helpers import run_ccship
from loopback import LoopbackLangfuse, Reply, spans_in_file
from places import PLACES, session_of

SECRETS = {canary.secret: max(canary.secret.splitlines(), key=len) for canary in CANARIES}
"""The longest line of each stands for it: encoders write a newline in their own ways."""


@pytest.fixture
def transcript(tmp_path: Path) -> Path:
    """A session of some 200 turns with all canaries in all places."""
    return session_of((canary.text for canary in CANARIES), tmp_path / "claude")


@pytest.fixture
def environ(transcript: Path, tmp_path: Path, langfuse: LoopbackLangfuse) -> dict[str, str]:
    """Somebody who sends everything."""
    return {
        **langfuse.environ,
        "CLAUDE_CONFIG_DIR": str(tmp_path / "claude"),
        "CC_LANGFUSE_FOREGROUND": "true",
        "TRACE_TO_LANGFUSE": "true",
        "CC_LANGFUSE_DEBUG": "true",
    }


def found_in(*contents: bytes) -> list[str]:
    """The canaries that can be read in what left the machine or stays on its disk."""
    return [secret for secret, line in SECRETS.items() if any(line.encode() in content for content in contents)]


def wire(server: LoopbackLangfuse) -> bytes:
    return b"\n".join(map(gzip.decompress, server.bodies))


def disk(folder: Path) -> list[bytes]:
    """The state, its log, requests, locks, whatever lies there; it must not be empty."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert any(path.name == "state.db" for path in files)
    return [path.read_bytes() for path in files] + [str(path).encode() for path in files]


def test_there_are_enough_of_them_and_they_are_where_they_should_be(transcript: Path) -> None:
    """Two hundred, each in each place: what finds none of them has looked at something."""
    assert len(SECRETS) >= 200
    read = json.dumps([path.read_text() for path in transcript.parent.rglob("*.json*")])
    assert all(read.count(json.dumps(json.dumps(line)[1:-1])[1:-1]) >= len(PLACES) - 3 for line in SECRETS.values())
    assert all(place in read for place in PLACES)


def test_backfill_sends_none_of_them(
    transcript: Path, environ: dict[str, str], langfuse: LoopbackLangfuse, state_dir: Path, tmp_path: Path
) -> None:
    """Not on the wire, not in the file, not in the state, not with the dead letters, not on the terminal."""
    target = tmp_path / "traces.jsonl"
    wrote = run_ccship("backfill", "--to", target, environ=environ)
    written = target.read_bytes()
    poison = [span.span_id for span in spans_in_file(target.read_text()) if "mcp-name" in span.name][:3]
    langfuse.refused_spans = dict.fromkeys(poison, 400)
    sent = run_ccship("backfill", environ=environ)
    assert "3 observations were refused for good" in sent.stdout
    said = (wrote.stdout + wrote.stderr + sent.stdout + sent.stderr).encode()
    assert found_in(written, wire(langfuse), said, *disk(state_dir)) == []
    for place in PLACES:
        assert place.encode() in written
        assert place.encode() in wire(langfuse)


def test_the_hook_sends_none_of_them(
    transcript: Path, environ: dict[str, str], langfuse: LoopbackLangfuse, state_dir: Path
) -> None:
    """Neither while the server is down, so that requests and errors stay, nor when it is back."""
    message = CANARIES[0].text
    payload = {"session_id": "canaries", "transcript_path": str(transcript), "cwd": message, "prompt": message}
    langfuse.script = [Reply(status=500)] * 3
    for _ in range(2):
        done = run_ccship("hook", stdin=json.dumps(payload).encode(), environ=environ)
        assert (done.stdout, done.stderr) == ("", "")
        assert found_in(wire(langfuse), *disk(state_dir)) == []
    assert len({span.attributes["langfuse.trace.name"] for span in langfuse.accepted}) >= len(CANARIES)
    for place in PLACES:
        assert place.encode() in wire(langfuse)
