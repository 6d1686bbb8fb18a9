"""The flake: its outputs, its lock, and that every Nix file is one."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from ccship import hook
from ccship.claude_code.registration import command_of, hooks_of
from conftest import ROOT
from nix.evaluation import home, instantiate, needs_nix

pytestmark = needs_nix

FILES = sorted([ROOT / "flake.nix", *(ROOT / "nix").rglob("*.nix")])
PARTS = (
    "flake.nix", "flake.lock", "nix", ".claude-plugin", "hooks", "src", "pyproject.toml", "uv.lock",
    "README.md", "LICENSE", "fixtures", "tests",
)  # fmt: skip
STUB = ROOT / "nix/tests/stub"


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_file_is_nix(path: Path) -> None:
    """As far as its syntax goes."""
    done = instantiate("--parse", str(path))
    assert done.returncode == 0, done.stderr


@pytest.fixture
def flake(tmp_path: Path) -> Path:
    """A copy of what the flake is made of: Nix copies all of a folder, and this one may hold a virtual environment."""
    folder = tmp_path / "flake"
    folder.mkdir()
    for part in PARTS:
        if (ROOT / part).is_dir():
            shutil.copytree(ROOT / part, folder / part)
        else:
            shutil.copy(ROOT / part, folder)
    return folder


def nix(flake: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run `nix` on a flake, without a network and with a store of its own."""
    features = ("--extra-experimental-features", "nix-command flakes")
    store = ("--store", str(flake.parent / "store"))
    command = ["nix", *features, *arguments, f"path:{flake}", *store, "--offline", "--no-write-lock-file"]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)


def check(flake: Path) -> subprocess.CompletedProcess[str]:
    """`nix flake check` with the stub in place of both inputs; what it would build of a stub is one."""
    inputs = ("nixpkgs", "home-manager")
    instead = [word for name in inputs for word in ("--override-input", name, f"path:{STUB / name}")]
    return nix(flake, "flake", "check", *instead, "--no-build")


def test_the_flake_checks(flake: Path) -> None:
    """Outputs, packages, and a home with each registration."""
    done = check(flake)
    assert done.returncode == 0, done.stderr


def test_a_home_that_would_not_build_fails_the_check(flake: Path) -> None:
    """So the check looks."""
    checks = flake / "nix/checks.nix"
    checks.write_text(checks.read_text().replace('"~/.secrets', '"/nix/store/secrets'))
    done = check(flake)
    assert done.returncode != 0
    assert "secretKeyFile is in the store" in done.stderr


def home_files(folder: Path, registration: str, python: Path, hook: Path) -> Path:
    """The files of the home of `nix/checks.nix`, as home-manager would build it, with the hook installed here."""
    options = f'enable = true; registration = "{registration}"; secretKeyFile = "~/.secrets/langfuse";'
    claude_code = "programs.claude-code.enable = true;"
    it = home(f"{{ programs.ccship = {{ {options} settings.trace = true; }}; {claude_code} }}")
    ours = json.dumps({"hooks": hooks_of(command_of(python, hook))})
    for path, content in it["files"].items():
        file = folder / Path(path).relative_to("/home/ada")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content if isinstance(content, str) else toml(content))
    place = folder / (".claude/skills/ccship/hooks/hooks.json" if registration == "plugin" else ".claude/settings.json")
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(ours)
    return folder


def toml(settings: dict[str, object]) -> str:
    """Flat settings as a config file."""
    return "".join(f"{key} = {json.dumps(value)}\n" for key, value in settings.items())


def check_home(files: Path, registration: str) -> subprocess.CompletedProcess[str]:
    """Run the check of a home that `nix flake check` runs."""
    command = [sys.executable, str(ROOT / "nix/tests/check_home.py"), str(files), registration]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)


INSTALLED = (Path(sys.executable), Path(hook.__file__))


@pytest.mark.parametrize("registration", ["plugin", "settings"])
def test_the_check_of_a_home_passes_where_its_hook_runs(registration: str, tmp_path: Path) -> None:
    """With the files that the module writes."""
    done = check_home(home_files(tmp_path / "files", registration, *INSTALLED), registration)
    assert (done.returncode, done.stdout) == (0, "ok\n"), done.stderr


def test_the_check_of_a_home_fails_where_the_worker_cannot_run(tmp_path: Path) -> None:
    """The hook itself exits with 0: its Python has no packages."""
    bare = Path(sys.executable).resolve()
    done = check_home(home_files(tmp_path / "files", "plugin", bare, INSTALLED[1]), "plugin")
    assert done.returncode != 0
    assert "the worker logged []" in done.stderr


@pytest.mark.parametrize(
    ("path", "message"),
    [
        (".config/ccship/config.toml", "config.toml is "),
        (".claude/skills/ccship/hooks/hooks.json", "hooks.json registers []"),
    ],
)
def test_the_check_of_a_home_fails_for_other_content(path: str, message: str, tmp_path: Path) -> None:
    """It reads what home-manager built."""
    files = home_files(tmp_path / "files", "plugin", *INSTALLED)
    (files / path).write_text('{"hooks": {}}' if path.endswith("json") else "trace = false")
    done = check_home(files, "plugin")
    assert done.returncode != 0
    assert message in done.stderr


def test_the_lock_is_of_these_inputs(flake: Path) -> None:
    """Nix would change nothing in it, and needs no network to say so."""
    done = nix(flake, "flake", "metadata", "--json", "--no-update-lock-file")
    assert done.returncode == 0, done.stderr
    locked = json.loads(done.stdout)["locks"]
    assert locked == json.loads((ROOT / "flake.lock").read_text())
    assert set(locked["nodes"]) == {"root", "nixpkgs", "home-manager"}
