"""The docs name every command, option and setting, and none that there is not."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer

from ccship.cli.app import app
from ccship.config.access import is_otlp_variable
from ccship.config.table import SETTINGS
from conftest import ROOT
from helpers import run_ccship
from record_pictures import PICTURES, picture

CLI = (ROOT / "docs/cli.md").read_text()
CONFIGURATION = (ROOT / "docs/configuration.md").read_text()
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").glob("*.md")])

GROUP = typer.main.get_command(app)
CONTEXT = typer.Context(GROUP)
COMMANDS = {name: GROUP.get_command(CONTEXT, name) for name in GROUP.list_commands(CONTEXT)}  # type: ignore[attr-defined]

OF_ALL_COMMANDS = {"--help"}
VARIABLES = {variable for setting in SETTINGS for variable in setting.variables}
WITH_FILES = VARIABLES | {
    f"{variable}_FILE" for setting in SETTINGS if setting.has_file for variable in setting.variables
}
SECTIONS = dict(re.findall(r"^## `ccship (\w+)`\n(.*?)(?=^## |\Z)", CLI, re.DOTALL | re.MULTILINE))


def options_of(command: object) -> set[str]:
    """The long options, without those that every command has."""
    parameters = getattr(command, "params", [])
    return {
        option for parameter in parameters for option in parameter.opts if option.startswith("--")
    } - OF_ALL_COMMANDS


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


UNCLEAR = (
    "anew", "as it were", "begins so", "comes along", "goes on where", "has the word", "is gone", "leave off",
    "let go", "look whether", "mend", "nobody", "says so", "stands", "was to be", "what was asked", "who says",
)  # fmt: skip
"""Phrases that once made the docs and the help hard to read; each has a plain word: apply, fix, resume, release."""
JSON_KEY = "`mend`"
"""Part of the public interface."""


def help_texts() -> Iterator[tuple[str, str]]:
    for name, command in COMMANDS.items():
        options = (str(getattr(parameter, "help", "")) for parameter in command.params)
        yield f"ccship {name} --help", "\n".join([command.help or "", *options])


def test_no_unclear_phrase_is_in_the_docs_or_the_help() -> None:
    """A short list; the rule is plain technical English."""
    pages = [*PAGES, ROOT / "CONTRIBUTING.md", ROOT / "SECURITY.md"]
    texts = [*((page.name, page.read_text().replace(JSON_KEY, "")) for page in pages), *help_texts()]
    found = [(name, phrase) for name, text in texts for phrase in UNCLEAR if re.search(rf"\b{phrase}\b", text)]
    assert found == []


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
    assert table == {setting.key: (setting.variables, setting.default) for setting in SETTINGS if setting.in_file}


def test_every_setting_of_the_file_is_read() -> None:
    """A row that nobody reads would promise something."""
    readers = (ROOT / "src/ccship/config" / name for name in ("__init__.py", "access.py"))
    read = {name for reader in readers for name in re.findall(r"\bvalues\.(\w+)", reader.read_text())}
    assert read - {"values", "model_fields_set"} == {it.key for it in SETTINGS if it.in_file}


def test_every_setting_of_the_environment_alone_is_a_row() -> None:
    """In the second table."""
    rows = re.findall(r"^\| `(\w+)` \| ([^|]*) \| ([^|]+) \|$", CONFIGURATION, re.MULTILINE)
    assert {name for name, _, _ in rows} == {setting.variables[0] for setting in SETTINGS if not setting.in_file}


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_no_page_names_a_variable_that_nobody_reads(page: object) -> None:
    """Of ours, or of Langfuse's."""
    (path,) = (candidate for candidate in PAGES if candidate is page)
    named = set(re.findall(r"\b(?:CC_LANGFUSE_|LANGFUSE_|TRACE_TO_)[A-Z_]*[A-Z]\b", path.read_text()))
    assert {name for name in named if not is_otlp_variable(name)} <= WITH_FILES


@pytest.mark.parametrize(("file", "command"), PICTURES.items())
def test_a_picture_is_what_the_command_draws_now(file: str, command: str) -> None:
    """And the README shows it. `uv run python tests/record_pictures.py` draws it again."""
    assert (ROOT / "docs" / file).read_text() == picture(command)
    assert f"](docs/{file})" in (ROOT / "README.md").read_text()


LINK = re.compile(r"\]\(([^)\s]+)\)")
LINKING = [*PAGES, *(ROOT / name for name in ("CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md"))]


def anchors(page: Path) -> set[str]:
    """The anchors that GitHub gives the headings of a page."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", LINKING, ids=lambda page: page.name)
def test_every_link_leads_to_a_file_and_a_heading(page: Path) -> None:
    """Links to other sites are not followed."""
    for link in LINK.findall(page.read_text()):
        if not link.startswith("https://"):
            name, _, anchor = link.partition("#")
            target = page.parent / name if name else page
            assert target.is_file(), link
            assert not anchor or anchor in anchors(target), link


@pytest.mark.parametrize("arguments", [("--help",), ("backfill", "--help"), ("backfill", "--limit", "0"), ("no-such",)])
def test_help_and_wrong_usage_that_are_piped_are_plain(arguments: tuple[str, ...]) -> None:
    """No boxes, no colours."""
    done = run_ccship(*arguments)
    text = done.stdout + done.stderr
    assert "Usage: ccship" in text
    assert not set("\x1b╭│─") & set(text)
