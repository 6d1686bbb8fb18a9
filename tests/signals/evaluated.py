"""The signals of sessions that tests write or read."""

from io import BytesIO
from pathlib import Path

from ccship.signals.model import Memory, Signals
from ccship.signals.stream import Evaluated, evaluate
from ccship.transcript.tail import entries
from ccship.transcript.turns import TurnBuilder
from lines import Lines


def evaluated(content: bytes) -> list[Evaluated]:
    """All turns of a transcript, read at once."""
    return list(evaluate(entries(BytesIO(content), 0), TurnBuilder(), Memory()))


def evaluated_at(path: Path) -> list[Evaluated]:
    """All turns of a file."""
    return evaluated(path.read_bytes())


def signals_in(lines: Lines) -> list[Signals]:
    """The signals of each turn of a session."""
    return [one.signals for one in evaluated("".join(f"{line}\n" for line in lines.lines).encode())]
