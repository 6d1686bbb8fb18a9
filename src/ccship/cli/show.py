"""`ccship show`: draw the turns of a session in the terminal. Sends nothing and writes nothing."""

import glob
import sys
from contextlib import suppress
from dataclasses import replace as with_fields
from pathlib import Path
from typing import Annotated

import orjson
import typer
from msgspec.structs import asdict, replace

from ccship import config
from ccship.cli.output import counted
from ccship.cli.turn_screen import Screen, session_screen, turn_number, turn_screen
from ccship.errors import ConfigError
from ccship.observations import Observation, TraceSettings, attached
from ccship.observations.line_outcomes import BAD, RecordCounts, outcomes_in
from ccship.pipeline.plan import Options
from ccship.pipeline.ship import Shipper
from ccship.privacy import UNFILTERED
from ccship.review import signals_at, trace_id_of
from ccship.signals.model import Signals
from ccship.sinks.collecting import CollectingSink
from ccship.state import State
from ccship.state.parents import parent_at, stored_parents
from ccship.transcript.discover import Session, cwd_of, sessions_at
from ccship.transcript.files import is_there, project_folder_name

_MAX_LISTED = 10
"""The most sessions that an error message lists."""


def show(
    session: Annotated[
        str | None,
        typer.Argument(help="Session id prefix or transcript (default: the latest session of this folder)"),
    ] = None,
    *,
    turn: Annotated[
        int | None,
        typer.Option(help="Draw the turn with this number as a tree; -1 is the last (default: list all turns)"),
    ] = None,
    as_sent: Annotated[
        bool, typer.Option("--as-sent", help="Show the text as Langfuse receives it: redacted and shortened")
    ] = False,
    claude_dir: Annotated[
        Path | None, typer.Option(help="Claude config folder (default: $CLAUDE_CONFIG_DIR or ~/.claude)")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", "--raw", help="Print the observations as one JSON list")] = False,
) -> int:
    """Show the turns of a session, or one turn as a tree.

    With times, tokens, cost and errors.
    """
    settings = config.load()
    chosen = _choose(session, (claude_dir or settings.claude_dir).expanduser())
    sent = settings.for_project(cwd_of(chosen))
    if as_sent and sent is None:
        raise ConfigError(f"session {chosen.session_id} is never sent: CC_LANGFUSE_EXCLUDE excludes its project")
    trace_settings = (sent or settings).trace_settings
    sink = CollectingSink[Observation](lambda observation: observation)
    shipper = Shipper(
        sink, State(None, "show"), Options(trace_settings), policy=sent.policy if as_sent and sent else UNFILTERED
    )
    report = shipper.ship([chosen])
    for problem in report.problems:
        typer.echo(f"ccship: {problem}", err=True)
    if bad := RecordCounts.of(outcomes_in(report.lines)).ignored[BAD]:
        typer.echo(f"ccship: {counted(bad, 'line')} could not be parsed", err=True)
    observations = list(sink.kept.values())
    if turn is not None:
        observations = _of_turn(observations, turn, chosen)
    if as_json:
        sent_as = _attached(observations, chosen, settings.state_dir, trace_settings)
        sys.stdout.buffer.write(orjson.dumps([*map(asdict, sent_as)], option=orjson.OPT_INDENT_2) + b"\n")
    elif turn is None:
        signals = _signals(chosen, trace_settings)
        session_screen(Screen(), chosen.session_id, observations, signals, copied=report.turns["copied"])
    else:
        turn_screen(Screen(), observations, _signals(chosen, trace_settings))
    return 1 if report.problems else 0


def _attached(
    observations: list[Observation], session: Session, state_dir: Path, trace_settings: TraceSettings
) -> list[Observation]:
    """Return the observations with the trace ids that Langfuse has: those of attached turns are their parents'."""
    ranges = stored_parents(state_dir).get(session.session_id)
    if not ranges or session.main is None:
        return observations
    parents = {
        trace_id_of(evaluated, session, trace_settings): parent_at(ranges, evaluated.turn.opened)
        for evaluated in signals_at(session.main)
    }
    return [
        attached(replace(found, trace=with_fields(found.trace, parent=parents.get(found.trace.trace_id))))
        for found in observations
    ]


def _signals(session: Session, trace_settings: TraceSettings) -> dict[str, Signals]:
    """Return the signals of each turn by trace id. Why a file cannot be read is reported already."""
    if session.main is None:
        return {}
    with suppress(OSError):
        return {
            trace_id_of(evaluated, session, trace_settings): evaluated.signals for evaluated in signals_at(session.main)
        }
    return {}


def _of_turn(observations: list[Observation], turn: int, session: Session) -> list[Observation]:
    traces = {
        turn_number(observation): observation.trace.trace_id
        for observation in observations
        if turn_number(observation) is not None
    }
    numbers = sorted(number for number in traces if number is not None)
    if not numbers:
        raise ConfigError(f"session {session.session_id} has no turns: it contains no prompt, or only copies")
    number = numbers[turn] if -len(numbers) <= turn < 0 else turn
    if number not in traces:
        raise ConfigError(f"session {session.session_id} has no turn {turn}: choose {numbers[0]} to {numbers[-1]}")
    return [observation for observation in observations if observation.trace.trace_id == traces[number]]


def _choose(named: str | None, claude_dir: Path) -> Session:
    if named is None:
        return _latest_here(claude_dir)
    path = Path(named).expanduser()
    if is_there(path) or path.suffix == ".jsonl" or len(path.parts) > 1:
        return _only(sessions_at([path]), named)
    matches = [path for path in claude_dir.glob(f"projects/*/{glob.escape(named)}*.jsonl") if _is_main(path)]
    if not matches:
        raise ConfigError(
            f"no session in {claude_dir} has the id prefix {named!r}: ccship usage --by session lists all"
        )
    return _only(sessions_at(matches), named)


def _only(sessions: list[Session], named: str) -> Session:
    if len(sessions) == 1:
        return sessions[0]
    if not sessions:
        raise ConfigError(f"no transcripts in {named}: name a .jsonl file or a folder of them")
    listed = [f"{session.session_id} ({session.paths[0].parent.name})" for session in sessions[:_MAX_LISTED]]
    rest = [f"and {len(sessions) - _MAX_LISTED} more"] if len(sessions) > _MAX_LISTED else []
    raise ConfigError(f"{named!r} matches {len(sessions)} sessions, choose one: {', '.join([*listed, *rest])}")


def _latest_here(claude_dir: Path) -> Session:
    """Return the latest session of the current folder, or of its nearest parent that has one."""
    here = Path.cwd()
    for folder in (here, *here.parents):
        project = claude_dir / "projects" / project_folder_name(str(folder))
        mains = [path for path in project.glob("*.jsonl") if _is_main(path)]
        if mains:
            return _only(sessions_at([max(mains, key=lambda path: path.stat().st_mtime_ns)]), str(project))
    raise ConfigError(f"no session of {here} in {claude_dir}: name a session; ccship usage --by session lists all")


def _is_main(path: Path) -> bool:
    return not path.name.startswith("agent-") and path.is_file()
