"""Entry point of `ccship` and `python -m ccship`."""

import os
import sys


def main() -> None:
    """Run a command. The hook, the status line and most reports run without typer, which takes 150 ms to import."""
    # Child processes (`backfill --jobs`) would otherwise import modules from the current folder.
    os.environ["PYTHONSAFEPATH"] = "1"
    if sys.argv[1:2] == ["hook"]:
        from ccship.hook import main as hook  # noqa: PLC0415 - see above

        hook()
        return
    if sys.argv[1:] == ["statusline"]:
        from ccship.statusline import main as statusline  # noqa: PLC0415 - see above

        statusline()
        return
    if sys.argv[1:2] == ["usage"]:
        from ccship.cli.lean import run  # noqa: PLC0415 - see above

        code = run(sys.argv[2:])
        if code is not None:
            sys.exit(code)
    from ccship.cli.app import app  # noqa: PLC0415 - see above

    app(prog_name="ccship")


if __name__ == "__main__":
    if not sys.flags.safe_path:
        del sys.path[0]  # the current folder: a `git.py` in it would shadow an installed module
    main()
