"""A name of a secret with an operator and a value after it, and whether the operator assigns the value to the name."""

import re
from dataclasses import dataclass
from functools import cached_property

from ccship.privacy.redact.names import COPULAS, HINT, STRONG
from ccship.privacy.redact.operators import is_pair
from ccship.privacy.redact.rules import LINE_START, NEXT_LINE
from ccship.privacy.redact.values import (
    LEAST_HINTED,
    bears_out_a_hint,
    has_few_words,
    is_passphrase,
    is_spoken,
    is_token,
    looks_chosen,
    looks_like_password,
    looks_random,
)

LONGEST_LINE = 120
_DOCKERFILE = re.compile(r"(?:\b|(?<=\\n))ENV $")
_END = re.compile(r"\\{0,31}[\"'`]?\s*(?:$|\n)")
_SETS = re.compile(
    r"(?i)(?:^|[;&|(>])\s*(?:\$ )?"
    r"(?:#\s?define|setx|setenv|set|arg|env|proxy_set_header|add_header|fastcgi_param|export)\s+(?:-\w+\s+){0,3}$"
    r"|\b(?:config(?:ure|uration)?|secrets?|variables?|env|auth)[ :](?:set|add|put|create|--\w+)\b[^\n]{0,60}$"
    r"|\b(?:user|role|login|identified|alter|with)\b[^\n]{0,80}$"
    r"|(?:^|[\s(])\(?(?:def\w*|setq|setf|define|set)[ (]\*?(?:ENV\{)?$"
    r"|[\"' ]/set[ ]$"
    r"|^[ \t]*set[ ](?:[\w./:-]{1,40}[ ]){0,14}$"
)
_SETTER = re.compile(
    r"(?i)(?:.*\.)?(?:set|with|use)?_?(?:user|db|admin|key|store)?_?(?:password|passwd|passphrase|pwd|secret)"
)
_NAMED_SETTER = re.compile(r"(?:.*\.)?(?:[sS]et|[wW]ith|[uU]se)(?:_|(?=[A-Z]))\w{1,40}")
_GETTER = re.compile(
    r"(?i)\.(?:get|fetch|read|find|load|has|is|check|delete|remove|list|create|generate|reset|describe)\w*$"
)
_CHANGES = re.compile(r"(?i)\b(?:set|chang|reset|updat|rotat)\w{0,4}[ ][\w ]{0,40}$")
_AT = re.compile(r"(?:^|[\s\"'`]|(?<=\\n))@\Z")
_OR = frozenset(("", ",", "or", "||", "??", "?:"))
_LOOKUP = re.compile(
    r"(?i)(?:env\w{0,10}|variable|config|setting\w?|property)(?:\.\w{1,10})?[(\[ ]\\{0,31}[\"':]{0,2}\Z"
)
"""A call that reads a setting, up to the name of the setting."""
_ATTRIBUTE = re.compile(r"(?:name|key)=\\{0,31}[\"']\Z")
_CALL = re.compile(
    r"(?:\w\(|^\s{0,20}(?:set|config)[ ](?=:))(?:(?:[\w.$:&*-]{1,40}|\\{0,31}[\"'][^\"'\n]{0,60}[\"']),[ ]?){0,7}[ ]?"
    r"(?:\\{0,31}[\"'`:][#.\[\w=]{0,10}|(?<=,[ ])"
    r"|(?<=cpy\()[\w.>-]{0,30})$"
)
_OPEN = re.compile(r"(?:(?<![\w)])|(?<=\\[nrt]))[({\[][ ]?(?:\\{0,31}[\"'`:])?$")
_CLOSE = re.compile(r"\\{0,31}[\"'`]?(?:>>|\.[\w()]{1,20})?[ ]?[)\]}]")
_TUPLE = re.compile(r"[ \t]*(?:(?:my|let|const|local|var)[ ])?[(\[]?(?:[\w$.@]+,[ ]?)+$")
_BRACED = re.compile(r"(?i)(?:driver|server|dsn|uid|user id|data source|database|pwd)=|^[ \t]*set[ ]")
_NUMBERED_WORD = re.compile(r"[A-Za-z_-]+\d")
_SHORT_PAIR, _LONG_PAIR = 6, 8
_FIELD = re.compile(r"name=\\{0,31}[\"']?\Z")
_LINE_START = re.compile(LINE_START)
_SETTING = re.compile(r"\w{1,30}[=:](?!=?$)")
_TITLE = re.compile(r"\W{0,8}(?:[A-Z]?[a-z']{1,12}[ ]){0,5}")
_TITLE_END = re.compile(
    r"[A-Z]?[a-z]+(?:[ _-][A-Z]?[a-z]+)*|[A-Z]{2,4} [a-z]+|[A-Z]+(?:_[A-Z]+)*|[a-z]+(?:[A-Z][a-z]+)+"
)
_BELOW = re.compile(rf":?(?:[ \t]{{0,8}}{NEXT_LINE}){{1,2}}(?:`{{3}}\w{{0,10}}{NEXT_LINE})?")
_ASKS = re.compile(r"(?i)\b(?:what|which|whats|what's)\b")


@dataclass(frozen=True)
class Assignment:
    """A name of a secret and the text after it.

    `left`: the part of the name before the keyword; `name`: the whole name; `hit`: the operator and the value.
    """

    start: int
    left: str
    name: str
    says: int
    hit: re.Match[str]

    @property
    def op(self) -> str:
        """The text between the name and the value."""
        return self.hit["op"]

    @property
    def quoted(self) -> str:
        """The value if it has quotes, otherwise an empty text."""
        return self.hit["quoted"] or ""

    @property
    def value(self) -> str:
        """The value without its quotes."""
        return self.hit[self.hit.lastindex or 0]

    @property
    def is_setting(self) -> bool:
        """Whether the name is the first on its line, or in an item, and a colon or `=` follows."""
        return self.op.strip() in {":", "="} and self.line.strip(" \t-") in {"", "export", "set"}

    @cached_property
    def before(self) -> str:
        """The line up to the name, at most its last characters."""
        end = self.hit.string[max(self.start - LONGEST_LINE, 0) : self.start]
        return end[end.rfind("\n") + 1 :]

    @cached_property
    def line(self) -> str:
        """The line up to the name, without the prefix that a log or a listing prints before each line."""
        return self.before[_LINE_START.match(self.before).end() :]  # type: ignore[union-attr]


def assigns(found: Assignment) -> bool:
    """Return whether the operator assigns the value to the name."""
    op = found.op.strip()
    if is_pair(op):
        return "alue" in op or "ALUE" in op or looks_like_password(found.value)
    if found.hit["braces"]:
        return _BRACED.search(found.line) is not None
    if not found.op:
        is_bare = not found.quoted and not found.left.startswith("-")
        is_setting = is_bare and _SETTING.match(found.value) is not None  # method=password duration=12ms
        return not is_setting and _follows(found)
    return _is_below(found) if _BELOW.fullmatch(found.op) else _assigns_by(op, found)


def _assigns_by(op: str, found: Assignment) -> bool:
    if op[:1] == "!" or op[-6:] == "return":  # a comparison, the result of a function
        return looks_random(found.value)
    if op[-1:] == "<" and op[:1] in ":=":  # token=<...>
        return bears_out_a_hint(found.value) and not found.quoted
    if op[-1:] == "=":
        return not _TUPLE.match(found.line)  # the value of the first name of a tuple
    check = _in_map if "{" in op and op[-1:] == ":" else _BY_OPERATOR.get(op[:1], _tells)
    return check(op, found)


def _after_comma(op: str, found: Assignment) -> bool:
    """Whether a name and a value are arguments of one call, or alone in brackets."""
    if op[-1:] == ":":  # default: ...
        return bool(found.quoted)
    if _OPEN.search(found.line):
        return _is_bracketed(found)
    constant = found.name.rpartition(".")[2]
    is_loud = constant.isupper() and "_" in constant
    is_set = (found.says == STRONG or is_token(found.value)) and found.quoted and _CALL.search(found.line)
    is_chosen = re.search(r"\d", found.value) is not None or is_passphrase(found.value) or _has_no_words(found.value)
    return bool(is_loud or is_set) and is_chosen


def _has_no_words(value: str) -> bool:
    return len(value) >= LEAST_HINTED and looks_chosen(value) and has_few_words(value)


def _after_bracket(_: str, found: Assignment) -> bool:
    if found.op[:1] == " ":  # the root password (...)
        return found.says == STRONG and looks_like_password(found.value)
    is_named = "." in found.name or _NAMED_SETTER.fullmatch(found.name) is not None
    is_chained = is_named and looks_random(found.value) and not _GETTER.search(found.name)
    return not found.hit["close"] and (is_chained or _SETTER.fullmatch(found.name) is not None)


def _in_block(op: str, found: Assignment) -> bool:
    return bool(found.quoted) and (not op.endswith("{") or _closes(found))


def _after_call(op: str, found: Assignment) -> bool:
    if not op.strip(". :"):  # a row of dots
        return True
    if ".to" in op or "qual" in op:  # a comparison in a test
        return looks_random(found.value)
    if op[1:].strip() in _OR:  # getenv("TOKEN") or ...
        return bool(found.quoted) and _LOOKUP.search(found.line) is not None and looks_like_password(found.value)
    return bool(found.quoted)


def _in_element(_: str, found: Assignment) -> bool:
    return not found.quoted and (not found.hit["close"] or _ATTRIBUTE.search(found.line) is not None)


def _after_dash(op: str, found: Assignment) -> bool:
    if op[:2] == "->":
        return True
    return is_token(found.value) or (found.says == STRONG and not found.hit["close"] and is_spoken(found.value))


def _in_map(_: str, found: Assignment) -> bool:
    return found.says == STRONG and looks_like_password(found.value)


def _in_cell(_: str, found: Assignment) -> bool:
    is_loud = found.name.isupper() and found.before.rstrip().endswith("|")  # `error | ` may be the prefix of a log
    is_apart = ("  " in found.op and "_" in found.name) or _END.match(found.hit.string, found.hit.end()) is not None
    is_row = is_apart and not found.line.strip()  # psql's expanded display
    return _is_cell(found) and (is_loud or is_row or found.line.lstrip().startswith("|"))


def _closes(found: Assignment) -> bool:
    return _CLOSE.match(found.hit.string, found.hit.end()) is not None


def _is_bracketed(found: Assignment) -> bool:
    """Whether a name and a value are a pair in brackets of their own: `{password, "..."}`, `("token", "...")`."""
    is_chosen = found.says == STRONG and len(found.value) >= _SHORT_PAIR and re.search(r"\d\d", found.value) is not None
    return (
        bool(found.quoted)
        and (is_chosen or len(found.value) >= _LONG_PAIR)
        and _closes(found)
        and looks_like_password(found.value)
        and not _NUMBERED_WORD.fullmatch(found.value)
    )


def _tells(op: str, found: Assignment) -> bool:
    """Whether a sentence assigns the value to the name. Operators that are not words or colons always do."""
    if op == "?":
        return _ASKS.search(found.line) is not None and looks_random(found.value)
    if op == ":" and found.name.lower() == "pass" and not found.quoted:  # `PASS: test_of_something`
        is_drawer = found.line.strip() == ":"  # :PASS: ...
        return (found.name != "PASS" or is_drawer) and re.search(r"[/.:]|^test", found.value) is None
    if op == "to":
        if found.quoted and found.hit["close"]:  # "password" to "..."
            return looks_like_password(found.value)
        is_polish = found.name.lower().startswith("has")  # hasło to ...
        return found.says == STRONG and (is_polish or _CHANGES.search(found.line) is not None)
    return True


_BY_OPERATOR = {
    ",": _after_comma,
    "(": _after_bracket,
    ")": _after_call,
    ".": _after_call,
    "{": _in_block,
    ">": _in_element,
    "|": _in_cell,
    "-": _after_dash,
    "–": _after_dash,  # noqa: RUF001 - a dash in a sentence
    "—": _after_dash,
    "…": _after_dash,
}


def _is_cell(found: Assignment) -> bool:
    return looks_like_password(found.value) if found.says == STRONG else looks_random(found.value)


def _is_below(found: Assignment) -> bool:
    """Whether a value on the next line belongs to the name: in a form, or if each is alone on its line."""
    if _FIELD.search(found.line):
        return True
    is_title = _TITLE.fullmatch(found.line) is not None and _TITLE_END.fullmatch(found.name) is not None
    is_alone = is_title and _END.match(found.hit.string, found.hit.end()) is not None
    is_random = looks_random(found.value) if found.says == STRONG else bears_out_a_hint(found.value)
    return is_alone and (is_token(found.value) or is_random)


def _follows(found: Assignment) -> bool:
    """Whether a name and a value with only a space between them belong together; in a sentence they do not."""
    before, value = found.line, found.value
    if found.left.startswith("-") or _DOCKERFILE.search(before):
        return True
    if found.name.lower() == "pass":
        is_set = not before.strip(" \t>$#-") or before.strip(" \t>$#-") == "set"
        return bool(found.quoted) and is_set and looks_like_password(value)
    is_attribute = bool(found.quoted) and (
        _AT.search(before)  # of a module in Elixir
        or (before.endswith(" :") and looks_like_password(value))  # a keyword of Lisp
    )
    if is_attribute or _SETS.search(before) or (not found.left and before.endswith(" /")) or _is_column(found):
        return True
    is_first = not before.strip(" \t>$#-(:") or before[-1] in ".:"
    if found.says < STRONG:
        is_whole = found.quoted or (value[-1] != "." and _END.match(found.hit.string, found.hit.end()))
        return bool(found.says > HINT and is_first and is_whole) and bears_out_a_hint(value)
    if found.quoted:
        is_long = found.name.isupper() or len(re.findall("[A-Z]?[a-z]+", found.name)) > 1  # storePassword "..."
        return " " not in found.left and (is_long or re.search(r"\d", value) is not None or is_passphrase(value))
    is_all = not before.strip(" \t>$#-") and _END.match(found.hit.string, found.hit.end()) is not None
    return is_all or is_token(value) or (found.name[-1:] in COPULAS and looks_like_password(value))


def _is_column(found: Assignment) -> bool:
    """Whether a name is the first on its line and its value is in the next column."""
    if found.op or "_" not in found.name or found.line.strip(" \t>$#-"):
        return False
    is_apart = found.hit.string.startswith("  ", found.hit.start("op")) or "\t" in found.hit[0]
    return is_token(found.value) or (found.name.isupper() and is_apart and looks_like_password(found.value))
