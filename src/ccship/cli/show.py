"""`ccship show`: what a session's turns were, in the terminal; sends nothing and remembers nothing."""

import glob
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import orjson
import typer

from ccship import config
from ccship.cli.output import counted
from ccship.cli.turn_screen import Screen, session_screen, turn_number, turn_screen
from ccship.errors import ConfigError
from ccship.observations import Observation
from ccship.privacy import OPEN
from ccship.ship import Shipper
from ccship.sinks import Delivery
from ccship.state import State
from ccship.transcript.discover import Session, cwd_of, sessions_at
from ccship.transcript.files import project_folder_name

_MAX_LISTED = 10
"""Sessions that an error names; nobody reads more."""


def show(
    session: Annotated[
        str | None,
        typer.Argument(
            help="The beginning of a session's id, or a transcript; default: the latest session of this directory."
        ),
    ] = None,
    *,
    turn: Annotated[
        int | None, typer.Option(help="The tree of this turn, by its number; -1 is the last. Without it: all turns.")
    ] = None,
    as_sent: Annotated[
        bool, typer.Option("--as-sent", help="As Langfuse gets it: redacted and shortened by the settings that hold.")
    ] = False,
    claude_dir: Annotated[
        Path | None, typer.Option(help="Claude's config folder (default: $CLAUDE_CONFIG_DIR or ~/.claude).")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", "--raw", help="Print the observations as one JSON list.")] = False,
) -> int:
    """Show the turns of a session, or one turn with all that was done in it: times, tokens, cost, errors."""
    settings = config.load()
    chosen = _choose(session, (claude_dir or settings.claude_dir).expanduser())
    sent = settings.for_project(cwd_of(chosen))
    if as_sent and sent is None:
        raise ConfigError(f"session {chosen.session_id} is never sent: its project is excluded (CC_LANGFUSE_EXCLUDE)")
    labels = (sent or settings).labels
    sink = _KeepingSink()
    shipper = Shipper(sink, State(None, "show"), labels, policy=sent.policy if as_sent and sent else OPEN)
    shipper.ship(chosen)
    for problem in shipper.report.problems:
        typer.echo(f"ccship: {problem}", err=True)
    if bad := shipper.report.lines["bad"]:
        typer.echo(f"ccship: {counted(bad, 'line')} could not be read", err=True)
    observations = list(sink.kept.values())
    if turn is not None:
        observations = _of_turn(observations, turn, chosen)
    if as_json:
        sys.stdout.buffer.write(orjson.dumps(observations, option=orjson.OPT_INDENT_2) + b"\n")
    elif turn is None:
        session_screen(Screen(), chosen.session_id, observations, copied=shipper.report.turns["copied"])
    else:
        turn_screen(Screen(), observations)
    return 1 if shipper.report.problems else 0


class _KeepingSink:
    """Keeps what would have been sent, the latest of each."""

    def __init__(self) -> None:
        self.kept: dict[str, Observation] = {}

    def deliver(self, observations: Sequence[Observation]) -> Delivery:
        self.kept.update((observation.span_id, observation) for observation in observations)
        return Delivery(accepted={observation.span_id for observation in observations})

    def close(self) -> None:
        """Nothing to finish."""


def _of_turn(observations: list[Observation], turn: int, session: Session) -> list[Observation]:
    traces = {turn_number(it): it.trace.trace_id for it in observations if turn_number(it) is not None}
    numbers = sorted(number for number in traces if number is not None)
    if not numbers:
        raise ConfigError(f"session {session.session_id} has no turns of its own")
    number = numbers[turn] if -len(numbers) <= turn < 0 else turn
    if number not in traces:
        raise ConfigError(
            f"session {session.session_id} has no turn {turn}: its turns are {numbers[0]} to {numbers[-1]}"
        )
    return [it for it in observations if it.trace.trace_id == traces[number]]


def _choose(named: str | None, claude_dir: Path) -> Session:
    if named is None:
        return _latest_here(claude_dir)
    path = Path(named).expanduser()
    if path.exists() or path.suffix == ".jsonl" or len(path.parts) > 1:
        return _only(sessions_at([path]), named)
    found = [path for path in claude_dir.glob(f"projects/*/{glob.escape(named)}*.jsonl") if _is_main(path)]
    if not found:
        raise ConfigError(f"no session in {claude_dir} begins with {named!r}: ccship usage --by session lists them")
    return _only(sessions_at(found), named)


def _only(sessions: list[Session], named: str) -> Session:
    if len(sessions) == 1:
        return sessions[0]
    if not sessions:
        raise ConfigError(f"no transcripts in {named}")
    listed = [f"{it.session_id} ({it.paths[0].parent.name})" for it in sessions[:_MAX_LISTED]]
    rest = [f"and {len(sessions) - _MAX_LISTED} more"] if len(sessions) > _MAX_LISTED else []
    raise ConfigError(f"{named!r} is {len(sessions)} sessions, name one: {', '.join([*listed, *rest])}")


def _latest_here(claude_dir: Path) -> Session:
    """The latest session of the working directory, or of the nearest folder above it that has one."""
    here = Path.cwd()
    for folder in (here, *here.parents):
        project = claude_dir / "projects" / project_folder_name(str(folder))
        mains = [path for path in project.glob("*.jsonl") if _is_main(path)]
        if mains:
            return _only(sessions_at([max(mains, key=lambda path: path.stat().st_mtime_ns)]), str(project))
    raise ConfigError(f"no session of {here} in {claude_dir}: name one; ccship usage --by session lists them")


def _is_main(path: Path) -> bool:
    return not path.name.startswith("agent-") and path.is_file()
