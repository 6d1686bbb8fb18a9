"""Answers, addresses and waits, run through the hook."""

import socket
import sqlite3
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress

import pytest

from ccship.state import State
from faults.case import Case, conversation
from loopback import Reply

LONGEST_S = 3600


def destination(case: Case) -> tuple[float, int]:
    """When the destination is to be tried again, and how often it failed in a row."""
    with sqlite3.connect(case.state / "state.db") as db:
        retry_at, failures = db.execute("SELECT retry_at, failures FROM destinations WHERE failures").fetchone()
    return float(retry_at), int(failures)


def test_every_failure_in_a_row_is_remembered(case: Case) -> None:
    """Kept for the next hook, backed off; a success forgets them."""
    nobody = {"LANGFUSE_BASE_URL": "http://127.0.0.1:9"}
    case.hook(environ=nobody)
    case.pass_time()
    case.hook(environ=nobody)
    assert destination(case)[1] == 2
    case.check_all_arrives()


def test_waits_are_spread(case: Case) -> None:
    """Hooks that failed together do not come back together."""
    waits = set()
    for n in range(20):
        with State(None, str(n)) as state:
            waits.add(state.postpone(None))
    assert len(waits) == 20
    assert all(0.5 <= wait_s <= 1 for wait_s in waits)


WAITS = ["1000000000", "1e300", "inf", "Fri, 31 Dec 9999 23:59:59 GMT", "86400"]


@pytest.mark.parametrize("header", WAITS)
def test_the_longest_wait_is_an_hour(case: Case, header: str) -> None:
    """Kept for the next hook, capped, whatever the server asks for."""
    case.server.script = [Reply(status=429, headers={"retry-after": header})]
    case.hook()
    assert case.server.requests == [429]
    assert case.offset() == 0
    assert LONGEST_S - 600 < destination(case)[0] - time.time() <= LONGEST_S
    case.check_all_arrives()


@pytest.mark.parametrize(
    ("status", "explained"), [(401, "LANGFUSE_SECRET_KEY"), (403, "LANGFUSE_SECRET_KEY"), (404, "LANGFUSE_BASE_URL")]
)
def test_what_only_a_person_can_mend_is_tried_once_and_explained(case: Case, status: int, explained: str) -> None:
    """Kept for the next hook; sending again changes nothing, so nothing is a dead letter either."""
    case.server.script = [Reply(status=status)] * 9
    case.hook()
    assert case.server.requests == [status]
    assert explained in case.log()
    assert dead(case) == set()
    case.check_all_arrives()


@pytest.mark.parametrize("status", [400, 422])
def test_the_books_of_a_refused_span_balance(case: Case, status: int) -> None:
    """Accepted and dead letters are what an undisturbed run sends; the cursor passes both."""
    poison = sorted(span_id for _, span_id, _, _ in case.expected)[5]
    case.server.refused_spans = {poison: status}
    case.hook()
    assert status in case.server.requests
    assert dead(case) == {poison}
    assert {span_id for _, span_id, _, _ in case.expected} - {poison} == {key[1] for key in case.server.keys}
    assert case.offset() > 0


def test_what_is_too_large_even_when_shortened_is_a_dead_letter(case: Case) -> None:
    """A dead letter; the rest arrives, and a second hook does not try again."""
    small = case.expected
    conversation().prompt("x" * 9_000).assistant("huge", "y" * 9_000).write(case.transcript)
    case.server.max_bytes = 2_500
    case.hook()
    assert 413 in case.server.requests
    assert case.server.keys == small
    assert dead(case) == {span_id for _, span_id, _, _ in case.expected - small}
    case.server.clear()
    case.hook()
    assert case.server.requests == []


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
def test_a_success_that_says_something_else_is_none(case: Case, kind: str, body: bytes) -> None:
    """It is kept, and the next hook sends it."""
    case.server.script = [Reply(body=body, content_type=kind)] * 3
    case.hook()
    assert case.server.requests == [200] * 3
    assert case.offset() == 0
    case.check_all_arrives()


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


IMPATIENT = "langfuse.PATIENCE = replace(langfuse.PATIENCE, timeout_s=0.3, attempts=1)"


def test_a_connection_that_is_never_made_ends_at_a_deadline(case: Case) -> None:
    """It is kept, and the next hook sends it."""
    with full_backlog() as url:
        case.hook(environ={"LANGFUSE_BASE_URL": url}, first=IMPATIENT)
    assert "ConnectTimeout" in case.log()
    assert case.offset() == 0
    case.check_all_arrives()


CLOCKS = {"a day ahead": 86_400, "a day behind": -86_400, "ten years ahead": 315_360_000}


@pytest.mark.parametrize("shift_s", CLOCKS.values(), ids=CLOCKS.keys())
def test_a_clock_that_was_wrong_when_the_server_failed_holds_up_nothing(case: Case, shift_s: int) -> None:
    """The wait that is in the state is of a time that was never; the next hook with a right clock delivers."""
    case.server.script = [Reply(status=500)] * 3
    case.hook(first=f"import time; right = time.time; time.time = lambda: right() + {shift_s}")
    assert case.server.requests == [500] * 3
    assert abs(destination(case)[0] - time.time() - shift_s) < LONGEST_S
    case.server.script.clear()
    case.hook()
    assert case.server.keys == case.expected
    assert list((case.state / "requests").iterdir()) == []


CONNECTIONS = {
    "certificates that are not there": {"SSL_CERT_FILE": "/nowhere/at/all.pem"},
    "certificates that are none": {"SSL_CERT_FILE": "/etc/passwd"},
    "a proxy of an unknown kind": {"ALL_PROXY": "carrier-pigeon://127.0.0.1:9"},
    "a proxy that is no address": {"ALL_PROXY": ":::"},
    "a proxy that needs another package": {"ALL_PROXY": "socks5://127.0.0.1:9"},
}


@pytest.mark.parametrize("environ", CONNECTIONS.values(), ids=CONNECTIONS.keys())
def test_variables_that_allow_no_connection_are_explained(case: Case, environ: dict[str, str]) -> None:
    """Kept for the next hook; it is the person's to mend, not ours."""
    case.hook(environ=environ)
    assert case.server.requests == []
    assert len(list((case.state / "requests").glob("*.json"))) == 1
    assert case.log()
    assert "please report" not in case.log()
    case.check_all_arrives()


SETTINGS = {
    "LANGFUSE_BASE_URL": "nonsense",
    "CC_LANGFUSE_CAPTURE_IMAGES": "perhaps",
    "CC_LANGFUSE_METADATA": "no pairs",
    "LANGFUSE_SECRET_KEY_FILE": "/nowhere/at/all",
}


@pytest.mark.parametrize(("name", "value"), SETTINGS.items())
def test_a_setting_that_cannot_be_meant_is_named_in_the_log(case: Case, name: str, value: str) -> None:
    """Kept for the next hook; without a word nobody would know why nothing arrives."""
    case.hook(environ={"LANGFUSE_SECRET_KEY": "" if name.endswith("FILE") else case.server.secret_key, name: value})
    assert case.server.requests == []
    assert name.removeprefix("CC_LANGFUSE_") in case.log()
    case.check_all_arrives()


def test_without_a_home_nothing_is_sent_and_nothing_is_said(case: Case) -> None:
    """Nothing is sent; there is no place for a state."""
    case.hook(environ={"HOME": "/dev/null", "CC_LANGFUSE_STATE_DIR": ""})
    assert case.server.requests == []
    case.check_all_arrives()


def dead(case: Case) -> set[str]:
    """The span ids of the dead letters."""
    with sqlite3.connect(case.state / "state.db") as db:
        return {span_id for (span_id,) in db.execute("SELECT span_id FROM dead_letters")}
