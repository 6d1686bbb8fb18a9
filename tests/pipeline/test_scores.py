"""Scores arrive after their trace, and what a server then shows does not depend on how a session was shipped."""

import shutil
import sqlite3
from collections.abc import Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ccship.errors import Retryable
from ccship.pipeline.plan import Options
from ccship.pipeline.report import Report
from ccship.pipeline.ship import Shipper
from ccship.privacy.encoding import Encoded
from ccship.signals.scores import Score, SignalsMode
from ccship.sinks import Delivery
from ccship.state import State
from ccship.transcript.discover import sessions_at
from eventful import content_of, eventful
from helpers import KeepingSink
from lines import Lines, tool
from scored import ScoreTable

EVENTFUL = content_of(eventful())
LINE_ENDS = [at for at, byte in enumerate(EVENTFUL, 1) if byte == 10]


class Died(BaseException):
    """The process is gone: nothing of what was accepted is remembered."""


class FragileSink(KeepingSink):
    """Loses the connection, or dies, at a call: counted over spans and scores, before or after it was stored."""

    def __init__(self, scores: ScoreTable, fails_at: int = -1, *, dies: bool = False, stores: bool = True) -> None:
        super().__init__(scores)
        self.calls = 0
        self.fails_at, self.dies, self.stores = fails_at, dies, stores

    def deliver(self, spans: Sequence[Encoded]) -> Delivery:
        return self._answered(super().deliver(spans))

    def score(self, scores: Sequence[Score]) -> Delivery:
        if self.calls == self.fails_at and not self.stores:
            return self._answered(Delivery())
        return self._answered(super().score(scores))

    def _answered(self, delivery: Delivery) -> Delivery:
        self.calls += 1
        if self.calls - 1 != self.fails_at:
            return delivery
        if self.dies:
            raise Died
        return Delivery(failure=Retryable("gone"))


def ship(
    paths: Path | Sequence[Path], sink: KeepingSink, state_dir: Path, mode: SignalsMode = "all", **options: Any
) -> Report:
    found = sessions_at([paths] if isinstance(paths, Path) else paths)
    with State(state_dir, "here") as state, suppress(Died):
        return Shipper(sink, state, Options(signals=mode, **options)).ship(found)
    return Report()


def scores_of(lines: Lines, folder: Path, mode: SignalsMode = "all") -> ScoreTable:
    """What a server shows of a session that is shipped at once."""
    sink = KeepingSink()
    ship(lines.write(folder / "elsewhere/s1.jsonl"), sink, folder / "of-whole", mode)
    return sink.scores


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> ScoreTable:
    return scores_of(eventful(), tmp_path_factory.mktemp("whole"))


@given(
    cuts=st.lists(
        st.tuples(st.sampled_from(LINE_ENDS), st.integers(-1, 3), st.booleans(), st.booleans(), st.booleans()),
        max_size=10,
    )
)
@settings(max_examples=50)
@example(cuts=[(at, -1, False, True, False) for at in LINE_ENDS])
@example(cuts=[(at, 1, False, False, False) for at in LINE_ENDS])
@example(cuts=[(at, 1, True, True, False) for at in LINE_ENDS])
@example(cuts=[(at, -1, False, True, True) for at in LINE_ENDS])
def test_pieces_failures_crashes_and_a_lost_state_change_nothing(
    cuts: list[tuple[int, int, bool, bool, bool]], whole: ScoreTable, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """The same ids, values, comments and times as in one piece."""
    folder = tmp_path_factory.mktemp("pieces")
    transcript, table = folder / "s1.jsonl", ScoreTable()
    for end, fails_at, dies, stores, wipes in sorted(cuts):
        transcript.write_bytes(EVENTFUL[:end]) if not transcript.exists() else append(transcript, EVENTFUL[:end])
        if wipes:
            shutil.rmtree(folder / "state", ignore_errors=True)
        ship(transcript, FragileSink(table, fails_at, dies=dies, stores=stores), folder / "state")
    append(transcript, EVENTFUL)
    assert ship(transcript, KeepingSink(table), folder / "state").ok
    assert table.rows == whole.rows


def test_a_wait_that_turns_out_to_be_none_is_taken_back(tmp_path: Path) -> None:
    """The result of a tool that arrives after the next prompt moves the end of the turn behind it."""
    lines = Lines(session="s1").prompt("start the server").assistant("m1", tool("t1", "Bash", command="serve"))
    lines.prompt("is it running?").result("t1", "listening")
    content, table = content_of(lines), ScoreTable()
    for end in (content.rindex(b"\n", 0, -1) + 1, len(content)):
        transcript = tmp_path / "s1.jsonl"
        transcript.write_bytes(content[:end])
        ship(transcript, KeepingSink(table), tmp_path / "state")
        waits = [row[2] for row in table.of("human_wait_seconds").values()]
        assert waits == ([1] if end < len(content) else [0])
    assert table.rows == scores_of(lines, tmp_path).rows


def append(transcript: Path, content: bytes) -> None:
    """Let a file grow to a content, as Claude Code does."""
    with transcript.open("ab") as file:
        file.write(content[file.tell() :])


def test_what_went_wrong_is_in_the_scores(whole: ScoreTable) -> None:
    """Every kind of change is in that session, or the test above would show nothing."""
    values = {name: {row[2] for row in whole.of(name).values()} for name in ("needs_review", "unverified", "complaint")}
    assert values == {"needs_review": {0, 1}, "unverified": {0, 1}, "complaint": {0, 1}}
    assert max(row[2] for row in whole.of("edit_failed").values()) == 1
    assert {row[3] for row in whole.of("complaint").values()} == {None, "repeated_prompt", "conceded, repeated_prompt"}
    assert any(row[2] for row in whole.of("cache_rebuild_usd").values())


def test_a_score_has_the_time_of_its_turn(whole: ScoreTable, tmp_path: Path) -> None:
    """Whatever decided its value, a chart shows it where the turn began."""
    sink = KeepingSink()
    ship(eventful().write(tmp_path / "s1.jsonl"), sink, tmp_path / "state")
    began = {sent.trace.trace_id: sent.start_ns // 1_000_000 for sent in sink.sent if sent.parent_span_id is None}
    assert {(row[0], row[4]) for row in whole.rows.values()} == set(began.items())


def test_nothing_is_sent_twice(tmp_path: Path) -> None:
    """A second run, and a third after the session has grown, send what changed and no more."""
    lines, table = eventful(), ScoreTable()
    transcript = lines.write(tmp_path / "s1.jsonl")
    ship(transcript, KeepingSink(table), tmp_path / "state")
    written = table.written
    ship(transcript, KeepingSink(table), tmp_path / "state")
    assert table.written == written
    lines.prompt("thanks, that is all I need for today").assistant("last", "Good bye").write(transcript)
    ship(transcript, KeepingSink(table), tmp_path / "state", "review")
    assert table.written == written + 1, "needs_review of the new turn"


def test_a_complaint_arrives_with_the_next_prompt(tmp_path: Path) -> None:
    """The last turn of a session has none."""
    lines = Lines().prompt("write it").assistant("m1", "done")
    transcript, table = lines.write(tmp_path / "s1.jsonl"), ScoreTable()
    ship(transcript, KeepingSink(table), tmp_path / "state")
    assert table.of("complaint") == {}
    assert [row[2] for row in table.of("needs_review").values()] == [0]
    lines.prompt("no, that is wrong").write(transcript)
    ship(transcript, KeepingSink(table), tmp_path / "state")
    ((_, _, value, parts, _),) = table.of("complaint").values()
    assert (value, parts) == (1, "pushback")
    assert sorted((row[2], row[3]) for row in table.of("needs_review").values()) == [(0, None), (1, "complaint")]


def test_a_score_waits_for_its_trace(tmp_path: Path) -> None:
    """While one of its spans has not arrived, no score is sent; the next run sends both."""
    transcript, table = eventful(1).write(tmp_path / "s1.jsonl"), ScoreTable()
    report = ship(transcript, FragileSink(table, 0), tmp_path / "state")
    assert report.failure is not None
    assert table.rows == {}
    report = ship(transcript, KeepingSink(table), tmp_path / "state")
    assert (report.ok, report.scores["accepted"]) == (True, len(table.rows))


def test_turns_do_not_wait_for_scores_that_fail(tmp_path: Path) -> None:
    """The run says so, the next one sends those scores and nothing else, and then there is nothing left to do."""
    transcript, table = eventful().write(tmp_path / "s1.jsonl"), ScoreTable()
    report = ship(transcript, FragileSink(table, 1, stores=False), tmp_path / "state")
    assert (report.failure, report.turns["sent"], table.rows) == (None, 8, {})
    assert report.problems == ["scores were not accepted, and the next run sends them: gone"]
    sink = KeepingSink(table)
    assert ship(transcript, sink, tmp_path / "state").ok
    assert sink.sent == []
    assert table.rows == scores_of(eventful(), tmp_path).rows
    written = table.written
    ship(transcript, sink, tmp_path / "state")
    assert (sink.sent, table.written) == ([], written)


def test_a_server_whose_scores_always_fail_gets_every_turn(tmp_path: Path) -> None:
    """No run sends a turn twice or stops before the end."""
    sent: dict[bool, list[str]] = {True: [], False: []}
    for fails, ids in sent.items():
        transcript, state = tmp_path / str(fails) / "s1.jsonl", tmp_path / f"state-{fails}"
        transcript.parent.mkdir()
        transcript.touch()
        for end in LINE_ENDS[9::10]:
            append(transcript, EVENTFUL[:end])
            sink = FragileSink(ScoreTable(), 1, stores=False) if fails else KeepingSink()
            ship(transcript, sink, state)
            ids += [each.span_id for each in sink.sent]
    assert sent[True] == sent[False]
    table = ScoreTable()
    append(tmp_path / "True/s1.jsonl", EVENTFUL)
    ship(tmp_path / "True/s1.jsonl", KeepingSink(table), tmp_path / "state-True")
    assert table.rows == scores_of(eventful(), tmp_path).rows


class StrictSink(KeepingSink):
    """Refuses scores of a name, or all of them."""

    def __init__(self, refuses: str | None) -> None:
        super().__init__()
        self.refuses = refuses

    def score(self, scores: Sequence[Score]) -> Delivery:
        if self.refuses is None:
            return Delivery(is_unsupported=True)
        delivery = super().score([score for score in scores if score.name != self.refuses])
        delivery.rejected = {score.id: "refused" for score in scores if score.name == self.refuses}
        return delivery


def test_a_refused_score_becomes_a_dead_letter(tmp_path: Path) -> None:
    """The others arrive, it is not sent again, and a later value of it is."""
    lines = eventful(2)
    transcript, sink = lines.write(tmp_path / "s1.jsonl"), StrictSink("edit_failed")
    report = ship(transcript, sink, tmp_path / "state", "review")
    assert (report.ok, report.scores["dead_lettered"]) == (False, 1)
    assert sink.scores.of("edit_failed") == {}
    with State(tmp_path / "state", "here") as state:
        assert [reason for _, _, reason in state.dead_letters()] == ["refused"]
    kind = KeepingSink()
    assert ship(transcript, kind, tmp_path / "state", "review").scores["accepted"] == 0
    assert ship(transcript, kind, tmp_path / "state", "review", resend=True).ok
    with State(tmp_path / "state", "here") as state:
        assert state.dead_letters() == []


def test_a_server_without_scores_still_gets_the_turns(tmp_path: Path) -> None:
    """The cursor moves, the report counts what was left out."""
    transcript = eventful().write(tmp_path / "s1.jsonl")
    report = ship(transcript, StrictSink(None), tmp_path / "state")
    assert (report.ok, report.turns["sent"]) == (True, 8)
    assert report.scores["unsupported"] > 8
    assert report.scores["accepted"] == 0
    sink = KeepingSink()
    assert ship(transcript, sink, tmp_path / "state").turns["sent"] == 0
    ship(transcript, sink, tmp_path / "state", signals_only=True)
    assert sink.scores.rows == scores_of(eventful(), tmp_path).rows, "they are sent when they are asked for"


@pytest.mark.parametrize("mode", ["off", "review", "all"])
def test_the_mode_decides_which_scores_are_sent(mode: SignalsMode, tmp_path: Path) -> None:
    """`needs_review` for every turn, what fired, and all that applies; nothing at all if they are off."""
    rows = scores_of(eventful(), tmp_path, mode).rows.values()
    names = {row[1] for row in rows}
    assert ("context_tokens" in names, "steered" in names) == (mode == "all", mode == "all")
    assert sum(row[1] == "needs_review" for row in rows) == (0 if mode == "off" else 8)
    assert all(row[2] or row[1] in ("needs_review", "unverified") for row in rows) == (mode != "all")


def test_scores_contain_no_text_of_the_conversation(whole: ScoreTable) -> None:
    """Comments are made of names from closed lists."""
    comments = {row[3] for row in whole.rows.values()} - {None, ""}
    words = {word for comment in comments for word in str(comment).split(", ")}
    assert words <= {
        "complaint", "interrupted", "unverified", "conceded", "repeated_prompt", "rejected_by_person", "edit_failed",
    }  # fmt: skip


LATE = Lines().prompt("write it").assistant("m1", tool("t0", "Edit", file_path="/home/dev/demo/a.py")).result("t0")
LATE.assistant("m2", tool("t1", "Bash", command="ls")).assistant("m3", "Done").prompt("thank you")
CUT = len(content_of(LATE))
LATE.result("t1", "a.py").assistant("m4", "ok").prompt("next").assistant("m5", "x").prompt("n2").assistant("m6", "y")


def test_a_result_that_comes_after_the_next_prompt_changes_the_turn_before_it(tmp_path: Path) -> None:
    """The turn has no more records then, but its value must win."""
    whole, pieces, transcript = ScoreTable(), ScoreTable(), tmp_path / "cut/s1.jsonl"
    ship(LATE.write(tmp_path / "s1.jsonl"), KeepingSink(whole), tmp_path / "state", "review")
    transcript.parent.mkdir()
    transcript.write_bytes(content_of(LATE)[:CUT])
    ship(transcript, KeepingSink(pieces), tmp_path / "state-of-cut", "review")
    append(transcript, content_of(LATE))
    ship(transcript, KeepingSink(pieces), tmp_path / "state-of-cut", "review")
    assert pieces.rows == whole.rows
    assert {row[2] for row in whole.of("unverified").values()} == {1}


def test_a_file_that_was_replaced_gets_the_scores_that_it_lacks(tmp_path: Path) -> None:
    """Its settled turns were shipped without; a restored file is read from its beginning."""
    transcript = eventful().write(tmp_path / "s1.jsonl")
    ship(transcript, KeepingSink(), tmp_path / "state", "off")
    shutil.copy(transcript, tmp_path / "other")
    (tmp_path / "other").replace(transcript)
    sink = KeepingSink()
    ship(transcript, sink, tmp_path / "state")
    ship(transcript, sink, tmp_path / "state", signals_only=True)
    assert sink.scores.rows == scores_of(eventful(), tmp_path).rows


def test_scores_that_are_off_are_not_taken_for_sent(tmp_path: Path) -> None:
    """Neither by a run without scores, nor for a session that was never shipped."""
    transcript, sink = eventful().write(tmp_path / "s1.jsonl"), KeepingSink()
    ship(transcript, sink, tmp_path / "state", signals_only=True)
    with closing(sqlite3.connect(tmp_path / "state/state.db")) as db:
        assert db.execute("SELECT count(*) FROM transcripts").fetchone() == (0,)
    ship(transcript, KeepingSink(), tmp_path / "state", "off")
    ship(transcript, sink, tmp_path / "state", "off", signals_only=True)
    ship(transcript, sink, tmp_path / "state", signals_only=True)
    assert sink.scores.rows == scores_of(eventful(), tmp_path).rows


def test_history_that_was_shipped_before_gets_its_scores(tmp_path: Path) -> None:
    """Exactly those of a session that is shipped with scores; nothing else is sent, and a second run sends nothing."""
    transcript = eventful().write(tmp_path / "s1.jsonl")
    ship(transcript, KeepingSink(), tmp_path / "state", "off")
    sink = KeepingSink()
    assert ship(transcript, sink, tmp_path / "state", signals_only=True).ok
    assert sink.sent == []
    assert sink.scores.rows == scores_of(eventful(), tmp_path).rows
    written = sink.scores.written
    ship(transcript, sink, tmp_path / "state", signals_only=True)
    ship(transcript, sink, tmp_path / "state")
    assert (sink.sent, sink.scores.written) == ([], written)


def test_turns_that_were_not_delivered_get_no_scores_alone(tmp_path: Path) -> None:
    """Their trace does not exist."""
    sink = KeepingSink()
    ship(eventful().write(tmp_path / "s1.jsonl"), sink, tmp_path / "state", signals_only=True)
    assert sink.scores.rows == {}


def test_a_session_that_was_shipped_without_scores_so_far_goes_on_with_the_same_values(tmp_path: Path) -> None:
    """What came before is read again for what signals remember, and only open and new turns are sent."""
    transcript = tmp_path / "s1.jsonl"
    transcript.write_bytes(EVENTFUL[: LINE_ENDS[-12]])
    ship(transcript, KeepingSink(), tmp_path / "state", "off")
    sink = KeepingSink()
    append(transcript, EVENTFUL)
    ship(transcript, sink, tmp_path / "state")
    rows = scores_of(eventful(), tmp_path).rows
    assert {key: rows[key] for key in sink.scores.rows} == sink.scores.rows
    assert {row[4] for row in sink.scores.rows.values()} == set(sorted({row[4] for row in rows.values()})[-3:])
    ship(transcript, sink, tmp_path / "state", signals_only=True)
    assert sink.scores.rows == rows


def test_the_state_contains_no_prompt(tmp_path: Path) -> None:
    """What signals remember are places, times and a model."""
    ship(eventful().write(tmp_path / "s1.jsonl"), KeepingSink(), tmp_path / "state")
    with closing(sqlite3.connect(tmp_path / "state/state.db")) as db:
        ((memory,),) = db.execute("SELECT memory FROM transcripts").fetchall()
    assert len(memory) < 200
    assert b"module" not in memory


def test_a_turn_that_a_file_contains_twice_is_scored_once(tmp_path: Path) -> None:
    """What follows the second says nothing about the turn."""
    lines = Lines(session="s1").prompt("please make the tests pass", uuid="first").assistant("m1", "Done")
    again = list(lines.lines)
    for n, prompt in enumerate(["thank you", "now the docs", "and a release"]):
        lines.prompt(prompt).assistant(f"n{n}", "Done")
    lines.lines += again
    for n, prompt in enumerate(["no, that is wrong", "well done", "and what is next", "nothing"]):
        lines.prompt(prompt).assistant(f"o{n}", "Done")
    transcript = lines.write(tmp_path / "s1.jsonl")
    with_turns, later = KeepingSink(), KeepingSink()
    ship(transcript, with_turns, tmp_path / "state")
    ship(transcript, later, tmp_path / "later", "off")
    for signals_only in (True, False):  # open turns get their scores when they are sent
        ship(transcript, later, tmp_path / "later", signals_only=signals_only)
    assert later.scores.rows == with_turns.scores.rows
    assert len(with_turns.scores.of("needs_review")) == 8
