"""Made-up credentials of every shape, in every place of a session: found nowhere behind the door."""

import gzip
import json
from collections import defaultdict
from dataclasses import asdict
from functools import reduce
from pathlib import Path

import pytest
from ahocorasick_rs import BytesAhoCorasick

from canaries import CANARIES, pieces_of
from ccship.privacy import MODES
from collector import LoopbackOtlp
from helpers import HURRIED, run_ccship, strings_in
from loopback import LoopbackLangfuse, Reply, spans_in_file
from places import PLACES, session_of

MARKED: defaultdict[str, list[str]] = defaultdict(list)
for canary in CANARIES:
    MARKED[canary.text].append(canary.secret)

HARMLESS = "\n".join(reduce(lambda text, secret: text.replace(secret, ""), MARKED[text], text) for text in MARKED)
"""What of the canaries may be sent. Two of the secrets are words that stand here too."""

SECRETS = {
    canary.secret: max(pieces_of(canary.secret), key=len) for canary in CANARIES if canary.secret not in HARMLESS
}
"""The longest line of each stands for it: encoders write a newline in their own ways."""

SOME = list(MARKED)[::8]


@pytest.fixture(params=[pytest.param(SOME, id="some"), pytest.param(list(MARKED), id="all", marks=pytest.mark.slow)])
def transcript(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """A session with canaries in all places, a turn each."""
    return session_of(request.param, tmp_path / "claude")


@pytest.fixture
def some(tmp_path: Path) -> Path:
    """A session with every eighth canary: what is behind the redaction does not look at them."""
    return session_of(SOME, tmp_path / "claude")


@pytest.fixture
def environ(tmp_path: Path, langfuse: LoopbackLangfuse) -> dict[str, str]:
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
    names = list(SECRETS)
    search = BytesAhoCorasick([line.encode() for line in SECRETS.values()])  # all in one pass: there are megabytes
    places = {
        place for content in contents for place, _, _ in search.find_matches_as_indexes(content, overlapping=True)
    }
    return [names[place] for place in sorted(places)]


def wire(server: LoopbackLangfuse) -> bytes:
    return b"\n".join(map(gzip.decompress, server.bodies))


def disk(folder: Path) -> list[bytes]:
    """The state, its log, requests, locks, whatever lies there; it must not be empty."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert any(path.name == "state.db" for path in files)
    return [path.read_bytes() for path in files] + [str(path).encode() for path in files]


def test_there_are_enough_of_them_and_they_are_where_they_should_be(tmp_path: Path) -> None:
    """Two hundred, each in each place: what finds none of them has looked at something."""
    assert len(CANARIES) >= 200
    assert len({canary.secret for canary in CANARIES} - SECRETS.keys()) <= 2
    transcript = session_of(MARKED, tmp_path)
    texts = [
        text
        for path in transcript.parent.rglob("*.json*")
        for line in path.read_text().splitlines()
        for text in strings_in(json.loads(line))
    ]
    everything = "\n".join(texts)
    assert all(everything.count(line) >= len(PLACES) - 2 for line in SECRETS.values())
    assert all(place in everything for place in PLACES)


def test_backfill_sends_none_of_them(
    transcript: Path, environ: dict[str, str], langfuse: LoopbackLangfuse, state_dir: Path, tmp_path: Path
) -> None:
    """Not on the wire, not in the file, not in the state, not with the dead letters, not on the terminal."""
    target = tmp_path / "traces.jsonl"
    wrote = run_ccship("backfill", "--to", target, environ=environ)
    written = target.read_bytes()
    said = wrote.stdout + wrote.stderr
    poison = [span.span_id for span in spans_in_file(target.read_text()) if "mcp-name" in span.name][:3]
    langfuse.refused_spans = dict.fromkeys(poison, 400)
    sent = run_ccship("backfill", "--yes", environ=environ)
    assert "the server refused 3 observations" in sent.stdout
    said += sent.stdout + sent.stderr
    assert found_in(written, wire(langfuse), said.encode(), *disk(state_dir)) == []
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
    waiting: list[int] = []
    for _ in range(2):
        done = run_ccship("hook", stdin=json.dumps(payload).encode(), environ=environ, first=HURRIED)
        assert (done.stdout, done.stderr) == ("", "")
        waiting.append(len(list((state_dir / "requests").glob("*.json"))))
        assert found_in(wire(langfuse), *disk(state_dir)) == []
    assert waiting == [1, 0]
    assert len({span.attributes["langfuse.trace.name"] for span in langfuse.accepted}) >= len(SOME)
    for place in PLACES:
        assert place.encode() in wire(langfuse)


def texts_of(server: LoopbackOtlp) -> bytes:
    """Every text that arrived: names, attributes, events and headers; also those inside JSON."""
    texts = [*strings_in([asdict(span) for span in server.accepted]), *strings_in(server.headers)]
    return "\n".join(line for text in texts for line in (text, *_inside(text))).encode()


def _inside(text: str) -> list[str]:
    try:
        return list(strings_in(json.loads(text))) if text[:1] in ("[", "{") else []
    except ValueError:
        return []


@pytest.mark.parametrize("capture", MODES)
@pytest.mark.parametrize("kind", ["otlp", "gateway"])
def test_no_kind_of_destination_gets_any_of_them(
    some: Path,
    environ: dict[str, str],
    otlp: LoopbackOtlp,
    state_dir: Path,
    tmp_path: Path,
    kind: str,
    capture: str,
) -> None:
    """Whatever the capture mode; without text, not even what stands beside them."""
    more = {"kind": "langfuse", "endpoint": None, "base_url": otlp.url} if kind == "gateway" else {}
    config = tmp_path / "config.toml"
    config.write_text(otlp.table(**{"also": True, "capture": capture, "headers": {"x-team": "blue"}, **more}))
    payload = {"session_id": "canaries", "transcript_path": str(some)}
    settings = environ | {"CC_LANGFUSE_CONFIG": str(config)}
    done = run_ccship("hook", stdin=json.dumps(payload).encode(), environ=settings, first=HURRIED)
    assert (done.stdout, done.stderr) == ("", "")
    assert len(otlp.accepted) > len(SOME)
    sent = texts_of(otlp)
    assert found_in(sent, *disk(state_dir)) == []
    assert (b"subagent-prompt" in sent) == (capture != "metadata")
    assert (b"tool-output" in sent) == (capture == "full")
    assert (b"answer" in sent) == (capture != "metadata")
