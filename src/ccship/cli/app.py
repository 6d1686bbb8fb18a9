"""The commands and their help."""

import sys
from collections.abc import Callable
from functools import wraps
from importlib import import_module
from typing import Annotated, Any, Literal, ParamSpec

import typer
from typer.core import TyperGroup

from ccship import __version__
from ccship.cli.boundary import exit_code_of

_P = ParamSpec("_P")

_PANELS = {
    "Set up": ("install", "uninstall", "doctor", "config"),
    "Ship": ("backfill", "status", "verify", "hook"),
    "Look": ("show", "usage", "budget", "forget", "statusline"),
    "Improve": ("review",),
}
"""The commands by what they are for, in the order of `--help`."""

_PANEL_OF = {command: panel for panel, commands in _PANELS.items() for command in commands}
_MODULES = {"uninstall": "install"}
"""Modules of `ccship.cli` that are not named like their command."""

_MARKUP: Literal["rich"] | None = "rich" if sys.stdout.isatty() and sys.stderr.isatty() else None
"""Boxes around help and usage errors; only on a terminal."""


class _LazyCommands(TyperGroup):
    """Imports a command's module only when that command runs: `usage` must not pay for the imports of `backfill`."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002 - the signature is fixed
        return list(_PANEL_OF)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name not in _PANEL_OF or cmd_name in self.commands:
            return super().get_command(ctx, cmd_name)
        function = getattr(import_module(f"ccship.cli.{_MODULES.get(cmd_name, cmd_name)}"), cmd_name)
        single = typer.Typer(add_completion=False, rich_markup_mode=_MARKUP)
        single.command(cmd_name, rich_help_panel=_PANEL_OF[cmd_name])(_command(function))
        return typer.main.get_command(single)

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write the panels as sections; a terminal shows them as boxes."""
        width = max(map(len, _PANEL_OF))
        for panel, names in _PANELS.items():
            commands = ((name, self.get_command(ctx, name)) for name in names)
            with formatter.section(panel):
                formatter.write_dl(
                    [(name.ljust(width), command.get_short_help_str(formatter.width)) for name, command in commands]
                )


app = typer.Typer(
    name="ccship",
    cls=_LazyCommands,
    help="Ship every Claude Code turn to Langfuse: exactly once, with the real times and the true cost.",
    no_args_is_help=True,
    rich_markup_mode=_MARKUP,
    add_completion=True,
    pretty_exceptions_enable=False,
)


def _version(*, requested: bool) -> None:
    if requested:
        typer.echo(f"ccship {__version__}")
        raise typer.Exit


@app.callback()
def _main(
    *,
    version: Annotated[
        bool,
        typer.Option(
            "--version",
            help="Show the version and exit.",
            callback=lambda value: _version(requested=value),
            is_eager=True,
        ),
    ] = False,
) -> None:
    pass


def _command(function: Callable[_P, int]) -> Callable[_P, None]:
    """Wrap a command: print expected errors as one line, and exit with the codes that docs/cli.md lists."""

    @wraps(function)
    def run(*args: _P.args, **kwargs: _P.kwargs) -> None:
        sys.exit(exit_code_of(lambda: function(*args, **kwargs), (typer.Exit, typer.Abort)))

    return run


@app.command(rich_help_panel=_PANEL_OF["hook"])
def hook() -> None:
    """Ship a session in the background; run by Claude Code.

    Reads the hook's input, one JSON object, from standard input. Always exits with 0.
    """
    from ccship.hook import main  # noqa: PLC0415 - `__main__` handles `ccship hook` before this module loads

    main()


@app.command(rich_help_panel=_PANEL_OF["statusline"])
def statusline() -> None:
    """Print cost, budgets, context and backlog in one line; run by Claude Code.

    Reads one JSON object from standard input. Always exits with 0.
    """
    from ccship.statusline import main  # noqa: PLC0415 - see `hook`

    main()
