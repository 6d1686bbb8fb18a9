"""Files are written whole or not at all."""

import subprocess
import sys
from pathlib import Path

import pytest

from ccship.storage import write_whole

BEGIN = (
    "import sys; from pathlib import Path; from ccship.storage import Replacement, write_whole; path = Path({path!r})\n"
)


def run(code: str, path: Path) -> int:
    """Run a program that writes to a path; returns how it ended."""
    return subprocess.run([sys.executable, "-c", BEGIN.format(path=str(path)) + code], check=False).returncode


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A file that others may read, in a folder of its own."""
    path = tmp_path / "own" / "prices.json"
    path.parent.mkdir()
    path.write_text("old")
    path.chmod(0o644)
    return path


def test_a_file_is_replaced_by_a_private_one(path: Path) -> None:
    """Nothing else is in its folder then."""
    write_whole(path, b"new")
    assert (path.read_text(), path.stat().st_mode & 0o777) == ("new", 0o600)
    assert list(path.parent.iterdir()) == [path]


def test_a_link_is_replaced_and_not_followed(path: Path, tmp_path: Path) -> None:
    """It would let others choose what is written to."""
    target = tmp_path / "target"
    target.write_text("theirs")
    path.unlink()
    path.symlink_to(target)
    write_whole(path, b"new")
    assert (path.read_text(), path.is_symlink(), target.read_text()) == ("new", False, "theirs")


def test_a_process_that_is_killed_leaves_the_old_file(path: Path) -> None:
    """And what it left does not keep the next one from writing."""
    code = "import os; file = Replacement(path); file.content.write(b'new'); file.content.flush(); os._exit(9)"
    assert run(code, path) == 9
    assert path.read_text() == "old"
    write_whole(path, b"newer")
    assert path.read_text() == "newer"


@pytest.mark.skipif(sys.platform == "win32", reason="there are no such limits")
def test_a_write_that_fails_leaves_the_old_file_alone(path: Path) -> None:
    """It is an OSError, and its rest is deleted."""
    code = """
import resource, signal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
try:
    write_whole(path, b"x" * 5000)
except OSError:
    sys.exit(7)
"""
    assert run(code, path) == 7
    assert path.read_text() == "old"
    assert list(path.parent.iterdir()) == [path]
