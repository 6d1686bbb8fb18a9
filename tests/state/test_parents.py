"""The parents of live runs: which turn has which, whatever the order in which events are recorded."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ccship.observations import Parent, Trace
from ccship.state import Launch, State
from ccship.state.parents import ParentRange, Ranges, RunEvent, changed_by, parent_at, stored_parents
from ccship.state.rows import launch_row, load_trace
from ccship.unit import Link

P, Q = Parent("a" * 32, "b" * 16), Parent("c" * 32, "d" * 16)


def event(at_ns: int, size: int, parent: Parent | None, *, starts: bool = False) -> RunEvent:
    return RunEvent(at_ns, size, starts, parent)


def recorded(events: list[RunEvent], shipped: int = 0, size: int = 10_000) -> Ranges:
    """The ranges after some events."""
    ranges: Ranges = ()
    for each in events:
        if found := changed_by(ranges, each, shipped, size):
            ranges = (*(known for known in ranges if known.start < found.start), found)
    return ranges


CASES: dict[str, tuple[list[RunEvent], dict[int, Parent | None]]] = {
    "no parent": ([event(1, 0, None, starts=True), event(2, 900, None)], {0: None, 900: None}),
    "a new session": ([event(1, 0, P, starts=True), event(2, 900, P)], {0: P, 900: P, 9000: P}),
    "a new session that was killed": ([event(1, 0, P, starts=True)], {0: P, 9000: P}),
    "a client without SessionStart": ([event(1, 900, P)], {0: P, 900: P}),
    "resumed with a parent": ([event(1, 900, None), event(2, 1000, P, starts=True)], {0: None, 999: None, 1000: P}),
    "resumed without": (
        [event(1, 0, P, starts=True), event(2, 900, P), event(3, 1000, None, starts=True), event(4, 2000, None)],
        {0: P, 999: P, 1000: None, 5000: None},
    ),
    "resumed without, by a client without SessionStart": (
        [event(1, 900, P), event(2, 2000, None)], {0: P, 899: P, 900: None},
    ),
    "resumed with another": (
        [event(1, 900, P), event(2, 1000, Q, starts=True), event(3, 3000, Q), event(4, 3000, P, starts=True)],
        {0: P, 1000: Q, 2999: Q, 3000: P},
    ),
    "started twice at the same place": (
        [event(1, 0, P, starts=True), event(2, 0, Q, starts=True), event(3, 500, Q)], {0: Q, 500: Q},
    ),
    "a compaction within the run": ([event(1, 0, P, starts=True), event(2, 500, P, starts=True)], {0: P, 500: P}),
}  # fmt: skip


@pytest.mark.parametrize(("events", "expected"), CASES.values(), ids=CASES.keys())
def test_the_turns_of_a_run_have_its_parent(events: list[RunEvent], expected: dict[int, Parent | None]) -> None:
    """By the offset at which a turn begins."""
    ranges = recorded(events)
    assert {offset: parent_at(ranges, offset) for offset in expected} == expected
    assert bool(ranges) == any(each.parent for each in events)


def test_what_was_shipped_without_a_parent_stays_so() -> None:
    """Also if the start of the run was recorded after its first turn was sent."""
    ranges = recorded([event(1, 500, P, starts=True)], shipped=700)
    assert [parent_at(ranges, offset) for offset in (0, 500, 699, 700)] == [None, None, None, P]


def test_a_transcript_that_became_shorter_gets_the_parent_of_the_new_run() -> None:
    """Offsets of the longer one do not apply to it."""
    before = (ParentRange(0, 5000, 1, P), ParentRange(5000, 9000, 2, None))
    found = changed_by(before, event(3, 300, Q, starts=True), 9000, 300)
    assert found == ParentRange(300, 300, 3, Q)


@st.composite
def sequences(draw: st.DrawFn) -> list[RunEvent]:
    """Events of several runs, one after the other."""
    events, at_ns, size = [], 0, 0
    for parent in draw(st.lists(st.sampled_from([None, P, Q]), min_size=1, max_size=5)):
        starts = True
        for grown in draw(st.lists(st.integers(0, 900), min_size=1, max_size=4)):
            at_ns, size = at_ns + 1, size + grown
            events.append(event(at_ns, size, parent, starts=starts))
            starts = False
    return events


@given(sequences(), st.data())
def test_a_second_process_that_lags_behind_changes_nothing(events: list[RunEvent], data: st.DataObject) -> None:
    """Each destination has a worker of its own with the same requests."""
    once = recorded(events)
    lag = data.draw(st.integers(0, len(events)))
    late = [item for n, each in enumerate(events) for item in ((each, events[n - lag]) if n >= lag else (each,))]
    assert recorded([*late, *events]) == once


@given(sequences())
def test_the_parent_of_a_turn_never_changes_once_it_was_recorded(events: list[RunEvent]) -> None:
    """Neither later events of its run nor later runs move it."""
    for n in range(1, len(events)):
        before, after = recorded(events[:n]), recorded(events[: n + 1])
        end = events[n - 1].size
        for offset in range(0, end, 50):
            assert parent_at(after, offset) == parent_at(before, offset)


def test_a_state_keeps_them_for_all_destinations(tmp_path: Path) -> None:
    """And for a reader that must not change the file; a state in memory can take them over."""
    transcript = tmp_path / "s1.jsonl"
    transcript.write_bytes(b"x" * 900)
    with State(tmp_path / "state", "one") as one, State(tmp_path / "state", "two") as two:
        one.record_event(transcript, event(1, 0, P, starts=True))
        two.record_event(transcript, event(1, 0, P, starts=True))
        two.record_event(transcript, event(2, 900, None, starts=True))
        expected = (ParentRange(0, 0, 1, P), ParentRange(900, 900, 2, None))
        assert one.parents("s1") == two.parents("s1") == expected
        assert stored_parents(tmp_path / "state") == {"s1": expected}
        with State(None, "three").take_parents(tmp_path / "state") as three:
            assert three.parents("s1") == expected


def test_a_session_without_a_parent_has_no_rows(tmp_path: Path) -> None:
    """Nor has a folder without a state."""
    with State(tmp_path / "state", "one") as state:
        state.record_event(tmp_path / "s1.jsonl", event(1, 0, None, starts=True))
        assert state.parents("s1") == ()
    assert stored_parents(tmp_path / "state") == stored_parents(tmp_path / "none") == {}
    assert not (tmp_path / "none").exists()


def test_launches_and_links_keep_the_parent(tmp_path: Path) -> None:
    """A subagent may be read hours later; an older state has none."""
    trace = Trace("0" * 32, "claude_turn_1", "s1", parent=P)
    row = launch_row(Launch("t1", trace, "m1", None, None, b""))
    assert load_trace(str(bytes(row["trace"]), "utf-8")) == trace  # type: ignore[call-overload]
    with State(tmp_path, "one") as state:
        known = state.transcript(tmp_path / "agent-a.jsonl", "s1")
        known.link = Link(trace, "f" * 16)
        state.save(known)
        assert state.transcript(tmp_path / "agent-a.jsonl", "s1").link == known.link
    assert load_trace('{"trace_id": "0", "name": "n", "session_id": "s", "tags": []}').parent is None
