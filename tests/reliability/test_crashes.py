"""The worker killed anywhere (R2)."""

import json
import os
import random
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from ccship.hook import request_prefix
from faults.case import SESSION, Case, conversation
from loopback import LoopbackLangfuse

SOAK_KILLS = 300

pytestmark = pytest.mark.slow


class ForkServer:
    """A warm interpreter that runs workers and kills them."""

    def __init__(self, environ: dict[str, str]) -> None:
        self._process = subprocess.Popen(
            [sys.executable, Path(__file__).with_name("fork_server.py")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, **environ},
            text=True,
        )

    def work(self, case: Case, transcript: Path, kill_at: int | None = None) -> tuple[bool, int]:
        """Run a worker for a transcript: whether it was killed, and how many events it saw."""
        requests = case.state / "requests"
        requests.mkdir(mode=0o700, parents=True, exist_ok=True)
        case.state.chmod(0o700)
        request = requests / f"{request_prefix(transcript.stem)}-1-1.json"
        asked = {"session_id": transcript.stem, "transcript_path": str(transcript), "event": "Stop"}
        request.write_text(json.dumps(asked))
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps({"request": str(request), "kill_at": kill_at}) + "\n")
        self._process.stdin.flush()
        told = json.loads(self._process.stdout.readline())
        return bool(told["killed"]), int(told["events"])

    def close(self) -> None:
        assert self._process.stdin
        self._process.stdin.close()
        self._process.wait()


@pytest.fixture
def case(tmp_path: Path, langfuse: LoopbackLangfuse) -> Case:
    return Case(tmp_path, langfuse)


@pytest.fixture
def forks(case: Case) -> Iterator[ForkServer]:
    server = ForkServer(case.environ)
    yield server
    server.close()


def check(case: Case, transcripts: list[Path]) -> None:
    """What arrived is what an undisturbed run sends, and no span has two keys."""
    expected = set()
    for transcript in transcripts:
        case.transcript = transcript
        expected |= case.expected
    assert case.server.keys == expected
    assert len({key[1] for key in case.server.keys}) == len(case.server.keys)


def test_a_soak_of_kills_loses_nothing(case: Case, forks: ForkServer) -> None:
    """R2: four transcripts grow, line by line and half a line, while their workers are killed at random."""
    chance = random.Random(20_26)  # noqa: S311 - a test repeats itself
    whole = {
        case.transcript.with_name(f"{SESSION[:-1]}{n}.jsonl"): conversation(80, f"{SESSION[:-1]}{n}").lines
        for n in range(4)
    }
    case.transcript.unlink()
    content = {path: "".join(line + "\n" for line in lines).encode() for path, lines in whole.items()}
    written = dict.fromkeys(whole, 0)
    kills = 0
    while kills < SOAK_KILLS:
        path = chance.choice(list(whole))
        size = len(content[path])
        written[path] = min(size, written[path] + chance.randint(1, size // 60))
        path.write_bytes(content[path][: written[path]]) if not path.exists() else append(
            path, content[path], written[path]
        )
        killed, _ = forks.work(case, path, chance.randint(1, 60))
        kills += killed
    for path in whole:
        append(path, content[path], len(content[path]))
        forks.work(case, path)
    replays = len(case.server.accepted) - len(case.server.keys)
    assert replays > 0, "no worker was killed after the server had accepted: the test does not bite"
    check(case, list(whole))


def append(path: Path, content: bytes, end: int) -> None:
    with path.open("r+b") as file:
        start = file.seek(0, 2)
        file.write(content[start:end])
