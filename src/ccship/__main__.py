"""Entry point of `ccship` and `python -m ccship`."""

import os
import sys


def main() -> None:
    """Run a command. The hook runs without the command line: typer alone takes 150 ms to import."""
    # Child processes (`backfill --jobs`) would otherwise import modules from the current folder.
    os.environ["PYTHONSAFEPATH"] = "1"
    if sys.argv[1:2] == ["hook"]:
        from ccship.hook import main as hook  # noqa: PLC0415 - see above

        hook()
        return
    from ccship.cli import app  # noqa: PLC0415 - see above

    app(prog_name="ccship")


if __name__ == "__main__":
    if not sys.flags.safe_path:
        del sys.path[0]  # the current folder: a `git.py` in it would shadow an installed module
    main()
