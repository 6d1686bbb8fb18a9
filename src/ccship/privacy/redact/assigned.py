"""Secrets that are recognised by their name: `KEY=value`, `"key": "value"`, `--key value`, `| key | value |`.

Most values after such a name are not secrets but code, types, placeholders or sentences. This module decides, and reads
only the text that belongs to the name in its language.
"""

import re

from ccship.privacy.redact.assignment import LONGEST_LINE, Assignment, assigns
from ccship.privacy.redact.names import HINT, KEYWORDS, NOTHING, STRONG, is_some_key, names_secret, strength
from ccship.privacy.redact.operators import AFTER_VALUE, ASSIGNED, BLOCK, REST, STRICT, VALUE, is_pair
from ccship.privacy.redact.rules import END_OF_LINE, NEXT_LINE, Rule
from ccship.privacy.redact.sections import section_of
from ccship.privacy.redact.values import (
    LEAST_HINTED,
    bears_out_a_hint,
    is_address,
    is_code,
    is_mailbox,
    is_mixed,
    is_placeholder,
    is_short_passphrase,
    is_signed_password,
    is_token,
    looks_like_password,
    looks_random,
)

NAMED = "named-secret"

_SETS_KEY = re.compile(r"\\{0,31}[\"']?\]?[ \t]{0,4}[:=]")
_NAME_CHARACTERS = re.compile(r"[\w.-]*")
_WORD = re.compile(r" ([A-Za-z]+)(?![A-Za-z])")
_FIRST_WORDS = frozenset(
    """
    access account activation admin api auth backup client decryption encryption licence license master private product
    recovery secret service session shared signing unseal webhook
    """.split()  # noqa: SIM905 - a list of words reads better so
)
_LONGEST_LEFT = 50
_CHAINED = re.compile(r"(?:(?P<module>::)|\barn:[\w:/-]{1,100}:)$")
"""The text before a name that is part of a longer one: `AWS::ApiGateway::ApiKey`, `arn:...:secret:name`."""
_SCALAR = re.compile(r"[|>][+-]?\d?(?:\n|\\{1,31}n)")
_MORE = re.compile(
    r"(?:\\{0,31}[\"'][ ](?:->|:)[ ]\\{0,31}[\"'](?P<other>[^\"'\n\\]{3,200})"
    r"|[ ](?:->|\u2192)[ ](?P<new>[^\s\"'`<>\\,;]{5,200})"
    rf"|\\{{0,31}}[\"'](?:[ ]?[+.&][ ]?(?:{NEXT_LINE})?|{NEXT_LINE})[ \t]{{0,40}}(?:[+.&][ ])?[rbf]?\\{{0,31}}[\"']"
    r"(?P<joined>[^\"'\n\\]{3,200})(?=\\{0,31}[\"'](?![ ]?[:=])))"
)
"""A second value of the same name: what replaces the first one, or the next part of a text in parts."""
_LINE = re.compile(
    r"(?P<op>[ \t]{0,4}[:=][ \t]{0,4})(?P<value>[^\s\"'`\\]{8,128}+|[A-Za-z0-9 ]{8,120}[!?#*.]?)" + END_OF_LINE
)
_REST_OF_LINE = re.compile(r"[^\s\"'`\\]{1,128}+(?<![,;)}\]>])" + END_OF_LINE)
_NUMBERED = re.compile(r"\d{1,6}(?:→|\\{1,31}u2192)|\d{1,4}:")
"""A line number after a name: the line of the name ended, or the name is that of a file in a listing."""
_SHORTEST_PIN, _LONGEST_NUMBER = 6, 15
"""Digits of a numeric password: with fewer or more it is a count, a time or an id."""
_MOST_PARTS = 8
_PASS = re.compile(r"(?i)pass|pwd|pw$|kennwort")
_SHORT, _LONG = 5, 8
"""Minimum length of an unquoted value after the name of a password, and after that of a token."""


def _value_of(hit: re.Match[str]) -> list[tuple[int, int]]:
    """Return the value of a name if the name means a secret and the value can be one."""
    text = hit.string
    left = _left(text, hit.start())
    start, name = hit.start() - len(left), left + hit[0]
    says, is_guessed = _strength(hit, left)
    is_mark = text.endswith("[redacted:", 0, start)  # a rule's name has no value
    if says == NOTHING or is_mark:
        return []
    is_after = says > HINT and text.endswith(AFTER_VALUE, 0, start)
    if is_after and (before := _before(text, start, says)):
        return before
    line = _LINE.match(text, hit.end()) if says == STRONG else None
    if line and _is_whole_line(Assignment(start, left, name, says, line)):
        return [line.span("value")]
    if not (value := ASSIGNED.match(text, hit.end())):
        return []
    found = Assignment(start, left, name, says, value)
    return _spans(found) if _is_secret(found) and (not is_guessed or is_mixed(found.value)) else []


def _strength(hit: re.Match[str], left: str) -> tuple[int, bool]:
    """Return the strength of a name, and whether it is that of a key which only a generated value makes a secret."""
    name = (left[2:] if left.startswith(("-D", "-P")) else left) + hit[0]
    says = strength(name)
    if says > NOTHING or hit[0][-3:].lower() != "key" or not _SETS_KEY.match(hit.string, hit.end()):
        return says, False
    if name.lower() == "key":  # below `[api]`, in `jwt: {...}`
        return min(HINT, strength(section_of(hit.string, hit.start()) + "_key")), False
    return (HINT, True) if is_some_key(name) else (NOTHING, False)


def _is_whole_line(found: Assignment) -> bool:
    """Whether the rest of a setting's line is a password with signs or spaces and without quotes."""
    value = found.value
    is_phrase = "phrase" in found.name.lower() and " " in value and is_short_passphrase(value)
    return (is_phrase or is_signed_password(value)) and found.is_setting


def _spans(found: Assignment) -> list[tuple[int, int]]:
    """Return the value, up to the end of its line or block, and a second value after it."""
    text, (start, end) = found.hit.string, found.hit.span(found.hit.lastindex or 0)
    rest = (BLOCK if _SCALAR.search(found.op) else REST).match(text, end)
    if not rest and found.hit["bare"] and found.is_setting:
        rest = _REST_OF_LINE.match(text, end)
    spans = [(start, rest.end() if rest else end)]
    while (more := _MORE.match(text, spans[-1][1])) and len(spans) < _MOST_PARTS:
        if not looks_like_password(more[more.lastgroup or 0]):
            break
        spans.append(more.span(more.lastgroup or 0))
    return spans


def _before(text: str, at: int, says: int) -> list[tuple[int, int]]:
    """Return the quoted value before a name: `"..." -> name`, `set("...", forKey: "name")`."""
    value = VALUE.search(text, max(at - LONGEST_LINE, 0), at)
    if not value or is_placeholder(value["value"]) or names_secret(value["value"]) or is_address(value["value"]):
        return []
    random = looks_like_password(value["value"]) if says == STRONG else looks_random(value["value"])
    return [value.span("value")] if random and not is_code(value["value"], is_quoted=True) else []


def _left(text: str, at: int) -> str:
    """Return the part of a name before an offset, and the word before it in a sentence: `API key`."""
    last = text[at - 1 : at]
    if not (last.isalnum() or last in "_.- "):  # most names begin with their keyword
        return ""
    before = text[max(at - _LONGEST_LEFT, 0) : at][::-1]
    size = len(_NAME_CHARACTERS.match(before)[0])  # type: ignore[index]
    if size and before[size - 1] in "nrt" and before[size : size + 1] == "\\":
        size -= 1  # the end of an escaped line break: `nDB_PASSWORD` is not a constant's name
    if size == 0 and (word := _WORD.match(before)) and word[1][::-1].lower() in _FIRST_WORDS:
        size = len(word[0])
    return text[at - size : at]


def _is_secret(found: Assignment) -> bool:
    value = found.value
    return (
        assigns(found)
        and _is_value(value, found)
        and not (is_placeholder(value) or is_placeholder(value.rstrip(".")))
        and not names_secret(value)
        and value != found.name
        and not value.startswith(f"{found.name}@")  # a package and its version in a lock file
        and not _NUMBERED.match(value)
        and not (found.line.endswith("${") and value.startswith("?"))  # `${KEY:?message}`
        and not is_address(value)
        and not _is_chained(found)
    )


def _is_chained(found: Assignment) -> bool:
    """Whether the name is the end of a longer one. `module::password: ...` is a setting, `AWS::SecretKey` a type."""
    chain = _CHAINED.search(found.line)
    is_setting = found.name[:1].islower() and (bool(found.hit["close"]) or found.op[:1] == ":")
    return chain is not None and not (chain["module"] and is_setting)


def _is_value(value: str, found: Assignment) -> bool:
    """Whether the value can be a secret. The weaker the name, the more the value must look like one."""
    is_strong, is_quoted, is_loud = found.says == STRONG, found.hit["bare"] is None, found.name.isupper()
    random = looks_like_password(value) if is_strong else looks_random(value)
    is_words = is_strong and _PASS.search(found.name) is not None and is_short_passphrase(value.rstrip("."))
    is_long_enough = len(value) >= (_SHORT if is_strong else _LONG)
    if found.says == HINT:
        bears_out = bears_out_a_hint(value) or (found.op == "=" and is_loud and random and len(value) >= LEAST_HINTED)
        return bears_out and not is_mailbox(value) and not is_code(value, is_quoted=is_quoted)
    if found.op == "=" and is_loud:  # KEY=value: a line of a shell or an env file
        return is_strong or random or is_long_enough
    if " " in value:
        return is_quoted and (is_words or "phrase" in found.name.lower())
    random = random or is_words
    if is_code(value, is_quoted=is_quoted):
        return _is_number(value, found)
    if not _is_strict(found) and (is_quoted or (is_strong and is_loud and "_" in found.name)):
        return is_strong or random
    return (random and is_long_enough) or (not _is_strict(found) and is_token(value))


def _is_strict(found: Assignment) -> bool:
    is_list = found.op.strip()[:1] == "(" or "[" in found.op or len(found.op.split()) > 1  # or a sentence
    return not is_pair(found.op) and STRICT.match(found.op) is not None and (is_list or not found.quoted)


def _is_number(value: str, found: Assignment) -> bool:
    """Whether digits are a password, or too many for a count."""
    is_strong = found.says == STRONG
    least = _SHORTEST_PIN if is_strong and re.search("ass|pin|暗証", found.name.lower()) else _LONGEST_NUMBER
    return value.isdigit() and len(value) >= least and (is_strong or bool(found.quoted))


NAMED_SECRET = Rule(
    NAMED,
    r"\w{2,3}[\w-]{0,44}+",
    KEYWORDS,
    spans=_value_of,
)
