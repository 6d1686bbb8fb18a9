"""The docs name every command, option and setting, and none that there is not."""

import re
from collections.abc import Iterator

import pytest
import typer

from ccship.cli import app
from ccship.config.table import SETTINGS
from conftest import ROOT
from helpers import run_ccship

CLI = (ROOT / "docs/cli.md").read_text()
CONFIGURATION = (ROOT / "docs/configuration.md").read_text()
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").glob("*.md")])

GROUP = typer.main.get_command(app)
CONTEXT = typer.Context(GROUP)
COMMANDS = {name: GROUP.get_command(CONTEXT, name) for name in GROUP.list_commands(CONTEXT)}  # type: ignore[attr-defined]

OF_ALL_COMMANDS = {"--help"}
VARIABLES = {variable for setting in SETTINGS for variable in setting.variables}
WITH_FILES = VARIABLES | {f"{it}_FILE" for setting in SETTINGS if setting.has_file for it in setting.variables}
SECTIONS = dict(re.findall(r"^## `ccship (\w+)`\n(.*?)(?=^## |\Z)", CLI, re.DOTALL | re.MULTILINE))


def options_of(command: object) -> set[str]:
    """The long options, without those that every command has."""
    parameters = getattr(command, "params", [])
    return {option for it in parameters for option in it.opts if option.startswith("--")} - OF_ALL_COMMANDS


def test_every_command_has_its_section_in_the_order_of_the_help() -> None:
    """And there is no section of a command that is gone."""
    assert list(SECTIONS) == list(COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_is_a_row_of_its_command(name: str) -> None:
    """The other way round too."""
    rows = set(re.findall(r"^\| `(--[a-z-]+)", SECTIONS[name], re.MULTILINE))
    assert rows == options_of(COMMANDS[name])


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_and_command_has_a_help_text(name: str) -> None:
    """One sentence at least."""
    command = COMMANDS[name]
    assert command.help
    for parameter in command.params:
        if parameter.name != "help":
            assert getattr(parameter, "help", None), parameter.name


def mentioned() -> Iterator[tuple[str, str, set[str]]]:
    """Every `ccship COMMAND ...` on any page: page, command, options."""
    for page in PAGES:
        for command, rest in re.findall(r"ccship ([a-z]+)((?: [^`\n#|]*)?)[`\n#|]", page.read_text()):
            yield page.name, command, set(re.findall(r"(?<!\S)--[a-z-]+", rest))


def test_what_the_pages_tell_to_run_can_be_run() -> None:
    """Each command there is, with options that it has."""
    known = [(page, command, options) for page, command, options in mentioned() if command in COMMANDS]
    assert len(known) > 10
    for page, command, options in known:
        assert options <= options_of(COMMANDS[command]) | OF_ALL_COMMANDS, f"{page}: ccship {command}"


def test_every_setting_is_a_row() -> None:
    """With its variables, the strongest first, and its default."""
    rows = re.findall(r"^\| `(\w+)` \| ([^|]*)\| ([^|]*)\| ([^|]+) \|$", CONFIGURATION, re.MULTILINE)
    table = {
        key: (tuple(re.findall(r"`(\w+)`", variables)), default.strip("` ")) for key, variables, default, _ in rows
    }
    assert table == {it.key: (it.variables, it.default) for it in SETTINGS if it.in_file}


def test_every_setting_of_the_file_is_read() -> None:
    """A row that nobody reads would promise something."""
    source = (ROOT / "src/ccship/config/__init__.py").read_text()
    read = set(re.findall(r'settings\.(?:value|text|flag|number|choice|words|words_of_all|pairs)\(\s*"(\w+)"', source))
    assert read == {it.name for it in SETTINGS if it.in_file}


def test_every_setting_of_the_environment_alone_is_a_row() -> None:
    """In the second table."""
    rows = re.findall(r"^\| `(\w+)` \| ([^|]*) \| ([^|]+) \|$", CONFIGURATION, re.MULTILINE)
    assert {name for name, _, _ in rows} == {it.variables[0] for it in SETTINGS if not it.in_file}


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_no_page_names_a_variable_that_nobody_reads(page: object) -> None:
    """Of ours, or of Langfuse's."""
    (path,) = (it for it in PAGES if it is page)
    named = set(re.findall(r"\b(?:CC_LANGFUSE_|LANGFUSE_|TRACE_TO_)[A-Z_]*[A-Z]\b", path.read_text()))
    assert named <= WITH_FILES


@pytest.mark.parametrize("arguments", [("--help",), ("backfill", "--help"), ("backfill", "--limit", "0"), ("no-such",)])
def test_help_and_wrong_usage_that_are_piped_are_plain(arguments: tuple[str, ...]) -> None:
    """No boxes, no colours."""
    done = run_ccship(*arguments)
    text = done.stdout + done.stderr
    assert "Usage: ccship" in text
    assert not set("\x1b╭│─") & set(text)
