"""Secrets in files of lines that are a user and a password, and in files and formats that store keys encoded."""

import re
from collections.abc import Iterator

from ccship.privacy.redact.accepts import is_generated, is_literal, is_password
from ccship.privacy.redact.names import NOTHING, STRONG, strength
from ccship.privacy.redact.rules import END_OF_LINE, LINE_START, NEWLINE, NEXT_LINE, Rule
from ccship.privacy.redact.values import is_placeholder, is_spoken, looks_like_password

_TELLING = ("passwd", "password", "userlist", "secrets", "credentials", "psk", "pgpass", "realm", "apikeys", "s3fs")
_FILE = (
    r"(?:(?i:passwd|passwords?|userlist|secrets|credentials|psk|pgpass|realm|apikeys)[\w-]{0,12}"
    r"\.(?:txt|conf|cfg|ini|properties|lst|list|db|users|client|secrets?|auth)"
    r"|(?<=/)passwd|(?<=\.)pgpass|(?<=chap-)secrets|(?<=pap-)secrets|(?<=ipsec\.)secrets"
    r"|(?<=jmxremote\.)password|passwd-s3fs)"
    r"(?=[:`'\" \n]|\\n|$)"
)
_BREAK = re.compile(NEWLINE)
_PREFIX = re.compile(rf"{LINE_START}[ \t]{{0,8}}")
_LOGIN = re.compile(
    r"(?!//|#|;|@@)[\"']?[\w.@*/\[\]$-]{1,60}[\"']?(?::\d{2,5})?(?:[ \t]{0,4}[:=,][ \t]{0,4}"
    r"|[ \t]{1,20})(?:[\w.@-]{1,60}:)?(?:md5|MD5:)?"
    r"[\"']?(?P<secret>[^\s\"':,;\\(){}<>]{5,100})[\"']?(?:[ \t]{0,4}[:,][^\n\\]{0,80}|[ \t]{1,8}[\w.*]{1,20})?"
    rf"{END_OF_LINE}"
)
_MOST_LINES, _MOST_OTHERS = 40, 4
_NAME_BEFORE = re.compile(r"(?:^|[\s\"'`(/])[\w.-]{0,40}\Z")


def _lines(hit: re.Match[str]) -> Iterator[tuple[int, int]]:
    """Return the passwords in the lines after the name of a file of logins."""
    text, others = hit.string, 0
    if not _NAME_BEFORE.search(text, max(hit.start() - 60, 0), hit.start()):
        return
    at = hit.end()
    grep = re.compile(r":\d{1,6}:").match(text, at)
    at = grep.end() if grep else at
    is_next = grep is not None
    for _ in range(_MOST_LINES):
        if not is_next:
            end = _BREAK.search(text, at, at + 400)
            if not end:
                return
            at = end.end()
        is_next = False
        prefix = _PREFIX.match(text, at)
        line = _LOGIN.match(text, prefix.end() if prefix else at)
        if line:
            if _is_password(line["secret"]):
                yield line.span("secret")
            at = line.end()
        elif (others := others + 1) > _MOST_OTHERS:
            return


def _is_password(value: str) -> bool:
    return (
        looks_like_password(value)
        and not is_placeholder(value)
        and not re.search(r"^[/.~]|://|\.[a-z]{2,4}$|^socks", value)
    )


_NUMBER_BEFORE = re.compile(rf"(?:^|{NEWLINE}){LINE_START}[ \t]{{0,8}}\d{{1,5}}[ \t]{{1,4}}\Z")


def _is_a_pair(hit: re.Match[str]) -> bool:
    """Whether two strings are alone on their line, and the second one is a password."""
    before = hit.string[max(hit.start() - 120, 0) : hit.start()]
    return is_password(hit) and _USER_BEFORE.search(before) is not None


_USER_BEFORE = re.compile(rf"(?:^|{NEWLINE}){LINE_START}[ \t]{{0,8}}\\{{0,31}}\"[\w.@-]{{1,60}}\\{{0,31}}\Z")
_MAP_ENTRY = re.compile(
    rf"(?:{NEXT_LINE})?[ \t]{{0,40}},?[ \t]{{0,4}}\\{{0,31}}[\"']?[\w.-]{{1,60}}"
    r"\\{0,31}[\"']?[ ]?[:=][ ]?\\{0,31}[\"']"
    r"(?P<secret>[^\"'\n\\]{0,400})\\{0,31}[\"']"
)
_LINE = r"(?:(?!\\{1,31}[nr])[^\n]){0,80}"
_LITERAL = re.compile(
    rf"(?:{NEXT_LINE})[ \t]{{0,40}}(?:-[ ]\w{{1,20}}:{_LINE}|\w{{1,20}}:{_LINE}"
    r"|-[ ][\w.-]{1,60}=(?P<secret>[^\s\\\"']{4,200}))"
)


def _entries(hit: re.Match[str]) -> Iterator[tuple[int, int]]:
    """Return the values of a map of tokens."""
    at = hit.end()
    while entry := _MAP_ENTRY.match(hit.string, at):
        if (
            is_generated(entry)
            or is_spoken(entry["secret"])
            or re.fullmatch(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", entry["secret"])
        ):
            yield entry.span("secret")
        at = entry.end()


def _literals(hit: re.Match[str]) -> Iterator[tuple[int, int]]:
    at = hit.end()
    for _ in range(_MOST_LINES):
        line = _LITERAL.match(hit.string, at)
        if not line:
            return
        if line["secret"] and not is_placeholder(line["secret"]):
            yield line.span("secret")
        at = line.end()


_SUBKEY = re.compile(
    rf"{NEXT_LINE}[ \t]{{1,40}}\\{{0,31}}[\"']?[\w.@/-]{{1,60}}\\{{0,31}}[\"']?:[ ]{{1,4}}\\{{0,31}}[\"']?"
    rf"(?P<secret>[^\s\"'\\,\[\]{{}}]{{5,400}})"
    rf"(?:\\{{0,31}}[\"']|(?:[ ]{{1,4}}\#[^\n\\]{{0,80}})?{END_OF_LINE})"
)
_NAME_END = re.compile(r"(?:(?<=\\[nrt])|(?<![\w\\.-]))[A-Za-z][\w.-]{0,40}\Z")


def _subkeys(hit: re.Match[str]) -> Iterator[tuple[int, int]]:
    """Return the values below the name of several secrets in YAML: `passwords:`, `encryption_keys:`."""
    begin = _NAME_END.search(hit.string, max(hit.start() - 40, 0), hit.end("name"))
    says, at = strength(begin[0]) if begin else NOTHING, hit.end()
    while says and (entry := _SUBKEY.match(hit.string, at)):
        if is_password(entry) if says == STRONG else is_generated(entry):
            yield entry.span("secret")
        at = entry.end()


_ELEMENT = re.compile(r"(?i)<[\w.-]{0,30}(?:password|passphrase|secret|token|master)\Z")
_BASE64 = r"[A-Za-z0-9+/]"

RULES = (
    Rule("login-file", _FILE, _TELLING, spans=_lines),
    Rule(
        "login-pair",
        r"\"[ \t]{1,4}(?:\*[ \t]{1,4}|MSCHAPV2[ ]|MD5[ ]|TTLS-PAP[ ]"
        r"|PEAP[ ])?\\{0,31}\"(?:md5)?(?P<secret>[^\s\"\\]{5,200})\\{0,31}\""
        rf"(?:[ \t]{{1,4}}(?:\*|\[2\]))?{END_OF_LINE}",
        ('" "', '" \\', '" * "', '" * \\', '" mschapv2 "', '" md5 "'),
        accept=_is_a_pair,
    ),
    Rule(
        "encrypted-password",
        rf"(?:>\{{(?P<braced>{_BASE64}{{16,400}}={{0,2}})\}}"
        rf"|\{{(?:AES|AES256|3DES|DES|xor|RC4)\}}(?P<marked>{_BASE64}{{8,400}}={{0,2}}|[^\s\"'<>\\]{{6,200}})"
        r"|(?:OBF|CRYPT):(?P<obfuscated>[a-z0-9]{12,400})|\bENC\((?P<jasypt>[A-Za-z0-9+/=]{16,400})\))",
        (">{", "{aes", "{3des}", "{des}", "{xor}", "{rc4}", "obf:", "crypt:", "enc("),
        accept=lambda hit: (
            hit.lastgroup != "braced" or _ELEMENT.search(hit.string, max(hit.start() - 60, 0), hit.start()) is not None
        ),
    ),
    Rule(
        "encoded-key",
        rf"(?:encrypt\\{{0,31}}[\"']?[ ]?[=:][ ]?\\{{0,31}}[\"'](?P<gossip>{_BASE64}{{43}}=)"
        rf"|password_?[hH]ash\\{{0,31}}[\"'][ ]?:[ ]?\\{{0,31}}[\"'](?P<hash>{_BASE64}{{40,100}}={{0,2}})"
        rf"|secure:[ ]\\{{0,31}}[\"']?(?P<secure>{_BASE64}{{24,2000}}={{0,2}})"
        rf"|<key><!\[CDATA\[(?P<key>[0-9a-f]{{32}})\]\]>|:_password=(?P<npm>{_BASE64}{{6,400}}={{0,2}})"
        rf"|<apikeys>\s{{0,20}}<add key=\"[^\"\n]{{1,200}}\" value=\"(?P<nuget>[^\"\n]{{16,1000}})\""
        rf"|(?i:primary|secondary)_?(?:[mM]aster)?_?[kK]ey\\{{0,31}}[\"'][ ]?:[ ]?\\{{0,31}}[\"']"
        rf"(?P<azure>{_BASE64}{{42,87}}={{1,2}})"
        r"|=hex:(?P<registry>[0-9a-f]{2,6}(?:,[0-9a-f]{2,6}){5,200}))",
        (
            "encrypt = ",
            "encrypt=",
            'encrypt"',
            "password_hash",
            "passwordhash",
            "secure: ",
            "<key><!",
            ":_password=",
            "<apikeys>",
            "=hex:",
            "primary",
            "secondary",
        ),
        accept=lambda hit: hit.lastgroup != "registry" or "assw" in hit.string[max(hit.start() - 20, 0) : hit.start()],
    ),
    Rule(
        "authentication-key",
        rf"(?:MD5|SHA\d{{0,3}}|AES\d{{3}})[ \t]{{1,4}}(?:HEX:|ASCII:)?(?P<secret>[^\s\"'\\]{{8,130}}){END_OF_LINE}",
        ("md5 ", "sha1 ", "sha256 ", "sha512 ", "aes128 ", "aes256 "),
        accept=lambda hit: (
            is_password(hit) and _NUMBER_BEFORE.search(hit.string, max(hit.start() - 120, 0), hit.start()) is not None
        ),
    ),
    Rule(
        "token-map",
        r"(?:(?i:tokens|secrets|users|passwords)\\{0,31}[\"']?[ ]?[:=]?[ ]?\{|BasicAuth\(\w{1,20},[ ]?\{)",
        (
            *(
                f"{name}{end}"
                for name in ("tokens", "secrets", "users", "passwords")
                for end in (" {", " = {", '": {', '":{', ": {", "\\")
            ),
            "basicauth(",
        ),
        spans=_entries,
    ),
    Rule(
        "secret-subkeys",
        rf"(?P<name>(?i:passwords|secrets|tokens|keys|credentials))\\{{0,31}}[\"']?:[ ]?(?={NEXT_LINE}[ \t])",
        ("passwords:", "secrets:", "tokens:", "keys:", "credentials:"),
        spans=_subkeys,
    ),
    Rule("secret-generator", r"secretGenerator:", ("secretgenerator:",), spans=_literals),
    Rule(
        "prompted-password",
        rf"<auth-user-pass>{NEXT_LINE}[^\n]{{1,80}}{NEXT_LINE}(?P<secret>[^\s<\\]{{3,200}})",
        ("<auth-user-pass>",),
        accept=is_literal,
    ),
)
