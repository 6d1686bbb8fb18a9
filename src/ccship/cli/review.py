"""`ccship review`: list the turns that are worth reading."""

from pathlib import Path
from typing import Annotated

import typer

from ccship import config
from ccship.cli.columns import GAP, dollars, widths
from ccship.cli.output import JsonOption, counted, local_time, print_json
from ccship.cli.selection import select
from ccship.cli.signal_text import reasons_text
from ccship.cli.times import span
from ccship.config.routing import title_of
from ccship.observations.model import iso_utc
from ccship.pipeline.plan import Window
from ccship.review import Cost, Review, Reviewed
from ccship.review import review as find
from ccship.sinks.project import project_id_of

_SHORT_ID = 8


def review(
    *,
    since: Annotated[
        str, typer.Option(help="Only turns that began at or after this date, time or age (7d, 12h, 30m)")
    ] = "7d",
    project: Annotated[str | None, typer.Option(help="Only projects whose path contains this text")] = None,
    claude_dir: Annotated[
        Path | None, typer.Option(help="Claude config folder (default: $CLAUDE_CONFIG_DIR or ~/.claude)")
    ] = None,
    as_json: JsonOption = False,
) -> int:
    """List the turns that are worth reading, and why.

    Found in the transcripts on this machine; sends nothing. A turn that is not listed may have gone wrong too.
    """
    settings = config.load()
    window = Window(*span(since, None))
    found = find(select([], (claude_dir or settings.claude_dir).expanduser(), project=project), settings, window)
    for problem in found.problems:
        typer.echo(f"ccship: {problem}", err=True)
    urls = _urls(found)
    if as_json:
        print_json(_document(found, urls))
    else:
        typer.echo("\n".join(_lines(found, since, urls)))
    return 1 if found.problems else 0


def _urls(found: Review) -> dict[str, str]:
    """Return the address of each trace whose server names its project; ask each server once."""
    projects: dict[str, str | None] = {}
    urls = {}
    for turn in found.turns:
        if (sent_to := turn.sent_to) is None:
            continue
        if sent_to.destination not in projects:
            projects[sent_to.destination] = project_id_of(sent_to)
        if project_id := projects[sent_to.destination]:
            urls[turn.trace_id] = f"{sent_to.base_url}/project/{project_id}/{turn.path}"
    return urls


def _lines(found: Review, since: str, urls: dict[str, str]) -> list[str]:
    if not found.read:
        return [f"no turns since {since}: choose an earlier time with --since"]
    read = f"{counted(found.read, 'turn')} of {counted(found.sessions, 'session')} since {since}"
    if not found.turns:
        return [f"no turn needs review: {read} read"]
    heads = ("began", "session", "turn", "cost")
    rows = [heads, *((local_time(turn.start_ns / 1e9), turn.session_id[:_SHORT_ID], str(turn.number), _money(turn.cost))
                     for turn in found.turns)]  # fmt: skip
    sizes = widths(rows)
    texts = ["reasons", *(reasons_text(turn.signals) for turn in found.turns)]
    links = [None, *(urls.get(turn.trace_id) for turn in found.turns)]
    lines = [f"{len(found.turns):,} of {read} need review"]
    for cells, text, url in zip(rows, texts, links, strict=True):
        columns = [
            cells[0].ljust(sizes[0]),
            cells[1].ljust(sizes[1]),
            cells[2].rjust(sizes[2]),
            cells[3].rjust(sizes[3]),
        ]
        lines += [GAP.join([*columns, text]), *([f"{GAP}{url}"] if url else [])]
    if unpriced := sorted({model for turn in found.turns for model in turn.cost.unpriced}):
        lines.append(f"* cost excludes {', '.join(unpriced)}: no price known, the true cost is higher")
    unlinked = [turn.sent_to for turn in found.turns if turn.sent_to and turn.trace_id not in urls]
    if others := sorted({title_of(each.name) for each in unlinked if each.kind == "otlp"}):
        lines.append(f"no links to {', '.join(others)}: ccship links to Langfuse only")
    if silent := sorted({each.base_url for each in unlinked if each.kind == "langfuse"}):
        lines.append(f"no links: {', '.join(silent)} did not name the project of the keys: run ccship doctor")
    return [*lines, "To see the steps of a turn: ccship show SESSION --turn N"]


def _money(cost: Cost) -> str:
    if cost.unpriced and not cost.usd:
        return "?"
    return dollars(cost.usd) + ("*" if cost.unpriced else "")


def _document(found: Review, urls: dict[str, str]) -> dict[str, object]:
    return {
        "turns": [{**_fields(turn), "url": urls.get(turn.trace_id)} for turn in found.turns],
        "read_turns": found.read,
        "read_sessions": found.sessions,
        "problems": found.problems,
    }


def _fields(turn: Reviewed) -> dict[str, object]:
    return {
        "session": turn.session_id,
        "turn": turn.number,
        "began": iso_utc(turn.start_ns),
        "directory": turn.cwd,
        "reasons": turn.signals.reasons,
        "signals": dict(turn.signals.values()),
        "complaint_parts": turn.signals.complaint_parts,
        "api_error_class": turn.signals.api_error_class,
        "cost_usd": None if turn.cost.unpriced and not turn.cost.usd else round(turn.cost.usd, 6),
        "unpriced_models": sorted(turn.cost.unpriced),
        "trace_id": turn.sent_id,
    }
