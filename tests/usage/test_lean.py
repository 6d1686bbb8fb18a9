"""`ccship usage` runs without typer, and parses its arguments alike."""

from pathlib import Path

import pytest
import typer

from ccship.cli import usage as command
from ccship.cli.app import app
from ccship.cli.lean import parsed
from ccship.cli.usage_report import UsageOptions

ARGUMENTS = [
    [],
    ["--json"],
    ["--by", "day,model", "--project", "x", "--model=y", "--csv", "a.jsonl", "b"],
    ["--by=week", "--since", "7d", "--until=1d", "--on-disk", "--recount"],
    ["--claude-dir", "/x", "--since", ""],
    ["--since", "--json"],
]


@pytest.mark.parametrize("arguments", ARGUMENTS, ids=" ".join)
def test_both_parsers_agree(arguments: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """On what they both take."""
    taken: list[UsageOptions] = []

    def take(options: UsageOptions) -> int:
        taken.append(options)
        return 0

    monkeypatch.setattr(command, "report", take)
    with pytest.raises(SystemExit) as left:
        app(["usage", *arguments])
    assert left.value.code == 0
    assert parsed(arguments) == taken[0]


@pytest.mark.parametrize("folder", ["", "/elsewhere"])
def test_the_environment_names_the_folder(folder: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Empty counts as unset."""
    monkeypatch.setenv("CLAUDE_CONFIG_DIR", folder)
    options = parsed([])
    assert options is not None
    assert options.claude_dir == Path(folder or "~/.claude")


@pytest.mark.parametrize("arguments", [["--help"], ["--by"], ["--json=1"], ["--paths", "x"], ["-x"], ["--", "x"]])
def test_what_is_unexpected_is_left_to_typer(arguments: list[str]) -> None:
    """Which prints help and errors."""
    assert parsed(arguments) is None


def test_every_option_of_the_help_is_parsed() -> None:
    """None is slower than the others by an oversight."""
    group = typer.main.get_command(app)
    usage = group.get_command(typer.Context(group), "usage")  # type: ignore[attr-defined]
    for parameter in usage.params:
        for option in parameter.opts:
            if option.startswith("--") and option != "--help":
                assert parsed([option] if parameter.is_flag else [option, "day"]) is not None, option
