"""`ccship install --statusline`."""

import json
import subprocess
from pathlib import Path

import pytest

from helpers import run_ccship

OTHER = {"type": "command", "command": "~/bin/my-line"}


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's settings file, which does not exist yet."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("CLAUDE_CONFIG_DIR", str(tmp_path / "claude"))
    (tmp_path / "claude").mkdir()
    return tmp_path / "claude/settings.json"


def test_the_registered_status_line_prints_one(settings: Path) -> None:
    """Run by a shell with nothing on the PATH, as Claude Code runs it."""
    done = run_ccship("install", "--statusline")
    assert done.returncode == 0, done.stderr
    line = json.loads(settings.read_text())["statusLine"]
    shown = subprocess.run(
        ["/bin/sh", "-c", line["command"]], input=b'{"cost": {"total_cost_usd": 2}}', capture_output=True, check=False
    )
    assert (line["type"], shown.returncode, shown.stdout, shown.stderr) == ("command", 0, b"$2.00 session\n", b"")


@pytest.mark.parametrize("content", ['{"model": "opus"}', '{\n    "env": {}, "hooks": {}\n}\n', "{}\n", None])
def test_installing_and_uninstalling_gives_the_same_bytes(content: str | None, settings: Path) -> None:
    """Twice installed is once installed."""
    if content is not None:
        settings.write_text(content)
    for _ in range(2):
        assert run_ccship("install", "--statusline").returncode == 0
    assert run_ccship("uninstall").returncode == 0
    assert (settings.read_text() if settings.exists() else None) == content


def test_another_status_line_is_replaced_only_on_demand(settings: Path) -> None:
    """The error says how; nothing is written, not even the hook."""
    content = json.dumps({"statusLine": OTHER})
    settings.write_text(content)
    done = run_ccship("install", "--statusline")
    assert (done.returncode, settings.read_text()) == (2, content)
    assert "add --replace to replace it" in done.stderr
    assert run_ccship("install", "--statusline", "--replace").returncode == 0
    assert "statusline" in json.loads(settings.read_text())["statusLine"]["command"]


def test_uninstalling_leaves_another_status_line(settings: Path) -> None:
    """It is not ours."""
    settings.write_text(json.dumps({"statusLine": OTHER}))
    assert run_ccship("install").returncode == 0
    assert run_ccship("uninstall").returncode == 0
    assert json.loads(settings.read_text()) == {"statusLine": OTHER}


def test_a_backup_with_another_status_line_is_not_restored(settings: Path) -> None:
    """A repository could plant one."""
    assert run_ccship("install", "--statusline").returncode == 0
    planted = settings.with_name(f"{settings.name}.ccship-backup")
    planted.write_text(json.dumps({"statusLine": OTHER}))
    assert run_ccship("uninstall").returncode == 0
    assert not settings.exists() or "statusLine" not in settings.read_text()


def test_replacing_needs_a_status_line(settings: Path) -> None:
    """It would do nothing."""
    done = run_ccship("install", "--replace")
    assert (done.returncode, settings.exists()) == (2, False)
    assert "--statusline" in done.stderr
