"""Turns that were labelled by hand: of the fixtures, and of small sessions for each branch of each signal."""

from typing import Any

import pytest

from ccship.signals.model import NUMBERS, REASONS, SIGNALS, Signals
from conftest import FIXTURES
from lines import Lines, tool
from signals.evaluated import evaluated_at, signals_in

DEMO = FIXTURES / "claude/projects/-home-dev-demo"

FIXTURE_TURNS: dict[str, dict[int, dict[str, Any]]] = {
    "80c2": {2: {"edit_failed": 1}, 8: {"api_error": True}},  # a file written before it was read; a refused request
    "aa65": {2: {"edit_failed": 1}, 9: {"api_error": True}},
    "dad1": {10: {"api_error": True}},
    "0a61": {}, "9e4b": {}, "a53f": {},
}  # fmt: skip
"""Session -> number of a turn -> what fires; in the 44 other turns nothing does."""


@pytest.mark.parametrize("name", FIXTURE_TURNS)
def test_turns_of_the_fixtures_fire_as_labelled(name: str) -> None:
    """Sessions of a real client with a scripted model: few things go wrong in them."""
    (path,) = DEMO.glob(f"{name}*.jsonl")
    found = {one.turn.number: dict(one.signals.fired()) for one in evaluated_at(path)}
    assert {number: fired for number, fired in found.items() if fired} == FIXTURE_TURNS[name]


EDIT: dict[str, Any] = {"file_path": "/home/dev/demo/src/app.py", "old_string": "a", "new_string": "b"}
REJECTED = "The user doesn't want to proceed with this tool use. The tool use was rejected"


def session(prompt: str = "please make the tests pass", **fields: Any) -> Lines:
    return Lines().prompt(prompt, **fields)


def step(lines: Lines, name: str, result: str = "ok", *, is_error: bool = False, **arguments: Any) -> Lines:
    """A call with one tool and its result."""
    key = f"t{len(lines.lines)}"
    fields = {name: arguments.pop(name) for name in ("toolDenialKind",) if name in arguments}
    lines.assistant(f"m{key}", tool(key, name, **arguments), stop_reason="tool_use")
    return lines.result(key, result, is_error=is_error, **fields)


def bash(lines: Lines, command: str, result: str = "ok", *, is_error: bool = False, **arguments: Any) -> Lines:
    return step(lines, "Bash", result, is_error=is_error, command=command, **arguments)


def end(lines: Lines, text: str = "Done.", **fields: Any) -> Lines:
    return lines.assistant(f"end{len(lines.lines)}", text, **fields)


def answered(then: str, answer: str = "Let me look.", before: str = "please make the tests pass") -> Lines:
    """A turn, and the prompt after it with its answer."""
    return end(end(session(before)).prompt(then), answer)


def compacted(trigger: str, *, after_a_call: bool = True) -> Lines:
    lines = session()
    if after_a_call:
        bash(lines, "ls")
    lines.add("system", subtype="compact_boundary", compactMetadata={"trigger": trigger, "preTokens": 9})
    return end(lines)


def write(tokens: int, *, long: bool = False) -> dict[str, Any]:
    lifetime = "ephemeral_1h_input_tokens" if long else "ephemeral_5m_input_tokens"
    return {"cache_creation_input_tokens": tokens, "cache_creation": {lifetime: tokens}}


def paused(
    seconds: float,
    tokens: int = 100_000,
    *,
    long: bool = False,
    model: str = "claude-opus-4-5-20251101",
    read: int = 0,
    compacts: bool = False,
) -> Lines:
    """Two turns with a pause between; the second writes the cache."""
    lines = end(session(), usage=write(100_000, long=long))
    if compacts:
        lines.add("system", subtype="compact_boundary", compactMetadata={"trigger": "manual", "preTokens": 9})
    lines.seconds += seconds
    usage = {**write(tokens, long=long), "cache_read_input_tokens": read}
    return end(lines.prompt("go on with the next one please"), usage=usage, model=model)


def retried() -> Lines:
    error = {"subtype": "api_error", "error": {"status": 529}, "retryAttempt": 1, "maxRetries": 10}
    return end(session().add("system", **error, retryInMs=1500.0).add("system", **error, retryInMs=2000.0))


def failed(text: str) -> Lines:
    return session().synthetic(text, isApiErrorMessage=True, error="unknown")


def queued(text: Any) -> Lines:
    return end(bash(session(), "ls").add("attachment", attachment={"type": "queued_command", "prompt": text}))


def slow(name: str) -> Lines:
    lines = session().assistant("m1", tool("t1", name))
    lines.seconds += 200
    return end(lines.result("t1"))


FAILS: dict[str, Any] = {"result": "Exit code 1\n1 failed in 0.12s", "is_error": True}
MISSING: dict[str, Any] = {"result": "<tool_use_error>String to replace not found in file.", "is_error": True}
ASKED_TWICE = answered("Please make  the TESTS pass!!", before="please make the tests pass!")

CASES: dict[str, tuple[Lines, int, dict[str, Any]]] = {
    # a person stops or refuses
    "an interrupt": (end(session()).user("[Request interrupted by user]"), 0, {"interrupted": True}),
    "a rejection by its text": (
        end(step(session(), "Bash", REJECTED, is_error=True)), 0, {"rejected_by_person": 1},
    ),
    "a rejection by its kind": (
        end(bash(session(), "ls", "no", is_error=True, toolDenialKind="user-rejected")), 0, {"rejected_by_person": 1},
    ),
    "a rejected plan": (end(step(session(), "ExitPlanMode", REJECTED, is_error=True)), 0, {"rejected_by_person": 1}),
    "a question that is not answered": (end(step(session(), "AskUserQuestion", REJECTED, is_error=True)), 0, {}),
    "a rule": (
        end(bash(session(), "ls", "Permission to use Bash has been denied", is_error=True)), 0, {"denied_by_rule": 1},
    ),
    "a rule by its kind": (
        end(bash(session(), "ls", "no", is_error=True, toolDenialKind="hook")), 0, {"denied_by_rule": 1},
    ),
    "a hook": (end(bash(session(), "ls", "PreToolUse:Bash no", is_error=True)), 0, {"denied_by_rule": 1}),
    "text of a denial without an error": (end(bash(session(), "cat a", "Permission to use Bash")), 0, {}),
    "a killed session": (
        end(step(session(), "Edit", "x", is_error=True, toolDenialKind="interrupted", **EDIT)), 0, {"tool_errors": 0},
    ),
    "a parallel call that was cancelled": (
        end(step(session(), "Edit", "Cancelled: parallel tool call", is_error=True, **EDIT)), 0, {"tool_errors": 0},
    ),
    # the next prompt
    "no next prompt": (end(session()), 0, {"complaint": None, "human_wait_seconds": None}),
    "praise": (answered("thanks, now write the docs for it"), 0, {"complaint": False, "human_wait_seconds": 1}),
    "a flat no": (answered("no, use the other one"), 0, {"complaint": True, "parts": ("pushback",)}),
    "a no that is none": (answered("no problem, go on with the rest"), 0, {"complaint": False}),
    "a pasted page with bad words": (answered("# Notes\n" + "this is wrong and you forgot it. " * 3), 0, {}),
    "a concession": (
        answered("look at line 3 of it", "You're absolutely right, I'll fix it."), 0,
        {"complaint": True, "parts": ("conceded",)},
    ),
    "a question that is praised": (answered("should it be so?", "You're right to ask."), 0, {"complaint": False}),
    "a reported failure": (
        answered("the build fails on main"), 0, {"complaint": True, "parts": ("reported_failure",)},
    ),
    "a condition": (answered("tell me when the build fails"), 0, {"complaint": False}),
    "pasted output of a terminal": (
        answered("\u276f make\nld: library not found"), 0, {"complaint": True, "parts": ("reported_failure",)},
    ),
    "a prompt that comes again": (ASKED_TWICE, 1, {"repeated_prompt": True}),
    "the turn before it": (ASKED_TWICE, 0, {"complaint": True, "parts": ("repeated_prompt",)}),
    "a short prompt that comes again": (answered("continue", before="continue"), 1, {"repeated_prompt": False}),
    "markup that comes again": (
        answered("<system-reminder>be careful with this file</system-reminder>yes",
                 before="<system-reminder>be careful with this file</system-reminder>no"), 1,
        {"repeated_prompt": False},
    ),
    "a slash command": (
        end(end(session()).user("<command-message>no</command-message>\n<command-name>/no</command-name>")), 0,
        {"complaint": None},
    ),
    "a prompt of a program": (
        end(end(session()).prompt("no, wrong", turnOrigin="sdk")), 0, {"complaint": None, "human_wait_seconds": None},
    ),
    "a prompt of a schedule": (end(end(session()).prompt("no, wrong", promptSource="system")), 0, {"complaint": None}),
    # errors
    "an error three times": (
        end(bash(bash(bash(session(), "a", "Exit code 2\ncannot open /tmp/a/f1", is_error=True),
                      "b", "Exit code 2\ncannot open /tmp/bc/f22", is_error=True),
                 "c", "Exit code 2\ncannot open  /var/f333", is_error=True)), 0,
        {"repeated_error": 3, "tool_errors": 3},
    ),
    "an error twice": (
        end(bash(bash(session(), "a", "Exit code 2\ncannot open", is_error=True), "b", "Exit code 2\ncannot open",
                 is_error=True)), 0, {"tool_errors": 2},
    ),
    "a short error three times": (
        end(bash(bash(bash(session(), "a", "Exit 1", is_error=True), "a", "Exit 1", is_error=True), "a", "Exit 1",
                 is_error=True)), 0, {"tool_errors": 3},
    ),
    "a failed edit": (end(step(session(), "Edit", **MISSING, **EDIT)), 0, {"edit_failed": 1, "reasons": ()}),
    "two failed edits": (
        end(step(step(session(), "Edit", **MISSING, **EDIT), "Write", **MISSING, **EDIT)), 0,
        {"edit_failed": 2, "reasons": ("edit_failed",)},
    ),
    # code that nobody ran
    "code and no check": (end(step(session(), "Edit", **EDIT)), 0, {"unverified": True}),
    "code and a check before it": (
        end(step(bash(session(), "pytest"), "Edit", **EDIT)), 0, {"unverified": True, "checks": 1},
    ),
    "code and a check": (
        end(bash(step(session(), "Edit", **EDIT), "pytest -q")), 0, {"unverified": False, "checks": 1},
    ),
    "code and a check that was not found": (
        end(bash(step(session(), "Edit", **EDIT), "pytest", "pytest: command not found", is_error=True)), 0,
        {"unverified": True, "checks": 1, "tool_errors": 1},
    ),
    "code and a check in the background": (
        end(bash(step(session(), "Edit", **EDIT), "pytest", run_in_background=True)), 0,
        {"unverified": False, "checks": 1},
    ),
    "code and a program": (end(bash(step(session(), "Edit", **EDIT), "./app --once")), 0, {"unverified": False}),
    "code and a look": (end(bash(step(session(), "Edit", **EDIT), "git diff && ls -la")), 0, {"unverified": True}),
    "code and a commit with hooks": (
        end(bash(step(session(), "Edit", **EDIT), "git commit -qm x", "ruff......Passed")), 0, {"unverified": False},
    ),
    "code and a subagent": (end(step(step(session(), "Edit", **EDIT), "Task", prompt="t")), 0, {"unverified": False}),
    "code and a browser": (
        end(step(step(session(), "Edit", **EDIT), "mcp__playwright__browser_navigate")), 0, {"unverified": False},
    ),
    "code and a skill": (end(step(step(session(), "Edit", **EDIT), "Skill", skill="x")), 0, {"unverified": True}),
    "code, interrupted": (
        step(session(), "Edit", **EDIT).user("[Request interrupted by user]"), 0,
        {"unverified": False, "interrupted": True},
    ),
    "code written by a shell": (end(bash(session(), "cat > run.py <<'EOF'\nprint(1)\nEOF")), 0, {"unverified": True}),
    "code written and run by one command": (
        end(bash(session(), "cat > run.py <<'EOF'\nprint(1)\nEOF\npython run.py")), 0, {"unverified": False},
    ),
    "a document": (end(step(session(), "Write", file_path="/home/dev/demo/README.md")), 0, {"unverified": None}),
    "a file of a temporary folder": (
        end(step(session(), "Write", file_path="/var/folders/x/a.py")), 0, {"unverified": None},
    ),
    "an edit that failed": (end(step(session(), "Edit", **MISSING, **EDIT)), 0, {"unverified": None, "edit_failed": 1}),
    # checks
    "a red check": (end(bash(session(), "pytest -q", **FAILS)), 0, {"checks": 1, "red_checks": 1, "tool_errors": 1}),
    "a red check behind a filter": (
        end(bash(session(), "pytest | tail -3", "== 2 failed, 1 passed in 0.1s ==")), 0, {"checks": 1, "red_checks": 1},
    ),
    "hooks left out": (end(bash(session(), "git commit -m x --no-verify")), 0, {"bypassed_hooks": 1}),
    "hooks left out, denied": (
        end(bash(session(), "git commit -n", "PreToolUse:Bash no", is_error=True)), 0, {"denied_by_rule": 1},
    ),
    # the model and its context
    "an automatic compaction": (compacted("auto"), 0, {"compaction": True}),
    "a manual compaction": (compacted("manual"), 0, {}),
    "a compaction before the first call": (compacted("auto", after_a_call=False), 0, {}),
    "a rebuilt cache": (
        paused(400), 1, {"cache_rebuild_usd": round(100_000 * (6.25 - 0.5) / 1e6, 4), "context_tokens": 100_001},
    ),
    "a rebuilt cache of an hour": (paused(4000, long=True), 1, {"cache_rebuild_usd": round(100_000 * 9.5 / 1e6, 4)}),
    "a pause shorter than an hour": (paused(3000, long=True), 1, {}),
    "a pause shorter than five minutes": (paused(200), 1, {}),
    "a small cache": (paused(400, 19_000), 1, {}),
    "a cache that is mostly read": (paused(400, 40_000, read=60_000), 1, {}),
    "another model": (paused(400, model="claude-sonnet-4-5-20250929"), 1, {}),
    "a model without a price": (paused(400, model="my-own-model"), 1, {}),
    "a cache after a compaction": (paused(400, compacts=True), 1, {}),
    "an answer that was cut off": (end(session(), stop_reason="max_tokens"), 0, {"truncated": True}),
    "a refusal": (end(session(), stop_reason="refusal"), 0, {"refused": True}),
    "retries": (retried(), 0, {"api_retry_seconds": 3.5}),
    "an overloaded server": (failed("API Error: 529 overloaded"), 0, {"api_error": True, "class": "overloaded"}),
    "a limit": (failed("You've hit your session limit"), 0, {"api_error": True, "class": "limit"}),
    "a lost login": (failed("Please run /login"), 0, {"api_error": True, "class": "login"}),
    "a broken server": (failed("API Error: 500"), 0, {"api_error": True, "class": "server"}),
    "no network": (failed("API Error: Connection error."), 0, {"api_error": True, "class": "network"}),
    "a bad request": (failed("API Error: 400"), 0, {"api_error": True, "class": "other"}),
    # a person at work
    "steered": (queued("use the other file"), 0, {"steered": 1}),
    "steered with an image": (queued([{"type": "text", "text": "like this"}, {"type": "image"}]), 0, {"steered": 1}),
    "a queued command": (queued("/compact"), 0, {"steered": 0}),
    "a queued notification": (queued("<task-notification>x"), 0, {"steered": 0}),
    "a slow tool": (slow("Bash"), 0, {"slow_tool_seconds": 201.0}),
    "a slow person": (slow("AskUserQuestion"), 0, {"slow_tool_seconds": None}),
}  # fmt: skip
"""Session, index of the turn, and its label: all that fires, and the numbers that matter."""


@pytest.mark.parametrize(("lines", "turn", "label"), CASES.values(), ids=CASES.keys())
def test_a_turn_is_as_labelled(lines: Lines, turn: int, label: dict[str, Any]) -> None:
    """And nothing else fires."""
    signals = signals_in(lines)[turn]
    more = {"parts": signals.complaint_parts, "class": signals.api_error_class, "reasons": signals.reasons}
    found = {name: more[name] if name in more else getattr(signals, name) for name in label}
    assert found == label
    assert {name for name, _ in signals.fired()} <= set(label)


def test_every_signal_is_found_in_a_turn_above() -> None:
    """And is missing in another one."""
    values: dict[str, set[bool]] = {name: set() for name in SIGNALS}
    for lines, turn, _ in CASES.values():
        for name in SIGNALS:
            values[name].add(bool(getattr(signals_in(lines)[turn], name)))
    assert {name: both for name, both in values.items() if both != {True, False}} == {}


def test_reasons_are_in_the_order_of_the_list() -> None:
    """The most telling first; numbers are no reasons."""
    signals = Signals(complaint=True, unverified=True, edit_failed=2, bypassed_hooks=1, context_tokens=9, red_checks=3)
    assert signals.reasons == ("complaint", "unverified", "edit_failed", "bypassed_hooks")
    assert signals.needs_review
    assert not Signals(red_checks=9, tool_errors=9, denied_by_rule=3, compaction=True, refused=True).needs_review
    assert set(REASONS) <= set(SIGNALS) - NUMBERS


def test_a_step_is_marked_where_its_signal_was_found() -> None:
    """By the id of the tool, or of the call."""
    lines = step(session(), "Edit", **MISSING, **EDIT)
    (mark,) = signals_in(lines)[0].marks
    assert (mark.signal, mark.key) == ("edit_failed", "t1")
    (rebuilt,) = signals_in(paused(400))[1].marks
    assert (rebuilt.signal, rebuilt.key) == ("cache_rebuild_usd", "end3")
    assert round(float(rebuilt.value), 4) == 0.575


def test_signals_contain_no_text() -> None:
    """Whatever was said: values are numbers and booleans, names are from closed lists."""
    for make in CASES.values():
        for signals in signals_in(make[0]):
            assert all(isinstance(value, bool | int | float) for _, value in signals.values())
            assert all(mark.signal in SIGNALS for mark in signals.marks)
