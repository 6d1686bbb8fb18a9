"""Secrets with their name above them: columns of Markdown and CSV tables, items of lists."""

import re
from collections.abc import Iterator

from ccship.privacy.redact.names import STRONG, TOKEN, names_secret, strength
from ccship.privacy.redact.rules import LINE_START, NEWLINE, NEXT_LINE, Rule
from ccship.privacy.redact.values import (
    is_address,
    is_code,
    is_placeholder,
    looks_like_password,
    looks_random,
)

_KEYWORDS = (
    "pass",
    "passphrase",
    "secret",
    "token",
    "apikey",
    "api_key",
    "api key",
    "access_key",
    "pwd",
    "totp",
    "pw |",
    "pw\t",
    ";pw",
    ",pw",
)
_LAST_WORDS = ("pass", "passwd", "password", "passphrase", "secret", "token", "apikey", "api_key", "key", "pwd")
_NAME = r"(?:[Pp][Ww](?![\w-])|[A-Za-z]{3}[\w-]{0,40}+(?:[ ][\w-]{1,20})?)"
_BEFORE = re.compile(r"(?!(?<=\\)[nrt])[\w.-]{0,40}\Z")
_CELLS = re.compile(r"[\w\".,-]*\Z")
_LINE = re.compile(r"(?:(?!\\{1,31}r?\\{0,31}n)[^\n\r]){0,1000}")
_BREAK = re.compile(NEWLINE)
_HEAD = re.compile(r"\\{0,31}[\w\".-]+(?:,[\w\\\".-]+)+")
_QUOTED_HEAD = re.compile(r"\\{0,31}\"[\w .-]+\\{0,31}\"(?:,[ ]?\\{0,31}\"[\w .-]+\\{0,31}\")+")
_TITLED_HEAD = re.compile(r"[A-Z][\w.-]{0,20}(?:[ ][\w.-]{1,20}){0,3}(?:,[A-Z][\w.-]{0,20}(?:[ ][\w.-]{1,20}){0,3})+")
_RULE = re.compile(rf"{LINE_START}[|:+\s=├┼┤─═╠╬╣+-]+")
_UNDERLINE = re.compile(rf"{NEWLINE}[ \t]{{0,4}}-{{4,}}[ \t]{{0,4}}(?={NEWLINE})")
_HEADING = re.compile(r"[ \t!]*(?:\d{1,6}(?:→|[ ]))?[ \t>+]*[A-Za-z_*`\"'\\][A-Za-z_ .\"'`*\\-]*(?:\([\w ]*\))?[ \t]*")
_PLAIN_HEAD = re.compile(r"[\w|-]+")
_GAPS = re.compile(r"[ \t]{2,}|\t")
_TUPLE = re.compile(
    r"[ \t>+]*(?:\d{1,6}(?:→|\t))?[ \t]*(?:(?:my|let|const|local|var)[ ])?[(\[]?((?:[\w$.@]{1,40},[ ]?)+)[$@]?\Z"
)
_ASSIGNS = re.compile(r"((?:,[ ]?[\w$.@]{1,40}){0,8})[)\]]?[ ]?:?=[ ]?[(\[]?")
_ELEMENT = re.compile(
    r"[rbf]?(?:\\{0,31}[\"'`](?P<secret>[^\"'`\n\\]{0,200})\\{0,31}[\"'`]|[^,\"'`\n]{1,100})(?:,[ ]?)?"
)
_CELL = re.compile(r"[ \t]*(?:\\{0,31}[\"'`])?(.*?)(?:\\{0,31}[\"'`])?[ \t]*", re.DOTALL)
_ITEM = re.compile(
    rf",?(?:{NEXT_LINE})?[ \t]{{0,40}}(?:-[ \t]|,)?[ \t]{{0,4}}(?:\\{{0,31}}[\"'])"
    rf"(?P<quoted>[^\"'\n\\]{{3,200}})\\{{0,31}}[\"']"
    r"|(?:(?<=\[)|,)[ ]?(?P<inline>[^\s\"'\\:,\[\]]{4,200})(?=[ ]?[,\]])"
    rf"|{NEXT_LINE}[ \t]{{0,40}}-[ \t](?P<bare>[^\s\"'\\:]{{4,200}})(?=\s|\\|$)"
)
_MOST_ROWS, _WIDEST = 50, 300


def _is_secret(value: str, says: int) -> bool:
    """Whether a value looks like a secret without a name beside it."""
    return (
        len(value) >= (5 if says == STRONG else 12)
        and (looks_like_password(value) if says == STRONG else looks_random(value))
        and " " not in value
        and not is_placeholder(value)
        and not is_address(value)
        and not is_code(value, is_quoted=True)
        and not names_secret(value)
    )


def _name(hit: re.Match[str]) -> str:
    before = _BEFORE.search(hit.string, max(hit.start() - 40, 0), hit.start())
    return (before[0] if before else "") + hit["name"]


_DELIMITERS = ("||", "!!", "|", "│", "║", "┃", "\t", ";", ",")


def _column(hit: re.Match[str]) -> Iterator[tuple[int, int]]:
    """Return the cells below a name in a table's header. All rows must have as many cells as the header."""
    text, says = hit.string, strength(_name(hit))
    if says < TOKEN:
        return
    begin = max(hit.start() - _WIDEST, 0)
    breaks = [found.end() for found in _BREAK.finditer(text, begin, hit.start())]
    begin = breaks[-1] if breaks else begin
    line = _LINE.match(text, hit.start())
    head = text[begin : hit.start()] + (line[0] if line else "")
    delimiter = next((it for it in _DELIMITERS if it in head), "")
    if delimiter == "" or (delimiter == "," and _GAPS.search(head.strip())):
        yield from _aligned(text, begin, hit.start(), says)
        return
    is_titled = _QUOTED_HEAD.fullmatch(head) or _TITLED_HEAD.fullmatch(head)
    if delimiter == "," and not is_titled:  # text may precede the header on its line, but the header contains no spaces
        cells_before = _CELLS.search(text, begin, hit.start())
        begin = cells_before.start() if cells_before else hit.start()
        head = text[begin : hit.start()] + (line[0] if line else "")
    column = text.count(delimiter, begin, hit.start())
    if is_titled or _is_header(head, delimiter, column):
        yield from _cells(text, begin, head, delimiter, column, says)


def _is_header(head: str, delimiter: str, column: int) -> bool:
    """Whether a line can be the header of a table."""
    if delimiter == "|" and not (" | " in head or _PLAIN_HEAD.fullmatch(head) or head.startswith("|")):
        return False
    if delimiter == "," and not _HEAD.fullmatch(head):
        return False
    return _HEADING.fullmatch(head.split(delimiter)[column]) is not None


def _cells(text: str, begin: int, head: str, delimiter: str, column: int, says: int) -> Iterator[tuple[int, int]]:
    """Return the cells of a column that look like a secret, row by row."""
    at = begin + len(head)
    for _ in range(_MOST_ROWS):
        end = _BREAK.match(text, at)
        line = _LINE.match(text, end.end()) if end else None
        if not line or line[0].strip() in ("", head.strip()):
            return
        at = line.end()
        if _RULE.fullmatch(line[0]) or line[0].strip() == "|-":
            continue
        between = delimiter if delimiter in line[0] else "||" if "||" in line[0] else "|"  # a wiki's header differs
        parts = line[0].split(between)
        if len(parts) != head.count(delimiter) + 1:
            return
        start = line.start() + sum(len(part) + len(between) for part in parts[:column])
        cell = _CELL.fullmatch(parts[column])
        if cell and _is_secret(cell[1], says):
            yield start + cell.start(1), start + cell.end(1)


def _aligned(text: str, begin: int, at: int, says: int) -> Iterator[tuple[int, int]]:
    """Return the cells below a name in a table whose columns are separated by several spaces."""
    head = _LINE.match(text, begin)
    width = len(_GAPS.split(head[0].strip())) if head else 1
    is_single = width == 1 and _UNDERLINE.match(text, head.end()) is not None  # type: ignore[union-attr]
    if (
        head is None
        or (width == 1 and not is_single)
        or not all(_HEADING.fullmatch(cell) for cell in _GAPS.split(head[0].strip()))
    ):
        return
    column, is_numbered = len(_GAPS.findall(text[begin:at].lstrip())), head[0][:1].isspace()
    after = head.end()
    for _ in range(_MOST_ROWS):
        end = _BREAK.match(text, after)
        line = _LINE.match(text, end.end()) if end else None
        if not line or not line[0].strip():
            return
        after = line.end()
        if _RULE.fullmatch(line[0]):
            continue
        start = line.start() + len(line[0]) - len(line[0].lstrip())
        gaps = [gap.span() for gap in _GAPS.finditer(text, start, line.end())]
        starts, ends = [start, *(gap[1] for gap in gaps)], [*(gap[0] for gap in gaps), line.end()]
        extra = int(is_numbered and len(starts) == width + 1 and text[start : ends[0]].isdigit())  # the number of a row
        if len(starts) != width + extra:
            return
        if _is_secret(text[starts[column + extra] : ends[column + extra]], says):
            yield starts[column + extra], ends[column + extra]


def _elements(hit: re.Match[str]) -> Iterator[tuple[int, int]]:
    """Return the value of a name among several that are assigned at once: `user, password = "ada", "..."`."""
    text, name = hit.string, _name(hit)
    before = _TUPLE.search(text, max(hit.start() - _WIDEST, 0), hit.start() - len(name) + len(hit["name"]))
    assigns = _ASSIGNS.match(text, hit.end())
    if strength(name) < TOKEN or not before or not assigns:
        return
    at = assigns.end()
    for _ in range(before[1].count(",")):
        if not (element := _ELEMENT.match(text, at)):
            return
        at = element.end()
    element = _ELEMENT.match(text, at)
    if element and element["secret"] and _is_secret(element["secret"], STRONG):
        yield element.span("secret")


def _items(hit: re.Match[str]) -> Iterator[tuple[int, int]]:
    says, at = strength(_name(hit)), hit.end()
    if not says:
        return
    while item := _ITEM.match(hit.string, at):
        group = item.lastgroup or "bare"
        if _is_secret(item[group], STRONG if _name(hit).lower().endswith(("passwords", "password")) else TOKEN):
            yield item.span(group)
        at = item.end()


_VALUE = re.compile(r"[ \t]*(?:N?\\{0,31}['\"](?P<value>[^'\"\n\\]*)\\{0,31}['\"]|[^,()'\"\n]{1,100})[ \t]*")


def _inserted(hit: re.Match[str]) -> Iterator[tuple[int, int]]:
    """Return the values of a column in all rows of an SQL INSERT."""
    text, says = hit.string, strength(_name(hit))
    begin = text.rfind("(", max(hit.start() - _WIDEST, 0), hit.start())
    if says < TOKEN or begin < 0:
        return
    column, at = text.count(",", begin, hit.start()), hit.end()
    for _ in range(_MOST_ROWS):
        for number in range(column + 1):
            value = _VALUE.match(text, at)
            if not value:
                return
            if number == column and value["value"] and not is_placeholder(value["value"]):
                yield value.span("value")
            at = value.end() + text.startswith(",", value.end())
        row = _NEXT_ROW.match(text, at)
        if not row:
            return
        at = row.end()


def _copied(hit: re.Match[str]) -> Iterator[tuple[int, int]]:
    """Return the values of a column in all rows of PostgreSQL's COPY."""
    text, says, at = hit.string, strength(_name(hit)), hit.end()
    begin = text.rfind("(", max(hit.start() - _WIDEST, 0), hit.start())
    if says < TOKEN or begin < 0:
        return
    column = text.count(",", begin, hit.start())
    for _ in range(_MOST_ROWS):
        end = _BREAK.match(text, at)
        row = _LINE.match(text, end.end()) if end else None
        if row is None or row[0].startswith("\\."):
            return
        tabs = [(row.start(), row.start()), *(tab.span() for tab in _TAB.finditer(text, row.start(), row.end()))]
        if len(tabs) <= column:
            return
        start, stop = tabs[column][1], tabs[column + 1][0] if len(tabs) > column + 1 else row.end()
        if _is_secret(text[start:stop], says):
            yield start, stop
        at = row.end()


_TAB = re.compile(r"\t|\\{1,31}t")
_TABLE_CELL = re.compile(r"<t[hd](?:[ ][^<>\n]{0,80})?>[ ]?([^<>\n]{0,200}?)[ ]?</t[hd]>")
_ROW_START = re.compile(r"<tr(?:[ ][^<>\n]{0,80})?>")


def _markup(hit: re.Match[str]) -> Iterator[tuple[int, int]]:
    """Return the cells below a name in the header of an HTML table."""
    text, says = hit.string, strength(hit["name"])
    begin = text.rfind("<tr", max(hit.start() - _WIDEST, 0), hit.start())
    if says < TOKEN or begin < 0:
        return
    column = len(_TABLE_CELL.findall(text, begin, hit.start()))
    rows = [row.end() for row in _ROW_START.finditer(text, hit.end(), hit.end() + _FARTHEST)][:_MOST_ROWS]
    for start, end in zip(rows, [*rows[1:], hit.end() + _FARTHEST], strict=True):
        cells = list(_TABLE_CELL.finditer(text, start, end))
        if len(cells) > column and _is_secret(cells[column][1], says):
            yield cells[column].span(1)


_FARTHEST = 4_000
"""How many characters below the header of an HTML table are searched."""
_NEXT_ROW = re.compile(r"[^()\n]{0,500}\)\s{0,8},\s{0,8}\(")

RULES = (
    Rule(
        "copied-row",
        rf"(?P<name>{_NAME})\"?[^()\n;]{{0,300}}\)\s{{0,8}}(?i:from stdin)[^\n;]{{0,80}};",
        _KEYWORDS,
        spans=_copied,
    ),
    Rule(
        "html-table",
        rf"<th(?:[ ][^<>\n]{{0,80}})?>[ ]?(?P<name>{_NAME})[ ]?</th>",
        ("<th>", "<th "),
        spans=_markup,
    ),
    Rule(
        "secret-insert",
        rf"(?P<name>{_NAME})[`\"\]]?[^()\n;]{{0,300}}\)\s{{0,8}}(?i:values)\s{{0,8}}\(",
        _KEYWORDS,
        spans=_inserted,
    ),
    Rule(
        "secret-table",
        rf"(?P<name>{_NAME})\\{{0,31}}[\"'`]?[ ]{{0,60}}+(?:(?<=[ ]{{2}})(?=[A-Za-z])|(?=[|;\t│║┃]|!!|,\S|{NEWLINE}))",
        _KEYWORDS,
        spans=_column,
    ),
    Rule(
        "secret-tuple",
        rf"(?P<name>{_NAME})(?=[\w$.@, )\]]{{0,300}}:?=)",
        tuple(f"{word}{end}" for word in _LAST_WORDS for end in (",", " =", "=", " :=", ")")),
        spans=_elements,
    ),
    Rule(
        "secret-list",
        rf"(?P<name>[A-Za-z]{{3}}[\w-]{{0,40}}+)\\{{0,31}}[\"']?[ \t]{{0,4}}[:=]>?[ \t]?"
        rf"(?:\[[ \t]?(?:{NEXT_LINE})?|(?={NEXT_LINE}[ \t]{{0,40}}-[ ]))",
        (*_KEYWORDS, "keys"),
        spans=_items,
    ),
)
