"""Screens of `ccship show`: a session as a table of turns, a turn as a tree with a timeline.

Lines fit the terminal: texts are cut by the columns they take. Control characters are removed.
"""

import os
import shutil
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import orjson
from rich.console import Console
from rich.text import Text

from ccship.cli.columns import GAP, columns_of, cut, dollars, padded, widths
from ccship.cli.signal_text import fired_names, fired_text, marks_text
from ccship.observations import Observation, costs_of
from ccship.observations.identity import SpanKind, span_id_of
from ccship.observations.model import Level
from ccship.signals.model import Mark, Signals

_PIPED_COLUMNS = 120
"""Width of piped output, so that it does not depend on the terminal; COLUMNS overrides it."""

_NS = 1_000_000_000
_STYLES = {"ERROR": "red", "WARNING": "yellow"}
_MARKS = {"ERROR": "✗ ", "WARNING": "! "}
_MAIN_ARGUMENTS = ("command", "file_path", "pattern", "query", "url", "description", "prompt", "skill", "path")
"""Tool arguments that summarize a call, the best first."""


class Screen:
    """The console, and its width in columns."""

    def __init__(self) -> None:
        has_width = sys.stdout.isatty() or "COLUMNS" in os.environ
        self.width = shutil.get_terminal_size().columns if has_width else _PIPED_COLUMNS
        self._console = Console(width=self.width, highlight=False, emoji=False, markup=False)

    def print(self, line: str, level: Level = "DEFAULT") -> None:
        """Print a line without markup, in the colour of its level."""
        self._console.print(Text(line.rstrip(), style=_STYLES.get(level, "")), soft_wrap=True)


@dataclass(slots=True)
class _Sums:
    """Totals of some observations."""

    calls: int = 0
    tools: int = 0
    errors: int = 0
    input: int = 0
    output: int = 0
    cached: int = 0
    cost_usd: float = 0.0
    unpriced: set[str] = field(default_factory=set)

    @classmethod
    def of(cls, observations: Iterable[Observation]) -> "_Sums":
        sums = cls()
        for observation in observations:
            sums.errors += observation.level == "ERROR"
            sums.tools += observation.type == "tool"
            if observation.type == "generation":
                sums.add(observation)
        return sums

    def add(self, call: Observation) -> None:
        usage = call.usage_details or {}
        self.calls += 1
        self.output += usage.get("output", 0)
        self.cached += usage.get("cache_read_input_tokens", 0)
        self.input += sum(usage.values()) - usage.get("output", 0) - usage.get("cache_read_input_tokens", 0)
        cost = _cost(call)
        if cost is None:
            self.unpriced.add(call.model or "no name")
        else:
            self.cost_usd += cost

    @property
    def money(self) -> str:
        if self.unpriced and not self.cost_usd:
            return "?"
        return dollars(self.cost_usd) + ("*" if self.unpriced else "")

    @property
    def tokens(self) -> str:
        return f"{self.input:,} in, {self.output:,} out, {self.cached:,} cached"


def turn_number(observation: Observation) -> int | None:
    """Return the number of an observation's turn; None for a subagent without a launch."""
    number = observation.trace.name.removeprefix("claude_turn_")
    return int(number) if number.isdecimal() else None


def session_screen(
    screen: Screen,
    session_id: str,
    observations: Sequence[Observation],
    signals: Mapping[str, Signals],
    *,
    copied: int,
) -> None:
    """Draw a session, one line per turn. `signals`: of its turns by trace id."""
    grouped: defaultdict[str, list[Observation]] = defaultdict(list)
    for observation in observations:
        grouped[observation.trace.trace_id].append(observation)
    traces = sorted(grouped.values(), key=lambda trace: min(observation.start_ns for observation in trace))
    total = _Sums.of(observations)
    screen.print(f"session {session_id}")
    screen.print(f"{_count(len(traces), 'turn')}, {_count(total.calls, 'call')} · {total.tokens} · {total.money}")
    if copied:
        screen.print(f"skipped {_count(copied, 'turn')} copied from another session: shown there")
    if traces:
        _draw_turns(screen, traces, signals)
        screen.print(f"To see the steps of a turn: ccship show {session_id[:8]} --turn N")
    _print_unpriced(screen, total)


def turn_screen(screen: Screen, observations: Sequence[Observation], signals: Mapping[str, Signals]) -> None:
    """Draw a turn as a tree, one line per observation: name, timeline, signals, summary."""
    root = _root(observations)
    found = signals.get(root.trace.trace_id, Signals())
    marks = _marks(found, root.trace.trace_id)
    rows = list(_walk(root, _children(observations, root)))
    names = [_cut_guides(guides, screen.width // 5) + _name(observation, root) for guides, observation in rows]
    name_size = min(max(map(columns_of, names)), screen.width * 3 // 8)
    line = _TimeLine(root.start_ns, max(observation.end_ns for observation in observations), screen.width * 3 // 10)
    rest = screen.width - name_size - line.width - 2 * len(GAP)
    sums = _Sums.of(observations)
    screen.print(f"session {root.trace.session_id}")
    counts = f"{_count(sums.calls, 'call')}, {_count(sums.tools, 'tool')}, {_count(sums.errors, 'error')}"
    screen.print(f"{_local(root.start_ns, '%Y-%m-%d %H:%M:%S')} · {counts} · {sums.tokens} · {sums.money}")
    if fired := fired_text(found):
        screen.print(f"signals: {fired}", "WARNING" if found.needs_review else "DEFAULT")
    for name, (_, observation) in zip(names, rows, strict=True):
        bar = line.bar(observation, with_unit=observation is root)
        detail = _marked(marks_text(marks[observation.span_id]), _detail(observation))
        screen.print(
            GAP.join([padded(name, name_size), padded(bar, line.width), cut(detail, rest)]),
            observation.level,
        )
    _print_unpriced(screen, sums)


def _draw_turns(screen: Screen, traces: Sequence[Sequence[Observation]], signals: Mapping[str, Signals]) -> None:
    heads = ("turn", "began", "took", "calls", "tools", "errors", "out", "cost")
    rows = [heads, *map(_turn_cells, traces)]
    sizes = widths(rows)
    rest = screen.width - sum(sizes) - len(GAP) * len(sizes)
    roots = [_root(trace) for trace in traces]
    texts = ["prompt", *(_prompt(root, signals.get(root.trace.trace_id, Signals())) for root in roots)]
    levels: list[Level] = ["DEFAULT", *(root.level for root in roots)]
    for cells, text, level in zip(rows, texts, levels, strict=True):
        line = [cell.rjust(size) for cell, size in zip(cells, sizes, strict=True)]
        screen.print(GAP.join([*line, cut(text, rest)]), level)


def _marks(signals: Signals, trace_id: str) -> defaultdict[str, list[Mark]]:
    """Return the marks of each step by span id."""
    marks: defaultdict[str, list[Mark]] = defaultdict(list)
    for mark in signals.marks:
        kind: SpanKind = "llm" if mark.signal == "cache_rebuild_usd" else "tool"
        marks[span_id_of(trace_id, kind, mark.key)].append(mark)
    return marks


def _prompt(root: Observation, signals: Signals) -> str:
    return _marked(fired_names(signals), _MARKS.get(root.level, "") + _text_of(root.input))


def _marked(signals: str, text: str) -> str:
    return f"[{signals}] {text}" if signals else text


def _turn_cells(trace: Sequence[Observation]) -> tuple[str, ...]:
    root, sums = _root(trace), _Sums.of(trace)
    number = turn_number(root)
    return (
        "-" if number is None else str(number),
        _local(root.start_ns, "%m-%d %H:%M"),
        _duration(root.end_ns - root.start_ns),
        str(sums.calls),
        str(sums.tools),
        str(sums.errors or ""),
        f"{sums.output:,}",
        sums.money,
    )


def _root(trace: Sequence[Observation]) -> Observation:
    return next((observation for observation in trace if observation.parent_span_id is None), trace[0])


def _children(observations: Sequence[Observation], root: Observation) -> dict[str, list[Observation]]:
    """Return the children of each observation by its id; those of a missing parent go to the root."""
    ids = {observation.span_id for observation in observations}
    children: defaultdict[str, list[Observation]] = defaultdict(list)
    for observation in sorted(observations, key=lambda observation: observation.start_ns):
        if observation is not root:
            parent = observation.parent_span_id
            children[parent if parent is not None and parent in ids else root.span_id].append(observation)
    return children


def _name(observation: Observation, root: Observation) -> str:
    return observation.trace.name if observation is root else _one_line(observation.name)


@dataclass(frozen=True, slots=True)
class _TimeLine:
    """Maps a time range to columns."""

    start_ns: int
    end_ns: int
    width: int

    def bar(self, observation: Observation, *, with_unit: bool) -> str:
        """Draw an observation's start and end as a bar: `0.07 ──── 0.30`."""
        began, ended = (
            self._clock(observation.start_ns),
            self._clock(observation.end_ns) + (self._unit if with_unit else ""),
        )
        if observation.start_ns == observation.end_ns and not with_unit:
            return " " * self._at(observation.start_ns, self.width - len(began) - 2) + f"{began} ·"
        room = max(1, self.width - len(began) - len(ended) - 2)
        at = min(self._at(observation.start_ns, room), room - 1)
        length = max(1, self._at(observation.end_ns, room) - at)
        return f"{' ' * at}{began} {'─' * length} {ended}"

    def _at(self, moment_ns: int, columns: int) -> int:
        return round(max(0, moment_ns - self.start_ns) * columns / max(1, self.end_ns - self.start_ns))

    def _clock(self, moment_ns: int) -> str:
        seconds, whole_s = max(0, moment_ns - self.start_ns) / _NS, (self.end_ns - self.start_ns) / _NS
        if whole_s < 100:  # noqa: PLR2004 - tenths are useful
            return f"{seconds:.2f}" if whole_s < 10 else f"{seconds:.1f}"  # noqa: PLR2004 - hundredths are useful
        return _minutes(seconds)

    @property
    def _unit(self) -> str:
        return " s" if self.end_ns - self.start_ns < 100 * _NS else ""


def _walk(root: Observation, children: Mapping[str, Sequence[Observation]]) -> Iterator[tuple[str, Observation]]:
    """Yield each observation with its tree guides, depth first. Not recursive: subagents nest to any depth."""
    stack = [("", "", root)]
    while stack:
        guides, below, observation = stack.pop()
        yield guides, observation
        inside = children.get(observation.span_id, ())
        lasts = [n == len(inside) - 1 for n in range(len(inside))]
        stack += [
            (below + ("└─ " if last else "├─ "), below + ("   " if last else "│  "), child)
            for child, last in zip(inside, lasts, strict=True)
        ][::-1]


def _cut_guides(guides: str, room: int) -> str:
    """Shorten the guides of a deep tree from the left, so that the name stays visible."""
    return guides if len(guides) <= room else "…" + guides[len(guides) - room + 1 :]


def _detail(observation: Observation) -> str:
    """Summarize an observation: status message, then model, cost and tokens, or the input."""
    mark = _MARKS.get(observation.level, "") + (
        f"{_one_line(observation.status_message)} " if observation.status_message else ""
    )
    if observation.type == "generation":
        sums = _Sums.of([observation])
        model = (observation.model or "no name").removeprefix("claude-")
        return f"{mark}{model} {sums.money}, {sums.tokens}"
    return f"{mark}{_text_of(observation.input)}"


def _text_of(value: Any) -> str:
    """Return a prompt, or the most telling argument of a tool, on one line."""
    if isinstance(value, dict):
        main = next((value[key] for key in _MAIN_ARGUMENTS if isinstance(value.get(key), str) and value[key]), None)
        value = main if main is not None else value
    if value is None:
        return ""
    return _one_line(value if isinstance(value, str) else orjson.dumps(value).decode())


def _one_line(text: str) -> str:
    """Replace line breaks and control characters by blanks, in the first 1000 characters."""
    return " ".join("".join(char if char.isprintable() else " " for char in text[:1000]).split())


def _cost(call: Observation) -> float | None:
    details = costs_of(call)
    return details["total"] if details else None


def _print_unpriced(screen: Screen, sums: _Sums) -> None:
    if sums.unpriced:
        screen.print(f"* cost excludes {', '.join(sorted(sums.unpriced))}: no price known, the true cost is higher")


def _local(moment_ns: int, form: str) -> str:
    return datetime.fromtimestamp(moment_ns / _NS, UTC).astimezone().strftime(form)


def _duration(duration_ns: int) -> str:
    seconds = duration_ns / _NS
    return f"{seconds:.1f} s" if seconds < 100 else _minutes(seconds)  # noqa: PLR2004 - beyond, tenths are noise


def _minutes(seconds: float) -> str:
    minutes, second = divmod(int(seconds), 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02}:{second:02}" if hours else f"{minutes}:{second:02}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
