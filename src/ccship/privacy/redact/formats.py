"""Secrets in files and languages with a fixed position for them: netrc, pgpass, SQL, Kubernetes, login calls."""

import re
from collections.abc import Iterator

from ccship.privacy.redact.accepts import is_secret
from ccship.privacy.redact.rules import NEWLINE, NEXT_LINE, START, Rule, is_user_and_password
from ccship.privacy.redact.values import is_placeholder, looks_like_password, looks_random

_QUOTE = re.compile(r"(?:\\{0,31}[\"'])?[ ]?")
_STRING = r"[brf]?\\{0,31}[\"'][^\"'\n\\]{0,200}\\{0,31}[\"']"


def _looks_random(hit: re.Match[str]) -> bool:
    return is_secret(hit) and looks_random(hit["secret"])


def _looks_like_password(hit: re.Match[str]) -> bool:
    return is_secret(hit) and looks_like_password(hit["secret"])


_DATA = re.compile(rf"(?:(?<![A-Za-z])|(?<=\\n))(?:data|stringData)\\{{0,31}}\"?:[ ]?(?={NEWLINE}|\{{)")
_ENTRY = re.compile(
    rf"(?:{NEXT_LINE}[ ]{{1,40}}|[{{,][ ]?)\\{{0,31}}\"?"
    rf"(?P<key>[\w.-]{{1,80}})\\{{0,31}}\"?:[ ]?(?:\|[+-]?{NEWLINE}[ ]{{1,40}})?"
    r"\\{0,31}[\"']?(?P<secret>[^\s\"'\\{},]{4,}+)"
)
_DOCUMENT = 8_000
"""How many characters around the kind of a Kubernetes object are searched for its data."""


def _data_of_secret(hit: re.Match[str]) -> Iterator[tuple[int, int]]:
    """Return the values in the data of a Secret. The data may precede the kind, so both sides are searched."""
    text = hit.string
    begin = max(hit.start() - _DOCUMENT, 0)
    begin = max(text.rfind("kind", begin, hit.start()), text.rfind("\n---", begin, hit.start()), begin)
    ends = [text.find(end, hit.end(), hit.end() + _DOCUMENT) for end in ("kind", "\n---")]
    end = min((end for end in ends if end >= 0), default=hit.end() + _DOCUMENT)
    for data in _DATA.finditer(text, begin, end):
        at, indent = data.end(), None
        while entry := _ENTRY.match(text, at, end):
            column = entry.start("key") - entry.start()
            if indent is not None and text[entry.start()] not in "{," and column < indent:
                break
            indent = column if indent is None else indent
            if not is_placeholder(entry["secret"]):
                yield entry.span("secret")
            at = entry.end() + len(_QUOTE.match(text, entry.end())[0])  # type: ignore[index]


RULES = (
    Rule(
        "netrc",
        r"login(?:[ \t]|\s|\\{1,31}n){1,8}[^\s\\]{1,100}(?:[ \t]|\s|\\{1,31}n){1,8}password(?:[ \t]|\s|\\{1,31}n){1,8}"
        r"(?P<secret>[^\s\\\"']{3,200})",
        ("login",),
        accept=lambda hit: is_secret(hit) and (looks_random(hit["secret"]) or "machine" in _before(hit, 300)),
    ),
    Rule(
        "netrc-password",
        r"machine[ \t]{1,4}[^\s]{1,100}[ \t]{1,4}(?:port[ \t]{1,4}\w{1,10}[ \t]{1,4})?password[ \t]{1,4}"
        r"(?:\\{0,31}\")?(?P<secret>[^\s\\\"']{3,200})",
        ("machine ",),
        accept=_looks_like_password,
    ),
    Rule(
        "pgpass",
        r":(?:5432|5433|6432|6543|25060|\*):[^\s:/@]{1,63}:[^\s:/@]{1,63}:(?P<secret>[^\s:\"'`\\/]{3,200}+)",
        (":5432:", ":5433:", ":6432:", ":6543:", ":25060:", ":*:"),
        accept=is_secret,
    ),
    Rule(
        "npm-auth",
        r"_auth(?:[ ]?=[ ]?|[ ])\\{0,31}[\"']?(?P<secret>[A-Za-z0-9+/]{8,}+={0,2})",
        ("_auth",),
        accept=is_user_and_password,
    ),
    Rule(
        "docker-auth",
        r"auth\\{0,31}[\"'][ \t]{0,8}:[ \t]{0,8}\\{0,31}[\"'](?P<secret>[A-Za-z0-9+/]{12,}+={0,2})\\{0,31}[\"']",
        ('auth"', "auth\\", "auth'"),
        accept=is_user_and_password,
    ),
    Rule(
        "sql-password",
        r"(?i)identified[ ](?:with[ ][\w'\"]{1,40}[ ])?(?:by|as)[ ](?:password[ ])?"
        r"\\{0,31}[\"'](?P<secret>[^\"'\n\\]{1,200})",
        ("identified ",),
        accept=lambda hit: is_secret(hit) and (hit[0][:1] == "I" or looks_random(hit["secret"])),
    ),
    Rule(
        "kubernetes-secret",
        r"kind\\{0,31}\"?:[ ]?\\{0,31}[\"']?Secret\b(?=[\\\s\"',}]|$)",
        ("kind: secret", 'kind": "secret', 'kind":"secret', 'kind\\": \\"secret', 'kind\\":\\"secret'),
        spans=_data_of_secret,
    ),
    Rule(
        "login-tuple",
        rf"(?:auth|creds?|credentials)\\{{0,31}}[\"']?[ ]?=>?[ ]?[(\[][ ]?{_STRING}[ ]?,[ ]?[brf]?\\{{0,31}}[\"']"
        r"(?P<secret>[^\"'\n\\]{3,100})"
        r"\\{0,31}[\"'][ ]?[,)\]]",
        (
            *("auth=(", "auth = (", "auth=[", "auth = [", "auth' =>", 'auth" =>'),
            *("creds = (", "creds=(", "cred = (", "credentials = (", "credentials=("),
        ),
        accept=_looks_like_password,
    ),
    Rule(
        "written-login",
        r"(?i:credentials?|login|account|username|log in with)(?:\*\*)?:?(?:\*\*)?[ ]`?[\w.@+-]{2,60}`?[ ]?/[ ]?`?"
        r"(?P<secret>[^\s`/\\\"']{5,100})",
        ("credential:", "credentials:", "credentials ", "login:", "login ", "account:", "username:", "log in with"),
        accept=lambda hit: (_looks_random(hit) and ":" in hit[0][:20]) or ("`" in hit[0] and _looks_random(hit)),
    ),
    Rule(
        "password-hash",
        r"(?:pbkdf2_\w{3,8}\$\d{3,8}\$[\w./+]{8,60}\$[\w./+=]{20,100}|\$(?:2[abxy]\$\d\d\$[./A-Za-z0-9]{53}"
        r"|(?:apr1|[156y]|gy|7)"
        r"\$(?:[\w=,.]{1,30}\$)?[./A-Za-z0-9$+=]{1,60}\$[./A-Za-z0-9+]{20,90}"
        r"|argon2i?d?\$v=\d{1,3}\$[\w=,]{1,40}\$[A-Za-z0-9+/]{8,90}\$[A-Za-z0-9+/]{16,90}"
        r"|[89]\$[A-Za-z0-9./+-]{10,200}|1a\$[^\s\"'\\]{20,100}|[PH]\$[./A-Za-z0-9]{31})"
        r"|SCRAM-SHA-(?:1|256|512)\$\d{3,8}:[A-Za-z0-9+/=]{16,60}\$[A-Za-z0-9+/=]{20,100}:[A-Za-z0-9+/=]{20,100}"
        r"|\$\$(?:2[abxy]|apr1|[156])\$\$(?:\d\d\$\$)?[./A-Za-z0-9]{8,60}(?:\$\$[./A-Za-z0-9]{20,90})?"
        r"|(?<=\")md5[0-9a-f]{32}(?=\")|grub\.pbkdf2\.sha512\.\d{1,8}\.[0-9A-F]{64,200}\.[0-9A-F]{64,200}"
        r"|aad3b435b51404eeaad3b435b51404ee:[0-9a-f]{32}|\b(?:pbkdf2"
        r"|scrypt):sha\d{1,3}:[\d:]{1,20}\$\w{6,40}\$[0-9a-f]{32,160}"
        r"|\bsha1:[0-9a-f]{12}:[0-9a-f]{40}|(?:[0-9A-F]{32}:){2}(?=\[))",
        (
            *(
                "pbkdf2_",
                "$2a$",
                "$2b$",
                "$2x$",
                "$2y$",
                "$apr1$",
                "$$2",
                "$$apr1$$",
                "$$6$$",
                "$1$",
                "$5$",
                "$6$",
                "$y$",
                "$gy$",
                "$7$",
                "$argon2",
            ),
            *(
                "$8$",
                "$9$",
                "$1a$",
                "$p$",
                "$h$",
                "scram-sha-",
                '"md5',
                "grub.pbkdf2",
                "aad3b435b51404ee",
                "pbkdf2:sha",
            ),
            *("scrypt:", "sha1:"),
        ),
    ),
    Rule(
        "network-device-password",
        r"(?:(?:password|secret|key)[ ](?:0|5|7|8|9)[ ]|snmp(?:-server)?[ ]community[ ])(?P<secret>[^\s\"'`\\]{4,100})",
        ("password ", "secret ", "key 7 ", "key 0 ", "snmp community ", "snmp-server community "),
        accept=lambda hit: _looks_random(hit) or hit["secret"].startswith("$"),
    ),
    Rule(
        "mnemonic",
        r"(?i:(?:seed|recovery|secret|backup|mnemonic)[ _-]?(?:phrase|words?)|mnemonic|seed(?=[ ]?[:=]))"
        r"[\w \t]{0,30}\\{0,31}[\"'`]?(?:\*\*)?"
        rf"[ \t]{{0,4}}(?:is|[=:])?[:=]?[ \t]{{0,24}}(?:{NEWLINE}[ \t]{{0,40}})?\\{{0,31}}[\"'`\[]{{0,3}}"
        rf"(?P<secret>(?:(?:\d{{1,2}}[.)][ ]?)?[a-z]{{3,8}}"
        rf"(?:\\{{0,31}}[\"']?,[ ]?\\{{0,31}}[\"']?|[ ]|{NEWLINE})[ ]{{0,8}}){{11,23}}"
        r"(?:\d{1,2}[.)][ ]?)?[a-z]{3,8})\b",
        (
            "mnemonic",
            "seed:",
            "seed =",
            "seed=",
            "seed phrase",
            "seed_phrase",
            "seedphrase",
            "recovery phrase",
            "recovery_phrase",
            "seed words",
        ),
        accept=lambda hit: not re.search(r"\b(?:the|and|that|with|from|you|are|this)\b", hit["secret"]),
    ),
    Rule(
        "vault-token",
        START + r"hv[sbr]\.[\w-]{24,}+"
        r"|[ =\"':`>(/](?P<secret>s\.(?=(?:[A-Za-z]{0,23}\d){2})(?=\w{0,24}[A-Z])[A-Za-z0-9]{24})(?![\w(.])",
        ("hvs.", "hvb.", "hvr.", " s.", "=s.", '"s.', "'s.", ":s.", "`s.", ">s.", "(s.", "/s."),
    ),
)


def _before(hit: re.Match[str], characters: int) -> str:
    return hit.string[max(hit.start() - characters, 0) : hit.start()]
