"""Several destinations of one session: each has its own cursor, back-off, dead letters, and worker process."""

import json
import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Callable

from answering import Reply
from collector import PROTOBUF, LoopbackOtlp
from faults.case import SESSION, Case, conversation
from helpers import run_ccship
from lines import Lines


def also(name: str, server: LoopbackOtlp, **more: object) -> str:
    """A table that sends everything there, too."""
    return server.table(name=name, also=True, **more)


def configure(case: Case, *tables: str) -> None:
    path = case.folder / "config.toml"
    path.write_text("".join(tables))
    case.environ["CC_LANGFUSE_CONFIG"] = str(path)


def arrived(server: LoopbackOtlp) -> Counter[tuple[str, str]]:
    """How often the server has stored each span."""
    return Counter((span.trace_id, span.span_id) for span in server.accepted)


def ids(case: Case) -> set[tuple[str, str]]:
    """The ids of what is on disk now; these sessions have no events."""
    return {(trace_id, span_id) for trace_id, span_id, _, _ in case.expected}


def wait_for(is_true: Callable[[], object]) -> None:
    """Return when something is true; pytest-timeout ends a test in which it never is."""
    while not is_true():
        time.sleep(0.02)


def test_a_stop_reaches_every_destination_under_the_same_ids(case: Case, otlp: LoopbackOtlp) -> None:
    """Langfuse gets its encoding, the other one gen_ai, with the same ids, parents and times."""
    configure(case, also("tempo", otlp))
    case.hook()
    assert case.server.keys == case.expected
    assert arrived(otlp) == Counter(ids(case))
    frames = {
        (span.trace_id, span.span_id, span.parent, span.start_ns, span.end_ns) for span in case.server.latest.values()
    }
    assert {(span.trace_id, span.span_id, span.parent, span.start_ns, span.end_ns) for span in otlp.accepted} == frames
    assert not any(name.startswith("langfuse") for span in otlp.accepted for name in span.attributes)
    assert not any(name.startswith("gen_ai") for span in case.server.accepted for name in span.attributes)


def test_nothing_is_sent_twice_to_any_of_them(case: Case, otlp: LoopbackOtlp) -> None:
    """Further Stops, a backfill after them, a new turn: each span once."""
    configure(case, also("tempo", otlp))
    case.hook()
    case.hook()
    assert run_ccship("backfill", "--yes", environ=case.environ).returncode == 0
    conversation(5).write(case.transcript)
    case.hook()
    assert {span for span, count in arrived(otlp).items() if count > 1} == set()
    assert set(arrived(otlp)) == ids(case)
    assert case.server.keys == case.expected


def test_one_that_is_down_keeps_its_own_cursor_and_is_served_by_the_next_stop(case: Case, otlp: LoopbackOtlp) -> None:
    """The first one is complete; the request of the other waits in its own spool."""
    configure(case, also("tempo", otlp))
    otlp.script = [Reply(status=503, headers={"retry-after": "3600"})]
    case.hook()
    assert case.server.keys == case.expected
    assert otlp.accepted == []
    assert len(list((case.state / "requests").glob("*/*.json"))) == 1
    assert list((case.state / "requests").glob("*.json")) == []
    case.pass_time()
    case.hook()  # nothing is new for the first one
    assert arrived(otlp) == Counter(ids(case))
    assert list((case.state / "requests").glob("*/*.json")) == []


def test_a_first_destination_that_is_down_does_not_hold_up_the_others(case: Case, otlp: LoopbackOtlp) -> None:
    """And the first one is served when it is back, without sending anything to the other again."""
    configure(case, also("tempo", otlp))
    case.server.script = [Reply(status=503, headers={"retry-after": "3600"})]
    case.hook()
    assert case.server.accepted == []
    assert arrived(otlp) == Counter(ids(case))
    case.pass_time()
    case.hook()
    assert case.server.keys == case.expected
    assert arrived(otlp) == Counter(ids(case))


def test_a_turn_that_ends_while_the_first_destination_hangs_reaches_the_others(case: Case, otlp: LoopbackOtlp) -> None:
    """Its hook finds the session locked, and starts no worker."""
    configure(case, also("tempo", otlp))
    released = threading.Event()
    case.server.script = [Reply(after=released, keep=True)]
    first = case.start()
    wait_for(lambda: arrived(otlp) == Counter(ids(case)))
    conversation(5).write(case.transcript)
    case.hook()
    wait_for(lambda: set(arrived(otlp)) == ids(case))
    assert len(case.server.accepted) < len(case.expected), "the first one did not hang"
    released.set()
    first.wait()
    assert case.server.keys == case.expected


def test_parts_that_a_destination_refuses_are_its_own_dead_letters(case: Case, otlp: LoopbackOtlp) -> None:
    """With the reason of that server; the other destination has them."""
    configure(case, also("tempo", otlp))
    otlp.partial = lambda spans: {span.span_id for span in spans if span.name.startswith("execute_tool")}
    case.hook()
    assert case.server.keys == case.expected
    status = json.loads(run_ccship("status", "--json", environ=case.environ).stdout)
    letters = {each["name"]: [letter["reason"] for letter in each["dead_letters"]] for each in status["destinations"]}
    assert letters["default"] == []
    assert letters["tempo"]
    assert set(letters["tempo"]) == {"refused by the server: refused by the test"}
    tools = sum(span.name.startswith("Tool") for span in case.server.accepted)
    assert len(letters["tempo"]) == tools
    assert len(arrived(otlp)) == len(case.expected) - tools


def test_each_has_its_own_capture_mode(case: Case, otlp: LoopbackOtlp) -> None:
    """What one destination may have, another may not."""
    configure(case, also("tempo", otlp, capture="metadata"))
    case.hook()
    assert "prompt 0 of 0001" in json.dumps([span.attributes for span in case.server.accepted])
    sent = json.dumps([span.attributes for span in otlp.accepted])
    assert "prompt 0" not in sent
    assert "answer 0" not in sent
    assert "gen_ai.usage.output_tokens" in sent


def test_an_invalid_table_does_not_hold_up_the_others(case: Case, otlp: LoopbackOtlp) -> None:
    """The log names the destination and what is wrong."""
    broken = '[[destinations]]\nname = "broken"\nkind = "otlp"\nalso = true\nprojects = ["**"]\n'
    configure(case, broken, also("tempo", otlp))
    case.hook()
    assert case.server.keys == case.expected
    assert arrived(otlp) == Counter(ids(case))
    assert "destination broken: it has no address" in (case.state / "ccship.log").read_text()


def test_without_keys_for_the_first_destination_the_others_get_everything(case: Case, otlp: LoopbackOtlp) -> None:
    """OpenTelemetry alone is a setup, too."""
    configure(case, also("tempo", otlp))
    for name in ("LANGFUSE_PUBLIC_KEY", "LANGFUSE_SECRET_KEY"):
        case.environ[name] = ""
    case.hook()
    assert arrived(otlp) == Counter(ids(case))
    assert run_ccship("backfill", "--yes", environ=case.environ).returncode == 0


def test_without_consent_nothing_is_sent_anywhere(case: Case, otlp: LoopbackOtlp) -> None:
    """A further destination needs consent, too, and its table may refuse it."""
    configure(case, also("tempo", otlp, trace=False))
    case.hook()
    assert case.server.keys == case.expected
    assert otlp.paths == []


def test_an_excluded_project_goes_to_no_destination(case: Case, otlp: LoopbackOtlp) -> None:
    """Whatever its tables say."""
    configure(case, 'exclude = ["**"]\n', also("tempo", otlp))
    case.hook()
    assert case.server.accepted == []
    assert otlp.accepted == []


def test_requests_of_a_destination_that_is_gone_do_not_stay(case: Case, otlp: LoopbackOtlp) -> None:
    """Its table was removed while it was down."""
    configure(case, also("tempo", otlp))
    otlp.script = [Reply(status=503, headers={"retry-after": "3600"})]
    case.hook()
    configure(case, "")
    case.hook()
    assert list((case.state / "requests").rglob("*.json")) == []
    assert case.server.keys == case.expected


def test_a_session_whose_folder_is_written_late_reaches_all(case: Case, otlp: LoopbackOtlp) -> None:
    """The hook runs before the first line is on disk."""
    configure(case, also("tempo", otlp))
    whole = case.transcript.read_bytes()
    case.transcript.unlink()
    hook = case.start(last_assistant_message="answer 3")
    time.sleep(0.2)
    case.transcript.write_bytes(whole)
    hook.wait()
    assert case.server.keys == case.expected
    assert arrived(otlp) == Counter(ids(case))


def test_subagents_reach_all(case: Case, otlp: LoopbackOtlp) -> None:
    """Each destination links them by its own state."""
    configure(case, also("tempo", otlp))
    agent = Lines(session=SESSION).user("explore", uuid="u0").assistant("a0", "found", uuid="v0")
    agent.write(case.transcript.with_suffix("") / "subagents" / "agent-x.jsonl")
    case.hook()
    case.hook(stdin=case.payload(hook_event_name="SessionEnd"))
    assert arrived(otlp) == Counter((trace_id, span_id) for trace_id, span_id, _, _ in case.server.keys)


def test_two_otlp_destinations_share_a_server_under_their_names(case: Case, otlp: LoopbackOtlp) -> None:
    """Two tenants of one backend: each has a cursor of its own."""
    configure(case, also("one", otlp, headers={"x-tenant": "1"}), also("two", otlp, headers={"x-tenant": "2"}))
    case.hook()
    assert arrived(otlp) == Counter(dict.fromkeys(ids(case), 2))
    with sqlite3.connect(case.state / "state.db") as db:
        assert db.execute("SELECT count(*) FROM destinations").fetchone() == (3,)


def test_two_gateways_at_one_address_each_get_their_own_spans(case: Case, otlp: LoopbackOtlp) -> None:
    """A backfill sends to both from one process, in which the SDK has one client for each public key."""
    gateway = {"kind": "langfuse", "endpoint": None, "base_url": otlp.url}
    configure(
        case,
        otlp.table(name="one", headers={"x-tenant": "1"}, **gateway),
        also("two", otlp, headers={"x-tenant": "2"}, **gateway),
    )
    for name in ("LANGFUSE_PUBLIC_KEY", "LANGFUSE_SECRET_KEY"):
        case.environ[name] = ""
    done = run_ccship("backfill", "--yes", environ=case.environ)
    assert done.returncode == 0, done.stderr
    assert arrived(otlp) == Counter(dict.fromkeys(ids(case), 2))
    tenants = [sent["x-tenant"] for sent in otlp.headers if sent["content-type"] == PROTOBUF]
    assert tenants == ["1", "2"]
