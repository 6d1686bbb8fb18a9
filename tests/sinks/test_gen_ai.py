"""Observations give the spans of OpenTelemetry's conventions for generative AI that are written down."""

from collections import Counter
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import SpanKind

from ccship.privacy.capture import Capture
from ccship.privacy.encoding import encode
from ccship.sinks import conventions as names
from ccship.sinks.gen_ai import attributes_of, gen_ai_spans, span_of, usage_of
from ccship.sinks.spans import SpanSink
from conftest import FIXTURES, SHARED
from helpers import run_anew
from privacy.observation import observation
from sinks.gen_ai_spans import CAPTURES, SESSIONS, context_of, encoded_of, shown, spans_of
from sinks.test_span_attributes import BASE_URL, Keeping

CORPUS = sorted((SHARED / "corpus").glob("*.jsonl")) if SHARED.is_dir() else []
MESSAGES = (names.INPUT_MESSAGES, names.OUTPUT_MESSAGES, names.TOOL_CALL_ARGUMENTS, names.TOOL_CALL_RESULT)
TOKENS = st.integers(0, 10**9)


@pytest.mark.parametrize("capture", CAPTURES)
@pytest.mark.parametrize("transcript", SESSIONS, ids=lambda path: path.stem[:8])
def test_a_session_gives_the_spans_written_down(
    transcript: Path, capture: Capture, request: pytest.FixtureRequest
) -> None:
    """Every attribute and event, in every capture mode, to the byte."""
    golden = FIXTURES / "gen_ai" / f"{transcript.stem[:8]}-{capture}.jsonl"
    spans = b"".join(orjson.dumps(shown(span)) + b"\n" for span in spans_of(transcript, capture))
    if request.config.getoption("--update-golden"):
        golden.parent.mkdir(exist_ok=True)
        golden.write_bytes(spans)
    assert spans == golden.read_bytes()


def test_ids_parents_and_times_are_those_of_langfuse() -> None:
    """Whoever has both backends finds a span of one in the other, and no span has both encodings."""
    keeping = Keeping()
    sink = SpanSink(keeping, public_key="pk-lf-gen-ai", secret_key="sk", base_url=BASE_URL, upload_media=False)
    for transcript in SESSIONS:
        sink.deliver(encoded_of(transcript))
    sink.close()
    ours = [span for transcript in SESSIONS for span in spans_of(transcript)]
    assert list(map(placed, ours)) == list(map(placed, keeping.kept))
    assert not {name for span in ours for name in span.attributes or {} if "langfuse" in name}
    assert not {name for span in keeping.kept for name in span.attributes or {} if name.startswith("gen_ai.")}


@pytest.mark.parametrize("transcript", SESSIONS, ids=lambda path: path.stem[:8])
def test_events_are_in_their_parents(transcript: Path) -> None:
    """All that Langfuse has as observations, at their times."""
    observations = [span.observation for span in encoded_of(transcript, folds_events=False)]
    events = [(one.parent_span_id, one.name, one.start_ns) for one in observations if one.type == "event"]
    assert sorted(events, key=str) == sorted(
        (
            (f"{context_of(span).span_id:016x}", event.name, event.timestamp)
            for span in spans_of(transcript)
            for event in span.events
        ),
        key=str,
    )


def placed(span: ReadableSpan) -> tuple[Any, ...]:
    context = context_of(span)
    return context.trace_id, context.span_id, span.parent and span.parent.span_id, span.start_time, span.end_time


@pytest.mark.parametrize("transcript", SESSIONS, ids=lambda path: path.stem[:8])
def test_usage_of_a_session_equals_langfuses(transcript: Path) -> None:
    """The sums of all calls, though the conventions count the cache as input."""
    assert usage_sums(transcript) == langfuse_sums(transcript)


@pytest.mark.skipif(not CORPUS, reason="no shared corpus")
@pytest.mark.parametrize("transcript", CORPUS, ids=lambda path: path.stem)
def test_usage_of_other_peoples_sessions_equals_langfuses(transcript: Path) -> None:
    """The same for sessions of many versions."""
    assert usage_sums(transcript) == langfuse_sums(transcript)


def usage_sums(transcript: Path) -> Counter[str]:
    sums: Counter[str] = Counter()
    for span in spans_of(transcript):
        sums.update({name: value for name, value in (span.attributes or {}).items() if "usage" in name})
    return +sums


def langfuse_sums(transcript: Path) -> Counter[str]:
    sums: Counter[str] = Counter()
    for span in encoded_of(transcript, folds_events=False):
        for key, tokens in (span.observation.usage_details or {}).items():
            sums[names.USAGE_OUTPUT if key == "output" else names.USAGE_INPUT] += tokens
            if key == "cache_read_input_tokens":
                sums[names.USAGE_CACHE_READ] += tokens
            elif "cache_creation" in key:
                sums[names.USAGE_CACHE_CREATION] += tokens
    return +sums


@given(
    st.fixed_dictionaries({"input": TOKENS, "output": TOKENS, "cache_read_input_tokens": TOKENS}),
    st.one_of(
        st.fixed_dictionaries({"cache_creation_input_tokens": TOKENS}),
        st.fixed_dictionaries({"input_cache_creation_5m": TOKENS, "input_cache_creation_1h": TOKENS}),
    ),
)
def test_no_token_is_lost_or_counted_twice(plain: dict[str, int], written: dict[str, int]) -> None:
    """Input and output together are all tokens; the parts of the cache are within the input."""
    usage = dict(usage_of(plain | written))
    assert usage[names.USAGE_INPUT] + usage[names.USAGE_OUTPUT] == sum((plain | written).values())
    parts = usage[names.USAGE_CACHE_READ] + usage[names.USAGE_CACHE_CREATION]
    assert usage[names.USAGE_INPUT] - parts == plain["input"]


def test_in_metadata_mode_no_span_has_content() -> None:
    """Digests are not messages, neither of spans nor of their events."""
    for transcript in SESSIONS:
        for span in spans_of(transcript, "metadata"):
            for attributes in (span.attributes, *(event.attributes for event in span.events)):
                assert not [name for name in MESSAGES if name in (attributes or {})]


def test_without_tool_io_only_lengths_of_it_remain() -> None:
    """As the capture mode left them, in messages and on tools."""
    (transcript,) = (path for path in SESSIONS if path.name.startswith("dad1e8b6"))
    spans = [span.attributes or {} for span in spans_of(transcript, "no-tool-io")]
    tools = [span for span in spans if span[names.OPERATION_NAME] == "execute_tool"]
    assert {tuple(orjson.loads(str(span[names.TOOL_CALL_ARGUMENTS]))) for span in tools} == {("characters",)}
    messages = [orjson.loads(str(span[names.INPUT_MESSAGES])) for span in spans if names.INPUT_MESSAGES in span]
    responses = [part["response"] for of in messages for m in of for part in m["parts"] if m["role"] == "tool"]
    assert responses
    assert {tuple(response) for response in responses} == {("characters",)}


RESPONSE = {
    "role": "assistant",
    "content": "I look",
    "thinking": [{"type": "thinking", "content": "hm"}],
    "tool_calls": [{"id": "t1", "type": "function", "function": {"name": "Bash", "arguments": '{"command":"ls"}'}}],
}
CALL = {
    "response_id": "msg_01",
    "completion_start_ns": 500_000_001,
    "model_parameters": {"max_tokens": 32_000},
    "metadata": {"model_id": "claude-opus-4-7", "stop_reason": "tool_use"},
    "output": RESPONSE,
}


def test_a_call_is_a_chat_span_of_the_client() -> None:
    """With its models, its limits, its message and the time to the first chunk in seconds."""
    span = span_of(observation("generation", input=[{"role": "user", "content": "go"}], **CALL))
    attributes = span.attributes or {}
    assert (span.name, span.kind) == ("chat claude-opus-4-7", SpanKind.CLIENT)
    assert attributes[names.REQUEST_MODEL] == attributes[names.RESPONSE_MODEL] == "claude-opus-4-7"
    assert attributes[names.REQUEST_MAX_TOKENS] == 32_000
    assert attributes[names.RESPONSE_TIME_TO_FIRST_CHUNK] == 0.5
    assert attributes[names.RESPONSE_FINISH_REASONS] == ("tool_use",)
    assert orjson.loads(str(attributes[names.OUTPUT_MESSAGES])) == [
        {
            "role": "assistant",
            "parts": [
                {"type": "reasoning", "content": "hm"},
                {"type": "text", "content": "I look"},
                {"type": "tool_call", "id": "t1", "name": "Bash", "arguments": {"command": "ls"}},
            ],
            "finish_reason": "tool_call",
        }
    ]


@pytest.mark.parametrize(
    ("response_id", "provider"),
    [("msg_01x", "anthropic"), ("msg_bdrk_01x", "aws.bedrock"), ("msg_vrtx_01x", "gcp.vertex_ai"), (None, "anthropic")],
)
def test_the_message_id_tells_the_provider(response_id: str | None, provider: str) -> None:
    """Nothing else in a transcript does."""
    assert attributes_of(observation("generation", response_id=response_id))[names.PROVIDER_NAME] == provider


def test_a_call_that_another_model_answered_has_both_models() -> None:
    """The one that refused was requested."""
    attributes = attributes_of(observation("generation", metadata={"model_id": "b", "fallback_from": "a"}))
    assert (attributes[names.REQUEST_MODEL], attributes[names.RESPONSE_MODEL]) == ("a", "b")


@pytest.mark.parametrize(
    ("kind", "metadata", "error"),
    [
        ("tool", {"tool_name": "Bash", "exit_code": 3}, "tool_error"),
        ("tool", {"tool_name": "Bash", "denial": "user-rejected"}, "permission_denied"),
        ("agent", {}, "api_error"),
        ("agent", {"agent_id": "a1", "agent_type": "Explore"}, "api_error"),
    ],
)
def test_a_failure_has_a_type_and_a_status(kind: str, metadata: dict[str, Any], error: str) -> None:
    """Few types, so that they can be grouped; the message is in the status."""
    span = span_of(observation(kind, metadata=metadata, level="ERROR", status_message="it failed"))
    assert (span.attributes or {})[names.ERROR_TYPE] == error
    assert (span.status.status_code.name, span.status.description) == ("ERROR", "it failed")


def test_a_tool_of_an_mcp_server_is_marked_as_one() -> None:
    """With the method of the protocol."""
    metadata = {"tool_name": "mcp__git__log", "mcp_server": "git", "mcp_tool": "log"}
    assert attributes_of(observation(metadata=metadata))[names.MCP_METHOD] == "tools/call"


def test_images_leave_a_note_of_type_and_size() -> None:
    """Their bytes would fill a store of traces."""
    data = {"media_type": "image/png", "data": "AAAA" * 1000}
    image = {"type": "image", "source": {"type": "base64", **data}}
    url = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{data['data']}"}}
    tool, call = observation(output=[image]), observation("generation", input=[{"role": "user", "content": [url]}])
    for span in gen_ai_spans([encode(tool), encode(call)]):
        (text,) = [str(value) for name, value in (span.attributes or {}).items() if name in MESSAGES]
        assert '"media_type":"image/png","bytes":3000' in text
        assert "AAAA" not in text


@pytest.mark.parametrize("value", ["cut: {", {"question": 1}, [1, "a"], "[redacted:error]", {"role": 5}])
def test_any_input_and_output_is_content(value: Any) -> None:
    """A value that was cut or could not be checked is a text."""
    for kind in ("agent", "generation", "tool", "event"):
        attributes = attributes_of(observation(kind, input=value, output=value))
        assert [name for name in MESSAGES if name in attributes]


def test_an_event_without_a_parent_is_a_span_of_its_own() -> None:
    """Nothing is lost."""
    span = span_of(replace(observation("event", input="why?"), name="queued_prompt", parent_span_id="2" * 16))
    assert (span.name, span.kind) == ("queued_prompt", SpanKind.INTERNAL)
    (message,) = orjson.loads(str((span.attributes or {})[names.INPUT_MESSAGES]))
    assert message == {"role": "user", "parts": [{"type": "text", "content": "why?"}]}


def test_an_event_has_its_details() -> None:
    """Under names of the conventions, or in a part of its message."""
    metadata = {"preTokens": 9, "postTokens": 2, "status": 529, "attempt": 2}
    event = replace(observation("event", input="Compacted", metadata=metadata), name="compaction")
    (found,) = span_of(replace(observation("agent"), events=(event,))).events
    attributes = dict(found.attributes or {})
    assert (found.name, found.timestamp) == ("compaction", event.start_ns)
    assert (attributes[names.HTTP_STATUS], attributes[names.HTTP_RESEND_COUNT]) == (529, 2)
    assert orjson.loads(str(attributes[names.INPUT_MESSAGES])) == [
        {
            "role": "system",
            "parts": [
                {"type": "text", "content": "Compacted"},
                {"type": "compaction", "preTokens": 9, "postTokens": 2},
            ],
        }
    ]


def test_the_encoder_does_not_import_langfuse() -> None:
    """An `otlp` destination has no use for the SDK."""
    program = "import ccship.sinks.gen_ai, sys\nassert 'langfuse' not in sys.modules"
    assert run_anew(module="platform", first=program).returncode == 0
