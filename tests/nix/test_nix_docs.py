"""The docs' Nix is Nix, and their options are those of the module."""

import re

import pytest

from conftest import ROOT
from nix.evaluation import WORLDS, evaluate, home, needs_nix

pytestmark = needs_nix

README = (ROOT / "README.md").read_text()
PAGE = (ROOT / "docs/nix.md").read_text()
SECRETS = ROOT / "nix/tests/stub/secrets.nix"

(SNIPPET,) = re.findall(r"^```nix\n(.*?)^```", README, re.DOTALL | re.MULTILINE)
EXAMPLES = re.findall(r"^```nix\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)


@pytest.mark.parametrize("world", WORLDS)
def test_the_way_of_the_readme_is_short_and_works(world: str) -> None:
    """As it stands."""
    assert len(SNIPPET.splitlines()) < 15
    it = home(SNIPPET, world)
    assert it["registration"] == "plugin"
    assert it["packages"]
    assert it["files"]["/home/ada/.config/ccship/config.toml"] == {
        "base_url": "https://cloud.langfuse.com",
        "public_key_file": "~/.secrets/langfuse-public",
        "secret_key_file": "~/.secrets/langfuse-secret",
        "trace": True,
    }


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: re.sub(r"\W+", " ", example)[:40])
def test_the_examples_work(example: str) -> None:
    """With as much of sops-nix and agenix as they name."""
    it = home(f"{{ imports = [ {SECRETS} ({example}) ]; programs.ccship.enable = true; }}")
    assert it["hooks"]


def test_the_page_has_examples() -> None:
    """Of secrets, and of the script variant."""
    assert len(EXAMPLES) == 3


@pytest.mark.parametrize("world", WORLDS)
def test_the_table_of_options_is_that_of_the_module(world: str) -> None:
    """Each with its type, its default and what it is for, as the module has them and nixpkgs prints them."""
    rows = re.findall(r"^\| `(\w+)` \| (.*) \| (.*) \| (.*) \|$", PAGE.split("## Plugin or settings")[0], re.MULTILINE)
    table = {name: (kind, default.replace("`", ""), text) for name, kind, default, text in rows}
    options = evaluate("it.options", world)
    assert table == {
        name: (option["type"], option["default"].replace("`", ""), option["description"])
        for name, option in options.items()
    }
