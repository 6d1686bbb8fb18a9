"""`ccship verify`: what arrived, beside what the transcripts hold."""

import json
import os
import signal
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from conftest import FIXTURES
from faults.case import conversation
from fork_server import fork_server
from helpers import observe, run_ccship, until
from lines import at
from loopback import LoopbackLangfuse, Reply, Span
from scored import ScoreServer

SESSION = "11111111-1111-4111-8111-111111111111"


@pytest.fixture
def shipped(langfuse: LoopbackLangfuse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A Claude config folder with one session, all of which has arrived."""
    for name, value in langfuse.environ.items():
        monkeypatch.setenv(name, value)
    claude_dir = tmp_path / "claude"
    monkeypatch.setenv("CLAUDE_CONFIG_DIR", str(claude_dir))
    conversation(6, SESSION).write(claude_dir / "projects/-demo" / f"{SESSION}.jsonl")
    done = run_ccship("backfill")
    assert done.returncode == 0, done.stderr
    return claude_dir


def found(*arguments: str) -> tuple[int, dict[str, object]]:
    done = run_ccship("verify", "--json", *arguments)
    assert done.stderr == ""
    return done.returncode, json.loads(done.stdout)


def differences_in(document: dict[str, object]) -> list[dict[str, Any]]:
    differences = document["differences"]
    assert isinstance(differences, list)
    return differences


def names_of(document: dict[str, object], kind: str) -> set[str]:
    return {span_id for difference in differences_in(document) for span_id in difference[kind]}


def later(span: Span) -> Span:
    return replace(span, start_ns=span.start_ns + 1_000_000)


def test_what_arrived_whole_has_no_differences(shipped: Path, langfuse: LoopbackLangfuse) -> None:
    """Every observation of the transcript was looked for."""
    code, document = found()
    assert code == 0
    assert document["ok"] is True
    assert document["observations"] == len(observe(shipped / f"projects/-demo/{SESSION}.jsonl")) == len(langfuse.keys)


def test_a_folder_that_contains_a_session_twice_is_checked_whole(langfuse: LoopbackLangfuse, tmp_path: Path) -> None:
    """A session that was copied to another project and continued there has two transcripts."""
    for project, turns in ("a", 2), ("b", 4):
        conversation(turns, SESSION).write(tmp_path / project / f"{SESSION}.jsonl")
    assert run_ccship("backfill", tmp_path, "--yes", environ=langfuse.environ).returncode == 0
    lost = max(langfuse.accepted, key=lambda span: span.start_ns)
    langfuse.accepted.remove(lost)
    for order in ("a", "b"), ("b", "a"):
        done = run_ccship("verify", *(tmp_path / name for name in order), "--json", environ=langfuse.environ)
        assert names_of(json.loads(done.stdout), "missing") == {lost.span_id}, done.stderr


@pytest.mark.parametrize("has_v2", [True, False], ids=["v2", "the older API"])
def test_what_was_dropped_and_doubled_is_found_and_the_dropped_mended(
    shipped: Path, langfuse: LoopbackLangfuse, has_v2: bool
) -> None:
    """Exactly these, by both read APIs; what is sent again has the ids it should have."""
    langfuse.has_v2 = has_v2
    whole = langfuse.keys
    dropped = {langfuse.accepted[n].span_id for n in (1, 7, 12)}
    doubled = later(langfuse.accepted[3])
    langfuse.accepted[:] = [*(span for span in langfuse.accepted if span.span_id not in dropped), doubled]
    code, document = found()
    assert code == 1
    assert names_of(document, "missing") == dropped
    assert names_of(document, "doubled") == {doubled.span_id}
    assert names_of(document, "tokens") == set()
    sent = len(langfuse.accepted)
    code, document = found("--repair")
    assert (code, document["repaired"]) == (1, 3), "the doubled one is still there"
    assert len(langfuse.accepted) == sent + 3
    assert langfuse.keys == whole | {doubled.key}
    langfuse.accepted.remove(doubled)
    assert found()[0] == 0


def test_scores_that_are_missing_are_found_and_mended(shipped: Path, langfuse: LoopbackLangfuse) -> None:
    """Exactly these are sent again, and no observation."""
    missing = list(langfuse.scores.rows)[1:3]
    whole = dict(langfuse.scores.rows)
    for score_id in missing:
        del langfuse.scores.rows[score_id], langfuse.scores.latest_ms[score_id]
    code, document = found()
    assert (code, document["different_scores"], names_of(document, "scores")) == (1, 2, set(missing))
    observations, written = len(langfuse.accepted), langfuse.scores.written
    code, document = found("--repair")
    assert (code, document["repaired"], document["repaired_scores"]) == (0, 0, 2)
    assert (len(langfuse.accepted), langfuse.scores.written) == (observations, written + 2)
    assert langfuse.scores.rows == whole
    assert found()[0] == 0


def test_scores_are_not_looked_for_where_a_server_does_not_show_them(shipped: Path, langfuse: LoopbackLangfuse) -> None:
    """An older server, or scores that are off."""
    langfuse.scores.rows.clear()
    assert found()[0] == 1
    langfuse.has_v2 = False
    assert found()[0] == 0
    langfuse.has_v2 = True
    assert run_ccship("verify", environ={"CC_LANGFUSE_SIGNALS": "off"}).returncode == 0


def test_scores_alone_can_be_sent_again(shipped: Path, langfuse: LoopbackLangfuse) -> None:
    """No observation comes with them."""
    langfuse.scores = ScoreServer()
    observations = len(langfuse.accepted)
    done = run_ccship("backfill", "--signals-only", "--resend", "--yes")
    assert (done.returncode, len(langfuse.accepted)) == (0, observations), done.stderr
    assert found()[0] == 0


def test_a_repair_leaves_nothing_to_be_sent_again(shipped: Path, langfuse: LoopbackLangfuse) -> None:
    """The state knows what has arrived."""
    del langfuse.accepted[2:9]
    assert found("--repair")[0] == 0
    requests = len(langfuse.requests)
    assert run_ccship("backfill").returncode == 0
    assert len(langfuse.requests) == requests


def test_what_was_not_looked_for_is_not_taken_for_arrived(
    langfuse: LoopbackLangfuse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Turns before --since were never sent: after a repair of those since then they still are to be."""
    for name, value in {**langfuse.environ, "CLAUDE_CONFIG_DIR": str(tmp_path)}.items():
        monkeypatch.setenv(name, value)
    transcript = conversation(6, SESSION).write(tmp_path / "projects/-demo" / f"{SESSION}.jsonl")
    code, document = found("--repair", "--since", at(12))
    assert (code, document["repaired"]) == (0, len(langfuse.keys))
    assert 0 < len(langfuse.keys) < len(observe(transcript))
    assert run_ccship("backfill").returncode == 0
    assert len(langfuse.keys) == len(langfuse.accepted) == len(observe(transcript))


def test_what_is_written_while_the_server_is_asked_is_not_taken_for_arrived(
    shipped: Path, langfuse: LoopbackLangfuse
) -> None:
    """The transcript is read before the answer and after it."""
    del langfuse.accepted[2:9]
    langfuse.reads = [Reply(status=429, headers={"retry-after": "1"})]
    transcript = shipped / f"projects/-demo/{SESSION}.jsonl"
    process = fork_server().start("ccship", ["verify", "--repair"], os.environ, Path.cwd(), (0, 1, 2))
    until(lambda: not langfuse.reads, 30)
    conversation(8, SESSION).write(transcript)
    assert process.wait() == 0
    assert run_ccship("backfill").returncode == 0
    assert set(langfuse.latest) == {observation.span_id for observation in observe(transcript)}


def test_a_turn_that_has_grown_is_sent_as_it_is_now(shipped: Path, langfuse: LoopbackLangfuse) -> None:
    """Its root is there, under the same id and time, and says what the turn had come to before."""
    turn = conversation(6, SESSION).assistant("late", "the last word")
    turn.write(shipped / f"projects/-demo/{SESSION}.jsonl")
    assert found("--repair")[0] == 0
    (root,) = [
        span for span in langfuse.latest.values() if "the last word" in str(span.attributes) and span.type == "agent"
    ]
    assert root.name == "claude_turn"
    requests = len(langfuse.requests)
    assert run_ccship("backfill").returncode == 0
    assert len(langfuse.requests) == requests


def test_a_repair_leaves_dead_letters_dead(shipped: Path, langfuse: LoopbackLangfuse) -> None:
    """They did not arrive, and a repair does not send them: the books must go on saying so."""
    poison = langfuse.accepted[0].span_id
    langfuse.accepted.clear()
    langfuse.refused_spans = {poison: 400}
    assert run_ccship("backfill", "--resend").returncode == 1
    langfuse.accepted.pop()
    for _ in range(2):
        code, document = found("--repair")
        assert (code, document["refused"]) == (0, 1)
    (destination,) = json.loads(run_ccship("status", "--json").stdout)["destinations"]
    assert destination["records"]["dead_lettered"] == 1


def test_other_tokens_are_found(shipped: Path, langfuse: LoopbackLangfuse) -> None:
    """A cost that is wrong is worse than one that is missing."""
    n, call = next((n, span) for n, span in enumerate(langfuse.accepted) if span.usage)
    usage = {**call.usage, "output": call.usage["output"] + 1}
    attributes = {**call.attributes, "langfuse.observation.usage_details": json.dumps(usage)}
    langfuse.accepted[n] = replace(call, attributes=attributes)
    code, document = found()
    assert code == 1
    assert names_of(document, "tokens") == {call.span_id}


def test_repair_sends_calls_with_other_tokens_again(shipped: Path, langfuse: LoopbackLangfuse) -> None:
    """The same start time replaces the row, so that one call and its tokens are right afterwards."""
    n, call = next((n, span) for n, span in enumerate(langfuse.accepted) if span.usage)
    attributes = {**call.attributes, "langfuse.observation.usage_details": json.dumps({**call.usage, "output": 10**6})}
    langfuse.accepted[n] = replace(call, attributes=attributes)
    code, document = found("--repair")
    assert (code, document["repaired"]) == (0, 1)
    assert found()[0] == 0


def test_the_version_of_an_observation_that_was_written_last_counts(shipped: Path, langfuse: LoopbackLangfuse) -> None:
    """A server returns both until it has merged them, in any order."""
    langfuse.replaced_tokens = 7
    code, document = found()
    assert (code, document["tokens"]) == (0, 0)


def test_each_difference_names_session_project_and_turn(shipped: Path, langfuse: LoopbackLangfuse) -> None:
    """In words that can be searched for in Langfuse."""
    del langfuse.accepted[0]
    first = run_ccship("verify").stdout.splitlines()[0]
    assert first.startswith(f"session {SESSION}, project demo, claude_turn_1, trace ")


def test_what_the_server_refused_is_not_looked_for(shipped: Path, langfuse: LoopbackLangfuse) -> None:
    """It is a dead letter already."""
    poison = langfuse.accepted[0].span_id
    langfuse.accepted.clear()
    langfuse.refused_spans = {poison: 400}
    assert run_ccship("backfill", "--resend").returncode == 1
    code, document = found()
    assert (code, document["refused"], document["missing"]) == (0, 1, 0)


def test_a_rate_limit_is_obeyed_and_a_stumble_survived(shipped: Path, langfuse: LoopbackLangfuse) -> None:
    """Asked again after the time it names; the next page is asked for where the last one ended."""
    langfuse.reads = [Reply(status=429, headers={"retry-after": "1"}), Reply(status=502)]
    langfuse.page = 5
    assert found()[0] == 0
    assert langfuse.reads == []


REFUSALS = {
    "wrong keys": ({"LANGFUSE_SECRET_KEY": "sk-lf-wrong"}, "LANGFUSE_SECRET_KEY"),
    "nobody there": ({"LANGFUSE_BASE_URL": "http://127.0.0.1:9"}, "does not answer"),
    "no keys": ({"LANGFUSE_SECRET_KEY": ""}, "LANGFUSE_SECRET_KEY"),
}


@pytest.mark.parametrize(("environ", "told"), REFUSALS.values(), ids=REFUSALS.keys())
def test_a_server_that_cannot_be_asked_is_explained_in_a_line(
    shipped: Path, environ: dict[str, str], told: str
) -> None:
    """Nothing is called missing that was not looked for."""
    done = run_ccship("verify", environ=environ)
    assert done.returncode in (1, 2)
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert line.startswith("ccship: ")
    assert told in line


def test_an_address_without_a_langfuse_is_not_taken_for_an_empty_one(shipped: Path, langfuse: LoopbackLangfuse) -> None:
    """It knows neither of the two read APIs."""
    done = run_ccship("verify", environ={"LANGFUSE_BASE_URL": f"{langfuse.url}/elsewhere"})
    assert (done.returncode, done.stdout) == (1, "")
    assert "check LANGFUSE_BASE_URL" in done.stderr


@pytest.mark.parametrize(
    "body",
    [b"<html>sign in</html>", b"[]", b"{}", b"\xff", b'{"data": [{"id": 1}]}', b'{"data": 7}', b'{"data": null}'],
)
def test_an_answer_that_is_none_is_not_taken_for_an_empty_one(
    shipped: Path, langfuse: LoopbackLangfuse, body: bytes
) -> None:
    """A login page lists no observations, and says nothing of what arrived."""
    langfuse.reads = [Reply(body=body)] * 9
    done = run_ccship("verify")
    assert (done.returncode, done.stdout) == (1, "")
    assert "an answer that" in done.stderr


@pytest.mark.parametrize("body", [b"[]", b"{}", b'{"observations": [{"id": 1}]}'])
def test_a_trace_without_a_list_of_observations_is_not_taken_for_an_empty_one(
    shipped: Path, langfuse: LoopbackLangfuse, body: bytes
) -> None:
    """The same by the older API."""
    langfuse.has_v2 = False
    langfuse.reads = [Reply(status=404), *[Reply(body=body)] * 9]
    done = run_ccship("verify")
    assert (done.returncode, done.stdout) == (1, "")
    assert "an answer that" in done.stderr


def test_names_are_compared_as_they_were_sent(
    langfuse: LoopbackLangfuse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A rule of the user changes the session id that the server has, the project and the name of a tool."""
    rules = tmp_path / "rules.toml"
    rules.write_text('[[rules]]\nname = "own"\npattern = "4111-8111|demo|Bash"\n')
    where = {"CLAUDE_CONFIG_DIR": str(tmp_path / "claude"), "CC_LANGFUSE_REDACT_EXTRA": str(rules)}
    for name, value in {**langfuse.environ, **where}.items():
        monkeypatch.setenv(name, value)
    conversation(6, SESSION).write(tmp_path / "claude/projects/-demo" / f"{SESSION}.jsonl")
    assert run_ccship("backfill").returncode == 0
    assert found()[0] == 0
    dropped = next(span for span in langfuse.accepted if span.type == "tool")
    langfuse.accepted.remove(dropped)
    (difference,) = differences_in(found()[1])
    assert (
        difference["session_id"] == dropped.attributes["session.id"] == SESSION.replace("4111-8111", "[redacted:own]")
    )
    assert difference["project"] == "[redacted:own]"
    assert difference["missing"] == {dropped.span_id: dropped.name}
    assert "[redacted:own]" in dropped.name


def test_other_sessions_are_read_and_requested_while_the_server_answers(
    shipped: Path, langfuse: LoopbackLangfuse
) -> None:
    """^C does not wait for the answers."""
    for n in range(3):
        session = f"{SESSION[:-4]}222{n}"
        conversation(2, session).write(shipped / "projects/-demo" / f"{session}.jsonl")
    langfuse.reads = [Reply(delay_s=600)] * 9
    process = fork_server().start("ccship", ["verify"], os.environ, Path.cwd(), (0, 1, 2))
    asked = "/api/public/v2/observations?sessionId="
    until(lambda: len({path for path, _ in langfuse.contacts if path.startswith(asked)}) >= 3, 30)
    process.send_signal(signal.SIGINT)
    assert process.wait(20) == 130


def test_a_transcript_that_cannot_be_read_is_not_called_whole(shipped: Path) -> None:
    """Nobody knows what should have arrived of it."""
    odd = shipped / "projects/-demo/odd.jsonl"
    odd.symlink_to(shipped / "nowhere")
    code, document = found()
    assert (code, document["ok"]) == (1, False)
    assert str(odd) in str(document["problems"])


def test_a_session_is_chosen_by_the_beginning_of_its_id_or_by_its_file(shipped: Path) -> None:
    """One that does not exist is named."""
    assert found(SESSION[:6])[1]["sessions"] == 1
    assert found(str(shipped / f"projects/-demo/{SESSION}.jsonl"))[1]["sessions"] == 1
    done = run_ccship("verify", "ffff")
    assert done.returncode == 2
    assert "ffff" in done.stderr


def test_all_sessions_of_this_repository_verify(langfuse: LoopbackLangfuse) -> None:
    """Subagents, forks and resumes: whatever was shipped is found where it was sent to."""
    where = ["--claude-dir", str(FIXTURES / "claude")]
    assert run_ccship("backfill", *where, environ=langfuse.environ).returncode == 0
    done = run_ccship("verify", *where, environ=langfuse.environ)
    assert done.returncode == 0, done.stdout
    assert f"{len(langfuse.keys)} observations: 0 missing, 0 doubled, 0 with different tokens" in done.stdout
    assert f"checked {len(langfuse.scores.rows)} scores: 0 missing or with another value" in done.stdout
