"""The flake: its outputs, its lock, and that every Nix file is one."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from conftest import ROOT
from nix.evaluation import instantiate, needs_nix

pytestmark = needs_nix

FILES = sorted([ROOT / "flake.nix", *(ROOT / "nix").rglob("*.nix")])
PARTS = (
    "flake.nix", "flake.lock", "nix", ".claude-plugin", "hooks", "src", "pyproject.toml", "uv.lock",
    "README.md", "LICENSE",
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


def test_the_lock_is_of_these_inputs(flake: Path) -> None:
    """Nix would change nothing in it, and needs no network to say so."""
    done = nix(flake, "flake", "metadata", "--json", "--no-update-lock-file")
    assert done.returncode == 0, done.stderr
    locked = json.loads(done.stdout)["locks"]
    assert locked == json.loads((ROOT / "flake.lock").read_text())
    assert set(locked["nodes"]) == {"root", "nixpkgs", "home-manager"}
