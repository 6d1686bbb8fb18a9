"""Three destinations over 200 Stops: one is healthy, one hangs, one refuses parts."""

import json
import threading
import time
from collections import Counter
from collections.abc import Sequence

import pytest

from answering import Reply
from collector import LoopbackOtlp, OtlpSpan, loopback_otlp
from faults.case import SESSION, Case
from helpers import run_ccship
from lines import Lines, tool
from loopback import LoopbackLangfuse

STOPS = 200
TOGETHER = 10
"""Stops that follow each other at once."""

pytestmark = pytest.mark.slow


def grow(case: Case, lines: Lines, n: int) -> None:
    """One more turn, appended at once: a turn that is read in parts is sent in parts, and its root twice."""
    lines.prompt(f"prompt {n}").assistant(f"a{n}", tool(f"t{n}")).result(f"t{n}", "result")
    whole = lines.assistant(f"b{n}", f"answer {n}").write(case.folder / "whole.jsonl").read_bytes()
    with case.transcript.open("ab") as file:
        file.write(whole[case.transcript.stat().st_size :])


def counts(server: LoopbackLangfuse | LoopbackOtlp) -> Counter[str]:
    return Counter(span.span_id for span in server.accepted)


def test_one_that_hangs_and_one_that_refuses_parts_do_not_concern_the_others(case: Case) -> None:
    """The healthy one is complete all the time; then the others have what they take; nothing arrives twice."""
    released = threading.Event()
    lines = Lines(session=SESSION)
    case.transcript.write_bytes(b"")
    with loopback_otlp() as hanging, loopback_otlp() as refusing:
        hanging.script = [Reply(status=503, after=released)] * 10 * STOPS
        asked_about: set[str] = set()

        def partial(spans: Sequence[OtlpSpan]) -> set[str]:
            refused = {span.span_id for span in spans if span.name.startswith("execute_tool")}
            if refused and not asked_about:
                asked_about.update(span.span_id for span in spans)
            return refused

        refusing.partial = partial
        config = case.folder / "config.toml"
        config.write_text(hanging.table(name="hangs", also=True) + refusing.table(name="refuses", also=True))
        case.environ |= {"CC_LANGFUSE_CONFIG": str(config), "CC_LANGFUSE_FOREGROUND": ""}
        try:
            for n in range(STOPS):
                grow(case, lines, n)
                case.hook()
                if (n + 1) % TOGETHER == 0:
                    while case.server.keys != case.expected:
                        time.sleep(0.02)
            assert hanging.accepted == []
            assert hanging.paths, "nothing hung"
        finally:
            hanging.script = []
            released.set()
        every = {span_id for _, span_id, _, _ in case.expected}
        tools = {span.span_id for span in case.server.accepted if span.name.startswith("Tool")}
        assert len(tools) == STOPS
        while counts(hanging).keys() != every or counts(refusing).keys() != every - tools:
            case.pass_time()
            case.hook()
            time.sleep(1)
        while list((case.state / "requests").rglob("*.json")):
            time.sleep(0.05)
        for server in (case.server, hanging):
            assert set(counts(server).values()) == {1}
        # the answer to the first request that contains refused spans does not tell which they are
        assert {span_id for span_id, count in counts(refusing).items() if count > 1} <= asked_about
        status = json.loads(run_ccship("status", "--json", environ=case.environ).stdout)
        letters = {
            each["name"]: {letter["span_id"] for letter in each["dead_letters"]} for each in status["destinations"]
        }
        assert letters == {"default": set(), "hangs": set(), "refuses": tools}
