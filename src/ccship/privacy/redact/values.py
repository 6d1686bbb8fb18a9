"""The appearance of a value: a placeholder, a reference, code, or a possible secret. Pure."""

import re

_PLACEHOLDER = re.compile(
    r"""(?isx)
      [<{\[(] .* | \$ [\w{(] .* | %\w+% | %[sd(] .* | [@&\#!][a-z]*
    | ([*.x•_?0-]) \1*
    | .* (?: \.\.\. | … | \*\*\* | x{5,} | • | \[redacted ) .*
    | (?: .*[_-] )? (?: your | placeholder | change[_-]?(?:me|this|it) | dummy | insert | replace | todo | fixme ) .*
    | example | (?: my | some | any | the | a | fake | example ) [_-]
      (?! (?: .*\d ){3} | (?=.*\d) (?: .*?(?-i:[a-z][A-Z]) ){2} ) .*
    | .* abcdefghijklmnopqrstuvwxyz .*
    | null | none | nil | undefined | true | false | yes | no | on | off | enabled | disabled | default | empty | value
    | str | string | number | int | integer | bool | boolean | bytes | text | any | unknown | object | array | void
    | never | final | incomplete | classvar
    | ed25519 | ed448 | x25519 | [hrep]s(?:256|384|512) | aes-?\d{3}\w* | argon2i?d? | pbkdf2 | rsa-?\d{4} | md5
    | uuid | char | varchar | u?int\d+\w* | float\d+ | bytes\d+ | sha\d+ | base64\w* | utf-?8
    | (?: required | nullable | sometimes | bail | string | confirmed ) (?: \| [\w:,.-]+ )+
    | optional | required | invalid | missing | hidden | include | omit | same-origin | inherit
    | passwort | kennwort | geheimnis | wachtwoord | contrase[nñ]a | senha | parola | has[lł]o
    | mot[ ]de[ ]passe | api[- ]schlüssel
    | fake | test | testing | reset | change | forgot | pass | password | passwd | passphrase | secret | token | key
    | user | username
    | bearer | basic
    """
)
_REFERENCE = re.compile(r"[<$]|\{\{|\[redacted")
_ADDRESS = re.compile(r"(?:~|\.{1,2}/|[A-Za-z]:\\|\w+://).*", re.DOTALL)
_PATH = re.compile(r"/(?>(?:[\w.@-]{0,40}/?)*)")
_EXPRESSION = (
    r"\.?[A-Za-z_]\w*(?:(?:\?\.|\.|::|->)[A-Za-z_]\w*)+[!?:.]*"  # config.token, std::string
    r"|\.[A-Za-z_]\w*"
    r"|[+-]?[\d.,_:%-]+[A-Za-z%]{0,2}"  # numbers, times, versions
    r"|\#[0-9A-Fa-f]{3,8}"  # colours
)
_CODE = re.compile(_EXPRESSION + r"|[\w.]*[(\[{<].*")  # get_token(), environ["X"], Option<String>
_QUOTED_CODE = re.compile(_EXPRESSION + r"|[A-Za-z_][\w.]*(?:\(.*\)|\[.*\])")
_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_RANDOM = re.compile(r"(?=.*\d)(?=.*[A-Za-z])|(?=.*[a-z][A-Z])(?=.{16})")
_PUNCTUATED = re.compile(r"(?=.{6})(?![\w.+-]+@[\w-]+\.).*[A-Za-z0-9][!@#$%^&*+~?]+[A-Za-z0-9]")
_MAILBOX = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_TOKEN = re.compile(r"(?=(?:.*\d){3})(?=.*[A-Za-z])[\w+/=.~:-]{20,}")

_SIGNED = re.compile(r"(?=.*[a-z])(?=.*[A-Z])(?=.*\d)(?=.*[,;&|(){}\[\]<>])[!-~]{8,128}(?<![,;(){}\[\]<>])")
_CODE_SIGNS = re.compile(r"^[\[{(<$]|[A-Za-z_]{3,}[(<\[{].*[)>\]}]|[=-]>|::|://|\$[{(]|\{\{|&&|\|\||\)\.")
_ALL_KINDS = re.compile(r"(?=.*[a-z])(?=.*[A-Z])(?=.*\d)[A-Za-z0-9+/=_-]{24,}")
_WITH_SIGNS = re.compile(r"(?=.*[a-z])(?=.*[A-Z])(?=.*[A-Za-z\d][!@#$%^&*+~?=][A-Za-z\d])[\w!@#$%^&*+~?=-]{16,}")
"""What password generators make: both cases with signs between them, and nothing that paths and calls contain."""
_IN_BOTH_CASES = re.compile(r"(?=.*[a-z])(?=.*[A-Z])(?=.*\d)[A-Za-z0-9_-]{16,}")
_BASE32 = re.compile(r"[A-Z2-7]{16,64}")
_BOOTSTRAP = re.compile(r"(?=(?:.*\d){3})[a-z0-9]{6}\.[a-z0-9]{16}")
"""A token that lets a machine join a cluster."""
_LETTERS = re.compile(r"(?=.*[a-z][A-Z])[A-Za-z]{10,}")
_PASSPHRASE = re.compile(r"[a-z]{3,10}(?:([-.])[a-z]{3,10})(?:\1[a-z]{3,10}){2,7}")
_THREE_WORDS = re.compile(r"[a-z]{3,10}(?:([-.])[a-z]{3,10})(?:\1[a-z]{3,10}){1,7}")
_SPACED = re.compile(r"[A-Za-z]{2,12}(?:[ ][A-Za-z]{2,12}){0,7}[ ]\d{1,6}[!?#*.]?|[a-z]{3,10}(?:[ ][a-z]{3,10}){3,11}")
_SENTENCE_WORDS = frozenset(
    """
    a an any are as at be been before by can characters chars confirm contain current day days did digit digits does
    empty enter exceed expired expires for had has have he hint hour hours if incorrect into invalid is it its least
    length letters long longer match max maximum may min minimum minutes missing months more most must name needs no of
    on only or our passwords please same she should shorter than their then there these they this those to too try was
    were when which will without would wrong you years
    """.split()  # noqa: SIM905 - a list of words reads better so
)
"""Words of messages about passwords: `Must be at least 8`."""
_TERMS = frozenset(
    """
    access account admin and api app auth aws azure backend base bucket bytes cert change check class client cloud code
    com common config controller core credential credentials data database database default deploy dev docker docs
    enabled env example field file files for form from frontend generate github handler hash header here host html
    http https image input item java key keys list local login manager me model module name net new not npm org page
    password path php prod production public py random read refresh region reset rest role root run schema secret
    secrets server service session set shared signing src staging state storage store string test text that the this
    token tokens type update url user users util utils value values var vault version view web with your
    """.split()  # noqa: SIM905 - a list of words reads better so
)
"""Words of identifiers: `my-app-db-secret` is the name of a secret, not a secret."""

_ONLY_LETTERS = re.compile(r"[A-Za-z]{8,64}")
_RARE_PAIRS = re.compile(
    r"(?i)(?=(?:"
    r"a[o]|b[hkqvwxz]|c[jqwxz]|d[qz]|f[hjkqz]|g[jqxz]|h[gjqvwxz]|i[jwy]|j[bcdfghiklmnpqrtvwxyz]|"
    r"k[jqxyz]|l[jqxz]|m[hjqz]|n[z]|o[q]|p[jqxz]|q[abcdefghijkmnoprstvwxyz]|r[jz]|s[xz]|t[j]|"
    r"u[hjkqvwxyz]|v[hjklqrtuwxz]|w[gjquvxyz]|x[gjknquvwz]|y[jkqx]|z[bcdfghjklmnpqrstuvwxy]"
    r"))"
)
"""Pairs of different letters that are in fewer than 6 of 10,000 words of identifiers; every fourth pair is rare."""
_LEAST_RARE_PAIRS = 2

_MIXED = re.compile(r"(?=.*[a-z])(?=.*[A-Z])[A-Za-z0-9_+/=-]{20,}")
_WORD_LENGTH = 3.5
"""The average length of a word in an identifier; in random text every second letter is a capital."""
_RUN, _DIGIT = re.compile(r"[A-Za-z0-9]{10,}"), re.compile(r"\d")
_LEAST_RUN_DIGITS, _RUN_LENGTH = 1, 4
"""The minimum number of digits in a generated run, and the average number of characters between changes in it."""
_FEWEST_FOLDERS = 4
"""The minimum number of slashes that make a text a path and not base64."""
LEAST_HINTED, _LEAST_DIGITS = 12, 3
"""The minimum length and number of digits of a value whose name is only a hint."""


def is_placeholder(value: str) -> bool:
    """Whether a value stands for a secret: `<your key>`, `${KEY}`, `xxxx`, `string`."""
    return not value or _PLACEHOLDER.fullmatch(value) is not None


def refers(value: str) -> bool:
    """Whether a value is empty or refers to a secret elsewhere: `${KEY}`, `<key>`."""
    return not value or _REFERENCE.match(value) is not None


def is_address(value: str) -> bool:
    """Whether a value is a path or a URL, not base64 that begins with a slash."""
    if _ADDRESS.fullmatch(value):
        return True
    return _PATH.fullmatch(value) is not None and not (_TOKEN.fullmatch(value) and value.count("/") < _FEWEST_FOLDERS)


def is_code(value: str, *, is_quoted: bool) -> bool:
    """Whether a value is an expression: a call, an attribute, a number. A long token with a dot is not."""
    code = _QUOTED_CODE if is_quoted else _CODE
    return code.fullmatch(value) is not None and not (is_quoted and is_token(value)) and not _BOOTSTRAP.fullmatch(value)


def is_token(value: str) -> bool:
    """Whether a value is long, made of few kinds of characters, and random: several digits, or mixed case."""
    return _TOKEN.fullmatch(value) is not None or (_MIXED.fullmatch(value) is not None and has_few_words(value))


def is_mixed(value: str) -> bool:
    """Whether a value is a generated token of capitals, lower-case letters and digits, so neither a hash nor a uuid."""
    return _ALL_KINDS.fullmatch(value) is not None and looks_generated(value)


def is_signed_password(value: str) -> bool:
    """Whether a value is a generated password with signs that also separate code: `xK4,f9;Lq(2mW`."""
    is_code = _CODE_SIGNS.search(value) is not None
    return _SIGNED.fullmatch(value) is not None and not is_code and has_few_words(re.sub(r"\W", "", value))


def is_mailbox(value: str) -> bool:
    """Whether a value is an e-mail address, or a password that looks like one."""
    return _MAILBOX.fullmatch(value) is not None


def bears_out_a_hint(value: str) -> bool:
    """Whether a value looks enough like a secret that a hint in its name decides."""
    if " " in value or len(value) < LEAST_HINTED:
        return False
    return (
        is_token(value)
        or _is_base32(value)
        or _is_generated_password(value)
        or (_IN_BOTH_CASES.fullmatch(value) is not None and has_few_words(value))
        or (len(re.findall(r"\d", value)) >= _LEAST_DIGITS and looks_random(value))
    )


def _is_generated_password(value: str) -> bool:
    return _WITH_SIGNS.fullmatch(value) is not None and has_few_words(value)


def _is_base32(value: str) -> bool:
    return _BASE32.fullmatch(value) is not None and (re.search(r"\d", value) is not None or is_unpronounceable(value))


def looks_random(value: str) -> bool:
    """Whether a value has letters and digits, or capitals among lower-case letters that form no words."""
    return _RANDOM.match(value) is not None and has_no_words(value)


def looks_generated(value: str) -> bool:
    """Whether letters and digits alternate in a value more often than in words or numbers."""
    return any(
        len(_DIGIT.findall(run)) >= _LEAST_RUN_DIGITS and len(run) < _RUN_LENGTH * len(_WORDS.findall(run))
        for run in _RUN.findall(value)
    )


def has_no_words(value: str) -> bool:
    """Whether a value is not an identifier: `qWmZxKdLvTbRnYhG` or a text with a digit, not `SecretManagerClient`."""
    return re.search(r"\d", value) is not None or has_few_words(value)


def has_few_words(value: str) -> bool:
    """Whether letters change case, or to digits, more often than between words."""
    return len(value) < _WORD_LENGTH * len(_WORDS.findall(value))


def looks_like_password(value: str) -> bool:
    """Whether a value can be a password after the name of one: random, chosen by a person, or several words."""
    return (
        looks_random(value)
        or looks_chosen(value)
        or (_LETTERS.fullmatch(value) is not None and has_few_words(value))
        or is_passphrase(value)
        or is_unpronounceable(value)
    )


def is_unpronounceable(value: str) -> bool:
    """Whether a value is letters in an order that words and abbreviations do not have: `wuuolxAQNC`."""
    return _ONLY_LETTERS.fullmatch(value) is not None and len(_RARE_PAIRS.findall(value)) >= _LEAST_RARE_PAIRS


def is_passphrase(value: str) -> bool:
    """Whether a value is several everyday words with separators, none of them a programmer's word."""
    return _PASSPHRASE.fullmatch(value) is not None and _TERMS.isdisjoint(re.split(r"[-.]", value))


def is_short_passphrase(value: str) -> bool:
    """Whether a value is three or more everyday words with separators, or with spaces and without those of a sentence.

    With spaces, the last word is a number, or there are at least four words of lower-case letters.
    """
    if " " not in value:
        return _THREE_WORDS.fullmatch(value) is not None and _TERMS.isdisjoint(re.split(r"[-.]", value))
    words = value.lower().rstrip("!?#*.").split(" ")
    return _SPACED.fullmatch(value) is not None and _TERMS.isdisjoint(words) and _SENTENCE_WORDS.isdisjoint(words)


def looks_chosen(value: str) -> bool:
    """Whether a value looks like a password that a person chose: punctuation among letters or digits."""
    return _PUNCTUATED.match(value) is not None


_SPOKEN_TERMS = re.compile(
    r"(?i)(?:sha|aes|rsa|utf|ascii|latin|base|hmac|ecdsa|md|ed|oauth|argon|pbkdf|scrypt|bcrypt|http|https|tls|ssl|ip"
    r"|win|windows|python|php|node|java|vue|angular|ubuntu|debian|version|ver|rev|release|build|chapter|section"
    r"|figure|table|step|line|page|item|test|user|field|type|level|option|case|phase|issue|ticket|day|week|month"
    r"|year|since|until|port|host|server|node|module|class|func|function|param|arg|var|value|key|token|password"
    r"|secret|pass|string|int|uint|float|char|byte|bytes|bit|bits|step|col|column|row|id|api|app|db|iso|rfc|cve"
    r"|january|february|march|april|june|july|august|september|october|november|december|jan|feb|mar|apr|jun|jul"
    r"|aug|sep|sept|oct|nov|dec)[-_]?\d[\w.-]*"
)
_SPOKEN = re.compile(
    r"(?:[A-Za-z]{4,}[@#_-]?\d{2,}|[A-Z]\w*\d\w*[a-z]\w*\d+)[!?#*]{0,2}"  # Sommer2024!, Adm1n36
)
_CHANGES = re.compile(r"[a-z][A-Z0-9]|[A-Z][a-z]{0,2}\d|\d[A-Za-z]")
_LEAST_CHANGES, _SHORTEST_SPOKEN = 3, 6


def is_spoken(value: str) -> bool:
    """Whether a value looks like a password even in the middle of a sentence, not like a technical term."""
    if len(value) < _SHORTEST_SPOKEN or _SPOKEN_TERMS.fullmatch(value) or is_mailbox(value):
        return False
    if _SPOKEN.fullmatch(value) or (_LETTERS.fullmatch(value) and has_few_words(value) and is_unpronounceable(value)):
        return True
    if re.search(r"[A-Za-z0-9][!@#$%^&*+~?][A-Za-z0-9]", value):
        return re.search(r"\d", value) is not None and "://" not in value
    is_mixed = len(_CHANGES.findall(value)) >= _LEAST_CHANGES and re.search(r"[a-z]", value)
    return bool(is_mixed) and re.fullmatch(r"(?=.*\d)(?=.*[A-Z])[\w-]{8,}", value) is not None
