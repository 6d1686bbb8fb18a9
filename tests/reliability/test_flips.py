"""A thousand real files with flipped bytes: each costs at most its own turns, whatever is done with it."""

import random
import shutil
from collections import Counter
from itertools import islice
from pathlib import Path

import pytest

from ccship.transcript.discover import ids_in, sessions_of
from conftest import FIXTURES, SHARED
from helpers import KeepingSink, run_ccship, ship_to
from loopback import spans_in_file

ROUNDS, FLIPPED, SOUND = 20, 50, 5
"""Rounds of so many flipped files beside so many sound ones, and beside the sessions of this repository."""

MAX_BYTES = 100_000
"""Of a file are used; its first lines have everything that later ones have."""

MAX_FLIPS = 40

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not SHARED.is_dir(), reason="other people's sessions are not beside this checkout"),
]


def beginning(path: Path) -> bytes:
    """The first lines of a file, one at least."""
    lines: list[bytes] = []
    with path.open("rb") as file:
        for line in file:
            if lines and sum(map(len, lines)) + len(line) > MAX_BYTES:
                break
            lines.append(line)
    return b"".join(lines)


def flipped(content: bytes, chance: random.Random) -> bytes:
    """The content with other bits in some of its bytes."""
    damaged = bytearray(content)
    for _ in range(chance.randint(1, MAX_FLIPS)):
        damaged[chance.randrange(len(damaged))] ^= chance.randint(1, 255)
    return bytes(damaged)


@pytest.mark.parametrize("seed", range(ROUNDS))
def test_flipped_bytes_cost_no_other_session_anything(seed: int, tmp_path: Path) -> None:
    """All commands exit with 0 or 1, none calls it a bug, and every sound session ships whole."""
    chance = random.Random(seed)  # noqa: S311 - the same damage every time
    claude = Path(shutil.copytree(FIXTURES / "claude", tmp_path / "claude"))
    project = claude / "projects" / "-home-dev-real"
    project.mkdir()
    real = [path for name in ("corpus", "transcripts") for path in sorted((SHARED / name).rglob("*.jsonl"))]
    sources = [path for path in real if path.stat().st_size]
    chance.shuffle(sources)
    damaged = sources[:FLIPPED]
    shared = {uuid for path in damaged for uuid in ids_in(path)}
    sound = islice((path for path in sources[FLIPPED:] if shared.isdisjoint(ids_in(path))), SOUND)
    for n, path in enumerate(sound):
        (project / f"sound-{n}.jsonl").write_bytes(beginning(path))
    sink = KeepingSink()
    ship_to(sink, [path for session in sessions_of(claude) for path in session.paths])
    expected = {
        (observation.trace.trace_id, observation.span_id, observation.type, observation.start_ns)
        for observation in sink.sent
    }
    for n, path in enumerate(damaged):
        (project / f"flipped-{n}.jsonl").write_bytes(flipped(beginning(path), chance))
    commands: list[tuple[str | Path, ...]] = [
        ("backfill", "--dry-run"), ("backfill", "--to", tmp_path / "spans.jsonl"), ("usage",), ("usage", "--json"),
        ("status",), ("status", "--json"),
        *(("show", project / f"flipped-{n}.jsonl") for n in range(FLIPPED)),
    ]  # fmt: skip
    done = [run_ccship(*command, environ={"CLAUDE_CONFIG_DIR": str(claude)}) for command in commands]
    codes = Counter(f"{command[0]} {run.returncode}" for command, run in zip(commands, done, strict=True))
    print(f"round {seed}: {dict(codes)}, {len(expected)} spans of sound sessions")
    for command, run in zip(commands, done, strict=True):
        assert run.returncode in (0, 1), (command, run.stderr)
        assert "bug" not in run.stderr, (command, run.stderr)
    assert expected <= {span.key for span in spans_in_file((tmp_path / "spans.jsonl").read_text())}
