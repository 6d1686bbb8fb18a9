"""`bin/ccship` of the Nix packages, run in a store that is laid out as nixpkgs lays it out."""

import json
import os
import re
import subprocess
from pathlib import Path

import pytest

from ccship.claude_code import registration
from conftest import FIXTURES, ROOT
from helpers import fake_client
from installations import environment, script
from loopback import LoopbackLangfuse
from nix.evaluation import evaluate, needs_nix

pytestmark = [needs_nix, pytest.mark.parametrize("package", ["ccship", "ccship-script"])]

TRANSCRIPT = FIXTURES / "claude/projects/-home-dev-demo/9e4b124a-6f45-4c38-88d8-111ee2b7680b.jsonl"


class Store:
    """A store with a Python that has ccship and all it needs, and a `uv` that finds no other."""

    def __init__(self, folder: Path, package: str) -> None:
        self.python = environment(folder / "nix/store/abc-python3-env")
        self.uv = script(folder / "nix/store/abc-uv/bin/uv", UV.format(python=self.python))
        self.source = folder / "nix/store/abc-source"
        (self.source / "hooks").mkdir(parents=True)
        (self.source / "hooks/ccship_hook.py").write_bytes((ROOT / "hooks/ccship_hook.py").read_bytes())
        texts = evaluate("it.commands")[package]
        self.hook = self._in_here(texts["hook"])
        self.program = script(folder / "bin/ccship", "#!/bin/sh\n" + self._in_here(texts["program"]))

    def _in_here(self, text: str) -> str:
        """What Nix evaluates to, with the paths of this store."""
        version = next((self.python.parents[1] / "lib").iterdir()).name
        text = text.replace("/lib/python3.13/", f"/lib/{version}/")
        places = {"python3-env": self.python.parents[1], "python3": self.python.parents[1], "uv": self.uv.parents[1],
                  "source": self.source}  # fmt: skip
        return re.sub(r"/nix/store/[0-9a-z]{32}-([\w-]+)", lambda found: str(places[found[1]]), text)


UV = """#!/bin/sh
while [ "$1" != --script ]; do
    [ "$1" = find ] && echo '{python}' && exit
    [ "$1" = sync ] && exit
    shift
done
exec '{python}' "$2"
"""


@pytest.fixture
def store(tmp_path: Path, package: str) -> Store:
    return Store(tmp_path, package)


@pytest.fixture
def environ(tmp_path: Path, langfuse: LoopbackLangfuse) -> dict[str, str]:
    return {
        **os.environ,
        **langfuse.environ,
        **fake_client(tmp_path, "2.1.329 (Claude Code)"),
        "CLAUDE_CONFIG_DIR": str(tmp_path / "claude"),
        "TRACE_TO_LANGFUSE": "true",
    }


def run(store: Store, environ: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [store.program, *arguments], env=environ, cwd="/", capture_output=True, text=True, check=False, timeout=120
    )


def checked(store: Store, environ: dict[str, str]) -> dict[str, object]:
    rows = json.loads(run(store, environ, "doctor", "--json").stdout)["checks"]
    return {row["check"]: row["problem"] or row["ok"] for row in rows}


def test_install_registers_the_package_s_own_hook_and_it_ships(
    store: Store, environ: dict[str, str], tmp_path: Path, langfuse: LoopbackLangfuse
) -> None:
    """The command of the module, byte for byte; it is said that an update takes it away."""
    done = run(store, environ, "install")
    assert done.returncode == 0, done.stderr
    assert "programs.ccship.enable = true;" in done.stderr
    settings = json.loads((tmp_path / "claude/settings.json").read_text())
    assert {hook.command for hook in registration.registered(settings)} == {store.hook}
    payload = json.dumps({"transcript_path": str(TRANSCRIPT), "hook_event_name": "Stop"})
    here = {**environ, "CLAUDE_CONFIG_DIR": str(FIXTURES / "claude"), "CC_LANGFUSE_FOREGROUND": "true"}
    subprocess.run(["/bin/sh", "-c", store.hook], input=payload, env=here, text=True, check=True, timeout=120)
    assert {span.attributes["session.id"] for span in langfuse.accepted} == {TRANSCRIPT.stem}


@pytest.mark.parametrize("wrapper", ["{}", '(set -a; . "$HOME/of ada.env"; set +a; {}) || exit 0'])
def test_doctor_knows_what_the_module_registers(
    wrapper: str, store: Store, environ: dict[str, str], tmp_path: Path
) -> None:
    """With a file of variables too, which it does not read."""
    (tmp_path / "home/of ada.env").write_text("touch ~/read\n")
    settings = tmp_path / "claude/settings.json"
    settings.parent.mkdir()
    settings.write_text(json.dumps({"hooks": registration.hooks_of(wrapper.format(store.hook))}))
    found = checked(store, environ)
    names = ("hook command is ccship's", "hook runs outside a shell", "worker starts")
    assert [found[name] for name in names] == [True] * 3
    assert not (tmp_path / "home/read").exists()
