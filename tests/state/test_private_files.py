"""What ccship leaves on the disk is its owner's alone, and goes where nobody else can point it to."""

import json
import os
import stat
from pathlib import Path

import pytest

from conftest import FIXTURES
from helpers import run_ccship
from loopback import LoopbackLangfuse, Reply

SESSION = FIXTURES / "claude/projects/-home-dev-demo/9e4b124a-6f45-4c38-88d8-111ee2b7680b.jsonl"
PAYLOAD = json.dumps({"session_id": SESSION.stem, "transcript_path": str(SESSION)}).encode()

pytestmark = pytest.mark.skipif(os.name != "posix", reason="modes are POSIX's")


@pytest.fixture
def environ(langfuse: LoopbackLangfuse) -> dict[str, str]:
    """Somebody who sends everything, and waits for it."""
    return {
        **langfuse.environ,
        "CLAUDE_CONFIG_DIR": str(FIXTURES / "claude"),
        "CC_LANGFUSE_FOREGROUND": "true",
        "TRACE_TO_LANGFUSE": "true",
    }


def run_carelessly(*arguments: str | Path, environ: dict[str, str]) -> int:
    """Run the program for somebody whose files everybody may write."""
    umask = os.umask(0)
    try:
        return run_ccship(*arguments, stdin=PAYLOAD, environ=environ).returncode
    finally:
        os.umask(umask)


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


def test_everything_in_the_state_folder_is_private(
    environ: dict[str, str], langfuse: LoopbackLangfuse, state_dir: Path
) -> None:
    """Requests, log, locks, the state, and a damaged one that was set aside, whatever the person's umask."""
    langfuse.script = [Reply(status=401)]
    run_carelessly("hook", environ=environ)
    assert list((state_dir / "requests").glob("*.json"))
    (state_dir / "state.db").write_bytes(b"damaged")
    run_carelessly("backfill", "--session", "9e4b", environ=environ)
    assert list(state_dir.glob("state.db.corrupt-*"))
    assert (state_dir / "ccship.log").exists()
    assert mode_of(state_dir) == 0o700
    for path in state_dir.rglob("*"):
        assert mode_of(path) == (0o700 if path.is_dir() else 0o600), path


def test_the_file_of_a_backfill_is_private(tmp_path: Path, environ: dict[str, str]) -> None:
    """It holds conversations."""
    target = tmp_path / "traces.jsonl"
    assert run_carelessly("backfill", SESSION, "--to", target, environ=environ) == 0
    assert mode_of(target) == 0o600


@pytest.mark.parametrize("planted", ["", "state.db", "ccship.log", "requests", "locks"])
@pytest.mark.parametrize("command", ["hook", "backfill"])
def test_a_planted_link_is_never_written_through(
    planted: str, command: str, environ: dict[str, str], state_dir: Path, tmp_path: Path
) -> None:
    """Somebody else would choose what is overwritten."""
    victim = tmp_path / "victim"
    if planted in ("state.db", "ccship.log"):
        victim.write_text("precious")
    else:
        victim.mkdir(mode=0o700)
    if planted:
        state_dir.mkdir(mode=0o700)
    (state_dir / planted if planted else state_dir).symlink_to(victim)
    run_carelessly(command, environ=environ)
    assert victim.read_text() == "precious" if victim.is_file() else list(victim.iterdir()) == []
