"""What the signals of a turn and their scores cost beyond reading it: CPU on one core."""

import tempfile
import time
from itertools import cycle, pairwise
from pathlib import Path

from bench.generate import claude_dir
from bench.mark import Mark
from ccship.pipeline.plan import Options
from ccship.pipeline.scoring import Scorer
from ccship.signals.model import Memory
from ccship.transcript.tail import entries
from ccship.transcript.turns import Turn, TurnBuilder

MEGABYTES = 15
ROUNDS = 5
LIMIT_MS = 1.5

COMMANDS = (
    "git status && git diff --stat",
    "grep -rn 'def main' src | head -20",
    "cd /home/dev/demo && uv run pytest -x tests 2>&1 | tail -30",
    "npm run lint && npm run build",
    "python - <<'EOF'\nimport json\nprint(json.load(open('a.json'))['b'])\nEOF",
    "git add -A && git commit -m \"$(cat <<'EOF'\nFix the parser\n\nIt's read twice; once is enough.\nEOF\n)\"",
    'for f in a b; do ls -la "$f"; done; out=$(make check 2>&1); echo "$out" | tail -5',
    "cat > src/run.py <<'EOF'\nprint(1)\nEOF",
)
"""The generated sessions have words instead of commands."""


def cpu_of_a_turn() -> Mark:
    """Results of the lengths of real sessions, half of the shell commands with a check."""
    with tempfile.TemporaryDirectory() as folder:
        paths = sorted(claude_dir(Path(folder), MEGABYTES).glob("projects/*/*.jsonl"))
        sessions = [_turns_at(path) for path in paths]
    spent = min(_seconds(sessions) for _ in range(ROUNDS))
    turns = sum(map(len, sessions))
    return Mark("signals and scores of a turn beyond parsing, CPU", spent / turns * 1000, LIMIT_MS, 1.0)


def _turns_at(path: Path) -> list[Turn]:
    builder, commands = TurnBuilder(), cycle(COMMANDS)
    with path.open("rb") as file:
        turns = [turn for entry in entries(file, 0) for turn in builder.feed(entry)] + builder.open
    for turn in turns:
        for tool in turn.exchange.tools.values():
            if tool.name == "Bash":
                tool.input["command"] = next(commands)
    return turns


def _seconds(sessions: list[list[Turn]]) -> float:
    began = time.process_time()
    for turns in sessions:
        scorer = Scorer(Options(signals="all"), "s1", Memory(), lambda _: None)
        for turn, following in pairwise([*turns, None]):
            if turn is not None:
                scorer.scores(turn, [following] if following else [])
    return time.process_time() - began
