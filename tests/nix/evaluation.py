"""What a home comes to with the module, evaluated by Nix.

With the stub in `nix/tests`, and with NIXPKGS_LIB_SRC (nixpkgs' `lib` folder) and HOME_MANAGER_SRC also with real ones.
"""

import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from conftest import ROOT

NIX = shutil.which("nix-instantiate")
needs_nix = pytest.mark.skipif(NIX is None, reason="no Nix: `apt-get install nix-bin`, or see nixos.org")

REAL = {"nixpkgsLib": os.environ.get("NIXPKGS_LIB_SRC"), "homeManager": os.environ.get("HOME_MANAGER_SRC")}
WORLDS = ("stub", "real") if all(REAL.values()) else ("stub",)

Json = Any


def instantiate(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run `nix-instantiate`, with a store that holds nothing unless one is named."""
    assert NIX
    store = () if "--store" in arguments else ("--store", "dummy://")
    return subprocess.run([NIX, *store, *arguments], capture_output=True, text=True, check=False, timeout=120)


class Refused(Exception):
    """Nix says no; the text says why."""


def evaluate(
    expression: str, world: str = "stub", arguments: Mapping[str, str] | None = None, store: Path | None = None
) -> Json:
    """The value of an expression in which `it` is `nix/tests/eval.nix`, called with arguments in Nix.

    `store`: a folder for a store that keeps what is evaluated.

    Raises:
        Refused: Nix does not evaluate it.
    """
    real = {name: f"{path}" for name, path in REAL.items()} if world == "real" else {}
    called = " ".join(f"{name} = {value};" for name, value in {**real, **(arguments or {})}.items())
    text = f"let it = import {ROOT}/nix/tests/eval.nix {{ {called} }}; in {expression}"
    where = ("--store", str(store), "--read-write-mode") if store else ()
    done = instantiate(*where, "--eval", "--strict", "--json", "-E", text)
    if done.returncode:
        raise Refused(done.stderr)
    return json.loads(done.stdout)


def home(module: str, world: str = "stub", **arguments: str) -> Json:
    """What a home with a module, given as Nix text, comes to: see `home` in `nix/tests/eval.nix`."""
    return evaluate(f"it.home [ ({module}) ]", world, arguments)
