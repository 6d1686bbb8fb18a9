"""The session, the version and the name of a trace."""

from pathlib import Path

import pytest

from ccship.observations import TraceSettings
from helpers import KeepingSink, ship_to
from lines import Lines, command
from observed import Observe, roots


def test_a_file_with_two_versions_tells_each_turn_its_own(seen: Observe) -> None:
    """A session resumed with another client."""
    lines = Lines("2.1.17").prompt("one").assistant("m1", "a")
    lines.version = "2.1.7"
    observations = seen(lines.user("two").assistant("m2", "b"))
    assert [root.trace.version for root in roots(observations)] == ["2.1.17", "2.1.7"]


def test_a_turn_is_in_the_session_of_its_calls(seen: Observe) -> None:
    """Where `usage` counts them; the prompt was copied from the session that was resumed."""
    lines = Lines(session="s2").prompt("go", sessionId="s1").assistant("m1", "ok").prompt("more").assistant("m2", "ok")
    assert {observation.trace.session_id for observation in seen(lines)} == {"s2"}


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("claude_turn", ["claude_turn", "claude_turn"]),
        ("{project} {branch} {{{n}}}", ["demo main {1}", "demo main {2}"]),
        ("{trigger}", ["prompt", "slash_command"]),
    ],
)
def test_a_template_names_the_traces(template: str, expected: list[str], tmp_path: Path) -> None:
    """Langfuse's dashboards group by the name of the trace."""
    lines = Lines().prompt("go").assistant("m1", "ok").user(command("review", skill=True)).assistant("m2", "ok")
    sink = KeepingSink()
    ship_to(sink, [lines.write(tmp_path / "s1.jsonl")], trace_settings=TraceSettings(trace_name=template))
    assert [root.trace.name for root in roots(sink.sent)] == expected
