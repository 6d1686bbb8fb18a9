"""The command line: parse, call, print. Decides nothing that a library user would need."""

import errno
import os
import sys
from collections.abc import Callable
from functools import wraps
from importlib import import_module
from typing import Annotated, Any, Literal, ParamSpec

import typer
from typer.core import TyperGroup

from ccship import __version__
from ccship.errors import CcshipError, ConfigError

_P = ParamSpec("_P")

_COMMANDS = {
    "install": "install",
    "uninstall": "install",
    "doctor": "doctor",
    "status": "status",
    "show": "show",
    "usage": "usage",
    "verify": "verify",
    "config": "config",
    "backfill": "backfill",
}
"""Commands, each a function of its name, by the module that has it, in the order in which help lists them."""


_MARKUP: Literal["rich"] | None = "rich" if sys.stdout.isatty() and sys.stderr.isatty() else None
"""Boxes around help and usage errors, for people alone."""


class _Lazy(TyperGroup):
    """Loads a command when it is asked for: a report would else wait for all that a backfill needs."""

    def list_commands(self, ctx: Any) -> list[str]:
        return [*_COMMANDS, *super().list_commands(ctx)]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name not in _COMMANDS:
            return super().get_command(ctx, cmd_name)
        function = getattr(import_module(f"ccship.cli.{_COMMANDS[cmd_name]}"), cmd_name)
        alone = typer.Typer(add_completion=False, rich_markup_mode=_MARKUP)
        alone.command(cmd_name)(_command(function))
        return typer.main.get_command(alone)


app = typer.Typer(
    name="ccship",
    cls=_Lazy,
    help="Ship every Claude Code turn to Langfuse: exactly once, with the real times and the true cost.",
    no_args_is_help=True,
    rich_markup_mode=_MARKUP,
    add_completion=True,
    pretty_exceptions_enable=False,
)


def _version(*, asked: bool) -> None:
    if asked:
        typer.echo(f"ccship {__version__}")
        raise typer.Exit


@app.callback()
def _main(
    *,
    version: Annotated[
        bool,
        typer.Option(
            "--version", help="Say the version and leave.", callback=lambda it: _version(asked=it), is_eager=True
        ),
    ] = False,
) -> None:
    pass


def _command(function: Callable[_P, int]) -> Callable[_P, None]:
    """One boundary for all commands: what a person can mend is one line, and exit codes mean what the README says."""

    @wraps(function)
    def run(*args: _P.args, **kwargs: _P.kwargs) -> None:
        try:
            code = function(*args, **kwargs)
        except ConfigError as error:
            typer.echo(f"ccship: {error}", err=True)
            code = 2
        except CcshipError as error:
            typer.echo(f"ccship: {error}", err=True)
            code = 1
        except KeyboardInterrupt:
            typer.echo("ccship: interrupted; what had arrived is remembered, run it again to go on", err=True)
            code = 130
        except (typer.Exit, typer.Abort):
            raise
        except BrokenPipeError:
            code = _say_no_more()  # whoever reads has seen enough (`| head`)
        except Exception as error:  # noqa: BLE001 - the last boundary: what comes here is a bug
            code = _explain(error)
        sys.exit(code)

    return run


def _explain(error: Exception) -> int:
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        typer.echo(f"ccship: nothing more can be written ({error.strerror}); what had arrived is remembered", err=True)
        return _say_no_more()
    from ccship.cli.crash import write_report  # noqa: PLC0415 - hardly ever needed

    typer.echo(f"ccship: this is a bug ({type(error).__name__}); please report {write_report(error)}", err=True)
    return 3


def _say_no_more() -> int:
    """Nothing may be written at exit either."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 1


@app.command()
def hook() -> None:
    """Ship the session that Claude Code names on standard input; for Claude Code, not for people."""
    from ccship.hook import main  # noqa: PLC0415 - `ccship hook` never comes here, `ccship --help` does

    main()
