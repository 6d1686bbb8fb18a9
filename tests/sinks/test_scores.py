"""Scores on the wire: what a server is told, and what is believed of its answers."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ccship import config
from ccship.observations import Parent, Trace
from ccship.signals.model import Signals
from ccship.signals.scores import SENT, Score, scores_of
from ccship.sinks.exporter import PATIENCE
from ccship.sinks.langfuse import LangfuseSink
from ccship.sinks.score_configs import DESCRIPTIONS
from conftest import FIXTURES
from helpers import run_ccship
from loopback import LoopbackLangfuse, Reply
from scored import CONFIGS, INGESTION, SCORES

BEGAN_NS = 1_767_268_800_000_000_000
WENT_WRONG = Signals(complaint=True, complaint_parts=("pushback",), edit_failed=2, unverified=False, context_tokens=9)


@pytest.fixture
def sink(langfuse: LoopbackLangfuse, state_dir: Path) -> Iterator[LangfuseSink]:
    settings = config.load(langfuse.environ | {"CC_LANGFUSE_STATE_DIR": str(state_dir)})
    sink = LangfuseSink(settings, replace(PATIENCE, first_wait_s=0.001))
    yield sink
    sink.close()


def scores(trace_id: str = "a" * 32, environment: str | None = "dev") -> tuple[Score, ...]:
    return scores_of(WENT_WRONG, "review", trace(trace_id, environment), BEGAN_NS, 12)


def trace(trace_id: str = "a" * 32, environment: str | None = None, parent: Parent | None = None) -> Trace:
    return Trace(trace_id, "claude_turn_1", "s1", environment=environment, parent=parent)


def test_a_score_is_acknowledged_and_stored(sink: LangfuseSink, langfuse: LoopbackLangfuse) -> None:
    """With its first value at the start of the turn, so that the server keeps that time."""
    delivery = sink.score(scores())
    assert delivery.accepted == {score.id for score in scores()} == langfuse.scores.rows.keys()
    assert (delivery.rejected, delivery.failure, delivery.is_unsupported) == ({}, None, False)
    assert {row[1:] for row in langfuse.scores.rows.values()} == {
        ("needs_review", 1, "complaint, edit_failed", BEGAN_NS // 10**6),
        ("complaint", 1, "pushback", BEGAN_NS // 10**6),
        ("edit_failed", 2, None, BEGAN_NS // 10**6),
        ("unverified", 0, None, BEGAN_NS // 10**6),
    }


def test_a_body_names_the_type_and_the_environment(
    sink: LangfuseSink, langfuse: LoopbackLangfuse, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Booleans as 0 and 1, as Langfuse wants them."""
    seen: list[dict[str, Any]] = []
    store = langfuse.scores.answer

    def answer(path: str, content: dict[str, Any]) -> tuple[int, Any]:
        seen.append(content)
        return store(path, content)

    monkeypatch.setattr(langfuse.scores, "answer", answer)
    sink.score(scores()[:1])
    first, last = (event["body"] for event in seen[0]["batch"])
    assert first | {"value": 1, "comment": "complaint, edit_failed"} == last
    assert last == {
        "id": scores()[0].id, "traceId": "a" * 32, "name": "needs_review", "dataType": "BOOLEAN", "value": 1,
        "comment": "complaint, edit_failed", "environment": "dev",
    }  # fmt: skip


def test_of_two_values_of_a_score_the_later_one_is_sent(sink: LangfuseSink, langfuse: LoopbackLangfuse) -> None:
    """A turn and its copy in a fork may share a request."""
    quiet = scores_of(Signals(), "review", trace(), BEGAN_NS, 12)
    for both in (
        (*quiet, *scores()),
        (*scores("b" * 32), *scores_of(Signals(), "review", trace("b" * 32), BEGAN_NS, 12)),
    ):
        assert sink.score(both).accepted == {score.id for score in both}
    assert {row[2] for row in langfuse.scores.of("needs_review").values()} == {1}


def test_a_refused_score_is_refused_alone(sink: LangfuseSink, langfuse: LoopbackLangfuse) -> None:
    """The reason is the server's."""
    langfuse.scores.refused = {"complaint": 400}
    delivery = sink.score(scores())
    refused = {score.id for score in scores() if score.name == "complaint"}
    assert delivery.rejected == dict.fromkeys(refused, "refused by the server (400): bad")
    assert delivery.accepted == {score.id for score in scores()} - refused
    assert delivery.failure is None


def test_a_score_that_the_server_could_not_store_is_tried_again(sink: LangfuseSink, langfuse: LoopbackLangfuse) -> None:
    """Not refused: the next run sends it."""
    langfuse.scores.refused = {"complaint": 500}
    delivery = sink.score(scores())
    assert str(delivery.failure) == "the server did not store all scores"
    assert (len(delivery.accepted), delivery.rejected) == (3, {})
    assert langfuse.scores.requests.count(INGESTION) == PATIENCE.attempts


@pytest.mark.parametrize(
    "reply",
    [
        Reply(status=500), Reply(status=429), Reply(status=302), Reply(body=b"<html>"), Reply(status=207, body=b"[]"),
        Reply(status=207, body=b"[" * 60_000), Reply(status=207, body=b'{"successes": [], "errors": []}'),
        Reply(reset=True),
    ],
    ids=["error", "busy", "redirect", "a page", "a list", "nested", "nothing", "reset"],
)  # fmt: skip
def test_an_answer_that_is_no_acknowledgement_is_none(
    sink: LangfuseSink, langfuse: LoopbackLangfuse, reply: Reply
) -> None:
    """Scores are not delivered, and the next attempt sends them."""
    langfuse.score_script = [reply] * PATIENCE.attempts
    delivery = sink.score(scores())
    assert (delivery.accepted, delivery.rejected) == (set(), {})
    assert delivery.failure is not None
    assert sink.score(scores()).failure is None


def test_wrong_keys_are_a_failure(langfuse: LoopbackLangfuse, state_dir: Path) -> None:
    """Nothing is dropped."""
    wrong = {**langfuse.environ, "LANGFUSE_SECRET_KEY": "sk-lf-wrong", "CC_LANGFUSE_STATE_DIR": str(state_dir)}
    sink = LangfuseSink(config.load(wrong), replace(PATIENCE, first_wait_s=0.001))
    assert "LANGFUSE_SECRET_KEY" in str(sink.score(scores()).failure)
    sink.close()


def test_a_server_that_takes_lists_only_gets_a_list(sink: LangfuseSink, langfuse: LoopbackLangfuse) -> None:
    """Once it is known, the other endpoint is not asked again."""
    langfuse.scores.endpoint = SCORES
    assert sink.score(scores()).accepted == {score.id for score in scores()}
    assert sink.score(scores("b" * 32)).failure is None
    paths = [path for path in langfuse.scores.requests if path != CONFIGS]
    assert paths == [INGESTION, SCORES, SCORES]
    assert {(row[1], row[2], row[4]) for row in langfuse.scores.rows.values()} == {
        (score.name, score.value, BEGAN_NS // 10**6) for score in scores()
    }


def test_a_score_that_is_refused_in_a_list_is_found(sink: LangfuseSink, langfuse: LoopbackLangfuse) -> None:
    """The answer has a count only, so the list is halved."""
    langfuse.scores.endpoint = SCORES
    langfuse.scores.refused = {"unverified": 400}
    delivery = sink.score(scores())
    (refused,) = (score.id for score in scores() if score.name == "unverified")
    assert delivery.rejected == {refused: "bad"}
    assert delivery.accepted == {score.id for score in scores()} - {refused}


def test_a_server_that_takes_no_scores_is_asked_once(sink: LangfuseSink, langfuse: LoopbackLangfuse) -> None:
    """It is no failure: turns arrive without."""
    langfuse.scores.endpoint = None
    for _ in range(2):
        delivery = sink.score(scores())
        assert (delivery.is_unsupported, delivery.failure, delivery.accepted) == (True, None, set())
    assert [path for path in langfuse.scores.requests if path != CONFIGS] == [INGESTION, SCORES]


def test_each_config_is_created_once(sink: LangfuseSink, langfuse: LoopbackLangfuse, state_dir: Path) -> None:
    """One that exists is left alone, and a second process creates none."""
    langfuse.scores.configs = [{"name": "another"}, {"name": "complaint"}]
    sink.score(scores())
    created = [config["name"] for config in langfuse.scores.configs[2:]]
    assert sorted(created) == sorted(set(SENT["review"]) - {"complaint"})
    assert {config["dataType"] for config in langfuse.scores.configs[2:]} == {"BOOLEAN", "NUMERIC"}
    requests = len(langfuse.scores.requests)
    (state_dir / "state.db").unlink(missing_ok=True)
    environ = {**langfuse.environ, "CC_LANGFUSE_STATE_DIR": str(state_dir)}
    assert run_ccship("backfill", FIXTURES / "claude", "--yes", environ=environ).returncode == 0
    assert CONFIGS not in langfuse.scores.requests[requests:]


def test_configs_that_cannot_be_created_hold_nothing_up(
    sink: LangfuseSink, langfuse: LoopbackLangfuse, state_dir: Path
) -> None:
    """Scores are accepted without; the next day tries again."""
    langfuse.scores.config_status = 403
    assert len(sink.score(scores()).accepted) == len(scores())
    (kept,) = state_dir.glob("scores-*.json")
    assert json.loads(kept.read_text())["ask_again_at"] > 0
    assert json.loads(kept.read_text())["names"] == []
    assert langfuse.scores.requests == [INGESTION, CONFIGS]


def test_every_score_has_a_description() -> None:
    """It is shown in Langfuse."""
    assert DESCRIPTIONS.keys() == set(SENT["all"])
