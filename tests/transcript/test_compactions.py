"""A compaction is an event: after the work, in the middle of it, or before the file begins."""

import pytest

from lines import Lines, at, tool
from observed import Observe, named, roots, seconds


def test_a_file_that_begins_after_a_compaction_goes_on_in_a_turn_without_prompt(seen: Observe) -> None:
    """The prompt stands in another file, or nowhere."""
    lines = Lines().add("system", subtype="compact_boundary", compactMetadata={"preTokens": 9})
    lines.user("summary", isCompactSummary=True).assistant("m1", "going on")
    (root,) = roots(seen(lines.prompt("next").assistant("m2", "ok")))[:1]
    assert (root.metadata["trigger"], root.output) == ("continuation", "going on")


@pytest.mark.parametrize(
    ("metadata", "after_s", "start_s", "end_s"),
    [
        ({"trigger": "manual"}, 5, 1, 1),
        ({"trigger": "auto"}, 9 * 3600, 1, 1),
        ({"trigger": "auto"}, 90, 91, 91),
        (None, 90, 91, 91),
    ],
)
def test_a_compaction_after_the_work_is_inside_of_its_turn(
    seen: Observe, metadata: dict[str, str] | None, after_s: int, start_s: int, end_s: int
) -> None:
    """One that was asked for, or came much later, is at the end of the turn; Claude Code's own is part of the work."""
    lines = Lines().prompt("go").assistant("m1", "done")
    lines.seconds = 1 + after_s
    observations = seen(lines.add("system", subtype="compact_boundary", compactMetadata=metadata))
    (root,), (event,) = roots(observations), named(observations, "compaction")
    assert (seconds(event.start_ns), seconds(root.end_ns)) == (start_s, end_s)
    assert event.metadata.get("occurred_at") == (at(1 + after_s) if start_s == 1 else None)


def test_a_compaction_keeps_its_start_when_the_turn_goes_on(seen: Observe) -> None:
    """A start depends on nothing that is written later."""
    lines = Lines().prompt("go").assistant("m1", "done")
    lines.seconds = 60
    lines.add("system", subtype="compact_boundary", compactMetadata={"trigger": "manual"})
    before = named(seen(lines), "compaction")
    assert named(seen(lines.assistant("m2", "more")), "compaction") == before


def test_a_compaction_in_mid_turn_is_an_event_of_that_turn(seen: Observe) -> None:
    """The turn goes on after it."""
    lines = Lines().prompt("go").assistant("m1", tool("t1")).result("t1")
    lines.add("system", subtype="compact_boundary", parentUuid=None, compactMetadata={"preTokens": 9, "postTokens": 1})
    observations = seen(lines.user("summary", isCompactSummary=True).assistant("m2", "done"))
    assert len(roots(observations)) == 1
    (event,) = named(observations, "compaction")
    assert event.metadata == {"preTokens": 9, "postTokens": 1}
    assert named(observations, "LLM call")[1].input[-1]["content"] == "summary"
