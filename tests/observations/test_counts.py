"""Token sums of what is sent equal an independent count."""

import csv
import json
import shutil
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import pytest

from ccship.observations import Observation
from conftest import FIXTURES, SHARED
from helpers import observe

CORPUS = SHARED / "corpus"
COLUMNS = {
    "input": "input",
    "cache_read": "cache_read_input_tokens",
    "output": "output",
    "cache_5m": "input_cache_creation_5m",
    "cache_1h": "input_cache_creation_1h",
}


def rows(table: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(table.open(), delimiter="\t")) if table.exists() else []


def sums(observations: Iterable[Observation]) -> dict[str, int]:
    """What the observations of a transcript add up to."""
    generations = {
        observation.span_id: observation.usage_details or {}
        for observation in observations
        if observation.type == "generation"
    }
    tokens: Counter[str] = Counter()
    for usage in generations.values():
        tokens.update(usage)
    undivided = tokens["cache_creation_input_tokens"]
    return {
        "api_calls": len(generations),
        **{column: tokens[key] for column, key in COLUMNS.items()},
        **({"cache_creation": undivided} if undivided else {}),
    }


def alone(transcript: Path, folder: Path) -> Path:
    """A copy of a transcript without its neighbours."""
    return Path(shutil.copy(transcript, folder))


ZEROED = {"2.1.226-c.jsonl": 87}
"""Cache writes for an hour that the table counts and the total of their call (E18), zeroed by a fork, does not."""


def expected(row: dict[str, str]) -> dict[str, int]:
    split = int(row["cache_5m"]) + int(row["cache_1h"])
    columns = ["api_calls", *COLUMNS, *([] if split or not int(row["cache_creation"]) else ["cache_creation"])]
    counts = {column: int(row[column]) for column in columns}
    counts["cache_1h"] -= ZEROED.get(row["file"], 0)
    return counts


@pytest.mark.skipif(not CORPUS.is_dir(), reason="other people's sessions are not beside this checkout")
@pytest.mark.parametrize("row", rows(CORPUS / "EXPECTED.tsv"), ids=lambda row: row["file"])
def test_a_real_session_adds_up(row: dict[str, str], tmp_path: Path) -> None:
    """Sixty transcripts of clients from 1.0 to 2.1.237, counted by somebody else."""
    observations = observe(alone(CORPUS / row["file"], tmp_path))
    assert sums(observations) == expected(row)
    assert len({observation.span_id for observation in observations if observation.type == "tool"}) == int(
        row["tool_uses"]
    )


@pytest.mark.skipif(not CORPUS.is_dir(), reason="other people's sessions are not beside this checkout")
def test_split_cache_writes_of_a_real_session_are_its_undivided_ones() -> None:
    """The table counts both; where it has a split, what is expected of it equals the totals."""
    table = {row["file"]: (expected(row), int(row["cache_creation"])) for row in rows(CORPUS / "EXPECTED.tsv")}
    split = {name: (tokens["cache_5m"] + tokens["cache_1h"], total) for name, (tokens, total) in table.items()}
    assert {name for name, (parts, total) in split.items() if parts not in (0, total)} == set()


@pytest.mark.parametrize("row", rows(FIXTURES / "EXPECTED.tsv"), ids=lambda row: row["file"][-30:])
def test_a_fixture_adds_up(row: dict[str, str], tmp_path: Path) -> None:
    """The same for the sessions of this repository; the table was counted by the twenty lines below."""
    assert sums(observe(alone(FIXTURES / "claude/projects" / row["file"], tmp_path))) == expected(row)


def test_the_table_of_the_fixtures_is_what_a_plain_reader_counts() -> None:
    """An independent count: json, one dictionary, the largest output of each message id."""
    for row in rows(FIXTURES / "EXPECTED.tsv"):
        best: dict[str, dict[str, int]] = {}
        for line in (FIXTURES / "claude/projects" / row["file"]).read_text().splitlines():
            message = json.loads(line).get("message")
            said = message if isinstance(message, dict) else {}
            if said.get("role") == "assistant" and said.get("model") != "<synthetic>":
                known = best.get(said["id"])
                if known is None or said["usage"]["output_tokens"] >= known["output_tokens"]:
                    best[said["id"]] = said["usage"]
        count = {
            "api_calls": len(best),
            "input": sum(usage["input_tokens"] for usage in best.values()),
            "cache_read": sum(usage["cache_read_input_tokens"] for usage in best.values()),
            "output": sum(usage["output_tokens"] for usage in best.values()),
            "cache_creation": sum(usage["cache_creation_input_tokens"] for usage in best.values()),
        }
        assert {column: int(row[column]) for column in count} == count, row["file"]
