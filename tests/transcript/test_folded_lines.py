"""Commands, notifications and interrupts that called no model: all are events of the turn that follows."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ccship.observations.identity import span_id_of
from lines import Lines, command, tool
from observed import Observe, inputs, named, roots
from transcript.test_chunks import check

NOTIFICATION = "<task-notification>\n<task-id>b1</task-id>\n<summary>Command finished</summary>\n</task-notification>"
INTERRUPT = [{"type": "text", "text": "[Request interrupted by user]"}]


def notification(lines: Lines) -> Lines:
    """A background command has ended; Claude Code asks the model what to do, unless it is stopped."""
    return lines.prompt(NOTIFICATION, promptSource="system", turnOrigin="task_notification")


def local(lines: Lines, name: str) -> Lines:
    """A command of Claude Code's own, with what it prints."""
    lines.user("<local-command-caveat>Caveat: ...</local-command-caveat>", isMeta=True)
    return lines.user(command(name)).user("<local-command-stdout>done</local-command-stdout>")


def compaction(lines: Lines, trigger: str = "manual") -> Lines:
    """The boundary and the summary behind it."""
    lines.add("system", subtype="compact_boundary", parentUuid=None, compactMetadata={"trigger": trigger})
    return lines.user("summary", isCompactSummary=True)


def bare_compact(lines: Lines, text: str = "/compact") -> Lines:
    """A compaction as clients from 2.1.212 to 2.1.232 write it: what was typed, and later the command as others do."""
    return local(compaction(lines.user(text)), "compact")


def test_every_local_command_before_a_prompt_is_an_event(seen: Observe) -> None:
    """Not only the last of them."""
    lines = Lines().prompt("go").assistant("m1", "ok")
    for name in ("login", "model", "clear"):
        local(lines, name)
    observations = seen(lines.prompt("next").assistant("m2", "ok"))
    assert [observation.input for observation in named(observations, "local_command")] == ["/login", "/model", "/clear"]
    assert {observation.parent_span_id for observation in named(observations, "local_command")} == {
        roots(observations)[1].span_id
    }
    assert inputs(observations) == ["go", "next"]


def test_commands_before_the_first_prompt_are_events_too(seen: Observe) -> None:
    """A session often begins with them."""
    lines = local(local(Lines(), "login"), "model").user("<bash-input>ls</bash-input>")
    observations = seen(lines.prompt("go").assistant("m1", "ok"))
    assert [observation.input for observation in named(observations, "local_command")] == ["/login", "/model", "!ls"]


def test_a_folded_command_keeps_its_id(seen: Observe) -> None:
    """That of its record, as it always was."""
    observations = seen(local(Lines(), "model").prompt("go").assistant("m1", "ok"))
    (event,) = named(observations, "local_command")
    assert event.span_id == span_id_of(event.trace.trace_id, "event", "s1-1")


def test_a_notification_that_was_stopped_is_an_event_and_so_is_the_interrupt(seen: Observe) -> None:
    """Each is named by what it is, and the turn that follows was not interrupted."""
    lines = notification(Lines().prompt("go").assistant("m1", "ok")).user(INTERRUPT)
    observations = seen(lines.prompt("next").assistant("m2", "ok"))
    (event,) = named(observations, "task_notification")
    assert event.input == "Command finished"
    (interrupted,) = named(observations, "interrupted")
    assert event.parent_span_id == interrupted.parent_span_id == roots(observations)[1].span_id
    assert [root.level for root in roots(observations)] == ["DEFAULT", "DEFAULT"]
    assert named(observations, "local_command") == []


def test_a_scheduled_prompt_that_called_no_model_is_an_event_of_its_name(seen: Observe) -> None:
    """A wake-up that was given up."""
    lines = Lines().user("wake up", isMeta=True, permissionMode="default", promptSource="system")
    observations = seen(lines.prompt("go").assistant("m1", "ok"))
    assert [observation.input for observation in named(observations, "scheduled")] == ["wake up"]


def test_a_turn_after_a_stopped_notification_takes_queued_prompts_as_ever(seen: Observe) -> None:
    """An interrupt before a turn does not count as its answer: both prompts are one turn."""
    lines = notification(Lines()).user(INTERRUPT).prompt("one").prompt("two").assistant("m1", "both")
    assert inputs(seen(lines)) == ["one"]


def test_a_bare_compact_is_one_event_and_no_turn(seen: Observe) -> None:
    """The compaction is at the end of the work before it, the command is an event of the turn that follows."""
    lines = bare_compact(Lines("2.1.220").prompt("go").assistant("m1", "ok"))
    observations = seen(lines.prompt("next").assistant("m2", "ok"))
    first, second = roots(observations)
    assert [first.input, second.input] == ["go", "next"]
    assert [turn.level for turn in (first, second)] == ["DEFAULT", "DEFAULT"]
    assert [
        (observation.input, observation.parent_span_id) for observation in named(observations, "local_command")
    ] == [("/compact", second.span_id)]
    (event,) = named(observations, "compaction")
    assert (event.parent_span_id, event.start_ns) == (first.span_id, first.end_ns)


def test_a_bare_compact_that_nothing_repeats_is_an_event(seen: Observe) -> None:
    """The compaction was given up."""
    lines = Lines("2.1.220").prompt("go").assistant("m1", "ok").user("/compact keep the plan")
    observations = seen(lines.prompt("next").assistant("m2", "ok"))
    assert inputs(observations) == ["go", "next"]
    assert [observation.input for observation in named(observations, "local_command")] == ["/compact keep the plan"]


def test_two_compact_commands_are_two_events(seen: Observe) -> None:
    """Only a line without markup is repeated."""
    lines = local(local(Lines().prompt("go").assistant("m1", "ok"), "compact"), "compact")
    assert len(named(seen(lines.prompt("next").assistant("m2", "ok")), "local_command")) == 2


def test_a_marked_prompt_about_compact_is_a_prompt(seen: Observe) -> None:
    """Somebody asked the model."""
    assert inputs(seen(Lines().prompt("/compact").assistant("m1", "ok"))) == ["/compact"]


def test_a_word_that_begins_like_compact_is_a_prompt(seen: Observe) -> None:
    """Without any mark, as clients before 2.1.15 wrote prompts."""
    (root,) = roots(seen(Lines("2.0.5").user("/compaction is slow").assistant("m1", "ok")))
    assert (root.input, root.metadata["trigger"]) == ("/compaction is slow", "prompt")


def test_a_compaction_before_the_first_prompt_keeps_its_true_time(seen: Observe) -> None:
    """A session that goes on in a new file begins with it: it is an event of the first turn."""
    lines = local(compaction(Lines()), "compact").prompt("go").assistant("m1", "ok")
    observations = seen(lines)
    (event,) = named(observations, "compaction")
    assert event.start_ns == roots(observations)[0].start_ns
    assert event.metadata["occurred_at"] == "2026-01-01T12:00:00.000Z"


def test_a_compaction_after_the_first_command_keeps_its_true_time(seen: Observe) -> None:
    """There is no work before it that it could be at the end of."""
    lines = local(compaction(local(Lines(), "login")), "compact").prompt("go").assistant("m1", "ok")
    (event,) = named(seen(lines), "compaction")
    assert event.metadata["occurred_at"] == "2026-01-01T12:00:03.000Z"


PIECES: dict[str, Callable[[Lines, int], Lines]] = {
    "command": lambda lines, n: local(lines, f"model{n}"),
    "shell": lambda lines, n: lines.user(f"<bash-input>ls {n}</bash-input>").user("<bash-stdout></bash-stdout>"),
    "notification": lambda lines, _: notification(lines),
    "stopped": lambda lines, _: notification(lines).user(INTERRUPT),
    "compaction": lambda lines, _: local(compaction(lines), "compact"),
    "automatic": lambda lines, _: compaction(lines, "auto"),
    "bare": lambda lines, _: bare_compact(lines),
    "turn": lambda lines, n: (
        lines.prompt(f"p{n}").assistant(f"a{n}", tool(f"t{n}")).result(f"t{n}").assistant(f"b{n}", "ok")
    ),
    "late": lambda lines, n: lines.assistant(f"b{n - 1}", "late"),
}


@given(kinds=st.lists(st.sampled_from(sorted(PIECES)), min_size=1, max_size=12))
def test_a_session_of_any_such_lines_is_the_same_line_by_line(
    kinds: list[str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """What a hook sends after each line is what one look at the whole file sends."""
    lines = Lines()
    for n, kind in enumerate(kinds):
        PIECES[kind](lines, n)
    folder = tmp_path_factory.mktemp("session")
    transcript = lines.prompt("last").assistant("z", "ok").write(folder / "source" / "s1.jsonl")
    check(transcript, folder, [n + 1 for n, byte in enumerate(transcript.read_bytes()) if byte == ord("\n")])
