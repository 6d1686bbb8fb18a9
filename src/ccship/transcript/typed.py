"""Prompts as the user typed them, without the markup of Claude Code and the editor.

Pure. The full text is in the input of the LLM call.
"""

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ccship.transcript.records import Record

_COMMAND = re.compile(r"<command-name>(?P<name>[^<]*)</command-name>")
_ARGUMENTS = re.compile(r"<command-args>(?P<arguments>.*?)</command-args>", re.DOTALL)
_SUMMARY = re.compile(r"<summary>(?P<summary>.*?)</summary>", re.DOTALL)
_SHELL_INPUT = re.compile(r"\s*<bash-input>(?P<command>.*?)</bash-input>\s*", re.DOTALL)
_COMPACT = re.compile(r"\s*/compact(?:\s.*)?", re.DOTALL)

_CONTEXT = re.compile(r"\s*<(?P<tag>ide_opened_file|ide_selection|system-reminder)>(?P<text>.*?)</(?P=tag)>", re.DOTALL)
"""An element that clients put before a prompt."""

_IDE_FILE = re.compile(
    r"The user (?:opened the file (?P<opened>.+?) in the IDE\."
    r"|selected [^\n]*? from (?P<of>[^\n]+?):?(?:\n|\Z))"
)
_ASIDE = "This may or may not be related to the current task."

_TEAMMATE = re.compile(
    r'<teammate-message(?P<attributes>(?:\s+\w+="[^"]{0,500}")*)\s*>(?P<text>.*?)(?:</teammate-message>|\Z)', re.DOTALL
)
_SENDER = re.compile(r'\bteammate_id="(?P<sender>[^"]+)"')


def as_typed(record: "Record") -> str:
    """Return a prompt as the user typed it.

    Slash commands become `/name args`, shell input `!command`, notifications their summary, teammates' messages their
    text. Other content is shown by its type. A text that is nothing but markup stays unchanged.
    """
    words = _words(record.text)
    if command := _COMMAND.search(words):
        arguments = _ARGUMENTS.search(words)
        return f"{command['name']} {arguments['arguments'] if arguments else ''}".strip()
    if shell := _SHELL_INPUT.fullmatch(words):
        return f"!{shell['command'].strip()}"
    if words.lstrip().startswith("<task-notification") and (summary := _SUMMARY.search(words)):
        return summary["summary"].strip()
    if words.lstrip().startswith("<teammate-message") and not _TEAMMATE.sub("", words).strip():
        return "\n\n".join(message["text"].strip() for message in _TEAMMATE.finditer(words))
    unsaid = (block.get("type") for block in record.blocks if block.get("type") != "text" or not record.text)
    return words or " ".join(f"[{kind}]" for kind in unsaid) or record.text


def context_of(record: "Record") -> dict[str, str]:
    """Return the context in a prompt's markup: the open file, the selection, the teammate who wrote it."""
    context: dict[str, str] = {}
    for tag, text in _elements(record.text)[0]:
        if tag != "system-reminder":
            file = _IDE_FILE.match(text)
            context["ide_file"] = (file["opened"] or file["of"]) if file else text
            if tag == "ide_selection":
                context["ide_selection"] = text
    if record.text.lstrip().startswith("<teammate-message"):
        attributes = (message["attributes"] for message in _TEAMMATE.finditer(record.text))
        senders = dict.fromkeys(sender["sender"] for text in attributes if (sender := _SENDER.search(text)))
        if senders:
            context["teammate"] = ",".join(senders)
    return context


def is_bare_compact(text: str) -> bool:
    """Return whether a text is `/compact` without markup. Clients from 2.1.212 to 2.1.232 write it first."""
    return _COMPACT.fullmatch(text) is not None


def _words(text: str) -> str:
    """Return a text without the elements before it."""
    end = _elements(text)[1]
    return text[end:].lstrip() if end else text


def _elements(text: str) -> tuple[list[tuple[str, str]], int]:
    """Return the elements at the start of a text as (tag, text), and where the last one ends."""
    found: list[tuple[str, str]] = []
    end = 0
    while element := _CONTEXT.match(text, end):
        found.append((element["tag"], element["text"].removesuffix(_ASIDE).strip()))
        end = element.end()
    return found, end
