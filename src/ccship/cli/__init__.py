"""The command line: parse, call, print. Decides nothing that a library user would need."""

import os
import sys
from collections.abc import Callable
from functools import wraps
from typing import Annotated, ParamSpec

import typer

from ccship import __version__
from ccship.cli.backfill import backfill
from ccship.cli.crash import write_report
from ccship.cli.doctor import doctor
from ccship.cli.install import install, uninstall
from ccship.cli.status import status
from ccship.errors import CcshipError, ConfigError

_P = ParamSpec("_P")

app = typer.Typer(
    name="ccship",
    help="Ship every Claude Code turn to Langfuse: exactly once, with the real times and the true cost.",
    no_args_is_help=True,
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
            # whoever reads has seen enough (`| head`); nothing may be written at exit either
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            code = 1
        except Exception as error:  # noqa: BLE001 - the last boundary: what comes here is a bug
            typer.echo(f"ccship: this is a bug ({type(error).__name__}); please report {write_report(error)}", err=True)
            code = 3
        sys.exit(code)

    return run


for command in (backfill, doctor, install, status, uninstall):
    app.command()(_command(command))


@app.command()
def hook() -> None:
    """Ship the session that Claude Code names on standard input; for Claude Code, not for people."""
    from ccship.hook import main  # noqa: PLC0415 - `ccship hook` never comes here, `ccship --help` does

    main()
