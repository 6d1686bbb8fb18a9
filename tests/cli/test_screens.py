"""`docs/screens.md` shows what the commands print, on terminals of 80 and of 160 columns.

Written anew with `uv run pytest --update-golden -n 0 tests/cli/test_screens.py`; the diff is the review. To add a
screen: a row in `SCREENS`.
"""

import re
import shutil
import sqlite3
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

import ccship.hook
from conftest import FIXTURES, ROOT
from helpers import fake_client, run_ccship
from loopback import loopback_langfuse
from terminal import on_terminal

PAGE = ROOT / "docs/screens.md"
HEAD = """\
# Screens

What the commands print for the sessions in `fixtures/claude`, after a backfill to a server that refused one observation
and with a line that was written since. Recorded and compared by `tests/cli/test_screens.py`.
"""
SCREENS = (
    "install --scope project --dry-run",
    "uninstall --dry-run",
    "doctor",
    "status",
    "show dad1",
    "show dad1 --turn 3",
    "show aa65 --turn 2",
    "review --since 2025-01-01",
    "usage",
    "usage --by model",
    "usage --by branch",
    "usage --by agent,model",
    "usage cache",
    "budget",
    "statusline",
    "verify",
    "config",
    "backfill --dry-run --resend",
)
COLUMNS = (80, 160)
BOLD = re.compile(r"\x1b\[[0-9;]*m")
ERASED = "\x1b[2K"
"""What was on the screen before, such as a bar, is not there any more."""

REFUSED = "9dc975eda518c831"
"""A `Tool: Bash`."""
SHIPPED_AT = 1_795_000_000.0

BUDGETS = """\
[[budgets]]
name = "all"
period = "month"
usd = 50

[[budgets]]
name = "a day"
period = "day"
usd = 1.5
"""
AT_NOON = """
from datetime import datetime
import ccship.cli.budget
import ccship.statusline

class Noon(datetime):
    @classmethod
    def now(cls, tz=None):
        return cls(2026, 11, 20, 12, tzinfo=tz)

class Clock:
    @staticmethod
    def time():
        return Noon.now().timestamp()

ccship.cli.budget.datetime, ccship.statusline.time = Noon, Clock
"""
"""On the day of the sessions, for commands that depend on the time."""

GIVEN = '{"cost": {"total_cost_usd": 1.234}, "context_window": {"used_percentage": 44.6}}'
"""What Claude Code gives to a status line."""


@dataclass(frozen=True)
class Stage:
    """A folder with everything that the commands look at, under names that are the same on every machine."""

    folder: Path
    environ: dict[str, str]
    url: str

    def portable(self, text: str) -> str:
        """The text as any other machine would show it."""
        text = text.replace(self.url, "http://127.0.0.1:40000").replace(sys.executable, "/opt/ccship/bin/python")
        return text.replace(str(ccship.hook.__file__), "/opt/ccship/lib/ccship/hook.py").replace(str(self.folder), "~")


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    folder = tmp_path_factory.mktemp("stage")
    shutil.copytree(FIXTURES / "claude", folder / "claude")
    with loopback_langfuse() as server:
        server.public_key = "pk-lf-demo"
        environ = {
            **fake_client(folder, "2.1.329 (Claude Code)"),
            **server.environ,
            "HOME": str(folder),
            "USER": "ada",
            "LANG": "C.UTF-8",
            "TZ": "UTC",
            "CLAUDE_CONFIG_DIR": "claude",
            "CC_LANGFUSE_STATE_DIR": "state",
            "CC_LANGFUSE_CONFIG": "config.toml",
            "TRACE_TO_LANGFUSE": "true",
        }
        (folder / "config.toml").write_text(BUDGETS)
        server.refused_spans = {REFUSED: 400}
        for command in (["install"], ["backfill"]):
            run_ccship(*command, environ=environ, cwd=folder)
        assert server.accepted
        (transcript,) = folder.rglob("9e4b*.jsonl")
        with transcript.open("ab") as file:
            file.write(transcript.read_bytes().splitlines(keepends=True)[-1])
        with sqlite3.connect(folder / "state/state.db") as db:
            db.execute("UPDATE transcripts SET shipped_at = ? WHERE shipped_at IS NOT NULL", (SHIPPED_AT,))
        run_ccship("budget", environ=environ, cwd=folder, first=AT_NOON)
        yield Stage(folder, environ, server.url)


def recorded() -> dict[tuple[str, int], str]:
    """Command and columns -> screen, as they stand on the page."""
    page = PAGE.read_text() if PAGE.exists() else ""
    blocks = re.findall(r"^## `ccship ([^`]+)`, ([^\n]+) columns\n\n```\n(.*?)```\n", page, re.DOTALL | re.MULTILINE)
    return {(command, int(columns)): screen for command, widths, screen in blocks for columns in widths.split(" and ")}


def record(command: str, columns: int, screen: str) -> None:
    screens = {**recorded(), (command, columns): screen}
    blocks = []
    for name in SCREENS:
        widths: dict[str, list[int]] = {}
        for width in COLUMNS:
            if (name, width) in screens:
                widths.setdefault(screens[name, width], []).append(width)
        blocks += [
            f"\n## `ccship {name}`, {' and '.join(map(str, found))} columns\n\n```\n{text}```\n"
            for text, found in widths.items()
        ]
    PAGE.write_text(HEAD + "".join(blocks))


@pytest.mark.parametrize("columns", COLUMNS)
@pytest.mark.parametrize("command", SCREENS)
def test_a_screen_is_the_recorded_one(command: str, columns: int, stage: Stage, request: pytest.FixtureRequest) -> None:
    """And no table is wider than the terminal."""
    typed, first = (f"{GIVEN}\n\x04", AT_NOON) if command == "statusline" else ("", AT_NOON * (command == "budget"))
    lines = on_terminal(columns, *command.split(), environ=stage.environ, cwd=stage.folder, typed=typed, first=first)
    lines = [line for line in lines if GIVEN not in line]  # the terminal shows what is typed
    screen = stage.portable("".join(f"{BOLD.sub('', line).rstrip()}\n" for line in lines)).rpartition(ERASED)[2]
    if request.config.getoption("--update-golden"):
        record(command, columns, screen)
    assert screen == recorded()[command, columns]


@pytest.mark.parametrize("command", [screen for screen in SCREENS if not screen.startswith("show")])
def test_what_is_piped_is_plain_and_whole(command: str, stage: Stage) -> None:
    """No colours, no boxes, nothing cut, no blanks at the ends of lines; the same whatever the terminal."""
    outputs = {
        run_ccship(
            *command.split(),
            environ={**stage.environ, "COLUMNS": columns, "FORCE_TERMINAL": ""},
            cwd=stage.folder,
            stdin=GIVEN.encode(),
            first=AT_NOON * (command in ("budget", "statusline")),
        ).stdout
        for columns in ("40", "200")
    }
    (text,) = outputs
    assert text
    assert not set("\x1b…│─╭") & set(text)
    assert all(line == line.rstrip() for line in text.splitlines() if not line.startswith(("+", "-", " ")))


@pytest.mark.parametrize("command", [screen for screen in SCREENS if screen.startswith("show")])
def test_a_picture_that_is_piped_is_plain(command: str, stage: Stage) -> None:
    """It has a width, which does not depend on the terminal, and it has lines."""
    done = run_ccship(*command.split(), environ=stage.environ, cwd=stage.folder)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert len(lines) > 5
    assert not any("\x1b" in line or line != line.rstrip() or len(line) > 120 for line in lines)


def test_the_page_has_these_screens_and_no_others() -> None:
    """In this order; those that are the same on both terminals stand there once."""
    assert list(recorded()) == [(command, columns) for command in SCREENS for columns in COLUMNS]
    assert PAGE.read_text().startswith(HEAD)
