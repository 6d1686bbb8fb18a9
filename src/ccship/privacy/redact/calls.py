"""Secrets in arguments: of functions that hash, sign and log in, of SQL statements, of page elements."""

import re
from collections.abc import Iterator

from ccship.privacy.redact.accepts import is_generated, is_literal, is_password
from ccship.privacy.redact.names import NOTHING, strength
from ccship.privacy.redact.rules import NEXT_LINE, Rule

_QUOTE = r"\\{0,31}[\"'`]"
_STRING = rf"[brfN]?{_QUOTE}[^\"'`\n\\]{{0,200}}{_QUOTE}"
_SECRET = rf"[brfN]?{_QUOTE}(?P<secret>[^\"'`\n\\]{{3,200}}){_QUOTE}"


_CALL = re.compile(r"\w\([ ]?\\{0,31}[\"'`][^\"'`\n]{0,80}(?:\[\w{2,12}=[\"'][\w-]{0,30})?\Z")
_FARTHEST = 100


def _is_typed(hit: re.Match[str]) -> bool:
    """Whether both strings are arguments of one call, not items of a list."""
    is_call = (
        "with:" in hit[0] or ")" in hit[0] or _CALL.search(hit.string[max(hit.start() - _FARTHEST, 0) : hit.start()])
    )
    return bool(is_call) and is_password(hit)


_FLAG = re.compile(r"(?:^|[\s\"'>])--?[\w-]{0,30}\Z")


def _is_of_a_flag(hit: re.Match[str]) -> bool:
    return is_password(hit) and _FLAG.search(hit.string, max(hit.start() - 32, 0), hit.start()) is not None


_MAPS = ("secrets", "bearer", "-oauth", "api_keys", "apikeys")
_MAP_ENTRY = re.compile(
    rf"(?:{NEXT_LINE})?[ \t]{{0,40}},?[ \t]{{0,4}}(?:{NEXT_LINE})?[ \t]{{0,40}}{_QUOTE}[\w./:@-]{{1,80}}{_QUOTE}"
    rf"[ ]?:[ ]?{_QUOTE}(?P<secret>[^\"'\n\\]{{0,400}}){_QUOTE}"
)


def _entries(hit: re.Match[str]) -> Iterator[tuple[int, int]]:
    """Return the values of an object whose name means that all its values are secrets."""
    at = hit.end()
    while entry := _MAP_ENTRY.match(hit.string, at):
        if is_generated(entry):
            yield entry.span("secret")
        at = entry.end()


def _named_behind(hit: re.Match[str]) -> Iterator[tuple[int, int]]:
    if strength(hit["name"]) > NOTHING and is_password(hit):
        yield hit.span("secret")


_USER_AND_PASSWORD = re.compile(r"[\w.-]{1,60}:(?P<secret>[^\s\"'`:/@]{3,100})\Z")


def _password_before(hit: re.Match[str]) -> Iterator[tuple[int, int]]:
    found = _USER_AND_PASSWORD.search(hit.string, max(hit.start() - 165, 0), hit.start())
    if found and is_literal(found):
        yield found.span("secret")


_ENTERED = re.compile(r"\w\([^\n;]{0,80}\Z|\.\w{3,12}\(\Z")


def _is_entered(hit: re.Match[str]) -> bool:
    """Whether the secret is an argument of a call."""
    before = hit.string[max(hit.start() - _FARTHEST, 0) : hit.start("secret")].rstrip("\"'`")
    return is_password(hit) and _ENTERED.search(before) is not None


RULES = (
    Rule(
        "typed-password",
        rf"(?:(?i:pass|passw(?:or)?d|pwd|passphrase|token|key)[\w-]{{0,20}}[\"']?\]?{_QUOTE}\){{0,3}}"
        r"(?:\.(?:type|fill|send_keys|sendKeys)\(|,[ ]?(?:with:[ ]?)?)"
        rf"|id:password[ ]{{2,20}}){_SECRET}",
        tuple(
            f"{word}{end}"
            for word in ("password", "pass", "passwd", "pwd", "token", "key")
            for end in ("'", '"', "]", "\\")
        ),
        accept=_is_typed,
    ),
    Rule(
        "typed-text",
        rf"(?i:pass(?:word|wd)?|pwd)_?(?i:input|field|box|el|element|textbox)?[\"'/i)]{{0,5}}(?:\.(?:send_?[kK]eys|fill"
        rf"|type|setValue|val|enter_text)\(|,[ ]?\{{[ ]?target:[ ]?\{{[ ]?value:[ ]?|,[ ]?){_SECRET}",
        tuple(
            f"{word}{end}" for word in ("pass", "passwd", "password", "pwd") for end in ("_", "i", "f", "b", "e", "/")
        ),
        accept=_is_entered,
    ),
    Rule(
        "encoded-login",
        rf"(?:btoa|Buffer\.from|b64encode|base64_encode|encodeToString|encode64)\([ ]?[bu]?{_QUOTE}[\w.@-]{{1,60}}:"
        rf"(?P<secret>[^\"'`\n\\:]{{4,100}}){_QUOTE}",
        ("btoa(", "buffer.from(", "b64encode(", "base64_encode(", "encodetostring(", "encode64("),
        accept=is_password,
    ),
    Rule(
        "wallet-key",
        rf"(?:accounts:[ ]?\[\s{{0,20}}|Wallet\(){_QUOTE}(?P<secret>(?:0x)?[0-9a-fA-F]{{64}}){_QUOTE}"
        rf"|HDWalletProvider\([ ]?{_QUOTE}(?P<words>[a-z]{{3,8}}(?:[ ][a-z]{{3,8}}){{11,23}}){_QUOTE}",
        ("accounts:", "wallet(", "hdwalletprovider("),
    ),
    Rule(
        "sql-secret",
        r"(?:(?:IDENTIFIED BY|(?<=[\w\"'] )identified by)[ ](?:VALUES[ ])?|(?i:PRAGMA[ ](?:re)?key[ ]?=[ ]?)"
        r"|(?i:SET PASSWORD)[^\n=]{0,80}=[ ]?(?:(?i:OLD_)?PASSWORD\()?|SET PASSWORD FROM[ ][^\n]{1,60}?[ ]TO[ ]"
        r"|(?i:connect)[ ][\w.$#]{1,40}/)(?:\\{0,31}[\"'])?(?P<secret>[^\s\"'@;\\]{4,100})(?=[\"'@;\s\\]|$)",
        ("identified by", "pragma key", "pragma rekey", "set password", "connect "),
        accept=is_password,
    ),
    Rule(
        "go-data-source",
        r"@(?:tcp|unix)\(",
        ("@tcp(", "@unix("),
        spans=_password_before,
    ),
    Rule(
        "secret-map",
        rf"(?i:[\w-]{{0,20}}(?:{'|'.join(_MAPS)})){_QUOTE}[ ]?:[ ]?\{{",
        tuple(f"{name}{quote}" for name in _MAPS for quote in ('"', "\\")),
        spans=_entries,
    ),
    Rule(
        "value-and-name",
        rf"(?:value(?:{_QUOTE})?[ ]?[:=]|\.set\()[ ]?(?:{_QUOTE})?(?P<secret>[^\s\"'\n\\]{{5,400}}?)"
        rf"(?:{_QUOTE})?(?:[ ]?,)?[ ]?(?:{NEXT_LINE})?[ \t]{{0,40}}"
        rf"(?:{_QUOTE})?(?:key|name|Key|Name|forKey)(?:{_QUOTE})?[ ]?[:=][ ]?(?:{_QUOTE})?(?P<name>[\w.-]{{2,60}})",
        ('value"', "value\\", "value: ", 'value="', '.set("', ".set('"),
        spans=_named_behind,
    ),
    Rule(
        "command-array",
        rf"(?i:pass|password|passwd|token|secret|key|pwd)(?:{_QUOTE},\s{{0,20}}{_QUOTE}"
        rf"|(?:{_QUOTE})?{NEXT_LINE}[ \t]{{0,40}}-[ ]{_QUOTE}?"
        rf"|</string>(?:{NEXT_LINE})?\s{{0,20}}<string>)(?P<secret>[^\s\"'`<>\\]{{5,200}})",
        tuple(
            f"{word}{end}"
            for word in ("pass", "password", "passwd", "token", "secret", "key", "pwd")
            for end in ('",', "',", "\\", "\n", '"\n', "</string>")
        ),
        accept=_is_of_a_flag,
    ),
    Rule(
        "filtered-password",
        r"\{\{[ ]?\\{0,31}[\"'](?P<secret>[^\"'\n\\]{4,100})\\{0,31}[\"'][ ]?\|[ ]?(?:password_hash|b64encode|hash)\b",
        ("{{ '", '{{ "', "{{'", '{{"', "{{ \\"),
        accept=is_password,
    ),
    Rule(
        "page-content",
        rf"(?i:[\w-]{{0,20}}(?:csrf|xsrf|authenticity)[_-]?token){_QUOTE}"
        rf"[ ](?:content|value)={_QUOTE}(?P<secret>[\w+/=-]{{16,400}})",
        ("csrf", "xsrf", "authenticity"),
        accept=is_generated,
    ),
)
