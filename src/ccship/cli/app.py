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

_COMMANDS = {
    "install": "install",
    "uninstall": "install",
    "doctor": "doctor",
    "status": "status",
    "show": "show",
    "review": "review",
    "usage": "usage",
    "budget": "budget",
    "forget": "forget",
    "verify": "verify",
    "config": "config",
    "backfill": "backfill",
}
"""Command -> the module of `ccship.cli` that defines the function of that name, in the order of `--help`."""


_MARKUP: Literal["rich"] | None = "rich" if sys.stdout.isatty() and sys.stderr.isatty() else None
"""Boxes around help and usage errors; only on a terminal."""


class _LazyCommands(TyperGroup):
    """Imports a command's module only when that command runs: `usage` must not pay for the imports of `backfill`."""

    def list_commands(self, ctx: Any) -> list[str]:
        return [*_COMMANDS, *super().list_commands(ctx)]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name not in _COMMANDS:
            return super().get_command(ctx, cmd_name)
        function = getattr(import_module(f"ccship.cli.{_COMMANDS[cmd_name]}"), cmd_name)
        single = typer.Typer(add_completion=False, rich_markup_mode=_MARKUP)
        single.command(cmd_name)(_command(function))
        return typer.main.get_command(single)


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


@app.command()
def hook() -> None:
    """Ship a session in the background; run by Claude Code.

    Reads the hook's input, one JSON object, from standard input. Always exits with 0.
    """
    from ccship.hook import main  # noqa: PLC0415 - `__main__` handles `ccship hook` before this module loads

    main()
