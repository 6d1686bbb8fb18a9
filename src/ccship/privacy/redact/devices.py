"""Secrets in configurations and protocols of servers and network devices, recognised by their position."""

import re
from collections.abc import Iterator

from ccship.privacy.redact.accepts import is_literal, is_password
from ccship.privacy.redact.rules import END_OF_LINE, LINE_START, NEWLINE, NEXT_LINE, WORD, Rule
from ccship.privacy.redact.values import is_spoken

_LINE = r"(?:(?<![\w.-])|(?<=\\n))"
_ARGUMENT = rf"(?:\\{{0,31}}[\"'])?(?P<secret>{WORD}{{4,200}})"
_PUBLIC = frozenset({"public", "private"})
"""SNMP communities that every device has."""
_ALONE = re.compile(rf"{LINE_START}[ \t]*")
_BREAK = re.compile(NEWLINE)
_NEAR = 400


def _is_a_line(hit: re.Match[str]) -> bool:
    """Whether the match is alone on its line, except for a prefix that a program printed."""
    before = hit.string[max(hit.start() - _NEAR, 0) : hit.start()]
    return _ALONE.fullmatch(_BREAK.split(before)[-1]) is not None and is_password(hit)


def _is_beside_a_password(hit: re.Match[str]) -> bool:
    """Whether a password is mentioned nearby: the keyword alone has other meanings."""
    before = hit.string[max(hit.start() - _NEAR, 0) : hit.start()]
    return "assword" in before and is_password(hit)


def _is_a_chosen_one(hit: re.Match[str]) -> bool:
    return is_literal(hit) and is_spoken(hit["secret"])


def _is_of_a_server(hit: re.Match[str]) -> bool:
    """Whether a line `key ...` belongs to a RADIUS or TACACS server, or is a transaction key."""
    before = hit.string[max(hit.start() - _NEAR, 0) : hit.start()].lower()
    is_server = "radius" in before or "tacacs" in before or "aaa-server" in before
    return hit["zone"] is not None or (is_server and is_password(hit))


def _configured(hit: re.Match[str]) -> Iterator[tuple[int, int]]:
    """Return the secret, and the second secret of an SNMP user."""
    if is_literal(hit) and hit["secret"] not in _PUBLIC:
        yield hit.span("secret")
        if hit["privacy"]:
            yield hit.span("privacy")


_LISTED = rf"{NEXT_LINE}[ \t]{{1,12}}(?:-[ ])?[\w.-]{{1,40}}:(?P<secret>{WORD}{{5,100}})"

RULES = (
    Rule(
        "device-password",
        rf"(?:{_LINE}(?:enable|username[ ][^\s]{{1,60}}|neighbor[ ][^\s]{{1,60}}|tacacs|radius|ppp[ ](?:chap|pap)"
        r"|crypto isakmp|ip ospf|local-user[ ][^\s]{1,60}|set)(?=[ -])[^\n]{0,80}?[ ]"
        r"(?:password|secret|key|md5|passwd|psksecret|pre-shared-key|ENC|cipher)[ ]"
        r"(?:(?:\d|ENC|cipher|simple|irreversible-cipher|encrypted|ascii-text)[ ])?"
        rf"|option[ ]key[ ]|<keyMaterial>|encryption:{NEXT_LINE}[ ]{{1,12}}key:[ ]"
        rf"|crypt'[ ]=>[ ]\[(?:{NEXT_LINE})?[ ]{{1,12}}'key'[ ]=>[ ]|password[\w-]{{0,10}}[ ](?:password|string)[ ]"
        rf"|password 51:b:){_ARGUMENT}",
        (
            *(
                "enable ",
                "username ",
                "neighbor ",
                "tacacs",
                "radius",
                "ppp chap",
                "ppp pap",
                "crypto isakmp",
                "ip ospf",
            ),
            *(
                "local-user ",
                "set passwd",
                "set password",
                "set psksecret",
                "set secret",
                "option key",
                "<keymaterial>",
            ),
            *(
                "encryption:",
                "crypt' => [",
                "password password",
                "password string",
                "password-again ",
                "password 51:b:",
            ),
        ),
        accept=is_password,
    ),
    Rule(
        "configured-secret",
        rf"(?:{_LINE}r[ow]community6?[ ]|createUser[ ][^\s]{{1,60}}[ ](?:MD5|SHA\S{{0,4}})[ ]|WIFI:[^\n\"]{{0,100}}?;P:"
        r"|rootpw[ ](?:--(?:plaintext|iscrypted|allow-ssh)[ ]){0,2}|(?<![^\s→:+-]):[ \t](?:EAP|XAUTH|PSK|NTLM"
        r"|RSA[ ][\w./-]{1,80})[ \t]{1,8})"
        rf"{_ARGUMENT}(?:[ ](?:AES|DES)\S{{0,4}}[ ](?P<privacy>{WORD}{{4,200}}))?",
        (
            "rocommunity",
            "rwcommunity",
            "createuser ",
            "rootpw ",
            "wifi:",
            ": eap ",
            ": xauth ",
            ": psk ",
            ": ntlm ",
            ": rsa ",
        ),
        spans=_configured,
    ),
    Rule(
        "password-scheme",
        r"\{(?:PLAIN|CLEARTEXT|S?SHA\d{0,3}|S?MD5|CRYPT|noop|bcrypt|SHA\d{3}-CRYPT|BLF-CRYPT|ARGON2\w{0,2}|pbkdf2)\}"
        r"(?P<secret>[^\s\"':\\]{5,200})",
        (
            "{plain}",
            "{cleartext}",
            "{ssha",
            "{sha",
            "{md5}",
            "{smd5}",
            "{crypt}",
            "{noop}",
            "{bcrypt}",
            "{blf-",
            "{argon2",
        ),
        accept=is_literal,
    ),
    Rule(
        "acl-password",
        r"(?i:on|reset|nopass|setuser[ ][^\s]{1,60}(?:[ ]on)?)[ ](?:#[0-9a-f]{64}[ ])?"
        rf"[\"']?>(?P<secret>{WORD}{{4,200}})(?=[ ][~+&%-]|[\s\\\"']|$)",
        ("on >", "on '>", 'on ">', "on #", "reset >", "setuser "),
        accept=is_password,
    ),
    Rule(
        "password-line",
        rf"{_LINE}(?:sentinel auth-pass[ ][^\s]{{1,60}}|bindpw|password|Pass|pass|passwd|requirepass)[ \t]{{1,20}}"
        rf"{_ARGUMENT}{END_OF_LINE}",
        ("sentinel auth-pass", "bindpw ", "password ", "pass ", "passwd ", "requirepass "),
        accept=_is_a_line,
    ),
    Rule(
        "login-and-password",
        r"(?:(?:stats auth|static)[: ]|(?:(?<![A-Za-z])|(?<=\\n))(?:user|login|auth)[ ]?=[ ]?[\"']?"
        rf"|\]:\d{{2,5}}[ \t]+|\*:|proxy_address\.set = )[\w.@-]{{1,60}}:"
        rf"(?P<secret>(?!\d{{1,5}}\b){WORD}{{5,100}}?)(?=[\s\"'@\\<>]|$)",
        (
            *("stats auth", "static:", "user=", "user =", "login=", "login =", "auth=", "]:587", "]:465", "]:25", "*:"),
            "proxy_address.set",
        ),
        accept=is_password,
    ),
    Rule(
        "listed-login",
        rf"chpasswd(?:[^\n]{{0,20}}{NEXT_LINE}[ \t]{{0,12}}(?:expire:[^\n]{{0,10}}{NEXT_LINE}[ \t]{{0,12}})?"
        r"[\w-]{1,20}:[ ]?[|>]?-?|[^\n]{0,10})"
        rf"(?P<block>(?:{_LISTED}){{1,40}})",
        ("chpasswd",),
        spans=lambda hit: (
            line.span("secret")
            for line in re.compile(_LISTED).finditer(hit.string, hit.start("block"), hit.end("block"))
        ),
    ),
    Rule(
        "inline-login",
        rf"chpasswd[^\n]{{0,40}}list:[ ]?\[(?P<block>(?:[ ,]{{0,3}}\\{{0,31}}[\"']?[\w.-]{{1,40}}:{WORD}{{5,100}}?"
        r"\\{0,31}[\"']?(?=[,\]])){1,20})",
        ("chpasswd",),
        spans=lambda hit: (
            login.span("secret")
            for login in re.compile(rf"[\w.-]{{1,40}}:(?P<secret>{WORD}{{5,100}}?)(?=\\{{0,31}}[\"',\]])").finditer(
                hit.string, hit.start("block"), hit.end("block") + 1
            )
        ),
    ),
    Rule(
        "device-key",
        rf"{_LINE}key[ ](?:\d[ ])?(?:(?:hmac-\w{{3,8}}:)?[\w.-]{{1,40}}[ ](?P<zone>[A-Za-z0-9+/]{{20,90}}={{1,2}})"
        rf"|{_ARGUMENT}){END_OF_LINE}",
        ("key ",),
        accept=_is_of_a_server,
    ),
    Rule(
        "zone-key",
        rf"IN[ ](?:KEY|DNSKEY)[ ]512[ ]\d[ ]\d{{1,3}}[ ](?P<key>[A-Za-z0-9+/]{{20,400}}={{0,2}})"
        rf"|passwd[ ](?P<secret>{WORD}{{5,60}})(?=[ ]encrypted)",
        ("in key ", "passwd "),
    ),
    Rule(
        "ppp-secret",
        rf"[ \t](?:\*|l2tpd|pptpd|pppd)[ \t]{{1,8}}\\{{0,31}}\"?(?P<secret>{WORD}{{5,100}})"
        r"\\{0,31}\"?[ \t]{1,8}(?:\*|\d{1,3}(?:\.\d{1,3}){3})",
        (' * "', " * \\", " l2tpd ", " pptpd ", " pppd ", "\t*\t"),
        accept=is_password,
    ),
    Rule(
        "encoded-secret",
        rf"(?:\.docker(?:configjson|cfg):[ ]|tls\.key:[ ]|userPassword::[ ]|334 UGFzc3dvcmQ6{NEXT_LINE}[ \t]{{0,8}})"
        r"(?P<secret>[A-Za-z0-9+/]{8,}+={0,2})",
        (".dockerconfigjson:", ".dockercfg:", "tls.key:", "userpassword::", "334 ugfzc3dvcmq6"),
    ),
    Rule(
        "ftp-login",
        rf"{NEWLINE}[ \t]{{0,8}}user[ ][\w.@-]{{1,60}}[ ](?P<secret>{WORD}{{5,100}}){END_OF_LINE}",
        ("\nuser ", "\\nuser "),
        accept=_is_a_chosen_one,
    ),
    Rule(
        "setting-login",
        r"(?i:auth[\w.-]{0,20}|basic|user[._-]?info|userpass|creds?|credentials?"
        r"|static_?users?)\\{0,31}[\"']?[ ]?[=:][ ]?"
        r"\\{0,31}[\"']?[\w.@-]{2,60}:(?P<secret>[^\s\"'`<>\\/,;)\]*]{5,100}?)(?=[*.,;:)\]]{0,6}(?:[\s\"'/<>]|\\|$))",
        (
            "auth.",
            "auth_",
            "auth=",
            "auth:",
            "auth-",
            "basic=",
            "basic:",
            "userinfo",
            "user.info",
            "userpass",
            "user_info",
        ),
        accept=_is_a_chosen_one,
    ),
    Rule(
        "jaas-user",
        rf"user_\w{{1,40}}=\\{{0,31}}\"(?P<secret>[^\"\n\\]{{4,100}})\\{{0,31}}\"[ ]?(?:;|{NEXT_LINE})",
        ("user_",),
        accept=_is_beside_a_password,
    ),
    Rule(
        "protocol-password",
        rf"(?:{_LINE}PASS[ ]|[ ]LOGIN[ ][^\s]{{1,80}}[ ]|(?:IDENTIFY|(?<=NickServ )identify)[ ]"
        rf"|(?:>[ ]|\\{{0,31}}[\"'])AUTH[ ](?:[A-Za-z_.-]{{1,40}}[ ](?={WORD}{{4,200}}{END_OF_LINE}))?|AUTH PLAIN[ ]"
        r"|\"(?i:AUTH)\"[ ](?:\"[^\"\n]{1,60}\"[ ](?=\"))?|(?:requirepass"
        rf"|masterauth)\"(?:{NEXT_LINE}2\\)[ ]){_ARGUMENT}",
        ("pass ", " login ", "identify ", "> auth ", '"auth ', '"auth" ', "auth plain ", 'requirepass"', 'masterauth"'),
        accept=is_password,
    ),
    Rule(
        "expected-password",
        rf"assword(?:[^\n]|{NEWLINE}){{0,60}}?\b(?:send|sendline|send_line|write)(?:[ ](?:--[ ])?"
        r"|\(b?)\\{0,31}[\"'](?P<secret>[^\"'\n\\]{4,100})",
        tuple(f"assword{end}" for end in (":", "*", '"', "'", ";", " }")),
        accept=is_literal,
    ),
    Rule(
        "keyword-password",
        rf"(?:Input (?:Password|Text)[ ]{{2,8}}[^\s]{{0,40}}(?i:pass|pw|token|secret)[^\s]{{0,40}}[ ]{{2,20}}"
        rf"|(?<=[\w{{])(?i:password|token|secret|pwd)\}}[ ]{{2,20}}|\$(?:USER|PASSWORD)\d{{1,3}}\$="
        rf"|(?i:fill in)[ ]\\{{0,31}}\"[^\"\n]{{0,40}}(?i:pass|token|secret)[^\"\n]{{0,40}}\"[ ]with[ ]\\{{0,31}}\""
        rf"|log in (?:with|as)[ ]\"[^\"\n]{{1,60}}\" (?:and|with)[ ](?:password[ ])?\\{{0,31}}\""
        rf"|tapOn:[^\n]{{0,30}}assword[^\n]{{0,10}}{NEXT_LINE}[ ]{{0,12}}-?[ ]?inputText:[ ]"
        rf"|K 8{NEWLINE}password{NEWLINE}V \d{{1,3}}{NEWLINE})(?P<secret>{WORD}{{5,200}})",
        (
            "input password",
            "input text",
            "password}",
            "token}",
            "secret}",
            "pwd}",
            "$user",
            "$password",
            "fill in ",
            "log in with ",
            "log in as ",
            "tapon:",
            "k 8",
        ),
        accept=is_password,
        lead=0,
    ),
)
