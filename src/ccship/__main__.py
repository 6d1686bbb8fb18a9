"""Where `ccship` and `python -m ccship` begin."""

import sys


def main() -> None:
    """Run the hook without loading the command line: it has milliseconds, and typer alone takes 150."""
    if sys.argv[1:2] == ["hook"]:
        from ccship.hook import main as hook  # noqa: PLC0415 - see above

        hook()
        return
    from ccship.cli import app  # noqa: PLC0415 - see above

    app(prog_name="ccship")


if __name__ == "__main__":
    main()
