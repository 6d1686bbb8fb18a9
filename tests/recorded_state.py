"""States that released versions wrote, put where a test can use them; `record_state.py` records them."""

import shutil
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

from conftest import FIXTURES
from record_state import CLAUDE_DIR

RECORDED = FIXTURES / "recorded"


def put_transcripts(version: str, claude_dir: Path) -> Path:
    """Copy the transcripts that a recorded state is about; returns their folder."""
    shutil.copytree(FIXTURES / "claude", claude_dir, dirs_exist_ok=True)
    shutil.copytree(RECORDED / f"state-{version}" / "projects", claude_dir / "projects", dirs_exist_ok=True)
    return claude_dir


def put_state(version: str, state_dir: Path, claude_dir: Path, destinations: Mapping[str, str]) -> Path:
    """Copy a recorded state, for the transcripts in `claude_dir`; returns its file.

    `destinations`: what to call those of the recorded state.
    """
    state_dir.mkdir(mode=0o700, parents=True)
    path = Path(shutil.copy(RECORDED / f"state-{version}" / "state.db", state_dir / "state.db"))
    path.chmod(0o600)
    with closing(sqlite3.connect(path)) as db, db:
        here = (CLAUDE_DIR, str(claude_dir.resolve()))
        db.execute("UPDATE transcripts SET path = replace(path, ?, ?)", here)
        db.execute("UPDATE dead_letters SET transcript = replace(transcript, ?, ?)", here)
        for key, transcript in db.execute("SELECT id, path FROM transcripts").fetchall():
            status = Path(transcript).stat()
            values = (status.st_dev, status.st_ino, key)
            db.execute("UPDATE transcripts SET device = ?, inode = ? WHERE id = ?", values)
        for recorded, name in destinations.items():
            db.execute("UPDATE destinations SET name = ? WHERE name = ?", (name, recorded))
    return path
