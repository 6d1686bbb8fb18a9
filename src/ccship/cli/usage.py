"""`ccship usage`: the options and their help. `usage_report` does the work."""

from pathlib import Path
from typing import Annotated, get_args

import typer

from ccship.cli.usage_report import UsageOptions, report
from ccship.usage.dimensions import By


def usage(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(
            help="Transcripts or folders of transcripts (default: the Claude config folder);"
            " `cache` first shows what the prompt cache served and why it was rebuilt"
        ),
    ] = None,
    *,
    claude_dir: Annotated[
        Path, typer.Option(help="Claude config folder", envvar="CLAUDE_CONFIG_DIR", show_envvar=True)
    ] = Path("~/.claude"),
    by: Annotated[str, typer.Option(help=f"Group rows by one or two of {', '.join(get_args(By))}")] = "day",
    since: Annotated[
        str | None, typer.Option(help="Only calls that began at or after this date, time or age (7d, 12h, 30m)")
    ] = None,
    until: Annotated[str | None, typer.Option(help="Only calls that began before this date, time or age")] = None,
    project: Annotated[str | None, typer.Option(help="Only projects with this in their path")] = None,
    model: Annotated[str | None, typer.Option(help="Only models with this in their name")] = None,
    on_disk: Annotated[bool, typer.Option("--on-disk", help="Leave out deleted transcripts")] = False,
    recount: Annotated[
        bool, typer.Option("--recount", help="Read all transcripts from the beginning, and rebuild the ledger")
    ] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print the rows as CSV")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document")] = False,
) -> int:
    """Show tokens and cost by day, model, project, branch, pull request and more.

    Counted from the transcripts on this machine; sends nothing. Calls of transcripts that were read before Claude Code
    deleted them are included.
    """
    return report(
        UsageOptions(
            tuple(paths or ()),
            claude_dir,
            by,
            since,
            until,
            project,
            model,
            on_disk=on_disk,
            recount=recount,
            as_csv=as_csv,
            as_json=as_json,
        )
    )
