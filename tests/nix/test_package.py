"""The package: what it is built of, what is checked while it is built, and the command of its hook."""

import json
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path

import pytest

from ccship.claude_code import registration
from conftest import FIXTURES, ROOT
from loopback import LoopbackLangfuse
from nix.evaluation import WORLDS, Json, Refused, evaluate, needs_nix

pytestmark = [needs_nix, pytest.mark.parametrize("world", WORLDS)]

LOCK = {package["name"]: package for package in tomllib.loads((ROOT / "uv.lock").read_text())["package"]}


def built(world: str, **versions: str | None) -> Json:
    """What the package is built of, by name, with these versions in nixpkgs."""
    nix = " ".join(f"{json.dumps(name)} = {json.dumps(version)};" for name, version in versions.items())
    return evaluate("it.built", world, {"versions": f"{{ {nix} }}"})


def test_the_package_is_built_of_what_the_lock_names(world: str) -> None:
    """Name by name; a wheel is the one of the lock, by its hash."""
    for name, package in built(world).items():
        if name == "ccship" or package["url"]:
            locked = {
                other["name"]
                for other in LOCK[name]["dependencies"]
                if "== 'emscripten'" not in other.get("marker", "")
            }
            assert set(package["dependencies"]) == locked
        if package["url"]:
            wheels = {wheel["url"]: wheel["hash"] for wheel in LOCK[name]["wheels"]}
            assert wheels[package["url"]] == f"sha256:{package['sha256']}"


WHEELS: dict[str, tuple[dict[str, str | None], set[str]]] = {
    "nixpkgs of today": ({}, {"langfuse", "genai-prices"}),
    "one with a Langfuse SDK that is new enough": ({"langfuse": "4.14.3"}, {"genai-prices"}),
    "one with a Langfuse SDK that is too new": ({"langfuse": "6.0.0"}, {"langfuse", "genai-prices"}),
    "one with everything": ({"langfuse": "5.0.4", "genai-prices": "0.2.3"}, set()),
    "one without httpx2": (
        {"httpx2": None, "httpcore2": None}, {"langfuse", "genai-prices", "httpx2", "httpcore2"},
    ),
    "one without httpcore2 alone": ({"httpcore2": None}, {"langfuse", "genai-prices"}),
    "one with a broken httpx2": ({"httpx2": "broken"}, {"langfuse", "genai-prices", "httpx2"}),
}  # fmt: skip


@pytest.mark.parametrize(("versions", "wheels"), WHEELS.values(), ids=WHEELS.keys())
def test_a_wheel_is_taken_only_where_nixpkgs_lacks_the_package(
    versions: dict[str, str | None], wheels: set[str], world: str
) -> None:
    """Or has it broken, or outside the bounds that ccship declares."""
    assert {name for name, package in built(world, **versions).items() if package["url"]} == wheels


def test_a_package_without_a_wheel_for_every_platform_is_named(world: str) -> None:
    """When nixpkgs has too old a one."""
    with pytest.raises(Refused, match=r"nixpkgs has no orjson >=3\.10"):
        built(world, orjson="3.9.0")


def test_the_build_imports_all_that_sending_loads(langfuse: LoopbackLangfuse, claude_dir: Path, world: str) -> None:
    """With prices: a dependency that does not load fails the build, not the first delivery."""
    environ = {**langfuse.environ, "CC_LANGFUSE_COST": "client"}
    loaded = modules_of("-m", "ccship", "backfill", "--claude-dir", str(claude_dir), environ=environ)
    assert langfuse.accepted
    imported = modules_of("-c", "import " + ", ".join(evaluate("it.pythonImportsCheck", world)))
    assert {"langfuse", "genai_prices"} <= loaded
    assert packages(loaded) - packages(imported) == set()
    assert {name for name in loaded - imported if name.startswith("ccship.")} == set()


def modules_of(*arguments: str, environ: Mapping[str, str] | None = None) -> set[str]:
    """The modules that Python and the processes that it starts import."""
    done = subprocess.run(
        [sys.executable, *arguments],
        env={**os.environ, **(environ or {}), "PYTHONPROFILEIMPORTTIME": "1"},
        check=True, capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    return set(re.findall(r"^import time: .*\| +(\S+)$", done.stderr, re.MULTILINE))


def packages(modules: set[str]) -> set[str]:
    """Those of others."""
    return {name.partition(".")[0] for name in modules} - sys.stdlib_module_names


def test_the_command_is_the_fastest_there_is(world: str) -> None:
    """The Python that finds the package, by its path in the store, without site-packages."""
    command = evaluate("it.commands", world)["ccship"]["hook"]
    python, hook = (Path(word) for word in command.split() if word.startswith("/"))
    assert command == registration.command_of(python, hook)
    assert hook.is_relative_to(python.parent.parent)
    assert hook.name == "hook.py"


def test_the_hook_of_a_changed_package_is_the_changed_one(world: str) -> None:
    """`overrideAttrs` changes the application, its command line and its hook."""
    commands = evaluate("it.commands", world)
    (own,), (patched,) = (
        set(re.findall(r"/nix/store/[^/]+", "".join(commands[name].values()))) for name in ("ccship", "patched")
    )
    assert own != patched


def test_the_tests_of_the_build_are_there(world: str) -> None:
    """Each path; what they read is part of the source."""
    for path in evaluate("it.enabledTestPaths", world):
        assert (ROOT / path).is_file()
    assert FIXTURES.is_dir()
