"""Forks and their original give the same scores, whichever is shipped first."""

import json
from pathlib import Path

import pytest

from eventful import eventful
from helpers import KeepingSink, run_ccship
from lines import Lines
from loopback import LoopbackLangfuse
from pipeline.test_scores import ship
from scored import ScoreTable


def fork_of(original: Lines, turns: int, *own: str) -> Lines:
    """A fork after so many turns of the original, with prompts of its own."""
    fork = Lines(session="fork")
    starts = [at for at, line in enumerate(original.lines) if json.loads(line)["uuid"].endswith("-prompt")]
    fork.lines = original.lines[: starts[turns] if turns < len(starts) else None]
    fork.seconds = original.seconds + 100
    for n, prompt in enumerate(own):
        fork.prompt(prompt).assistant(f"f{n}", "Done")
    return fork


@pytest.mark.parametrize("turns", [2, 3, 8])
@pytest.mark.parametrize("complains", [True, False])
def test_forks_in_both_orders_give_the_same_scores(turns: int, complains: bool, tmp_path: Path) -> None:
    """A person who complains in a fork complains about the turn before it, whichever file is shipped first."""
    original = eventful().write(tmp_path / "s1.jsonl")
    prompt = "no, that is wrong" if complains else "thank you for all your help with this"
    fork = fork_of(eventful(), turns, prompt, "one more thing then").write(tmp_path / "fork.jsonl")
    tables = []
    for n, order in enumerate(([original, fork], [fork, original])):
        table = ScoreTable()
        for path in (*order, *order):  # what a fork says of a turn waits until the original has sent it
            ship(path, KeepingSink(table), tmp_path / f"state-{n}")
        tables.append(table.rows)
    assert tables[0] == tables[1]
    parts = {row[3] for row in tables[0].values() if row[1] == "complaint"}
    assert ("pushback" in parts) == (complains and turns != 2), "somebody complains about turn 2 in the original, too"


def test_a_fork_says_nothing_of_a_turn_that_nobody_sent(tmp_path: Path) -> None:
    """No score is sent for a trace that does not exist."""
    eventful().write(tmp_path / "s1.jsonl")
    sink = KeepingSink()
    fork = fork_of(eventful(), 8, *["no, that is wrong", "thank you for that", "and one more", "and the last"])
    for _ in range(2):
        ship(fork.write(tmp_path / "fork.jsonl"), sink, tmp_path / "state")
    assert {row[0] for row in sink.scores.rows.values()} == {each.trace.trace_id for each in sink.sent}


def test_one_backfill_of_a_fork_and_its_original_sends_every_complaint(
    langfuse: LoopbackLangfuse, tmp_path: Path
) -> None:
    """The fork comes first, but what it says of the original's turn is sent once the original is."""
    original = eventful().write(tmp_path / "s1.jsonl")
    fork = fork_of(eventful(), 8, "no, that is wrong").write(tmp_path / "fork.jsonl")
    table = ScoreTable()
    for path in (original, fork):
        ship(path, KeepingSink(table), tmp_path / "state", "review")
    done = run_ccship("backfill", original, fork, "--yes", "--json", environ=langfuse.environ)
    assert done.returncode == 0, done.stderr
    assert langfuse.scores.rows == table.rows
    assert "pushback" in {row[3] for row in table.rows.values()}
    assert json.loads(done.stdout)["sessions"] == 2, "the fork was read twice"
    assert len({span.key for span in langfuse.accepted}) == len(langfuse.accepted)


def test_verify_finds_what_a_fork_says_of_a_turn(langfuse: LoopbackLangfuse, tmp_path: Path) -> None:
    """A complaint that is missing is sent again with `--repair`, and nothing else."""
    paths = [
        eventful().write(tmp_path / "s1.jsonl"),
        fork_of(eventful(), 8, "no, that is wrong").write(tmp_path / "fork.jsonl"),
    ]
    assert run_ccship("backfill", *paths, "--yes", environ=langfuse.environ).returncode == 0
    whole = dict(langfuse.scores.rows)
    [lost] = [key for key, row in whole.items() if row[1] == "complaint" and row[3] == "pushback"]
    del langfuse.scores.rows[lost], langfuse.scores.latest_ms[lost]
    for repair, code, repaired in ((), 1, 0), (("--repair",), 0, 1), ((), 0, 0):
        done = run_ccship("verify", *paths, "--json", *repair, environ=langfuse.environ)
        found = json.loads(done.stdout)
        assert (done.returncode, found["repaired"], found["repaired_scores"]) == (code, 0, repaired), done.stdout
        differences = [difference["scores"] for difference in found["differences"]]
        assert differences == ([{lost: "complaint"}] if code or repair else [])
    assert langfuse.scores.rows == whole
