"""The name of the section around a setting: `key` alone says nothing, below `[api]` or in `jwt: {...}` it does."""

import re

from ccship.privacy.redact.rules import NEWLINE, NEXT_LINE

_NAME = r"(?P<name>[A-Za-z][\w.-]{1,40})"
_LINE = r"(?:(?!\\{1,31}[nr])[^\n]){0,80}"
_AROUND = re.compile(
    rf"(?:{_NAME}[:/]"  # Jwt:Key, /prod/api/key
    rf"|(?:^|{NEWLINE})[^\n\[]{{0,30}}\[(?:[\w.]{{1,20}}[ .\"])?(?P<ini>[\w.-]{{2,40}})\"?\]"
    rf"(?:{NEXT_LINE}[\w.-]{{1,40}}[ \t]?=(?!=){_LINE}){{0,4}}{NEXT_LINE}[ \t]{{0,8}}"
    rf"|(?P<user>username)\\{{0,31}}[\"'][ ]?:[ ]?\\{{0,31}}[\"'][\w.@-]{{1,60}}\\{{0,31}}[\"'],[ ]?\\{{0,31}}[\"']"
    rf"|(?P<object>[A-Za-z][\w.-]{{1,40}})\\{{0,31}}[\"']?[ ]?[:=]?>?[ ]?\{{[^{{}}]{{0,120}}?(?:\\{{0,31}}[\"'])?"
    rf"|(?P<yaml>[A-Za-z][\w.-]{{1,40}}):[ ]?(?:{NEXT_LINE}[ ]{{1,16}}(?:-[ ])?[\w.-]{{1,40}}:[ ]{_LINE}){{0,3}}"
    rf"{NEXT_LINE}[ ]{{1,16}}(?:-[ ])?)\Z"
)
_FARTHEST = 200


def section_of(text: str, at: int) -> str:
    """Return the name of the section, object or path that contains a setting at this offset, or an empty text."""
    around = _AROUND.search(text, max(at - _FARTHEST, 0), at)
    if not around:
        return ""
    return "account" if around["user"] else around[around.lastgroup or 0]
