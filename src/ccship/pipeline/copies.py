"""Calls that several turns contain: some clients write earlier history again under new uuids.

The first turn that ships a call claims it; later turns ship without it. Pure.
"""

from collections.abc import Callable, Collection
from dataclasses import replace
from itertools import takewhile

from ccship.state import Claim
from ccship.state.rows import short_key
from ccship.transcript.exchange import Exchange
from ccship.transcript.parts import LLMCall, ModelInput
from ccship.transcript.turns import Turn

ONLY_THIS_CALL = -1
"""The `until_s` of a call that was shipped with a subagent. The turn that made it is not a copy."""


def claim_of(turn: Turn) -> tuple[str, int]:
    """Return the claim of a turn: its first call, and when its last call was answered (seconds since the epoch).

    A turn without calls claims its prompt.
    """
    until_s = max(map(_answered_s, turn.exchange.calls.values()), default=0)
    return next(iter(turn.exchange.calls), _prompt(turn)), until_s


def without_claimed(turn: Turn, claims: Callable[[str], Claim | None]) -> tuple[Turn, Claim | None]:
    """Return the turn without calls that other turns have claimed, and the claim on the last of those."""
    key = short_key(turn.uuid)
    until_s, found, claimed = -1, None, set()
    for call in turn.exchange.calls.values():
        if _answered_s(call) > until_s:
            claim = claims(call.message_id)
            if claim is None or claim.turn == key:
                continue
            until_s, found = claim.until_s, claim
        claimed.add(call.message_id)
    if claimed:
        return replace(turn, exchange=_without(turn.exchange, claimed)), found
    claim = None if turn.exchange.calls else claims(_prompt(turn))
    return turn, claim if claim and claim.turn != key else None


def _prompt(turn: Turn) -> str:
    """Identify an unanswered turn; copies have the same key under other uuids."""
    return f"{turn.exchange.start_ns} {turn.exchange.opening.text}"


def _without(exchange: Exchange, claimed: Collection[str]) -> Exchange:
    """Remove calls from an exchange, with their tools, their input and the events before its own first call."""
    calls = sorted(exchange.calls.values(), key=lambda call: call.position)
    before = [call.lines[-1].time_ns or 0 for call in takewhile(lambda call: call.message_id in claimed, calls)]

    def is_own(given: ModelInput) -> bool:
        asked = next((call for call in calls if call.position > given.position), None)
        return asked is None or asked.message_id not in claimed

    def is_later(time_ns: int | None) -> bool:
        return not before or (time_ns or 0) > max(before)

    return replace(
        exchange,
        given=[given for given in exchange.given if is_own(given)],
        calls={key: call for key, call in exchange.calls.items() if key not in claimed},
        tools={key: tool for key, tool in exchange.tools.items() if tool.message_id not in claimed},
        events=[event for event in exchange.events if is_later(event.record.time_ns)],
        sidechains=[sidechain for sidechain in exchange.sidechains if is_later(sidechain.start_ns)],
    )


def _answered_s(call: LLMCall) -> int:
    """Return the time of a call's first line, in seconds since the epoch. Copies keep it."""
    return (call.lines[0].time_ns or 0) // 10**9
