"""What reaches Langfuse, and what is believed to have: the real SDK against a loopback server."""

import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTracePartialSuccess,
    ExportTraceServiceResponse,
)

from ccship import config
from ccship.errors import Denied
from ccship.pipeline import sender
from ccship.pipeline.plan import Options
from ccship.pipeline.report import Report
from ccship.pipeline.ship import Shipper
from ccship.sinks.exporter import PATIENCE
from ccship.sinks.langfuse import LangfuseSink
from ccship.state import State
from ccship.transcript.discover import sessions_at
from conftest import FIXTURES
from helpers import run_ccship
from lines import Lines, tool
from loopback import HEALTH, TRACES, LoopbackLangfuse, Reply, loopback_langfuse

SESSION = FIXTURES / "claude/projects/-home-dev-demo/dad1e8b6-649a-4fc2-8adb-bbdc197f183e.jsonl"
SPANS = len((FIXTURES / "observations" / SESSION.name).read_text().splitlines())

Ship = Callable[..., Report]


@pytest.fixture
def ship(langfuse: LoopbackLangfuse, state_dir: Path) -> Iterator[Ship]:
    """Ship transcripts to the loopback server through the real SDK."""
    settings = config.load(langfuse.environ | {"CC_LANGFUSE_STATE_DIR": str(state_dir), "USER": "ada"})
    sink = LangfuseSink(settings, replace(PATIENCE, first_wait_s=0.001))

    def run(*paths: Path, resend: bool = False, state: Path = state_dir) -> Report:
        with State(state, settings.destination) as opened:
            shipper = Shipper(sink, opened, Options(settings.trace_settings, resend=resend))
            shipper.ship(sessions_at(paths))
        return shipper.report

    yield run
    sink.close()


def test_every_span_carries_what_langfuse_does_not_inherit(ship: Ship, langfuse: LoopbackLangfuse) -> None:
    """Session, user, trace name, tags and version are on each of them."""
    ship(SESSION)
    assert langfuse.accepted
    for span in langfuse.accepted:
        assert span.attributes["session.id"] == SESSION.stem
        assert span.attributes["user.id"] == "ada"
        assert span.attributes["langfuse.trace.name"].startswith("claude_turn_")
        assert "claude-code" in span.attributes["langfuse.trace.tags"]
        assert span.attributes["langfuse.version"] == "2.1.329"


def test_only_roots_have_no_parent_and_every_trace_has_one(ship: Ship, langfuse: LoopbackLangfuse) -> None:
    """Langfuse takes a trace's input and output from its parentless span."""
    ship(SESSION)
    roots = Counter(span.trace_id for span in langfuse.accepted if not span.parent)
    assert roots == dict.fromkeys({span.trace_id for span in langfuse.accepted}, 1)
    assert {span.name for span in langfuse.accepted if not span.parent} == {"claude_turn"}
    ids = {span.span_id for span in langfuse.accepted}
    assert all(span.parent in ids for span in langfuse.accepted if span.parent)


def test_only_turns_and_orphans_are_root_observations(ship: Ship, langfuse: LoopbackLangfuse, tmp_path: Path) -> None:
    """Langfuse's Tracing page lists what is marked as a root: a turn, not each of its calls and tools."""
    agent = "a1"
    orphan = Lines().prompt("look around").assistant("m9", "seen").write(tmp_path / f"s1/subagents/agent-{agent}.jsonl")
    Lines().prompt("go").assistant("m1", tool("t1")).result("t1").assistant("m2", "ok").write(tmp_path / "s1.jsonl")
    ship(SESSION, tmp_path / "s1.jsonl", orphan)
    roots = {span.span_id for span in langfuse.accepted if span.is_root}
    assert roots == {span.span_id for span in langfuse.accepted if not span.parent}
    assert {span.name for span in langfuse.accepted if span.is_root} == {"claude_turn", "Agent: subagent"}


def test_metadata_strings_arrive_without_quotes(ship: Ship, langfuse: LoopbackLangfuse) -> None:
    """Newer SDKs would JSON-quote them, which older servers show."""
    ship(SESSION)
    root = next(span for span in langfuse.accepted if not span.parent)
    assert root.attributes["langfuse.observation.metadata.source"] == "claude-code"
    assert root.attributes["langfuse.observation.metadata.turn_number"] == "1"


def test_usage_is_on_generations_only_and_always(ship: Ship, langfuse: LoopbackLangfuse) -> None:
    """Usage elsewhere is counted twice, and a generation without it gets an invented one."""
    ship(SESSION)
    for span in langfuse.accepted:
        has_usage = "langfuse.observation.usage_details" in span.attributes
        assert has_usage == (span.type == "generation"), span.name


def test_the_time_of_the_first_token_is_sent_where_it_is_known(ship: Ship, langfuse: LoopbackLangfuse) -> None:
    """In the form that the server reads, and of no other observation."""
    ship(SESSION)
    sent = {
        span.span_id: span.attributes["langfuse.observation.completion_start_time"]
        for span in langfuse.accepted
        if "langfuse.observation.completion_start_time" in span.attributes
    }
    expected = {
        observation["span_id"]: observation["completion_start_ns"]
        for observation in map(json.loads, (FIXTURES / "observations" / SESSION.name).read_text().splitlines())
        if observation.get("completion_start_ns")
    }
    assert expected
    assert {key: datetime.fromisoformat(json.loads(time)).timestamp() for key, time in sent.items()} == pytest.approx(
        {key: time_ns / 1e9 for key, time_ns in expected.items()}, abs=1e-6
    )


def test_a_batch_of_two_spans_arrives_whole(ship: Ship, langfuse: LoopbackLangfuse, tmp_path: Path) -> None:
    """A batch of one is sent in its own way."""
    assert ship(Lines().prompt("go").assistant("m1", "ok").write(tmp_path / "s1.jsonl")).ok
    assert sorted(span.type for span in langfuse.accepted) == ["agent", "generation"]


def test_shipping_twice_sends_nothing_the_second_time(ship: Ship, langfuse: LoopbackLangfuse) -> None:
    """Neither settled turns nor those that may still grow."""
    ship(SESSION)
    langfuse.clear()
    report = ship(SESSION)
    assert report.ok
    assert langfuse.requests == []


def test_a_replay_without_state_and_in_other_batches_gives_the_same_ids(
    ship: Ship, langfuse: LoopbackLangfuse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Trace id, span id, type and start time come from the transcript alone."""
    ship(SESSION)
    first, sizes = langfuse.keys, len(langfuse.requests)
    langfuse.clear()
    monkeypatch.setattr(sender, "BATCH_SPANS", 7)
    ship(SESSION, state=tmp_path / "another state")
    assert langfuse.keys == first
    assert len(langfuse.requests) > sizes


def test_appended_lines_send_only_the_turn_they_touch(ship: Ship, langfuse: LoopbackLangfuse, claude_dir: Path) -> None:
    """The cursor stays before turns that may grow, but what was accepted of them is remembered."""
    transcript = claude_dir / SESSION.relative_to(FIXTURES / "claude")
    lines = transcript.read_bytes().splitlines(keepends=True)
    last_prompt = max(n for n, line in enumerate(lines) if b'"turnOrigin":"sdk"' in line)
    transcript.write_bytes(b"".join(lines[: last_prompt + 2]))
    ship(transcript)
    before = {span.trace_id for span in langfuse.accepted}
    langfuse.clear()
    transcript.write_bytes(b"".join(lines))
    ship(transcript)
    assert len({span.trace_id for span in langfuse.accepted}) == 1
    assert {span.trace_id for span in langfuse.accepted} <= before


FAILURES = {
    "500": Reply(status=500),
    "503 with Retry-After": Reply(status=503, headers={"retry-after": "7200"}),
    "429": Reply(status=429, headers={"retry-after": "0"}),
    "401": Reply(status=401),
    "403": Reply(status=403),
    "404": Reply(status=404),
    "302": Reply(status=302, headers={"location": "/login"}),
    "200 with HTML": Reply(body=b"<html>sign in</html>", content_type="text/html"),
    "200 with an empty body of no type": Reply(body=b"", content_type=""),
    "200 with rejected spans": Reply(body=b'{"partialSuccess": {"rejectedSpans": "3"}}'),
    "200 with rejected spans, as protobuf": Reply(
        body=ExportTraceServiceResponse(
            partial_success=ExportTracePartialSuccess(rejected_spans=3)
        ).SerializeToString(),
        content_type="application/x-protobuf",
    ),
    "200 with JSON that is cut short": Reply(body=b'{"partial'),
    "200 with a body that is not protobuf": Reply(body=b"signed out", content_type="application/x-protobuf"),
    "207": Reply(status=207),
    "reset": Reply(reset=True),
}


@pytest.mark.parametrize("reply", FAILURES.values(), ids=FAILURES.keys())
def test_no_false_success_moves_the_cursor(
    ship: Ship, langfuse: LoopbackLangfuse, reply: Reply, state_dir: Path
) -> None:
    """Whatever is not an acknowledgement leaves everything to the next run, which delivers it all."""
    langfuse.script = [reply] * 3
    report = ship(SESSION)
    assert report.failure is not None
    assert langfuse.accepted == []
    with State(state_dir, f"{langfuse.url} {langfuse.public_key}") as state:
        known = state.transcript(SESSION, SESSION.stem)
        assert known.position is None
        assert known.spans == set()
        assert known.last_error == str(report.failure)
    langfuse.script.clear()
    assert ship(SESSION).ok
    assert len(langfuse.keys) == len(langfuse.accepted) == SPANS


REDIRECTS = {"a page that says all is well": (302, HEALTH), "the same endpoint": (307, TRACES)}


@pytest.mark.parametrize(("status", "place"), REDIRECTS.values(), ids=REDIRECTS.keys())
def test_a_redirect_is_not_followed(ship: Ship, langfuse: LoopbackLangfuse, status: int, place: str) -> None:
    """The server it names gets nothing, and its answer acknowledges nothing."""
    with loopback_langfuse() as elsewhere:
        langfuse.script = [Reply(status=status, headers={"location": elsewhere.url + place})] * 3
        assert ship(SESSION).failure is not None
        assert elsewhere.requests == []


def test_a_failure_stops_the_rest_of_a_halved_batch(ship: Ship, langfuse: LoopbackLangfuse) -> None:
    """One half was refused its way in: the other half would only be refused too."""
    langfuse.script = [Reply(status=413), Reply(status=401)]
    assert isinstance(ship(SESSION).failure, Denied)
    assert langfuse.requests == [413, 401]
    assert ship(SESSION).ok
    assert len(langfuse.keys) == len(langfuse.accepted) == SPANS


OPENTELEMETRY = {
    "OTEL_SDK_DISABLED": "true",
    "OTEL_TRACES_SAMPLER": "always_off",
    "OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT": "3",
    "OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT": "3",
    "OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT": "3",
}


@pytest.mark.parametrize(("name", "value"), OPENTELEMETRY.items())
def test_opentelemetry_variables_of_the_shell_change_nothing(
    name: str, value: str, langfuse: LoopbackLangfuse, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    """They configure the person's own programs; they would drop spans or cut their texts."""
    monkeypatch.setenv(name, value)
    assert request.getfixturevalue("ship")(SESSION).ok
    assert len(langfuse.keys) == SPANS
    assert {span.attributes.get("session.id") for span in langfuse.accepted} == {SESSION.stem}


def test_a_reply_lost_after_acceptance_is_sent_again_under_the_same_ids(ship: Ship, langfuse: LoopbackLangfuse) -> None:
    """Langfuse replaces a row of the same id and start time: a replay is no double."""
    langfuse.script = [Reply(reset=True, keep=True)]
    assert ship(SESSION).ok
    assert len(langfuse.accepted) > len(langfuse.keys)


def test_one_poisonous_span_is_buried_and_the_rest_arrives(
    ship: Ship, langfuse: LoopbackLangfuse, state_dir: Path
) -> None:
    """A batch that is refused is halved down to the span that is to blame."""
    ship(SESSION)
    spans = len(langfuse.accepted)
    poison = sorted(span.span_id for span in langfuse.accepted)[10]
    langfuse.clear()
    langfuse.refused_spans = {poison: 400}
    report = ship(SESSION, resend=True)
    assert report.spans["dead_lettered"] == 1
    assert len(langfuse.keys) == spans - 1
    with State(state_dir, f"{langfuse.url} {langfuse.public_key}") as state:
        assert [span_id for _, span_id, _ in state.dead_letters()] == [poison]
    langfuse.clear()
    ship(SESSION)
    assert langfuse.requests == []


def test_a_request_that_is_too_large_is_halved(ship: Ship, langfuse: LoopbackLangfuse) -> None:
    """Proxies have limits of their own."""
    langfuse.max_spans = 10
    assert ship(SESSION).ok
    assert 413 in langfuse.requests
    assert len(langfuse.accepted) == len(langfuse.keys) == SPANS


def test_images_are_uploaded_as_media_and_referred_to(ship: Ship, langfuse: LoopbackLangfuse) -> None:
    """Where they stand: in the result of the tool that read one."""
    ship(SESSION)
    (image,) = set(langfuse.media.values())
    assert image.startswith(b"\x89PNG")
    reads = [span for span in langfuse.accepted if "@@@langfuseMedia:type=image/png" in str(span.attributes)]
    assert [span.name for span in reads] == ["Tool: Read"]
    assert "iVBOR" not in str([span.attributes for span in langfuse.accepted])


def test_headers_of_the_destination_do_not_follow_media_to_another_server(langfuse: LoopbackLangfuse) -> None:
    """Langfuse names an address for the upload, as a rule that of an object store."""
    langfuse.uploads_to = f"http://localhost:{langfuse.server_port}"
    environ = langfuse.environ | {"CC_LANGFUSE_HEADERS": "x-team=blue"}
    assert run_ccship("backfill", SESSION, "--yes", environ=environ).returncode == 0
    assert langfuse.uploads
    assert not [headers for headers in langfuse.uploads if "x-team" in headers]


def test_images_can_be_left_out(langfuse: LoopbackLangfuse) -> None:
    """A note of their type and size stands for them."""
    environ = {**langfuse.environ, "CC_LANGFUSE_CAPTURE_IMAGES": "false"}
    assert run_ccship("backfill", SESSION, environ=environ).returncode == 0
    assert langfuse.media == {}
    assert '"media_type":"image/png","bytes":72' in str([span.attributes for span in langfuse.accepted])
