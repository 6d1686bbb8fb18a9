"""Secrets in the output of programs and in sentences, where no operator connects them to a name."""

import re
from collections.abc import Iterator

from ccship.privacy.redact.accepts import is_generated, is_literal, is_password, is_random
from ccship.privacy.redact.rules import END_OF_LINE, NEWLINE, NEXT_LINE, START, WORD, Rule
from ccship.privacy.redact.values import looks_like_password

_PRINTS = (
    r"openssl rand[^\n]{0,60}|wg gen(?:key|psk)|auth token"
    r"|print-(?:access|identity)-token[^\n]{0,60}|get-access-token[^\n]{0,100}|get-login-password[^\n]{0,60}"
    r"|create-token[^\n]{0,60}|create token[^\n]{0,60}"
    r"|(?:pass|gopass|lpass|bw|op)[ ](?:show|read|get password|item get)[ ][^\n]{1,100}|-field=[^\n]{1,100}"
    r"|secret-tool lookup[^\n]{1,80}|find-(?:generic|internet)-password[^\n]{1,100}|token_(?:urlsafe|hex)\([^\n]{0,20}"
    r"|base64[ ](?:-d|-D|--decode)[^\n]{0,40}|cat /run/secrets/[^\n]{1,80}|output -raw[^\n]{1,60}"
    r"|initial-password[^\n]{0,60}"
    r"|get secret[^\n]{1,200}(?:path|template)=[^\n]{1,200}|get-secret-value[^\n]{1,200}|get-parameter[^\n]{1,200}"
    r"|secrets versions access[^\n]{1,100}"
    r"|keyvault secret show[^\n]{1,200}"
    r"|(?:printenv[ ]|echo[ ]\"?\$\{?)\w{0,30}(?:TOKEN|PASS|PASSWORD|SECRET|KEY|PWD|PAT)\}?\"?"
    r"|/dev/u?random[^\n]{0,60}|cat[ ][^\n|]{0,80}(?:token|secret|passw|passphrase|\.key|api_?key)[\w.-]{0,20}"
)
_END = r"(?=[\"'`<>]|[)\]*.,;:]{0,6}(?:\s|\\|$))"
_BEGIN = r"(?:(?<![A-Za-z])|(?<=\\n))"
_TITLES = (
    r"(?i:passwords?|passphrase|token|secret|api[ -]key|access[ -]key|passwort|kennwort|пароль|contraseña|senha"
    r"|mot de passe|wachtwoord|hasło|heslo|lösenord)"
)


_MINE = re.compile(
    r"(?i)\b(?:my|this|the|your|our|following|old|new|current|live|prod|staging)[ ](?:[\w.-]{1,20}[ ]){0,3}\Z"
)
_USER = re.compile(
    rf"{_BEGIN}"
    r"(?:user(?:name)?|login|u)[ :=]{1,3}[\"'`]?[\w.@+-]{2,60}[\"'`]?[,;]?[ ](?:(?:and|with)[ ]){0,2}\Z|\(\Z"
)
_OFFERED = re.compile(
    rf"{_BEGIN}(?i:(?:use|with|enter|type|try|put|set))[ ][\"'`]?(?P<secret>{WORD}{{5,100}}?)[\"'`]?[ ]\Z"
)
_FARTHEST = 140
"""How many characters of a sentence are searched backwards."""


def _sentence(hit: re.Match[str]) -> str:
    return hit.string[max(hit.start() - _FARTHEST, 0) : hit.start()]


def _is_announced(hit: re.Match[str]) -> bool:
    is_hash = re.fullmatch(r"[0-9a-f-]+", hit["secret"]) is not None and not _sentence(hit).endswith("use this ")
    return is_generated(hit) and not is_hash and _MINE.search(_sentence(hit)) is not None


def _follows_a_user(hit: re.Match[str]) -> bool:
    before = _sentence(hit).lower()
    is_near = before.endswith("(") or "user" in before or "login" in before or "u:" in before
    return is_near and _USER.search(before) is not None and is_password(hit)


def _before(hit: re.Match[str]) -> Iterator[tuple[int, int]]:
    offered = _OFFERED.search(hit.string, max(hit.start() - _FARTHEST, 0), hit.start())
    if offered and is_password(offered):
        yield offered.span("secret")


def _is_printed(hit: re.Match[str]) -> bool:
    """Check the output of a command; the output of `cat` may be code."""
    return is_password(hit) and (
        not hit[0].startswith(("cat ", "base64 ")) or "/run/secrets/" in hit[0] or is_generated(hit)
    )


def _is_chosen(hit: re.Match[str]) -> bool:
    """Check the password of a pair; paths are separated by the same characters."""
    return is_password(hit) and re.search(r"\d|[!#?*^%]|-|[a-z][A-Z]", hit["secret"]) is not None


_CODE = re.compile(r"(?=[\w-]*\d|[a-z]{5}-[a-z]{5}(?![\w-]))[A-Za-z0-9]{4,10}(?:-[A-Za-z0-9]{3,10}){0,5}(?![\w.:/-])")


def _codes(hit: re.Match[str]) -> Iterator[tuple[int, int]]:
    for line in re.finditer(r"[ \t]{0,8}(?:\d{1,2}[.):][ \t]{1,4}|[-*][ \t])?(?P<codes>[^\n\\]+)", hit["block"]):
        for code in _CODE.finditer(
            hit.string, hit.start("block") + line.start("codes"), hit.start("block") + line.end()
        ):
            if len(code[0]) >= 6:  # noqa: PLR2004 - shorter ones are numbers or years
                yield code.span()


def _changed(hit: re.Match[str]) -> Iterator[tuple[int, int]]:
    """Return an old and a new password, if both can be one."""
    if all(looks_like_password(hit[name]) for name in ("old", "new")):
        yield from (hit.span("old"), hit.span("new"))


RULES = (
    Rule(
        "printed-secret",
        rf"(?:{_PRINTS}){NEWLINE}(?P<secret>{WORD}{{5,400}}){END_OF_LINE}",
        (
            *("openssl rand", "wg gen", "auth token", "print-access-token", "print-identity-token"),
            *(
                "get-access-token",
                "get-login-password",
                "create-token",
                "create token",
                "pass show",
                "op read",
                "bw get",
            ),
            *("op item get", "lpass show", "-field=", "secret-tool lookup", "find-generic-password", "token_urlsafe("),
            *("token_hex(", "base64 -d", "base64 --d", "output -raw", "initial-password", "get secret"),
            *("get-secret-value", "get-parameter", "secrets versions access", "keyvault secret show", "printenv "),
            *("echo $", 'echo "$', "/dev/urandom", "/dev/random", "cat "),
        ),
        accept=_is_printed,
    ),
    Rule(
        "announced-secret",
        rf"{_TITLES}(?=[ ])[^\n:=\"'{{}}|]{{3,100}}:[ ]?(?:(?:{NEXT_LINE}){{1,2}}[ \t]{{0,8}})?[\"'`]?"
        rf"(?P<secret>{WORD}{{8,200}})[\"'`]?[.]?{END_OF_LINE}",
        (
            *("password ", "passphrase ", "token ", "secret ", "api key ", "access key ", "passwort ", "kennwort "),
            *("пароль ", "contraseña ", "senha ", "mot de passe ", "wachtwoord ", "hasło ", "heslo ", "lösenord "),
        ),
        accept=lambda hit: is_random(hit) and re.search(r"[./:]\w|→", hit["secret"]) is None,
    ),
    Rule(
        "announced-key",
        rf"key(?:[ ]is)?:?[ ]{{0,2}}(?:(?:{NEXT_LINE}){{1,2}}[ \t]{{0,8}})?[\"'`]?"
        rf"(?P<secret>[\w+/=.-]{{20,200}}){_END}",
        ("key: ", "key is", "key:\n", "key:\\n"),
        accept=_is_announced,
    ),
    Rule(
        "printed-value",
        r"(?:New value|Key Content|(?:Unseal|Recovery|Management) [kK]ey(?: \d{1,2})?|PASSWORD \w{2,30}|KEY FOUND!"
        r"|Raw result|WP[AS] PIN|Secret ID|SecretID|NTLM|LM"
        r"|SHA1|(?<=\n)token[ ]{2,4}(?=[ ]+[0-9a-f]{8}-))(?:[ ]{1,20}(?=[0-9a-f]{8}-)|[ ]{0,20}[:=][ ]{1,4}"
        r"|[ ]\[[ ])[\"']?"
        rf"(?P<secret>{WORD}{{5,200}})",
        (
            "new value:",
            "key content",
            "unseal key",
            "recovery key",
            "management key:",
            "secret id",
            "secretid",
            "ntlm ",
            "password ",
            "key found!",
            "raw result:",
            "wps pin:",
            "token  ",
        ),
        accept=is_literal,
    ),
    Rule(
        "recovery-codes",
        rf"(?i:recovery|backup|scratch|one-time)[ -](?i:codes?)[^\n\\]{{0,60}}"
        rf"(?P<block>(?:{NEXT_LINE}[ \t]{{0,8}}(?:\d{{1,2}}[.):][ \t]{{1,4}}|[-*][ \t])?"
        r"[A-Za-z0-9-]{4,40}(?:[ \t]{1,8}[A-Za-z0-9-]{4,40}){0,3}(?=\s|\\|$)){1,20})",
        ("recovery code", "backup code", "scratch code", "one-time code"),
        spans=_codes,
    ),
    Rule(
        "private-key-list",
        rf"(?i:private keys?)[ :]{{0,2}}(?P<block>(?:{NEXT_LINE}[ \t]{{0,8}}"
        rf"(?:(?:\(\d{{1,3}}\)[ ])?(?:0x)?[0-9a-f]{{64}}|=*(?={NEWLINE}))){{1,60}})",
        ("private key",),
        spans=lambda hit: (
            (hit.start("block") + key.start(), hit.start("block") + key.end())
            for key in re.finditer(r"(?:0x)?[0-9a-f]{64}", hit["block"])
        ),
    ),
    Rule(
        "changed-password",
        rf"(?i:passwords?|passphrase|passwort|kennwort|token|secret|key)[^\n.:;]{{0,40}}?[ ](?:from|von)[ ][\"'`]?"
        rf"(?P<old>{WORD}{{5,100}}?)[\"'`]?[ ](?:to|zu|auf|in)[ ][\"'`]?(?P<new>{WORD}{{5,100}}?){_END}",
        ("password", "passphrase", "passwort", "kennwort", "token ", "secret "),
        spans=_changed,
    ),
    Rule(
        "named-after",
        r"as[ ](?:the|your|my)[ ](?:[\w.-]{1,20}[ ]){0,2}(?i:password|passphrase|passwd|token|secret|api key)",
        ("as the ", "as your ", "as my "),
        spans=_before,
    ),
    Rule(
        "written-pair",
        rf"(?i:{_BEGIN}creds\b(?:[ ](?:are|is))?:?"
        r"|(?:credentials|logins?|account|zugangsdaten|anmeldedaten|identifiants)(?:[ ]?:|[ ](?:are|is|sind|sont)\b:?)"
        r"|log ?in with(?=[ ]))"
        rf"[ ]{{0,2}}[\"'`]?[\w.@+-]{{2,60}}[\"'`]?(?:[ ]/[ ]|:)[\"'`]?(?P<secret>{WORD}{{5,100}}){_END}",
        (
            *("creds", "credentials:", "credentials :", "login:", "logins:", "login :", "account:", "log in with"),
            *("login with", "zugangsdaten", "anmeldedaten", "identifiants", "credentials are", "login is"),
        ),
        accept=_is_chosen,
    ),
    Rule(
        "written-login-pair",
        START + r"(?i:pass|password|pw|passwd|pwd|p(?=:))[ :=]{1,3}[\"'`]?(?P<secret>[^\s\"'`<>\\,;)]{5,100}+)",
        ("pass ", "pass:", "password ", "pw ", "pw:", "pwd ", "passwort ", " p:"),
        accept=_follows_a_user,
    ),
)
