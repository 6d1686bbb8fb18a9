"""Secrets that people write into sentences, notes, mails and tickets, where position and words tell what is secret."""

import re
from collections.abc import Iterator

from ccship.privacy.redact.accepts import is_generated, is_literal, is_password
from ccship.privacy.redact.rules import END_OF_LINE, NEWLINE, NEXT_LINE, WORD, Rule
from ccship.privacy.redact.values import is_spoken, is_token, is_unpronounceable, looks_random

_BEGIN = r"(?:(?<![A-Za-z])|(?<=\\[nrt]))"
_END = r"(?=[\"'`<>*/]|[)\]*.,;:?!]{0,6}(?:[\"'*/<>\s]|\\|$))"
_VALUE = rf"\*{{0,2}}\\{{0,31}}[\"'`]?(?P<secret>[^\s\"'`<>\\/]{{5,100}}?)[\"'`]?{_END}"
_NAMES = (
    r"(?i:pass(?:word|wor[dt]|wd|phrase|code)?|pw|kennwort|wachtwoord|пароль|contraseña|senha|hasło|mot de passe|mdp)"
)
_FARTHEST = 140
"""How many characters of a sentence are searched backwards."""
_NEAR = 100
"""How many characters after the mention of a login are searched for a user and a password."""


def is_mentioned(hit: re.Match[str]) -> bool:
    """Whether the secret can be a password in the middle of a sentence."""
    return is_literal(hit) and is_spoken(hit["secret"])


def _is_mixed_token(hit: re.Match[str]) -> bool:
    """Whether the secret is a generated token, not a hash or an id."""
    secret = hit["secret"]
    is_mixed = re.search(r"[a-z]", secret) and re.search(r"[A-Z]", secret)
    return bool(is_mixed) and is_token(secret) and is_generated(hit) and re.search(r"[./]\w*[./]", secret) is None


_OTHER_TOKENS = re.compile(r"(?i)(?:next|page|continuation|sync|cursor|pagination|cancel\w*|public)[ ]\Z")


def _is_named_token(hit: re.Match[str]) -> bool:
    before = hit.string[max(hit.start() - 20, 0) : hit.start()]
    return _is_mixed_token(hit) and not _OTHER_TOKENS.search(before)


_FIRST = re.compile(r"(?:^|[\s\"'`(\[*/=<>]|(?<=\\n))(?P<secret>[^\s\"'`<>\\/(\[*=]{5,100})[\"'`]?[ ]?\Z")


def _said_first(hit: re.Match[str]) -> Iterator[tuple[int, int]]:
    """Return the word before `is the password`."""
    begin = max(hit.start() - _FARTHEST, 0)
    word = _FIRST.search(hit.string, begin, hit.start())
    if word and (is_mentioned(word) or _is_mixed_token(word)):
        yield word.span("secret")


_ENTERED = re.compile(
    r"(?:\b|(?<=\\[nrt]))(?i:(?:enter|type|fill|put|input|paste)s?)[ ](?:in[ ])?"
    r"\\{0,31}[\"'`](?P<secret>[^\s\"'`\\]{5,100})\\{0,31}[\"'`]\Z"
)


def _entered(hit: re.Match[str]) -> Iterator[tuple[int, int]]:
    """Return the text that somebody enters into a field for a password."""
    text = _ENTERED.search(hit.string, max(hit.start() - _FARTHEST, 0), hit.start())
    if text and is_password(text):
        yield text.span("secret")


_LOGIN = re.compile(
    r"(?:^|(?<=[\s\"'`(|*])|(?<=\\n))[\w.@+\\-]{2,60}[\"'`]?(?:[ ]//?[ ]|[/:]|[ ](?:and|und|with"
    r"|mit)[ ](?:password[ ])?)"
    r"[\"'`]?(?P<secret>[^\s\"'`<>\\/()\[\]|,;@=]{5,100}?)[\"'`]?(?=[])|*.,;:]{0,6}(?:[\s\"'`/<>]|\\|$)|@\w)"
)
_SEPARATED = re.compile(r"[ ](?:and|und|with|mit)[ ]")
_WITH = re.compile(r"(?i)\b(?:as|with|using|als|mit|user)[ ]\Z")


def _logins(hit: re.Match[str]) -> Iterator[tuple[int, int]]:
    """Return the passwords of pairs near the mention of a login: `(admin/...)`, `ada with ...`."""
    text = hit.string
    end = text.find("\n", hit.end(), hit.end() + _NEAR)
    end = end if end >= 0 else min(hit.end() + _NEAR, len(text))
    for pair in _LOGIN.finditer(text, hit.end(), end + 1):
        is_joined = _SEPARATED.search(pair[0]) is not None
        if is_joined and not _WITH.search(text, max(pair.start() - 12, 0), pair.start()):
            continue
        if is_mentioned(pair) and not re.fullmatch(r"[\d.:-]+", pair["secret"]):
            yield pair.span("secret")


_ENTRY = re.compile(
    rf"{NEXT_LINE}[ \t]{{0,8}}(?:[-*][ ])?[\w.@+-]{{2,60}}"
    rf"(?:[ \t]{{0,3}}[=:/][ \t]{{0,3}}|{NEXT_LINE}[ \t]{{0,8}}(?:[-*][ ])?)"
    rf"(?P<secret>{WORD}{{5,100}}){END_OF_LINE}"
)
_MOST_ENTRIES = 40


def _listed(hit: re.Match[str]) -> Iterator[tuple[int, int]]:
    """Return the passwords of users that are listed below a heading."""
    at = hit.end()
    for _ in range(_MOST_ENTRIES):
        entry = _ENTRY.match(hit.string, at)
        if not entry:
            return
        is_setting = "=" in entry[0] and not hit[0].startswith("[")
        if is_password(entry) and not is_setting and not re.search(r"[/@]|^\d+(?:\.\d+)*$", entry["secret"]):
            yield entry.span("secret")
        at = entry.end()


def _is_spaced(hit: re.Match[str]) -> bool:
    """Whether four groups of four letters are no words."""
    joined = hit["secret"].replace(" ", "")
    return re.search(r"\d", joined) is not None or is_unpronounceable(joined)


def _is_license(hit: re.Match[str]) -> bool:
    return re.search(r"\d", hit["secret"]) is not None and re.search(r"[A-Z]", hit["secret"]) is not None


RULES = (
    Rule(
        "spoken-password",
        rf"{_BEGIN}{_NAMES}[ ]{_VALUE}",
        (
            *("password ", "passwort ", "passphrase ", "passcode ", "kennwort ", "wachtwoord ", "пароль ", "passwd "),
            *("contraseña ", "senha ", "hasło ", "mot de passe ", "pw ", "mdp "),
        ),
        accept=is_mentioned,
    ),
    Rule(
        "set-password",
        rf"{_NAMES}\??(?:[ ][^\n.;:=\"{{}}]{{0,60}}?)??[ ](?:to|auf|e\.g\.|z\.B\.|now|enter|type|one is|be|still|before"
        rf"|als|is|it's|=)[ ]\(?{_VALUE}",
        ("password ", "password? it's", "passphrase ", "passwort ", "kennwort ", "pw "),
        accept=is_mentioned,
    ),
    Rule(
        "labelled-password",
        rf"{_BEGIN}{_NAMES}[ ](?:\w{{2,12}}|\([\w ]{{2,30}}\)):[ ]{_VALUE}",
        ("password ", "passphrase ", "passwort ", "kennwort ", "pw "),
        accept=is_mentioned,
    ),
    Rule(
        "entered-password",
        r"assword(?:[ ]reset)?[:,](?:[ ][\w'-]{1,12}){0,3}?[ ](?:enter|type|use|try|is|put)[ ]" + _VALUE,
        ("assword:", "assword,", "assword reset"),
        accept=is_mentioned,
    ),
    Rule(
        "prompted-secret",
        r"(?i:enter|type|retype|repeat|confirm|current|new)[ ][^\n:=\"{}]{0,30}(?i:passwor[dt]|passphrase|pass phrase)"
        rf"(?:[ ][^\n:=]{{1,60}})?(?:[ ]\([^\n()]{{1,60}}\))?:[ ](?P<secret>{WORD}{{5,100}}){END_OF_LINE}",
        ("enter ", "type ", "retype ", "repeat ", "confirm ", "current ", "new "),
        accept=is_password,
    ),
    Rule(
        "spoken-token",
        r"(?i:token|cookie|github pat|your_key with|github pat|your_key with|authorization code|(?:api|access"
        r"|secret|client|auth|signing|encryption|license|openai"
        r"|application|anthropic|claude|stripe|google|github|gemini|mistral|groq|aws|azure|maps|live|test)[ -]key"
        r"|the key|(?<![^\n])key|secret|schlüssel|geheimnis|clé(?: d['\u2019])?[ ]?api|chave (?:de |da )?api"
        r"|clave (?:de )?api"
        r"|chiave api)[ ]?[:=]?[ ](?:is[ ]|to[ ]|with[ ])?[\"'`]?(?P<secret>[\w+=.-][\w+/=.-]{19,199}?)" + _END,
        (
            *("token ", "token: ", "cookie: ", "authorization code: ", "api key ", "access key ", "secret key "),
            *("client key ", "auth key ", "signing key ", "encryption key ", "license key ", "the key "),
            *(
                "github pat ",
                "your_key with",
                "key with ",
                "key = ",
                "key: ",
                "openai key ",
                "anthropic key ",
                "claude key ",
                "stripe key ",
                "google key ",
            ),
            *("github key ", "gemini key ", "mistral key ", "groq key ", "aws key ", "azure key ", "maps key "),
            *(
                "application key ",
                "live key ",
                "test key ",
                "secret ",
                "schlüssel: ",
                "geheimnis: ",
                "clé api",
                "clé d",
                "chave ",
                "clave ",
                "chiave ",
            ),
        ),
        accept=_is_named_token,
    ),
    Rule(
        "spoken-header",
        r"(?i:header)[ ][\w-]{3,40}[ ](?:to|as|with)[ ][\"'`]?(?P<secret>[\w+=.-][\w+/=.-]{19,199}?)" + _END,
        ("header x-", "header authorization ", "header private-token "),
        accept=is_generated,
    ),
    Rule(
        "said-before",
        r"[ ](?:(?:is|was)[ ](?:the|my|your|our)|ist (?:das|mein|unser)|as|als)[ ](?:[\w.-]{1,20}[ ]){0,2}"
        r"(?i:password|passphrase|passwd|passwort|kennwort|pw|token|secret|api key)\b",
        (
            *(" is the ", " was the ", " is my ", " is your ", " is our ", " was my ", " was our ", " ist das "),
            *(" ist mein", " as password", " als passwort", " als kennwort", " as passphrase", " as pw", " as token"),
        ),
        spans=_said_first,
    ),
    Rule(
        "entered-text",
        r"[ ](?:into|in|for|as)[ ](?:the[ ])?\\{0,31}[\"']?"
        r"(?i:[\w-]{0,20}[ _-]?(?:password|passphrase|token|secret))\b",
        tuple(
            f" {word} {article}{mark}{name}"
            for word in ("into", "in", "for")
            for article in ("the ", "")
            for mark in ('"', "'", "", "\\")
            for name in (("pass", "token", "secret") if mark != "\\" else ("",))
        ),
        spans=_entered,
    ),
    Rule(
        "spoken-login",
        r"(?i:log(?:[ ]?in|on|[ ]me[ ]in)|basic auth is|testing use|user created|sign(?:ed)?[ ]in|creds?"
        r"|credentials?|zugang|zugangsdaten|anmelden|connect|ssh to|rdp"
        r"|ipmi|ilo|idrac|wifi|admin panel|account|(?:test|demo|default)[ -]?user|u/p|u/pw|user/(?:pw|pass"
        r"|password)|use"
        r"|username/password)(?=[ :/)*]|\\n)",
        (
            *(
                "log me in",
                "basic auth is",
                "testing use",
                "user created",
                "login",
                "log in",
                "logon",
                "sign in",
                "signed in",
                "creds",
                "cred:",
                "credential",
                "zugang",
                "anmelden",
            ),
            *(
                "connect ",
                "ssh to ",
                "rdp ",
                "ipmi",
                "ilo ",
                "ilo:",
                "idrac",
                "wifi:",
                "admin panel",
                "account ",
                "account:",
            ),
            *("test user", "demo user", "default user", "u/p", "user/p", "username/password", "use "),
        ),
        spans=_logins,
    ),
    Rule(
        "listed-account",
        r"(?:[-*][ ][\w* .-]{2,40}:[ ][^\n|]{0,60}?|[|][ ])[`(]?(?:admin|root|administrator|test|demo|user|guest)"
        rf"(?:[ ]/[ ]|[/:])`?(?P<secret>[^\s\"'`<>\\/()|,;]{{5,100}}?)`?(?=[)|]|[ ]\||{NEWLINE}|$)",
        ("- ", "* ", "| admin", "| root", "| `admin", "| administrator", "| test", "| demo", "| user", "| guest"),
        accept=is_mentioned,
    ),
    Rule(
        "listed-credentials",
        r"\[?(?i:credentials|creds|log[ ]?in|logins|users|zugangsdaten|auth)\]?:?(?:[ \t]{0,4}" + NEXT_LINE + r")?"
        rf"(?={NEWLINE})",
        (
            *tuple(
                f"{word}{end}"
                for word in ("credentials", "creds", "login", "logins", "zugangsdaten")
                for end in ("\n", ":\n", "\\", ":\\")
            ),
            "[credentials]",
            "[users]",
            "[logins]",
            "[auth]",
        ),
        spans=_listed,
    ),
    Rule(
        "spoken-pin",
        r"(?:(?:\b|(?<=\\[nrt]))(?:PIN|PUK|OTP|TAN)|(?i:(?:verification|one-time|door|security|access|unlock"
        r"|gate|alarm)[ ](?:code"
        r"|pin)|passcode"
        r"|combination(?: of the safe)?|(?:sim|card) pin))(?:[ ](?:is|ist|für \w+ ist)|[ ]?[:=])[ ]?"
        r"(?P<secret>\d{4,12})(?![\w-]|[.:/]\d|[ ]?%)",
        (
            *(
                "one-time ",
                "pin ",
                "pin:",
                "pin=",
                "puk",
                "otp ",
                "otp:",
                "tan ",
                "tan:",
                "verification ",
                "door ",
                "security ",
            ),
            *("access code", "unlock ", "gate ", "alarm ", "passcode", "combination"),
        ),
    ),
    Rule(
        "numeric-code",
        r"(?:(?:(?<![A-Za-z])|(?<=\\[nrt]))(?:pin|PIN|otp|OTP)|(?<=[a-z])(?:Pin|Otp))(?:_?[cC]ode)?\\{0,31}[\"']?\]?"
        r"(?:[ ]{0,2}(?:=>|[:=])|(?<=-pin)|(?<=-otp))[ ]?\\{0,31}[\"']?(?P<secret>\d{5,8})(?![\w-]|[.:/]\d|[ ]?%)",
        tuple(name + end for name in ("pin", "otp") for end in ('"', "'", ":", "=", " ", "\\", "code", "_code")),
    ),
    Rule(
        "spoken-license",
        r"(?i:(?:product|licen[sc]e|activation|serial|registration|cd|recovery)[ -]?(?:key|code|number)?)[ ]{0,3}"
        r"(?:[:=]|is)?[ ]{0,3}(?:\*\*)?[\"'`]?(?P<secret>[A-Z0-9]{4,6}(?:-[A-Z0-9]{4,6}){3,7})\b(?!-)",
        ("product", "license", "licence", "activation ", "serial", "registration ", "cd key", "cd-key", "recovery key"),
        accept=_is_license,
    ),
    Rule(
        "recovery-password",
        rf"(?i:password|recovery key):(?:{NEXT_LINE})?[ \t]{{0,20}}(?P<secret>\d{{6}}(?:-\d{{6}}){{7}})(?!\d)",
        ("password:", "recovery key:"),
    ),
    Rule(
        "spaced-password",
        r"(?i:app(?:lication|lication-specific)?[ -]?(?:specific )?passwor[dt])s?(?:[ ]is)?:?[ ][\"'`]?"
        r"(?P<secret>[a-z0-9]{4}(?:[ ][a-z0-9]{4}){3})(?![\w-])",
        ("app password", "app-password", "application password", "app passwort", "specific password"),
        accept=_is_spaced,
    ),
    Rule(
        "foreign-password",
        r"(?:كلمة (?:المرور|السر)|पासवर्ड|รหัสผ่าน|(?i:mật khẩu|kata sandi|κωδικός(?: πρόσβασης)?|סיסמה|lozinka|geslo"
        r"|(?:wlan|wifi|netzwerk)-?schlüssel|slaptažodis|parool|heslo|wagwoord|nenosiri))"
        rf"[ ]?[:=\uff1a][ ]?{_VALUE}",
        (
            *("كلمة ", "पासवर्ड", "รหัสผ่าน", "mật khẩu", "kata sandi", "κωδικό", "סיסמה", "lozinka", "geslo"),
            *("wlan-schlüssel", "wlanschlüssel", "wifi-schlüssel", "netzwerkschlüssel", "slaptažodis", "parool"),
            *("wagwoord", "nenosiri"),
        ),
        accept=lambda hit: is_password(hit) or looks_random(hit["secret"]),
    ),
)
