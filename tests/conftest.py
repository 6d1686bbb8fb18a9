import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from loopback import LoopbackLangfuse, loopback_langfuse

ROOT = Path(__file__).parent.parent
FIXTURES = ROOT / "fixtures"
SHARED = ROOT.parent / "shared"
UV_CACHE = os.environ.get("UV_CACHE_DIR") or str(Path("~/.cache/uv").expanduser())
"""uv's own cache, for the tests that run a script: filling a new one for each takes the network's time."""

# Machines differ, and no test asserts wall-clock time.
settings.register_profile("ccship", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("ccship")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-golden", action="store_true", help="write the golden files anew")


def pytest_report_header() -> str:
    found = "found" if SHARED.is_dir() else "not found: the checks on other people's sessions are left out"
    return f"shared corpus: {found}"


@pytest.fixture(autouse=True)
def _own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test reads or writes the real home, or sees the settings of whoever runs it."""
    home = tmp_path / "home"
    home.mkdir()
    for name in list(os.environ):
        if name.startswith(("LANGFUSE_", "CC_LANGFUSE_", "CLAUDE", "ANTHROPIC_", "XDG_", "OTEL_", "TRACE_TO_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("USER", "ada")
    monkeypatch.setenv("CC_LANGFUSE_STATE_DIR", str(home / "state"))
    monkeypatch.setenv("CC_LANGFUSE_CONFIG", str(home / "config.toml"))


@pytest.fixture
def langfuse() -> Iterator[LoopbackLangfuse]:
    """A running loopback Langfuse that accepts everything until told otherwise."""
    with loopback_langfuse() as server:
        yield server


@pytest.fixture
def claude_dir(tmp_path: Path) -> Path:
    """A copy of the fixtures' Claude config folder, to be changed at will."""
    return Path(shutil.copytree(FIXTURES / "claude", tmp_path / "claude"))


@pytest.fixture
def state_dir(tmp_path: Path) -> Path:
    """Where the state goes; its folder does not exist yet."""
    return tmp_path / "home" / "state"
