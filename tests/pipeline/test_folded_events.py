"""A destination that folds events gets them with their parents, and its books balance."""

from pathlib import Path

import pytest
from msgspec.structs import replace

from ccship.observations import fold_events
from ccship.pipeline.plan import Options
from ccship.pipeline.ship import Shipper
from ccship.privacy import UNFILTERED
from ccship.privacy.encoding import encode
from ccship.sinks import Sink
from ccship.state import State
from ccship.transcript.discover import sessions_at
from helpers import KeepingSink
from lines import Lines
from pipeline.test_books import FussySink, books
from privacy.observation import observation


def turn(*, blocked: bool = False) -> Lines:
    """A turn with an interruption and, later, an event that changes nothing else about it."""
    lines = Lines().prompt("go").assistant("m1", "I go").user("[Request interrupted by user]")
    error = {"type": "hook_blocking_error", "blockingError": {"blockingError": "no"}}
    return lines.add("attachment", attachment=error) if blocked else lines


def ship(sink: Sink, state: State, path: Path, *, folds_events: bool = True) -> Shipper:
    shipper = Shipper(sink, state, Options(folds_events=folds_events), policy=UNFILTERED)
    shipper.ship(sessions_at([path]))
    return shipper


def test_a_new_event_sends_its_parent_again(tmp_path: Path) -> None:
    """And nothing else; without a new one nothing is sent."""
    sink, state, path = KeepingSink(), State(None, "test"), tmp_path / "s1.jsonl"
    ship(sink, state, turn().write(path))
    assert [[event.name for event in one.events] for one in sink.sent] == [["interrupted"], []]
    sink.sent.clear()
    ship(sink, state, path)
    assert sink.sent == []
    ship(sink, state, turn(blocked=True).write(path))
    assert [[event.name for event in one.events] for one in sink.sent] == [["interrupted", "hook_blocked"]]


@pytest.mark.parametrize(("folds_events", "shipped", "dead"), [(True, 2, 3), (False, 3, 2)])
def test_the_lines_of_events_in_a_refused_span_are_dead_letters(
    tmp_path: Path, *, folds_events: bool, shipped: int, dead: int
) -> None:
    """Two openings and the event; the calls arrived. An event with a span of its own arrived, too."""
    path = turn().prompt("go on").assistant("m2", "I go on").write(tmp_path / "s1.jsonl")
    with State(tmp_path / "state", "test") as state:
        ship(FussySink(refuses=("claude_turn",)), state, path, folds_events=folds_events)
    counts = books(tmp_path / "state")
    assert (counts.shipped, counts.dead_lettered) == (shipped, dead)


def test_events_change_digest_and_size_of_their_parent_only() -> None:
    """Without events both are as before: an upgrade sends nothing again."""
    root, event = observation("agent"), replace(observation("event", input="why?"), parent_span_id="1" * 16)
    event = replace(event, span_id="2" * 16)
    (folded,) = fold_events([root, event])
    assert encode(folded).digest != encode(root).digest
    assert encode(folded).size >= encode(root).size + encode(event).size
    (changed,) = fold_events([root, replace(event, input="how?")])
    assert encode(changed).digest != encode(folded).digest
    assert encode(replace(folded, events=())).digest == encode(root).digest
