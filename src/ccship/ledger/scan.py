"""Collects calls, turns and milestones from the lines of one transcript, in file order.

Pure. `Carry` is what a scan needs to continue where an earlier one ended: a transcript that is read in parts gives the
same rows as one that is read at once.
"""

from dataclasses import dataclass, field
from typing import Literal, TypeAlias

import msgspec

from ccship.ledger.calls import Call, Tokens, added, time_ms_of
from ccship.ledger.lines import Block, CacheCreation, Iteration, Line, Message, Usage, decode
from ccship.ledger.names import stored_name
from ccship.transcript.classify import TRIGGERS, TYPED, classify

MilestoneKind: TypeAlias = Literal["commit", "pr", "compaction"]

_SYNTHETIC_MODEL = "<synthetic>"
_GIT = b'"gitOperation"'
_STOPS = {"max_tokens": "truncated", "model_context_window_exceeded": "truncated", "refusal": "refused"}


class Milestone(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A commit, pull request or compaction of a session. `value`: a hash, an address, or nothing."""

    time_ms: int
    session: str
    kind: MilestoneKind
    value: str


class Turn(msgspec.Struct, array_like=True, gc=False):
    """A turn. `start`: its offset. `tools`: calls and errors by name. `signals`: what happened, and how often."""

    start: int
    key: str
    time_ms: int | None
    trigger: str
    has_calls: bool = False
    tools: dict[str, list[int]] = {}
    signals: dict[str, int] = {}


class Carry(msgspec.Struct, array_like=True, gc=False):
    """What the lines before the cursor leave to those after it.

    `turn`: the last one, which can still grow. `names`: its tools by id, and older ones without a result. `done`: ids
    that have a result. `reads`: bytes of results that no call has read yet. `last`: the call of the last response line.
    """

    turn: Turn | None = None
    names: dict[str, str] = {}
    done: set[str] = set()
    reads: dict[str, int] = {}
    last: str = ""


class _Outcome(msgspec.Struct, gc=False):
    """The `toolUseResult` of a git command."""

    class Operation(msgspec.Struct, gc=False):
        class Commit(msgspec.Struct, gc=False):
            sha: str | None = None

        commit: Commit | None = None

    git: Operation | None = msgspec.field(default=None, name="gitOperation")


_decode_outcome = msgspec.json.Decoder(_Outcome).decode


@dataclass(slots=True)
class _Seen:
    """A call while its lines are read: the first one gives time and place, the one with the most output the usage."""

    time: str | None
    end: str
    session: str
    turn: int | None
    branch: str
    skill: str
    is_inline: bool
    model: str | None
    usage: Usage
    advisor_model: str | None
    is_final: bool = False
    advisor_ids: list[str] = field(default_factory=list)
    reads: dict[str, int] = field(default_factory=dict)
    miss: str = ""

    def add(self, line: Line, message: Message, asked: list[str]) -> None:
        """Add what any line may contain."""
        self.end = max(self.end, line.timestamp or "")
        self.is_final = self.is_final or bool(message.stop_reason)
        self.advisor_ids += asked
        if message.diagnostics and message.diagnostics.cache_miss_reason:
            self.miss = self.miss or stored_name(message.diagnostics.cache_miss_reason.type or "")

    def call(self, key: str) -> Call:
        """Return the call."""
        usage = self.usage
        return Call(
            key,
            time_ms_of(self.time),
            self.session,
            stored_name(self.model or ""),
            usage.speed == "fast",
            self.is_final,
            _tokens(usage),
            tuple(dict.fromkeys(self.advisor_ids)),
            tuple(
                (stored_name(part.model or self.advisor_model or ""), _tokens(part))
                for part in usage.iterations or ()
                if part.type == "advisor_message"
            ),
            self.turn,
            self.branch,
            self.skill,
            self.is_inline,
            self.reads,
            self.miss,
            time_ms_of(self.end),
        )


class Scan:
    """The rows of a transcript's lines. `turns` begin with the one of the carry."""

    def __init__(self, session: str, *, is_agent: bool, carry: Carry | None = None) -> None:
        self.milestones: list[Milestone] = []
        self.carry = carry or Carry()
        self.turns: list[Turn] = [self.carry.turn] if self.carry.turn else []
        self._seen: dict[str, _Seen] = {}
        self._session = session
        self._is_agent = is_agent

    @property
    def calls(self) -> list[Call]:
        """The calls, in the order of their first lines."""
        return [seen.call(key) for key, seen in self._seen.items()]

    def add(self, raw: bytes | memoryview, start: int) -> None:
        """Add the line at an offset."""
        for offset, line in decode(raw):
            if self._is_agent and self.carry.turn is None:
                self._begin(line, start + offset, "subagent")
            match line.type:
                case "assistant":
                    self._add_response(line)
                case "user":
                    self._add_user(line, start + offset)
                case "system" if line.subtype in ("compact_boundary", "microcompact_boundary"):
                    self._signal("compaction")
                    self._pass(line, "compaction", "")
                case "pr-link" if line.pr_url:
                    self._pass(line, "pr", line.pr_url)

    def _add_response(self, line: Line) -> None:
        message = line.message
        if not isinstance(message, Message):
            return
        if message.model == _SYNTHETIC_MODEL or not message.id:
            if line.is_api_error_message:
                self._signal("api_error")
            return
        asked = self._tools_of(message)
        if message.stop_reason in _STOPS:
            self._signal(_STOPS[message.stop_reason])
        if message.usage is None:
            return  # other lines repeat usage: `progress` copies a subagent's, `toolUseResult` sums it
        if self.carry.turn is not None:
            self.carry.turn.has_calls = True
        seen = self._seen.get(message.id)
        if seen is None:
            self._seen[message.id] = seen = self._first(line, message, message.usage)
        elif (message.usage.output_tokens or 0) >= (seen.usage.output_tokens or 0):
            seen.model, seen.usage = message.model, message.usage
        seen.add(line, message, asked)
        if self.carry.last != message.id:
            seen.reads = added(seen.reads, self.carry.reads)
            self.carry.last, self.carry.reads = message.id, {}

    def _tools_of(self, message: Message) -> list[str]:
        """Count the tool calls of a line; return the ids of its advisor calls."""
        asked = []
        for block in message.content if isinstance(message.content, list) else ():
            if block.type == "tool_use":
                if block.id and block.id not in self.carry.names:
                    name = self.carry.names[block.id] = stored_name(block.name or "")
                    self._count_tool(name, 0)
            elif block.type == "server_tool_use" and block.name == "advisor" and block.id:
                asked.append(block.id)
        return asked

    def _first(self, line: Line, message: Message, usage: Usage) -> _Seen:
        turn = self.carry.turn
        return _Seen(
            line.timestamp,
            "",
            stored_name(line.session_id or self._session),
            turn.start if turn else None,
            stored_name(line.git_branch or ""),
            stored_name(line.attribution_skill or ""),
            bool(line.is_sidechain) and not self._is_agent,
            message.model,
            usage,
            line.advisor_model,
        )

    def _add_user(self, line: Line, start: int) -> None:
        results = line.tool_results
        if results:
            for block in results:
                self._add_result(block)
            if _GIT in bytes(line.tool_use_result) and (sha := _commit_of(line)):
                self._pass(line, "commit", sha)
            return
        kind = classify(line)
        if kind == "interrupt":
            self._signal("interrupted")
        elif kind in TRIGGERS and not self._is_agent and not line.is_sidechain:
            self._begin(line, start, kind)

    def _add_result(self, block: Block) -> None:
        tool_id = block.tool_use_id or ""
        name = self.carry.names.get(tool_id)
        if name is None or tool_id in self.carry.done:
            return
        self.carry.done.add(tool_id)
        self.carry.reads[name] = self.carry.reads.get(name, 0) + len(memoryview(block.content))
        if block.is_error:
            self._count_tool(name, 1)

    def _begin(self, line: Line, start: int, trigger: str) -> None:
        carry = self.carry
        if carry.turn is not None and carry.turn.key == line.uuid and line.uuid:
            return  # some versions repeat a line
        if carry.turn is not None and carry.turn.trigger not in TYPED and not carry.turn.has_calls:
            self.turns.pop()  # a local command that called no model belongs to the next turn
        carry.names = {key: name for key, name in carry.names.items() if key not in carry.done}
        carry.done = set()
        carry.turn = Turn(start, line.uuid or "", time_ms_of(line.timestamp), trigger)
        self.turns.append(carry.turn)

    def _count_tool(self, name: str, errors: int) -> None:
        if self.carry.turn is not None:
            counts = self.carry.turn.tools.setdefault(name, [0, 0])
            counts[errors] += 1

    def _signal(self, name: str) -> None:
        if self.carry.turn is not None:
            self.carry.turn.signals[name] = self.carry.turn.signals.get(name, 0) + 1

    def _pass(self, line: Line, kind: MilestoneKind, value: str) -> None:
        time_ms = time_ms_of(line.timestamp) or 0
        self.milestones.append(
            Milestone(time_ms, stored_name(line.session_id or self._session), kind, stored_name(value))
        )


def _commit_of(line: Line) -> str | None:
    try:
        git = _decode_outcome(line.tool_use_result).git
    except msgspec.MsgspecError:
        return None
    return git.commit.sha if git and git.commit else None


def _tokens(usage: Iteration) -> Tokens:
    split = usage.cache_creation
    if split is not None and usage.cache_creation_input_tokens == 0:
        split = CacheCreation()  # a fork zeroes the total of a copied call, but not the split
    return Tokens(
        usage.input_tokens or 0,
        usage.output_tokens or 0,
        usage.cache_read_input_tokens or 0,
        (usage.cache_creation_input_tokens if split is None else split.ephemeral_5m_input_tokens) or 0,
        (0 if split is None else split.ephemeral_1h_input_tokens) or 0,
    )
