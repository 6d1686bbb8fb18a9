"""`ccship usage --by`: every dimension sums the same calls."""

import csv
import json
from io import StringIO
from itertools import permutations
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ccship.ledger.calls import Tokens
from ccship.ledger.sums import Group
from ccship.usage.dimensions import By, dimension, ticket_in
from conftest import FIXTURES, SHARED
from helpers import run_ccship
from ledger.contents import OPUS, alternatives
from lines import Lines, at, tool
from usage.test_usage import report

NAMES: tuple[By, ...] = get_args(By)
TOKENS = ("input", "output", "cache_read", "cache_write_5m", "cache_write_1h")
SUMMED = (*TOKENS, "calls", "unpriced_calls", "lower_bound_calls")


class NoHistory:
    """Neither commits nor calls."""

    def milestones(self, kind: str) -> dict[str, list[tuple[int, str]]]:
        return {}

    def times(self) -> list[int]:
        return []


@pytest.fixture(scope="session")
def odd(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Transcripts with everything that a ledger may contain, copies and calls without a time or price too."""
    folder = tmp_path_factory.mktemp("odd")
    for project, session in (("p", "s1"), ("p", "s2"), ("q", "s3")):
        path = folder / "projects" / project / f"{session}.jsonl"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"\n".join(alternatives(session)) + b"\n")
    Lines(session="s4").assistant("own", "text", model="my-own-model").write(folder / "projects/q/s4.jsonl")
    return folder


def rows_by(by: str, folder: Path, *arguments: str) -> dict[str, dict[str, Any]]:
    """The rows of one dimension by their keys."""
    return {row[by]: row for row in report("--claude-dir", folder, "--by", by, *arguments)["rows"]}


@pytest.mark.parametrize("by", [*NAMES, "day,model", "tool,branch", "commit,tool", "block,agent"])
def test_every_total_is_that_of_the_days(by: str, odd: Path) -> None:
    """To the token, and to the microdollar."""
    days, document = (report("--claude-dir", odd, "--by", each) for each in ("day", by))
    assert days["total"]["calls"] == 10
    for name in SUMMED:
        assert document["total"][name] == days["total"][name]
        assert sum(row[name] for row in document["rows"]) == days["total"][name]
    assert document["total"]["cost_usd"] == pytest.approx(days["total"]["cost_usd"], abs=2e-6)
    assert document["total"]["unpriced_tokens"] == days["total"]["unpriced_tokens"]


@pytest.mark.skipif(not (SHARED / "corpus").is_dir(), reason="other people's sessions are not beside this checkout")
@pytest.mark.parametrize("by", NAMES)
def test_every_total_of_real_sessions_is_that_of_the_days(by: str) -> None:
    """With commits, pull requests and skills."""
    days, document = (report(SHARED / "corpus", "--by", each)["total"] for each in ("day", by))
    assert {name: document[name] for name in SUMMED} == {name: days[name] for name in SUMMED}
    assert document["cost_usd"] == pytest.approx(days["cost_usd"], abs=1e-4)


def written(tmp_path: Path, *lines: Lines) -> Path:
    for each in lines:
        each.write(tmp_path / f"projects/p/{each.session}.jsonl")
    return tmp_path


def test_a_call_belongs_to_the_next_commit_of_its_session(tmp_path: Path) -> None:
    """Or to none after the last one; the other session has no commits."""
    lines = Lines(session="s1")
    for sha in ("aaa1111", "bbb2222"):
        lines.assistant(f"work on {sha}", tool("t" + sha), usage=OPUS)
        lines.result("t" + sha, toolUseResult={"gitOperation": {"commit": {"sha": sha, "kind": "committed"}}})
    lines.assistant("later", "text", usage=OPUS)
    folder = written(tmp_path, lines, Lines(session="s2").assistant("m9", "text", usage=OPUS, timestamp=at(0.5)))
    rows = rows_by("commit", folder)
    assert {key: row["calls"] for key, row in rows.items()} == {"aaa1111": 1, "bbb2222": 1, "no commit": 2}


def test_a_call_belongs_to_the_next_or_else_the_last_pull_request(tmp_path: Path) -> None:
    """A review after it belongs to it, too; the same link is written many times."""
    lines = Lines(session="s1").assistant("m1", "text", usage=OPUS)
    for number in (1, 1, 2, 2):
        lines.plain("pr-link", prUrl=f"https://example.org/o/r/pull/{number}", prNumber=number)
    lines.assistant("m2", "text", usage=OPUS)
    rows = rows_by("pr", written(tmp_path, lines))
    pulls = "https://example.org/o/r/pull/"
    assert {key: row["calls"] for key, row in rows.items()} == {pulls + "1": 1, pulls + "2": 1}


def test_tools_get_the_calls_that_read_their_results(tmp_path: Path) -> None:
    """In proportion to the size of the results; the first call reads none."""
    lines = Lines().prompt("go").assistant("m1", tool("t1"), tool("t2", "Read"), usage=OPUS)
    lines.result("t1", "x" * 298).result("t2", "x" * 98)  # with their quotes: 300 and 100 bytes
    rows = rows_by("tool", written(tmp_path, lines.assistant("m2", "text", usage=OPUS)))
    assert {key: (row["calls"], row["input"], row["cache_read"]) for key, row in rows.items()} == {
        "no tool result": (1, 1000, 10_000),
        "Bash": (1, 750, 7_500),
        "Read": (0, 250, 2_500),
    }


@given(
    st.dictionaries(st.text(max_size=3), st.integers(0, 10**9), max_size=5),
    st.lists(st.integers(0, 10**9), min_size=5, max_size=5),
)
def test_an_allocation_loses_no_token(weights: dict[str, int], counts: list[int]) -> None:
    """And invents none."""
    group = Group("m", False, 0, 0, 3, Tokens(*counts), 2, 0, 0, {"reads": json.dumps(weights) if weights else None})
    by_tool = dimension("tool", lambda moment: moment, NoHistory(), lambda _: None)
    parts = [part for _, part in by_tool.parts(group)]
    for name in TOKENS:
        assert sum(getattr(part.tokens, name) for part in parts) == getattr(group.tokens, name)
    assert (sum(part.calls for part in parts), sum(part.lower_bounds for part in parts)) == (3, 2)


def test_blocks_begin_with_the_first_call_after_the_one_before(tmp_path: Path) -> None:
    """Five hours, whatever --since leaves out."""
    lines = Lines()
    for hour in (0, 4.9, 5, 9, 20):
        lines.assistant(f"m{hour}", "text", usage=OPUS, timestamp=at(hour * 3600))
    folder = written(tmp_path, lines)
    blocks = {"2026-01-01 12:00": 2, "2026-01-01 17:00": 2, "2026-01-02 08:00": 1}
    assert {key: row["calls"] for key, row in rows_by("block", folder).items()} == blocks
    since = rows_by("block", folder, "--since", "2026-01-01T20:00Z")
    assert {key: row["calls"] for key, row in since.items()} == {"2026-01-01 17:00": 1, "2026-01-02 08:00": 1}


TICKETS = {
    "feature/eng-123-login": "ENG-123", "ABC-7": "ABC-7", "main": None, "": None, "fix-it": None, "x/y_z-1": None,
}  # fmt: skip


@pytest.mark.parametrize(("branch", "ticket"), TICKETS.items())
def test_a_branch_names_its_ticket(branch: str, ticket: str | None) -> None:
    """By the default pattern, in any case."""
    assert ticket_in(r"\b[a-z][a-z0-9]{1,9}-[0-9]+\b")(branch) == ticket


def test_the_pattern_of_tickets_is_a_setting(tmp_path: Path) -> None:
    """Its first group is the ticket; an invalid one is refused."""
    lines = Lines().assistant("m1", "text", usage=OPUS, gitBranch="gh/77-x").assistant("m2", "text", gitBranch="eng-1")
    folder = written(tmp_path, lines)
    assert {key: row["calls"] for key, row in rows_by("ticket", folder).items()} == {"no ticket": 1, "ENG-1": 1}
    environ = {"CC_LANGFUSE_TICKET": r"gh/(\d+)"}
    document = report("--claude-dir", folder, "--by", "ticket", environ=environ)
    assert {row["ticket"]: row["calls"] for row in document["rows"]} == {"77": 1, "no ticket": 1}
    done = run_ccship("usage", "--claude-dir", folder, "--by", "ticket", environ={"CC_LANGFUSE_TICKET": "("})
    assert (done.returncode, "is no regular expression" in done.stderr) == (2, True)


def test_agents_are_named_by_their_type() -> None:
    """That of their meta.json; the main conversation is main."""
    rows = rows_by("agent", FIXTURES / "claude")
    assert {key: row["calls"] for key, row in rows.items()} == {
        "main": 84,
        "general-purpose": 22,
        "unknown subagent": 4,
    }
    assert {key: row["calls"] for key, row in rows_by("skill", FIXTURES / "claude").items()} == {
        "no skill": 108,
        "greeter": 2,
    }


@pytest.mark.parametrize("by", list(permutations(["month", "model"])), ids=",".join)
def test_two_dimensions_are_sorted_one_after_the_other(by: tuple[str, str]) -> None:
    """Time by time, the rest by cost."""
    rows = report("--claude-dir", FIXTURES / "claude", "--by", ",".join(by))["rows"]
    assert [(row["month"], row["model"]) for row in rows] == [
        ("2026-11", "claude-opus-4-7"),
        ("2026-11", "claude-opus-5-5"),
        ("2026-11", "claude-sonnet-4-5-20250929"),
        ("2026-11", "claude-haiku-4-5-20251001"),
    ]


def test_projects_and_models_can_be_selected(odd: Path) -> None:
    """By a part of their names, in any combination; copies belong to the project of the first transcript."""
    everything = report("--claude-dir", odd)["total"]["calls"]
    parts = [report("--claude-dir", odd, "--project", name)["total"]["calls"] for name in "pq"]
    assert sum(parts) == everything
    assert report("--claude-dir", odd, "--model", "MY-own")["total"]["calls"] == 1
    assert report("--claude-dir", odd, "--model", "my-own", "--project", "p")["rows"] == []
    assert run_ccship("usage", "--claude-dir", odd, "--model", "nobody").stdout == "no LLM calls match\n"


def test_csv_has_the_rows_of_the_document(odd: Path) -> None:
    """With a header; one line for each row and none for the total."""
    done = run_ccship("usage", "--csv", "--claude-dir", odd, "--by", "day,model", environ={"TZ": "UTC"})
    rows = list(csv.DictReader(StringIO(done.stdout)))
    document = report("--claude-dir", odd, "--by", "day,model")["rows"]
    assert [{name: row[name] for name in ("day", "model")} for row in rows] == [
        {name: row[name] for name in ("day", "model")} for row in document
    ]
    assert [int(row["output"]) for row in rows] == [row["output"] for row in document]
    assert [row["cost_usd"] for row in rows] == [str(row["cost_usd"] or "") for row in document]


@pytest.mark.parametrize(
    "arguments", [["--by", "day,day"], ["--by", "a"], ["--by", "day,model,hour"], ["--csv", "--json"]]
)
def test_what_excludes_itself_is_refused(arguments: list[str]) -> None:
    """One line, exit code 2."""
    done = run_ccship("usage", "--claude-dir", FIXTURES / "claude", *arguments)
    assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (2, "", 1)
