"""Faults of the server and the way to it."""

import math
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ccship import config
from ccship.errors import Retryable
from ccship.pipeline.ship import Shipper
from ccship.sinks.answers import retry_after_s
from ccship.sinks.langfuse import LangfuseSink
from ccship.sinks.patience import Patience
from ccship.state import State
from ccship.transcript.discover import sessions_at
from conftest import FIXTURES
from faults.case import Case, conversation
from loopback import LoopbackLangfuse, Reply

assert FIXTURES

REPLIES: dict[str, Reply] = {
    "reset in mid-request": Reply(reset=True),
    "429 with seconds": Reply(status=429, headers={"retry-after": "1"}),
    "429 with a date that is past": Reply(status=429, headers={"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"}),
    "429 with garbage": Reply(status=429, headers={"retry-after": "soon"}),
    "429 with a billion seconds": Reply(status=429, headers={"retry-after": "1000000000"}),
    "408": Reply(status=408),
    "500": Reply(status=500),
    "502": Reply(status=502),
    "503": Reply(status=503),
    "504": Reply(status=504),
    "529": Reply(status=529),
    "401": Reply(status=401),
    "403": Reply(status=403),
    "404": Reply(status=404),
    "302": Reply(status=302, headers={"location": "/sign-in"}),
    "304": Reply(status=304),
    "200 with HTML": Reply(body=b"<html>", content_type="text/html"),
    "207": Reply(status=207),
    "rejected spans": Reply(body=b'{"partialSuccess": {"rejectedSpans": "2"}}'),
    "an error in a 200": Reply(body=b'{"error": "no"}'),
    "an empty 200": Reply(body=b"", content_type="text/plain"),
}


@pytest.mark.parametrize("reply", REPLIES.values(), ids=REPLIES.keys())
def test_what_is_not_accepted_is_kept_and_explained(case: Case, reply: Reply) -> None:
    """Kept for the next hook: the cursor stays, the log says why, and when the fault is over all arrives."""
    case.server.script = [reply] * 9
    case.hook()
    assert case.server.requests.count(reply.status) >= 1
    assert case.server.accepted == []
    assert case.offset() == 0
    assert "WARNING" in case.log()
    assert len(list((case.state / "requests").glob("*.json"))) == 1
    case.check_all_arrives()


def test_a_server_that_asked_to_wait_is_not_asked_again_before(case: Case) -> None:
    """The wait is in the state, so the next hook does not hammer."""
    case.server.script = [Reply(status=429, headers={"retry-after": "1800"})]
    case.hook()
    case.hook()
    assert case.server.requests == [429]
    assert "backing off" in case.log()
    case.check_all_arrives()


NOW = datetime(2026, 1, 1, tzinfo=UTC)
WAITS = {
    "12": 12.0,
    "-5": 0.0,
    "Thu, 01 Jan 2026 00:01:00 GMT": 60.0,
    "Wed, 21 Oct 2015 07:28:00 GMT": 0.0,
    "1e9": 3600.0,
    "soon": None,
    "nan": None,
    "": None,
}


@pytest.mark.parametrize(("header", "expected"), WAITS.items())
def test_retry_after_is_read_in_every_form_and_capped(header: str, expected: float | None) -> None:
    """Seconds, a date, the past, garbage, too much."""
    assert retry_after_s(header, NOW) == expected


ADDRESSES = {
    "refused": "http://127.0.0.1:9",
    "no such host": "http://langfuse.invalid",
    "not TLS": "https://127.0.0.1:{port}",
}


@pytest.mark.parametrize("address", ADDRESSES.values(), ids=ADDRESSES.keys())
def test_an_address_that_cannot_be_reached_is_said_and_nothing_is_lost(case: Case, address: str) -> None:
    """Kept for the next hook, under the cursor of that address; the right one gets everything."""
    case.hook(environ={"LANGFUSE_BASE_URL": address.format(port=case.server.server_port)})
    assert "does not answer" in case.log()
    assert case.server.accepted == []
    case.check_all_arrives()


def hang(_: socket.socket) -> None:
    threading.Event().wait(3)


def drip(connection: socket.socket) -> None:
    """A byte now and then: no read ever times out."""
    connection.recv(65_536)
    try:
        for byte in b"HTTP/1.1 200 OK\r\n" * 100:
            connection.sendall(bytes([byte]))
            threading.Event().wait(0.05)
    except OSError:
        pass


def stop_in_the_body(connection: socket.socket) -> None:
    connection.recv(65_536)
    connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 90\r\n\r\n{")


def speak_nonsense(connection: socket.socket) -> None:
    connection.recv(65_536)
    connection.sendall(b"\x16\x03\x01 what?\r\n\r\n")


@contextmanager
def listening(answer: Callable[[socket.socket], None]) -> Iterator[tuple[str, list[int]]]:
    """A server that does one thing to each connection; gives its address and a list that grows with each."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        met: list[int] = []

        def serve() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                met.append(1)
                with connection:
                    answer(connection)

        threading.Thread(target=serve, daemon=True).start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}", met


ANSWERS = {
    "no headers": hang,
    "a byte at a time": drip,
    "a short body": stop_in_the_body,
    "nonsense": speak_nonsense,
}


@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS.keys())
def test_a_connection_that_goes_nowhere_ends_at_a_deadline(
    answer: Callable[[socket.socket], None], tmp_path: Path
) -> None:
    """Kept for the next hook; for the whole request, not for each byte of it."""
    with listening(answer) as (url, met), State(tmp_path / "state", url) as state:
        keys = {"LANGFUSE_PUBLIC_KEY": f"pk-{url}", "LANGFUSE_SECRET_KEY": "sk", "LANGFUSE_BASE_URL": url}
        sink = LangfuseSink(config.load(keys), Patience(timeout_s=0.5, deadline_s=1.0, attempts=1, longest_wait_s=0.0))
        shipper = Shipper(sink, state)
        transcript = conversation().write(tmp_path / "s.jsonl")
        shipper.ship(sessions_at([transcript]))
        sink.close()
        assert isinstance(shipper.report.failure, Retryable)
        assert state.transcript(transcript, "s").position is None
        assert met


def test_a_span_that_is_refused_is_buried_and_the_others_arrive(case: Case) -> None:
    """A dead letter for one, acceptance for the rest; nothing is asked for again."""
    poison = sorted(span_id for _, span_id, _, _ in case.expected)[3]
    case.server.refused_spans = {poison: 400}
    case.hook()
    assert case.server.requests.count(400) >= 1
    assert {span_id for _, span_id, _, _ in case.expected} - {key[1] for key in case.server.keys} == {poison}
    case.server.clear()
    case.hook()
    assert case.server.requests == []
    assert "1 refused" in case.log()


def test_a_batch_that_is_too_large_is_halved(case: Case) -> None:
    """Down to single spans if need be."""
    case.server.max_spans = 1
    case.hook()
    assert 413 in case.server.requests
    assert case.server.keys == case.expected


def test_a_span_too_large_for_the_server_even_alone_is_shortened(case: Case) -> None:
    """Its largest fields, so that its times and tokens arrive."""
    lines = conversation()
    lines.prompt("x" * 300_000).assistant("huge", "y" * 300_000).write(case.transcript)
    case.server.max_bytes = 100_000
    case.hook({"CC_LANGFUSE_MAX_CHARS": "1000000"})
    assert 413 in case.server.requests
    assert case.server.keys == case.expected


def test_one_poisonous_span_in_a_thousand_takes_few_requests(langfuse: LoopbackLangfuse, tmp_path: Path) -> None:
    """At most 2 log2(n) + 2 a batch."""
    settings = config.load(langfuse.environ)
    sink = LangfuseSink(settings)
    transcript = conversation(250).write(tmp_path / "s.jsonl")
    with State(tmp_path / "state", settings.destination) as state:
        spans = 1000
        case_keys = Case(tmp_path / "other", langfuse)
        case_keys.transcript = transcript
        expected = case_keys.expected
        assert len(expected) == spans
        poison = sorted(span_id for _, span_id, _, _ in expected)[500]
        langfuse.refused_spans = {poison: 400}
        shipper = Shipper(sink, state)
        shipper.ship(sessions_at([transcript]))
        sink.close()
        assert len(langfuse.keys) == spans - 1
        assert [span_id for _, span_id, _ in state.dead_letters()] == [poison]
        assert len(langfuse.requests) <= 2 * math.log2(spans) + 2
