"""Prompts of a person, and what one says about the turn before it."""

import re
from collections.abc import Mapping

from ccship.signals import lexicon
from ccship.signals.model import (
    KEPT_PROMPTS,
    UUID_CHARS,
    ComplaintPart,
    Memory,
    Prompt,
    PromptPlace,
    StoredMemory,
)
from ccship.transcript.exchange import Exchange
from ccship.transcript.records import Record, User, text_of
from ccship.transcript.turns import Turn

_TEMPLATES = ("<task-notification", "<teammate-message", "<command-", "This session is being continued")
"""How prompts begin that no person typed."""

_ELEMENT = re.compile(
    r"<(?P<tag>system-reminder|ide_[a-z_]+|local-command-[a-z]+|command-[a-z]+|user-prompt-submit-hook)>"
)
_PLACEHOLDER = re.compile(r"\[(?:Image|Pasted text|Request interrupted by user)[^\]]{0,300}\]")

_PROMPT_CHARS = 100_000
"""Limit for a prompt: only its first few hundred characters matter, but markup may come before them."""

_PUSHBACK_CHARS, _REPORT_CHARS, _CONCESSION_CHARS, _PASTE_CHARS = 200, 400, 120, 60
_COMPARED_CHARS, _COMPARED_WORDS = 600, 200
_LEAST_CHARS = 20
"""Letters and digits of a prompt that can be compared: `yes` and `continue` are repeated for good reasons."""

_GRAM = 4
_SIMILAR = 0.75
"""Share of common four-grams from which two prompts count as the same."""


def is_human(turn: Turn) -> bool:
    """Return whether a person typed the prompt of a turn. The text of a slash command is a template."""
    opening = turn.exchange.opening
    return (
        turn.trigger == "prompt"
        and isinstance(opening, User)
        and opening.prompt_source != "system"
        and opening.turn_origin in (None, "human")
        and not opening.text.lstrip().startswith(_TEMPLATES)
    )


def prompt_text(record: Record) -> str:
    """Return a prompt without what Claude Code and the editor added."""
    return _PLACEHOLDER.sub(" ", _without_elements(record.text[:_PROMPT_CHARS])).strip()


def remembered(memory: Memory, turn: Turn) -> tuple[Prompt, ...]:
    """Return the prompts to remember after a turn."""
    if not is_human(turn):
        return memory.prompts
    prompt = prompt_of(PromptPlace(turn.start, turn.uuid[:UUID_CHARS]), turn.exchange.opening)
    return (*memory.prompts, prompt)[-KEPT_PROMPTS:] if prompt else memory.prompts


def recalled(stored: StoredMemory, openings: Mapping[str, Record]) -> Memory:
    """Return a memory that was stored; a prompt that is missing is forgotten.

    `openings`: the records of its prompts, by the stored part of their uuid.
    """
    found = (prompt_of(place, openings[place.uuid]) for place in stored.prompts if place.uuid in openings)
    return Memory(tuple(filter(None, found)), stored.cache, stored.was_compacted)


def prompt_of(place: PromptPlace, record: Record) -> Prompt | None:
    """Return a prompt to be remembered; None if it is too short to compare."""
    grams = _grams(prompt_text(record))
    return Prompt(place, grams) if grams else None


def is_repeated(turn: Turn, earlier: tuple[Prompt, ...]) -> bool:
    """Return whether a prompt says nearly the same as one of those before it."""
    if not earlier:
        return False
    grams = _grams(prompt_text(turn.exchange.opening))
    return bool(grams) and any(len(grams & prompt.grams) >= _SIMILAR * len(grams | prompt.grams) for prompt in earlier)


def complaint_of(following: Turn, earlier: tuple[Prompt, ...]) -> tuple[ComplaintPart, ...]:
    """Return in which ways a turn complains about the turn before it. `earlier`: the prompts before it."""
    text = prompt_text(following.exchange.opening)
    parts: list[ComplaintPart] = []
    if _pushes_back(text[:_PUSHBACK_CHARS]):
        parts.append("pushback")
    if lexicon.CONCEDES.match(_first_text(following.exchange)[:_CONCESSION_CHARS]):
        parts.append("conceded")
    if _reports_failure(text[:_REPORT_CHARS]):
        parts.append("reported_failure")
    if is_repeated(following, earlier):
        parts.append("repeated_prompt")
    return tuple(parts)


def _first_text(exchange: Exchange) -> str:
    """Return the first text of an answer; empty without one."""
    texts = (text_of(line.blocks) for call in exchange.calls.values() for line in call.lines)
    return next((text for text in texts if text.strip()), "")


def _pushes_back(head: str) -> bool:
    if len(head) >= _PASTE_CHARS and lexicon.PASTED.match(head):
        return False
    return lexicon.PUSHBACK.search(head) is not None


def _reports_failure(head: str) -> bool:
    if lexicon.REPORTED_FAILURE.search(head):
        return True
    return bool(lexicon.SHELL_PROMPT.search(head) and lexicon.FAILURE_IN_OUTPUT.search(head))


def _grams(text: str) -> frozenset[str]:
    """Return the four-grams of the letters and digits of a prompt; none if it is too short to compare."""
    words = re.findall(r"\w+", text[:_COMPARED_CHARS].lower())[:_COMPARED_WORDS]
    letters = "".join(words)
    if len(letters) < _LEAST_CHARS:
        return frozenset()
    return frozenset(letters[at : at + _GRAM] for at in range(len(letters) - _GRAM + 1))


def _without_elements(text: str) -> str:
    """Replace elements by a blank each; one that is not closed stays."""
    kept: list[str] = []
    at = 0
    unclosed: set[str] = set()
    while element := _ELEMENT.search(text, at):
        close = f"</{element['tag']}>"
        end = -1 if close in unclosed else text.find(close, element.end())
        if end < 0:
            unclosed.add(close)
            kept.append(text[at : element.end()])
            at = element.end()
        else:
            kept += (text[at : element.start()], " ")
            at = end + len(close)
    return "".join((*kept, text[at:]))
