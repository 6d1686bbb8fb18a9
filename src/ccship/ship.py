"""The pipeline: transcripts -> turns -> observations -> acknowledged delivery -> cursor.

The hook's worker and the backfill differ only in which sessions they hand to `Shipper.ship`.
"""

from collections import Counter
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import blake2b
from pathlib import Path
from typing import BinaryIO

from ccship.git import Repositories
from ccship.identity import span_id_of, trace_id_of
from ccship.main_run import MainRun
from ccship.observations import Labels, Observation, Trace, observe_subagent, observe_turn, trace_of, with_cost
from ccship.outbox import Outbox, Put, Report
from ccship.privacy import Policy, Protection
from ccship.shares import Fate, line_count, lost, shares
from ccship.sinks import Sink
from ccship.state import Launch, Link, State, TranscriptState
from ccship.transcript.discover import Session, agent_facts, agent_id_of
from ccship.transcript.exchange import Exchange
from ccship.transcript.tail import Position, position_at, resume_offset
from ccship.transcript.tail import entries as read_entries
from ccship.transcript.turns import Carry, Turn, TurnBuilder, read_subagent

LAUNCHING_TOOLS = frozenset({"Agent", "Task"})

COMPACTING = "acompact-"
"""How the id of the agent begins that compacts a conversation (2.1.38 on); no tool launches it."""

WARMING = "Warmup"
"""The prompt of the agents that warm the cache (2.0.28 to 2.1); no tool launches them."""


_PROTECTED = Policy()


@dataclass(frozen=True, slots=True)
class Window:
    """Which turns are wanted, by when they began. A cursor never passes a turn that was not wanted."""

    since: datetime | None = None
    until: datetime | None = None

    def holds(self, start_ns: int) -> bool:
        """Whether a turn that began at `start_ns` is wanted."""
        after = self.since is None or start_ns >= self.since.timestamp() * 1e9
        return after and (self.until is None or start_ns < self.until.timestamp() * 1e9)


class Shipper:
    """Ships sessions to one sink, one after the other, and keeps the books in one state.

    `policy`: what may leave; unless it says otherwise, nothing that looks like a credential. `locked`: whoever
    calls holds the locks of the sessions already. `live`: the sessions are going on now, so that what their
    repositories look like now says something about their last turns. `enough`: asked between two turns whether to
    leave off there; the next run goes on.
    """

    def __init__(
        self,
        sink: Sink,
        state: State,
        labels: Labels,
        *,
        policy: Policy = _PROTECTED,
        window: Window | None = None,
        resend: bool = False,
        locked: bool = False,
        live: bool = False,
        enough: Callable[[], bool] = lambda: False,
        progress: Callable[[int], None] = lambda _: None,
    ) -> None:
        self.report = Report()
        self._sink = sink
        self._state = state
        self._labels = labels
        self._protection = Protection(policy)
        self._window = window or Window()
        self._resend = resend
        self._live = live
        self._enough = enough
        self._repositories = Repositories()
        self._lock = nullcontext if locked else state.lock
        self._progress = progress

    def ship(self, session: Session) -> None:
        """Ship what is new in a session and its subagents. Failures are in the report; nothing is raised for them."""
        with self._lock(session.session_id):
            launches = {launch.tool_use_id: launch for launch in self._state.launches(session.session_id)}
            main_end_ns: int | None = None
            if session.main is not None:
                run = MainRun(launches)
                self._read(session.main, session, lambda file, known: self._ship_turns(file, known, run))
                main_end_ns = run.end_ns
            self._ship_subagents(session, launches, main_end_ns)
            self._state.keep_launches(session.session_id, launches.values())
        self.report.sessions += 1
        redactor = self._protection.redactor
        self.report.redacted = redactor.counts + Counter(error=redactor.errors)

    def _read(self, path: Path, session: Session, ship: Callable[[BinaryIO, TranscriptState], None]) -> None:
        if path.exists() and not path.is_file():
            self.report.problems.append(f"{path} cannot be read: it is no file")  # a pipe would never end
            return
        try:
            with path.open("rb") as file:
                ship(file, self._state.transcript(path, session.session_id))
        except OSError as error:
            self.report.problems.append(f"{path} cannot be read: {error.strerror}")

    def _ship_turns(self, file: BinaryIO, known: TranscriptState, run: MainRun) -> None:
        offset = self._resume(file, known)
        builder = TurnBuilder(known.carry)
        run.begin(known, Outbox(self._sink, self._state, self.report, known, self._protection))
        passable = True
        for entry in read_entries(file, offset):
            run.see(entry)
            for turn in builder.feed(entry):
                passable = passable and self._wants(turn)
                cursor = (position_at(file, builder.cursor(entry.end)), builder.carry()) if passable else None
                self._put_turn(turn, run, cursor)
            self._progress(entry.end - offset)
            offset = entry.end
            self.report.stopped = self._enough()
            if self.report.failure or self.report.stopped:
                run.pending += sum(line_count(turn.counts) for turn in builder.open)
                run.outbox.flush(lambda: run.close_books(builder))
                return
        unsettled = {it for turn in builder.open for it in self._put_turn(turn, run, None)}

        def conclude() -> None:
            run.close_books(builder)
            if passable and not self.report.failure:
                known.spans &= unsettled

        run.outbox.flush(conclude)
        self.report.lines.update(builder.unassigned())

    def _put_turn(self, turn: Turn, run: MainRun, cursor: tuple[Position, Carry] | None) -> set[bytes]:
        """Hand a turn to the outbox; with a `cursor`, it is settled and the cursor moves there once it arrived.

        Returns the hashes of its spans.
        """
        known = run.known
        fate = self._fate(turn, run)
        observations = self._observe(turn, run) if fate == "shipped" else []
        run.pending += line_count(turn.counts)

        def commit(put: Put) -> None:
            if fate != "unwanted":
                run.pending -= line_count(turn.counts)
                dead = self._lost(turn, run)
                (run.open if cursor is None else known.counts).update(shares(turn.counts, fate, dead))
            self.report.turns["sent"] += bool(put.fresh)
            if observations:
                self._state.own(turn.uuid, known.session, settled=cursor is not None)
            if cursor is not None:
                known.position, known.carry = cursor
                known.seen = known.position.offset
                known.counts.update(turn.lower_bounds())
                known.spans -= put.hashes

        put = run.outbox.put(observations, commit)
        if put.fresh:
            self.report.begin(turn.exchange.start_ns or 0)
        else:
            self.report.turns["unchanged"] += bool(observations)
        self.report.lines.update(turn.counts)
        return put.hashes

    def _fate(self, turn: Turn, run: MainRun) -> Fate:
        """Whether a turn is to be shipped from this transcript, and if not, why."""
        if not self._wants(turn):
            self.report.turns["unwanted"] += 1
            return "unwanted"
        if not turn.is_shippable:
            return "ignored:no_turn"
        if turn.uuid in run.seen:
            return "ignored:duplicate"  # written into the same file again
        run.seen.add(turn.uuid)
        origin = turn.exchange.origin(run.known.session)
        owner = self._state.owner(turn.uuid)
        if (owner and owner.session != run.known.session) or (origin and run.originals.hold(origin, turn.uuid)):
            self.report.turns["copied"] += 1
            return "ignored:copied"
        return "shipped"

    def _observe(self, turn: Turn, run: MainRun) -> list[Observation]:
        """The observations of a turn that is to be shipped from this transcript; none if it was settled before."""
        self._note_launches(run.launches, turn.exchange, self._trace_of(turn, run))
        owner = self._state.owner(turn.uuid)
        if owner and owner.settled and not self._resend:
            self.report.turns["unchanged"] += 1
            return []
        opening = turn.exchange.opening
        history = self._repositories.history(opening.cwd, opening.git_branch)
        start_ns, end_ns = turn.exchange.start_ns or 0, turn.exchange.end_ns or 0
        return self._priced(
            observe_turn(
                turn,
                _session_id(turn, run),
                self._labels,
                git=history.facts(start_ns, max(start_ns, end_ns)) if history else {},
                passing=history.passing() if history and self._live else {},
            )
        )

    def _priced(self, observations: list[Observation]) -> list[Observation]:
        return list(map(with_cost, observations)) if self._labels.client_cost else observations

    def _lost(self, turn: Turn, run: MainRun) -> int:
        dead = run.outbox.dead
        return lost(turn.exchange, self._trace_of(turn, run).trace_id, dead) if dead else 0

    def _trace_of(self, turn: Turn, run: MainRun) -> Trace:
        return trace_of(turn, _session_id(turn, run), self._labels)

    def _ship_subagents(self, session: Session, launches: dict[str, Launch], main_end_ns: int | None) -> None:
        """Subagents may launch others: go round until no more can be linked, then send those that nobody launched."""
        waiting = list(session.agents)
        while waiting and not self.report.failure and not self.report.stopped:
            unlinked = [path for path in waiting if not self._ship_subagent(path, session, launches)]
            if len(unlinked) == len(waiting):
                for path in unlinked:
                    if not self._ship_subagent(path, session, launches, orphans_before_ns=main_end_ns):
                        self.report.turns["waiting"] += 1
                return
            waiting = unlinked

    def _ship_subagent(
        self, path: Path, session: Session, launches: dict[str, Launch], *, orphans_before_ns: int | None = 0
    ) -> bool:
        """Ship a subagent's transcript if it can be linked; says whether it was.

        One that began before `orphans_before_ns` (None: whenever) and is not linked is an orphan: the transcript that
        would name its launch has gone on without doing so.
        """
        linked = True

        def ship(file: BinaryIO, known: TranscriptState) -> None:
            nonlocal linked
            if known.link and not self._resend and resume_offset(file, known.position) == path.stat().st_size:
                return
            exchange, lines, end = read_subagent(read_entries(file, 0))
            if exchange is None:
                known.position, known.seen = position_at(file, end), end
                known.counts = shares(lines, "ignored:no_turn", 0)
                self._state.save(known)
                return
            known.link = known.link or self._protected(_link(path, exchange, launches, self._labels))
            began_ns = exchange.start_ns or 0
            if known.link is None and (orphans_before_ns is None or began_ns < orphans_before_ns):
                known.link = self._protected(_orphan(path, exchange, self._labels, session))
            linked = known.link is not None
            if known.link is None or not self._wants_from(exchange.start_ns):
                return
            exchange.forget_call(known.link.message_id)
            self._note_launches(launches, exchange, known.link.trace)
            self.report.lines.update(lines)
            self._send_subagent(path, exchange, known, known.link, lines, position_at(file, end))
            self._progress(end)

        self._read(path, session, ship)
        return linked

    def _send_subagent(
        self,
        path: Path,
        exchange: Exchange,
        known: TranscriptState,
        link: Link,
        lines: Counter[str],
        end: Position,
    ) -> None:
        if self._resend:
            known.spans.clear()
        facts = {"agentType": link.agent_type, **agent_facts(path)}
        observations = self._priced(
            observe_subagent(
                exchange, link.trace, link.parent_span_id, agent_id_of(path), facts, images=self._labels.images
            )
        )

        outbox = Outbox(self._sink, self._state, self.report, known, self._protection)

        def commit(put: Put) -> None:
            self.report.turns["subagents"] += bool(put.fresh)
            known.position, known.seen = end, end.offset
            known.counts = shares(lines, "shipped", lost(exchange, link.trace.trace_id, outbox.dead))
            known.spans &= put.hashes

        outbox.put(observations, commit)
        outbox.flush()

    def _note_launches(self, launches: dict[str, Launch], exchange: Exchange, trace: Trace) -> None:
        """Launches are remembered: nothing that may not leave gets into the state."""
        for tool_use_id, launch in _launches(exchange, trace).items():
            kind = launch.agent_type and self._protection.name(launch.agent_type)
            launches[tool_use_id] = replace(launch, trace=self._protection.trace(trace), agent_type=kind)

    def _protected(self, link: Link | None) -> Link | None:
        return link and replace(link, trace=self._protection.trace(link.trace))

    def _resume(self, file: BinaryIO, known: TranscriptState) -> int:
        offset = 0 if self._resend else resume_offset(file, known.position)
        if offset == 0:
            known.position = None  # and not only its carry: the same bytes may be there again at the next run
            known.carry = Carry()
            known.counts = Counter()
        known.open, known.seen = Counter(), offset
        if self._resend:
            known.spans.clear()
        return offset

    def _wants(self, turn: Turn) -> bool:
        return self._wants_from(turn.exchange.start_ns)

    def _wants_from(self, start_ns: int | None) -> bool:
        return start_ns is None or self._window.holds(start_ns)


def _session_id(turn: Turn, run: MainRun) -> str:
    return turn.exchange.opening.session_id or run.known.session


def _launches(exchange: Exchange, trace: Trace) -> dict[str, Launch]:
    """The tool calls of an exchange that launch subagents with transcripts of their own."""
    if exchange.sidechains:
        return {}  # 1.0: they stand in the same file
    return {
        tool.tool_use_id: Launch(
            tool.tool_use_id,
            trace,
            tool.message_id,
            tool.launched,
            str(tool.input["subagent_type"]) if tool.input.get("subagent_type") else None,
            _told(str(tool.input.get("prompt", ""))),
        )
        for tool in exchange.tools.values()
        if (tool.name in LAUNCHING_TOOLS or tool.launched) and isinstance(tool.input, dict)
    }


def _link(path: Path, exchange: Exchange, launches: dict[str, Launch], labels: Labels) -> Link | None:
    """What a subagent hangs under: the tool call that its meta.json names, or whose result names it, or of its prompt.

    A workflow's result names the folder of its subagents.
    """
    named = {agent_id_of(path), *(parent.name for parent in path.parents)}
    told = _told(exchange.opening.text)
    launch = launches.get(str(agent_facts(path).get("toolUseId")))
    launch = launch or next((it for it in launches.values() if it.agent_id in named), None)
    launch = launch or next((it for it in launches.values() if not it.agent_id and it.prompt == told), None)
    if launch is not None:
        if launch.agent_id is None or launch.agent_id == agent_id_of(path):
            launches.pop(launch.tool_use_id)
        parent = span_id_of(launch.trace.trace_id, "tool", launch.tool_use_id)
        return Link(launch.trace, parent, launch.agent_type, launch.message_id)
    return _orphan(path, exchange, labels) if _is_unlaunched(path, exchange) else None


def _is_unlaunched(path: Path, exchange: Exchange) -> bool:
    return agent_id_of(path).startswith(COMPACTING) or exchange.opening.text == WARMING


def _orphan(path: Path, exchange: Exchange, labels: Labels, session: Session | None = None) -> Link:
    """A trace of its own for a subagent that no tool call launched; its calls cost money all the same."""
    opening = exchange.opening
    agent_id = agent_id_of(path)
    trace = Trace(
        trace_id=trace_id_of(opening.uuid or agent_id),
        name="claude_subagent",
        session_id=opening.session_id or (session.session_id if session else agent_id),
        user_id=labels.user_id,
        version=opening.version,
        tags=("claude-code", *labels.tags),
        environment=labels.environment,
    )
    kind = "compaction" if agent_id.startswith(COMPACTING) else "warm-up" if opening.text == WARMING else None
    return Link(trace, None, kind)


def _told(prompt: str) -> bytes:
    return blake2b(prompt.encode(), digest_size=8).digest()
