"""Record the pictures of the README, `docs/*.svg`, from the sessions in `fixtures/claude`.

    uv run python tests/record_pictures.py

A picture is a terminal with a background of its own, readable on a light and on a dark page. It fetches no font.
"""

import os
import re
import subprocess
import sys
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.console import Console
from rich.terminal_theme import TerminalTheme
from rich.text import Text

ROOT = Path(__file__).parent.parent
COLUMNS = 100
PICTURES = {"show.svg": "show dad1", "trace.svg": "show dad1 --turn 6"}
"""File in `docs/` -> arguments of ccship."""

THEME = TerminalTheme(
    (30, 34, 42),
    (208, 213, 222),
    [(30, 34, 42), (240, 113, 120), (152, 195, 121), (229, 192, 123), (97, 175, 239), (198, 120, 221), (86, 182, 194),
     (208, 213, 222)],
)  # fmt: skip
FRAME = """\
<svg viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg">
<style>
text {{ font: {char_height}px ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", monospace; white-space: pre }}
{styles}
</style>
<rect fill="#1e222a" width="{width}" height="{height}" rx="8"/>
<g transform="translate({terminal_x}, 14)">
{matrix}
</g>
</svg>
"""
UNSEEN = re.compile(r' clip-path="[^"]*"|<text [^>]*>\n</text>')
"""What Rich adds without effect on these pictures: clips of lines, and line ends as text."""


def screen(command: str) -> str:
    """The output of a command on a terminal with colours, without any settings of the person who runs this."""
    with TemporaryDirectory() as home:
        done = subprocess.run(
            [sys.executable, "-m", "ccship", *command.split()],
            env={
                "HOME": home,
                "PATH": os.environ["PATH"],
                "LANG": "C.UTF-8",
                "TZ": "UTC",
                "TERM": "xterm-256color",
                "FORCE_COLOR": "1",
                "COLUMNS": str(COLUMNS),
                "CLAUDE_CONFIG_DIR": str(ROOT / "fixtures/claude"),
            },
            cwd=home,
            capture_output=True,
            check=True,
            text=True,
        )
    return done.stdout


def picture(command: str) -> str:
    """A command and its output as an SVG image."""
    console = Console(record=True, width=COLUMNS, file=StringIO(), color_system="truecolor", legacy_windows=False)
    console.print(Text(f"$ ccship {command}", style="bold"))
    console.print(Text.from_ansi(screen(command).rstrip()), soft_wrap=True, end="")
    svg = console.export_svg(theme=THEME, code_format=FRAME, unique_id="s")
    return UNSEEN.sub("", svg)


if __name__ == "__main__":
    for name, command in PICTURES.items():
        (ROOT / "docs" / name).write_text(picture(command))
