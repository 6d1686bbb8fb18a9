"""Answers, addresses and waits, run through the hook: rows 33 to 43 of the fault matrix."""

import socket
import sqlite3
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress

import pytest

from ccship.state import State
from faults.case import conversation
from faults.quick import QuickCase
from loopback import Reply

LONGEST_S = 3600


def destination(case: QuickCase) -> tuple[float, int]:
    """When the destination is to be tried again, and how often it failed in a row."""
    with sqlite3.connect(case.state / "state.db") as db:
        retry_at, failures = db.execute("SELECT retry_at, failures FROM destinations WHERE failures").fetchone()
    return float(retry_at), int(failures)


def test_every_failure_in_a_row_is_remembered(quick: QuickCase) -> None:
    """33: outcome K, backed off; a success forgets them."""
    nobody = {"LANGFUSE_BASE_URL": "http://127.0.0.1:9"}
    quick.hook(environ=nobody)
    quick.pass_time()
    quick.hook(environ=nobody)
    assert destination(quick)[1] == 2
    quick.check_all_arrives()


def test_waits_are_spread(quick: QuickCase) -> None:
    """37: hooks that failed together do not come back together."""
    waits = set()
    for n in range(20):
        with State(None, str(n)) as state:
            waits.add(state.postpone(None))
    assert len(waits) == 20
    assert all(0.5 <= wait_s <= 1 for wait_s in waits)


WAITS = ["1000000000", "1e300", "inf", "Fri, 31 Dec 9999 23:59:59 GMT", "86400"]


@pytest.mark.parametrize("header", WAITS)
def test_the_longest_wait_is_an_hour(quick: QuickCase, header: str) -> None:
    """36: outcome K, capped, whatever the server asks for."""
    quick.server.script = [Reply(status=429, headers={"retry-after": header})]
    quick.hook()
    assert quick.server.requests == [429]
    assert quick.offset() == 0
    assert LONGEST_S - 600 < destination(quick)[0] - time.time() <= LONGEST_S
    quick.check_all_arrives()


@pytest.mark.parametrize(
    ("status", "explained"), [(401, "LANGFUSE_SECRET_KEY"), (403, "LANGFUSE_SECRET_KEY"), (404, "LANGFUSE_BASE_URL")]
)
def test_what_only_a_person_can_mend_is_tried_once_and_explained(quick: QuickCase, status: int, explained: str) -> None:
    """38: outcome K; sending again changes nothing, so nothing is a dead letter either."""
    quick.server.script = [Reply(status=status)] * 9
    quick.hook()
    assert quick.server.requests == [status]
    assert explained in quick.log()
    assert dead(quick) == set()
    quick.check_all_arrives()


@pytest.mark.parametrize("status", [400, 422])
def test_the_books_of_a_refused_span_balance(quick: QuickCase, status: int) -> None:
    """39: accepted and dead letters are what an undisturbed run sends; the cursor passes both."""
    poison = sorted(span_id for _, span_id, _, _ in quick.expected)[5]
    quick.server.refused_spans = {poison: status}
    quick.hook()
    assert status in quick.server.requests
    assert dead(quick) == {poison}
    assert {span_id for _, span_id, _, _ in quick.expected} - {poison} == {key[1] for key in quick.server.keys}
    assert quick.offset() > 0


def test_what_is_too_large_even_when_shortened_is_a_dead_letter(quick: QuickCase) -> None:
    """40: outcome D; the rest arrives, and a second hook does not try again."""
    small = quick.expected
    conversation().prompt("x" * 9_000).assistant("huge", "y" * 9_000).write(quick.transcript)
    quick.server.max_bytes = 2_500
    quick.hook()
    assert 413 in quick.server.requests
    assert quick.server.keys == small
    assert dead(quick) == {span_id for _, span_id, _, _ in quick.expected - small}
    quick.server.clear()
    quick.hook()
    assert quick.server.requests == []


BODIES: dict[str, tuple[str, bytes]] = {
    "protobuf that rejects three": ("application/x-protobuf", b"\x0a\x02\x08\x03"),
    "protobuf with an error": ("application/x-protobuf", b"\x0a\x04\x12\x02no"),
    "no protobuf": ("application/x-protobuf", b"\xff\xff"),
    "empty JSON": ("application/json", b""),
    "half of it": ("application/json", b'{"partial'),
    "a list": ("application/json", b"[]"),
    "a number of 5000 digits": ("application/json", b"9" * 5_000),
    "deep nesting": ("application/json", b"[" * 60_000),
    "more than anybody would say": ("application/json", b"x" * 200_000),
}


@pytest.mark.parametrize(("kind", "body"), BODIES.values(), ids=BODIES.keys())
def test_a_success_that_says_something_else_is_none(quick: QuickCase, kind: str, body: bytes) -> None:
    """41: outcome K."""
    quick.server.script = [Reply(body=body, content_type=kind)] * 3
    quick.hook()
    assert quick.server.requests == [200] * 3
    assert quick.offset() == 0
    quick.check_all_arrives()


@contextmanager
def full_backlog() -> Iterator[str]:
    """A port whose queue of connections is full: the next one is answered by nobody."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as server, ExitStack() as waiting:
        for _ in range(4):
            client = waiting.enter_context(socket.socket())
            client.setblocking(False)
            with suppress(BlockingIOError):
                client.connect(server.getsockname())
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


IMPATIENT = "from ccship.sinks import langfuse; langfuse._TIMEOUT_S, langfuse._ATTEMPTS = 0.3, 1"


def test_a_connection_that_is_never_made_ends_at_a_deadline(quick: QuickCase) -> None:
    """34: outcome K."""
    with full_backlog() as url:
        quick.hook(environ={"LANGFUSE_BASE_URL": url}, first=IMPATIENT)
    assert "ConnectTimeout" in quick.log()
    assert quick.offset() == 0
    quick.check_all_arrives()


CLOCKS = {"a day ahead": 86_400, "a day behind": -86_400, "ten years ahead": 315_360_000}


@pytest.mark.parametrize("shift_s", CLOCKS.values(), ids=CLOCKS.keys())
def test_a_clock_that_was_wrong_when_the_server_failed_holds_up_nothing(quick: QuickCase, shift_s: int) -> None:
    """42: the wait that is in the state is of a time that was never; the next hook with a right clock delivers."""
    quick.server.script = [Reply(status=500)] * 3
    quick.hook(first=f"import time; right = time.time; time.time = lambda: right() + {shift_s}")
    assert quick.server.requests == [500] * 3
    assert abs(destination(quick)[0] - time.time() - shift_s) < LONGEST_S
    quick.server.script.clear()
    quick.hook()
    assert quick.server.keys == quick.expected
    assert list((quick.state / "requests").iterdir()) == []


CONNECTIONS = {
    "33 certificates that are not there": {"SSL_CERT_FILE": "/nowhere/at/all.pem"},
    "33 certificates that are none": {"SSL_CERT_FILE": "/etc/passwd"},
    "43 a proxy of an unknown kind": {"ALL_PROXY": "carrier-pigeon://127.0.0.1:9"},
    "43 a proxy that is no address": {"ALL_PROXY": ":::"},
    "43 a proxy that needs another package": {"ALL_PROXY": "socks5://127.0.0.1:9"},
}


@pytest.mark.parametrize("environ", CONNECTIONS.values(), ids=CONNECTIONS.keys())
def test_variables_that_allow_no_connection_are_explained(quick: QuickCase, environ: dict[str, str]) -> None:
    """33, 43: outcome K; it is the person's to mend, not ours."""
    quick.hook(environ=environ)
    assert quick.server.requests == []
    assert len(list((quick.state / "requests").glob("*.json"))) == 1
    assert quick.log()
    assert "please report" not in quick.log()
    quick.check_all_arrives()


SETTINGS = {
    "LANGFUSE_BASE_URL": "nonsense",
    "CC_LANGFUSE_CAPTURE_IMAGES": "perhaps",
    "CC_LANGFUSE_METADATA": "no pairs",
    "LANGFUSE_SECRET_KEY_FILE": "/nowhere/at/all",
}


@pytest.mark.parametrize(("name", "value"), SETTINGS.items())
def test_a_setting_that_cannot_be_meant_is_named_in_the_log(quick: QuickCase, name: str, value: str) -> None:
    """43: outcome K; without a word nobody would know why nothing arrives."""
    quick.hook(environ={"LANGFUSE_SECRET_KEY": "" if name.endswith("FILE") else quick.server.secret_key, name: value})
    assert quick.server.requests == []
    assert name.removeprefix("CC_LANGFUSE_") in quick.log()
    quick.check_all_arrives()


def test_without_a_home_nothing_is_sent_and_nothing_is_said(quick: QuickCase) -> None:
    """43: outcome X; there is no place for a state."""
    quick.hook(environ={"HOME": "/dev/null", "CC_LANGFUSE_STATE_DIR": ""})
    assert quick.server.requests == []
    quick.check_all_arrives()


def dead(case: QuickCase) -> set[str]:
    """The span ids of the dead letters."""
    with sqlite3.connect(case.state / "state.db") as db:
        return {span_id for (span_id,) in db.execute("SELECT span_id FROM dead_letters")}
