"""What `ccship show` draws: a session's turns as a table, a turn as a tree along a time line.

Fits any width, whatever is in the texts: they are cut by the columns they take, and what could steer a terminal is
left out.
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
from ccship.observations import Observation, costs_of
from ccship.observations.model import Level

_PIPED_COLUMNS = 120
"""What nobody looks at has a width of its own, so that it is the same everywhere; COLUMNS changes it."""

_NS = 1_000_000_000
_STYLES = {"ERROR": "red", "WARNING": "yellow"}
_MARKS = {"ERROR": "✗ ", "WARNING": "! "}
_TELLING = ("command", "file_path", "pattern", "query", "url", "description", "prompt", "skill", "path")
"""Arguments that say most of a tool call, the best first."""


class Screen:
    """Where it is drawn, and how wide that is."""

    def __init__(self) -> None:
        wanted = sys.stdout.isatty() or "COLUMNS" in os.environ
        self.width = shutil.get_terminal_size().columns if wanted else _PIPED_COLUMNS
        self._console = Console(width=self.width, highlight=False, emoji=False, markup=False)

    def say(self, line: str, level: Level = "DEFAULT") -> None:
        """Print a line as it is, in the colour of its level where there are colours."""
        self._console.print(Text(line.rstrip(), style=_STYLES.get(level, "")), soft_wrap=True)


@dataclass(slots=True)
class _Sums:
    """What observations come to."""

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
        for it in observations:
            sums.errors += it.level == "ERROR"
            sums.tools += it.type == "tool"
            if it.type == "generation":
                sums.add(it)
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
    """The number of the turn that an observation belongs to; None for a subagent's that no turn launched."""
    number = observation.trace.name.removeprefix("claude_turn_")
    return int(number) if number.isdecimal() else None


def session_screen(screen: Screen, session_id: str, observations: Sequence[Observation], *, copied: int) -> None:
    """Draw a session: a line a turn."""
    grouped: defaultdict[str, list[Observation]] = defaultdict(list)
    for observation in observations:
        grouped[observation.trace.trace_id].append(observation)
    traces = sorted(grouped.values(), key=lambda trace: min(it.start_ns for it in trace))
    total = _Sums.of(observations)
    screen.say(f"session {session_id}")
    screen.say(f"{_count(len(traces), 'turn')}, {_count(total.calls, 'call')} · {total.tokens} · {total.money}")
    if copied:
        screen.say(f"{_count(copied, 'turn')} before these came from another session: they are shown with that one")
    if traces:
        _draw_turns(screen, traces)
        screen.say(f"ccship show {session_id[:8]} --turn N shows what was done in a turn")
    _say_unpriced(screen, total)


def turn_screen(screen: Screen, observations: Sequence[Observation]) -> None:
    """Draw a turn: a line an observation, what it led to below it, when it ran beside it."""
    root = _root(observations)
    rows = list(_walk(root, _children(observations, root)))
    names = [_cut_guides(guides, screen.width // 5) + _name(it, root) for guides, it in rows]
    name_size = min(max(map(columns_of, names)), screen.width * 3 // 8)
    line = _TimeLine(root.start_ns, max(it.end_ns for it in observations), screen.width * 3 // 10)
    rest = screen.width - name_size - line.width - 2 * len(GAP)
    sums = _Sums.of(observations)
    screen.say(f"session {root.trace.session_id}")
    counts = f"{_count(sums.calls, 'call')}, {_count(sums.tools, 'tool')}, {_count(sums.errors, 'error')}"
    screen.say(f"{_local(root.start_ns, '%Y-%m-%d %H:%M:%S')} · {counts} · {sums.tokens} · {sums.money}")
    for name, (_, it) in zip(names, rows, strict=True):
        bar = line.bar(it, with_unit=it is root)
        screen.say(GAP.join([padded(name, name_size), padded(bar, line.width), cut(_detail(it), rest)]), it.level)
    _say_unpriced(screen, sums)


def _draw_turns(screen: Screen, traces: Sequence[Sequence[Observation]]) -> None:
    heads = ("turn", "began", "took", "calls", "tools", "errors", "out", "cost")
    rows = [heads, *map(_turn_cells, traces)]
    sizes = widths(rows)
    rest = screen.width - sum(sizes) - len(GAP) * len(sizes)
    roots = [_root(trace) for trace in traces]
    texts = ["prompt", *(_MARKS.get(root.level, "") + _said(root.input) for root in roots)]
    levels: list[Level] = ["DEFAULT", *(root.level for root in roots)]
    for cells, text, level in zip(rows, texts, levels, strict=True):
        line = [cell.rjust(size) for cell, size in zip(cells, sizes, strict=True)]
        screen.say(GAP.join([*line, cut(text, rest)]), level)


def _turn_cells(trace: Sequence[Observation]) -> tuple[str, ...]:
    root, sums = _root(trace), _Sums.of(trace)
    number = turn_number(root)
    return (
        "-" if number is None else str(number),
        _local(root.start_ns, "%m-%d %H:%M"),
        _took(root.end_ns - root.start_ns),
        str(sums.calls),
        str(sums.tools),
        str(sums.errors or ""),
        f"{sums.output:,}",
        sums.money,
    )


def _root(trace: Sequence[Observation]) -> Observation:
    return next((it for it in trace if it.parent_span_id is None), trace[0])


def _children(observations: Sequence[Observation], root: Observation) -> dict[str, list[Observation]]:
    """What hangs under what; under the root what hangs under something that is not there."""
    ids = {it.span_id for it in observations}
    children: defaultdict[str, list[Observation]] = defaultdict(list)
    for it in sorted(observations, key=lambda it: it.start_ns):
        if it is not root:
            parent = it.parent_span_id
            children[parent if parent is not None and parent in ids else root.span_id].append(it)
    return children


def _name(it: Observation, root: Observation) -> str:
    return it.trace.name if it is root else _one_line(it.name)


@dataclass(frozen=True, slots=True)
class _TimeLine:
    """A stretch of time, laid over some columns."""

    start_ns: int
    end_ns: int
    width: int

    def bar(self, it: Observation, *, with_unit: bool) -> str:
        """When something ran: `0.07 ──── 0.30`, as far to the right as it was late."""
        began, ended = self._clock(it.start_ns), self._clock(it.end_ns) + (self._unit if with_unit else "")
        if it.start_ns == it.end_ns and not with_unit:
            return " " * self._at(it.start_ns, self.width - len(began) - 2) + f"{began} ·"
        room = max(1, self.width - len(began) - len(ended) - 2)
        at = min(self._at(it.start_ns, room), room - 1)
        length = max(1, self._at(it.end_ns, room) - at)
        return f"{' ' * at}{began} {'─' * length} {ended}"

    def _at(self, moment_ns: int, columns: int) -> int:
        return round(max(0, moment_ns - self.start_ns) * columns / max(1, self.end_ns - self.start_ns))

    def _clock(self, moment_ns: int) -> str:
        seconds, whole_s = max(0, moment_ns - self.start_ns) / _NS, (self.end_ns - self.start_ns) / _NS
        if whole_s < 100:  # noqa: PLR2004 - as long as tenths matter
            return f"{seconds:.2f}" if whole_s < 10 else f"{seconds:.1f}"  # noqa: PLR2004 - or hundredths
        return _long(seconds)

    @property
    def _unit(self) -> str:
        return " s" if self.end_ns - self.start_ns < 100 * _NS else ""


def _walk(root: Observation, children: Mapping[str, Sequence[Observation]]) -> Iterator[tuple[str, Observation]]:
    """Each observation with the lines that lead to it; a stack of our own, for subagents nest to any depth."""
    stack = [("", "", root)]
    while stack:
        guides, below, it = stack.pop()
        yield guides, it
        inside = children.get(it.span_id, ())
        lasts = [n == len(inside) - 1 for n in range(len(inside))]
        stack += [
            (below + ("└─ " if last else "├─ "), below + ("   " if last else "│  "), child)
            for child, last in zip(inside, lasts, strict=True)
        ][::-1]


def _cut_guides(guides: str, room: int) -> str:
    """Lines of a very deep tree, shortened from the left: the name must still be read."""
    return guides if len(guides) <= room else "…" + guides[len(guides) - room + 1 :]


def _detail(it: Observation) -> str:
    """What is worth saying of an observation beside its name and times."""
    mark = _MARKS.get(it.level, "") + (f"{_one_line(it.status_message)} " if it.status_message else "")
    if it.type == "generation":
        sums = _Sums.of([it])
        model = (it.model or "no name").removeprefix("claude-")
        return f"{mark}{model} {sums.money}, {sums.tokens}"
    return f"{mark}{_said(it.input)}"


def _said(value: Any) -> str:
    """A prompt or the arguments of a tool, in one line."""
    if isinstance(value, dict):
        told = next((value[key] for key in _TELLING if isinstance(value.get(key), str) and value[key]), None)
        value = told if told is not None else value
    if value is None:
        return ""
    return _one_line(value if isinstance(value, str) else orjson.dumps(value).decode())


def _one_line(text: str) -> str:
    """No line breaks, and nothing that a terminal would obey; the beginning only, for no screen is wider."""
    return " ".join("".join(it if it.isprintable() else " " for it in text[:1000]).split())


def _cost(call: Observation) -> float | None:
    details = costs_of(call)
    return details["total"] if details else None


def _say_unpriced(screen: Screen, sums: _Sums) -> None:
    if sums.unpriced:
        screen.say(f"* no price is known for {', '.join(sorted(sums.unpriced))}: the true cost is higher")


def _local(moment_ns: int, form: str) -> str:
    return datetime.fromtimestamp(moment_ns / _NS, UTC).astimezone().strftime(form)


def _took(duration_ns: int) -> str:
    seconds = duration_ns / _NS
    return f"{seconds:.1f} s" if seconds < 100 else _long(seconds)  # noqa: PLR2004 - tenths matter no more


def _long(seconds: float) -> str:
    minutes, second = divmod(int(seconds), 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02}:{second:02}" if hours else f"{minutes}:{second:02}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
