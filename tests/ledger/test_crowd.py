"""Several processes write to one ledger, and are killed."""

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ccship.ledger.store import Ledger
from ccship.transcript.files import transcripts_in
from ledger.contents import alternatives, recount, rows_of

CATCH_UP = """
import sys
from pathlib import Path
from ccship.ledger.store import Ledger
Ledger(Path(sys.argv[1])).catch_up(map(Path, sys.argv[2:]))
"""


def grow(paths: list[Path], rng: random.Random) -> None:
    """Add lines to some transcripts, or replace them."""
    for number, path in enumerate(paths):
        path.parent.mkdir(parents=True, exist_ok=True)
        lines = b"\n".join(rng.choices(alternatives(f"s{number}"), k=rng.randrange(9)))
        mode = "wb" if rng.random() < 0.2 else "ab"
        with path.open(mode) as file:
            file.write(lines + b"\n" * rng.randrange(2))


def crowd(folder: Path, rounds: int, seed: int) -> None:
    """Four workers with a part of the transcripts each and a report with all of them, killed at any moment."""
    rng = random.Random(seed)  # noqa: S311 - the same at every run
    paths = [folder / f"claude/projects/p/s{number}.jsonl" for number in range(6)]
    ledger_file = folder / "state/ledger.db"
    for _ in range(rounds):
        grow(paths, rng)
        shares = [rng.sample(paths, 3) for _ in range(4)]
        commands: list[list[str | Path]] = [[sys.executable, "-c", CATCH_UP, ledger_file, *share] for share in shares]
        commands.append([sys.executable, "-m", "ccship", "usage", "--json", "--claude-dir", folder / "claude"])
        processes = [subprocess.Popen(command, stdout=subprocess.DEVNULL) for command in commands]
        grow(paths[:2], rng)
        for process in processes:
            time.sleep(rng.random() * 0.05)
            if rng.random() < 0.5:
                process.send_signal(signal.SIGKILL)
        assert {process.wait(60) for process in processes} <= {0, -signal.SIGKILL}
        if rng.random() < 0.3:
            check(ledger_file, paths)
    check(ledger_file, paths)


def check(ledger_file: Path, paths: list[Path]) -> None:
    ledger = Ledger(ledger_file)
    assert ledger.catch_up(paths) == []
    assert rows_of(ledger) == recount(paths)
    assert ledger.db.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
    ledger.close()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CC_LANGFUSE_STATE_DIR", str(tmp_path / "state"))
    (tmp_path / "claude/projects").mkdir(parents=True)
    return tmp_path


def test_a_crowd_leaves_a_ledger_that_equals_a_recount(folder: Path) -> None:
    """Three rounds; the slow tests have a hundred."""
    crowd(folder, 3, seed=1)
    assert transcripts_in(folder / "claude")


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(10))
def test_crowds_leave_a_ledger_that_equals_a_recount(seed: int, folder: Path) -> None:
    """A hundred rounds."""
    crowd(folder, 10, seed)
