"""A subagent's own transcript: one exchange, and its lines by kind."""

from pathlib import Path

from ccship.transcript.subagent import read_subagent
from ccship.transcript.tail import entries
from lines import Lines


def test_every_line_of_a_subagent_is_counted_by_its_kind(tmp_path: Path) -> None:
    """A copied line counts as one, and the exchange holds each record once."""
    lines = Lines().prompt("look around").assistant("m1", "seen").add("summary", summary="s")
    lines.lines.append(lines.lines[0])
    path = lines.write(tmp_path / "agent-a1.jsonl")
    with path.open("ab") as file:
        file.write(b"no JSON\n")
    with path.open("rb") as opened:
        exchange, counts, end = read_subagent(entries(opened, 0))
    assert exchange is not None
    assert list(exchange.calls) == ["m1"]
    assert counts == {"turn": 2, "ignored:summary": 1, "ignored:duplicate": 1, "bad": 1}
    assert end == path.stat().st_size
