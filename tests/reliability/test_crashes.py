"""The worker killed anywhere."""

import json
import random
import signal
from pathlib import Path

import pytest

from ccship.hook import request_prefix
from faults.case import SESSION, Case, Key, conversation
from helpers import run_ccship
from scored import ScoreTable

SOAK_KILLS = 300
DYING = Path(__file__).with_name("dying.py")

pytestmark = pytest.mark.slow


def work(case: Case, transcript: Path, kill_at: int | None = None) -> bool:
    """Run a worker for a transcript; says whether it was killed."""
    requests = case.state / "requests"
    requests.mkdir(mode=0o700, parents=True, exist_ok=True)
    case.state.chmod(0o700)
    request = requests / f"{request_prefix(transcript.stem)}-1-1.json"
    asked = {"session_id": transcript.stem, "transcript_path": str(transcript), "event": "Stop"}
    request.write_text(json.dumps(asked))
    first = f"{DYING.read_text()}\ndie_at({kill_at})"
    done = run_ccship(request, module="ccship.worker", environ=case.environ, first=first)
    assert done.returncode in (0, -signal.SIGKILL), done.stderr
    return done.returncode != 0


def check(case: Case, transcripts: list[Path]) -> None:
    """What arrived is what an undisturbed run sends, and no span has two keys."""
    expected: set[Key] = set()
    table = ScoreTable()
    for transcript in transcripts:
        case.transcript = transcript
        expected |= case.expected
        table.rows |= case.scores
    assert case.server.keys == expected
    assert case.server.scores.rows == table.rows
    assert len({key[1] for key in case.server.keys}) == len(case.server.keys)


def test_a_soak_of_kills_loses_nothing(case: Case) -> None:
    """Four transcripts grow, line by line and half a line, while their workers are killed at random."""
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
        killed = work(case, path, chance.randint(1, 60))
        kills += killed
    for path in whole:
        append(path, content[path], len(content[path]))
        work(case, path)
    replays = len(case.server.accepted) - len(case.server.keys)
    assert replays > 0, "no worker was killed after the server had accepted: the test does not bite"
    check(case, list(whole))


def append(path: Path, content: bytes, end: int) -> None:
    with path.open("r+b") as file:
        start = file.seek(0, 2)
        file.write(content[start:end])
