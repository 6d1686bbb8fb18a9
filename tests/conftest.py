import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from ccship.sinks.otlp_file import OtlpFileSink
from collector import LoopbackOtlp, loopback_otlp
from faults.case import Case
from helpers import observe
from loopback import LoopbackLangfuse, loopback_langfuse
from observed import Observe

ROOT = Path(__file__).parent.parent
FIXTURES = ROOT / "fixtures"
SHARED = ROOT.parent / "shared"
UV_CACHE = os.environ.get("UV_CACHE_DIR") or str(Path("~/.cache/uv").expanduser())
"""uv's own cache, for the tests that run a script: filling a new one for each takes the network's time."""

FOREIGN = (
    "LANGFUSE_", "CC_LANGFUSE_", "CLAUDE", "ANTHROPIC_", "XDG_", "OTEL_", "TRACE_TO_", "LC_", "LANGUAGE",
)  # fmt: skip
"""Variables of whoever runs the tests."""

# Machines differ, and no test asserts wall-clock time.
settings.register_profile("ccship", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("ccship")


def pytest_configure() -> None:
    """Nothing of whoever runs the tests reaches them, or the fork server, which any fixture may start."""
    for name in [name for name in os.environ if name.startswith(FOREIGN)]:
        del os.environ[name]
    os.environ["LANG"] = "C.UTF-8"
    # a shell starts its background jobs with ^C ignored, and every process that a test starts would inherit that
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-golden", action="store_true", help="write the golden files anew")


def pytest_report_header() -> str:
    found = "found" if SHARED.is_dir() else "not found: the checks on other people's sessions are left out"
    return f"shared corpus: {found}"


@pytest.fixture(scope="session")
def file_sink(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OtlpFileSink]:
    """A sink that writes spans to a file. One a process: the SDK would send the spans of another one to the first."""
    sink = OtlpFileSink(tmp_path_factory.mktemp("spans") / "spans.jsonl")
    yield sink
    sink.close()


@pytest.fixture(autouse=True)
def _own_home(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test reads or writes the real home, or leaves anything in the folder of temporary files."""
    home, temporary = tmp_path / "home", tmp_path / "tmp"
    home.mkdir()
    if not request.node.get_closest_marker("bench"):  # a mark counts bytes of paths, which are short there
        temporary.mkdir()
        monkeypatch.setattr(tempfile, "tempdir", str(temporary))
        monkeypatch.setenv("TMPDIR", str(temporary))
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
def case(tmp_path: Path, langfuse: LoopbackLangfuse) -> Case:
    """A session of four turns that nobody has shipped yet."""
    return Case(tmp_path, langfuse)


@pytest.fixture
def otlp() -> Iterator[LoopbackOtlp]:
    """A running OTLP backend that accepts everything until told otherwise."""
    with loopback_otlp() as server:
        yield server


@pytest.fixture
def seen(tmp_path: Path) -> Observe:
    """The observations of a transcript written for a test."""
    return lambda lines: observe(lines.write(tmp_path / f"{lines.session}.jsonl"))


@pytest.fixture
def claude_dir(tmp_path: Path) -> Path:
    """A copy of the fixtures' Claude config folder, to be changed at will."""
    return Path(shutil.copytree(FIXTURES / "claude", tmp_path / "claude"))


@pytest.fixture
def state_dir(tmp_path: Path) -> Path:
    """Where the state goes; its folder does not exist yet."""
    return tmp_path / "home" / "state"
