"""Secrets that are known by their name: `KEY=value`, `"key": "value"`, `--key value`, a key of a dict.

Most of what stands beside such a name is no secret but code, a type, a placeholder or a sentence: this module owns the
judgement, and never looks further than one line.
"""

import re
from functools import lru_cache

from ccship.redact.rules import Rule, any_case, canary, made_up

NAMED = "named-secret"


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_SECRETS = tuple(
    _words("""
    password passwd passphrase passcode pwd secret apikey accesskey secretkey privatekey accountkey signingkey
    encryptionkey masterkey servicekey
    """)
)
_TOKENS = ("token", "credential", "credentials")
_KINDS_OF_KEY = _words("""
    access account admin aes api app auth client cookie deploy encrypt encryption fernet hmac jwt license master private
    root secret service session shared signing ssh storage subscription webhook
""")
_HARMLESS = _words("""
    age alg algorithm arn bos cache cancel cancellation class cls color colour completion continuation cost count dir
    directory enabled endpoint env eos error expected expiration expired expires expiry field file foreign form format
    forgot has hash header help hint id idempotency ids index input invalid is kind label len length limit mask max
    message min name next num number output pad page path pattern placeholder policy prefix prev previous price primary
    prompt provider public publishable rate regex required rule size sort special stats status store suffix text total
    ttl type types unexpected unk uri url usage use valid validator var version
""")
_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")

_NAME = r"(?P<name>(?i:pass|pwd|secret|token|credential|key)[\w-]{0,40}+)"
_OPERATOR = (
    r"[ \t]{0,4}(?:=>|:=|={1,3}|:[ \t]?[A-Za-z][\w.|\[\]]{0,30}[ \t]?=(?!=)|:|,|[ \t](?:is|was)(?=[: \t]):?)"
    r"|(?<=\w)>"  # <password>...
    r"|[ \t]{0,4},?(?:\n|\\{1,31}n)?[ \t]{0,40}\\{0,31}[\"']?value\\{0,31}[\"']?[ \t]?[=:]"  # name: ..., value: ...
    r"|(?=[ \t])"  # --password ...
)
_VALUE = (
    rf"\\{{0,31}}[\"'`]?\]?(?P<op>{_OPERATOR})[ \t]{{0,8}}"
    r"(?:(?P<escape>\\{0,31})(?P<quote>[\"'`])"
    r"(?P<quoted>(?:(?!(?<!\\)(?P=escape)(?P=quote))[^\n]){3,}+)"
    r"|(?P<line>(?<=[A-Z0-9_]=)[^\s\"'`\\]{4,128}+)"
    r"|(?P<bare>[^\s\"'`\\,;&<>|(){}\[\]]{4,128}+)(?![(\[{]))"
)
_BEFORE = re.compile(r"(?:ENV )?[\w.-]*$")
_LONGEST_NAME = 60
_SHORT, _LONG = 5, 12
"""Characters that a bare value needs, beside the name of a password and beside that of a token."""

_PLACEHOLDER = re.compile(
    r"""(?isx)
      [<{\[(] .* | \$ [\w{(] .* | %\w+% | %[sd(] .* | [@&\#!][a-z]*
    | ([*.x•_?0-]) \1*
    | .* (?: \.\.\. | … | \*\*\* | x{5,} | • | \[redacted ) .*
    | (?: .*[_-] )? (?: your | placeholder | change[_-]?(?:me|this|it) | dummy | insert | replace | todo | fixme ) .*
    | example | (?: my | some | any | the | a | fake | example ) [_-] .*
    | null | none | nil | undefined | true | false | yes | no | on | off | enabled | disabled | default | empty | value
    | str | string | number | int | integer | bool | boolean | bytes | text | any | unknown | object | array | void
    | never | uuid | char | varchar | u?int\d+\w* | float\d+ | bytes\d+ | sha\d+ | base64\w* | utf-?8
    | optional | required | invalid | missing | hidden | include | omit | same-origin | inherit
    | fake | test | testing | pass | password | passwd | passphrase | secret | token | key | user | username
    | bearer | basic
    """
)
_ELSEWHERE = re.compile(r"(?:/|~|\.{1,2}/|[A-Za-z]:\\|\w+://).*")
"""A path or an address: where a secret is kept, perhaps."""
_CODE = re.compile(
    r"\.?[A-Za-z_]\w*(?:(?:\?\.|\.|::|->)[A-Za-z_]\w*)+[!?:.]*"  # config.token, std::string
    r"|\.[A-Za-z_]\w*"
    r"|[\w.]*[(\[{<].*"  # get_token(), environ["X"], Option<String>
    r"|[+-]?[\d.,_:%-]+[A-Za-z%]{0,2}"  # numbers, times, versions
)
_RANDOM = re.compile(r"(?=.*\d)(?=.*[A-Za-z])|(?=.*[a-z][A-Z])(?=.{16})")


def says_secret(name: str) -> bool:
    """Whether a name says that its value is a secret."""
    return _strength(name) > 0


def is_placeholder(value: str) -> bool:
    """Whether a value stands for a secret, and is none: `<your key>`, `${KEY}`, `xxxx`, `string`."""
    if not value or _PLACEHOLDER.fullmatch(value):
        return True
    words = _WORDS.findall(value)
    return len(words) > 1 and not re.search(r"\d", value) and says_secret(value)  # the name of another variable


def refers(value: str) -> bool:
    """Whether a value is empty or points to where a secret is kept: `${KEY}`, `<key>`."""
    return not value or re.match(r"[<$]|\{\{|\[redacted", value) is not None


@lru_cache(4096)
def _strength(name: str) -> int:
    """0: no secret's name; 1: a token's or some key's, which the value has to bear out; 2: a secret's."""
    if len(name) > _LONGEST_NAME:
        return 0
    words = [word.lower() for word in _WORDS.findall(name)]
    if _HARMLESS.intersection(words):
        return 0
    if any(word.endswith(_SECRETS) or word == "pass" for word in words):
        return 2
    if "key" in words and _KINDS_OF_KEY.intersection(words):
        return 2
    return int(any(word.endswith(_TOKENS) for word in words))


def _is_secret(hit: re.Match[str]) -> bool:
    before = _BEFORE.search(hit.string, max(hit.start() - 40, 0), hit.start())
    left = before[0] if before else ""
    name = left.removeprefix("ENV ") + hit["name"]
    is_loud = name.isupper() and "_" in name
    strength = _strength(name) or int(is_loud and name.endswith("_KEY"))
    value = hit["quoted"] or hit["line"] or hit["bare"]
    return (
        strength > 0
        and not is_placeholder(value)
        and not _ELSEWHERE.match(value)
        and _assigns(hit, left, name, is_loud=is_loud)
        and _is_value(value, hit, strength, name)
    )


def _assigns(hit: re.Match[str], left: str, name: str, *, is_loud: bool) -> bool:
    """Whether what stands between name and value makes it the value of that name."""
    match hit["op"].strip():
        case "":
            return left.startswith(("--", "ENV "))  # `--password value`; else a sentence
        case ",":
            return is_loud and bool(_RANDOM.match(hit["quoted"] or ""))  # `getenv("KEY", "value")`; else a list
        case ">":
            return not hit["quoted"]
        case ":":
            return name.lower() != "pass" or bool(hit["quoted"])  # `PASS: test_of_something`
    return True


def _is_value(value: str, hit: re.Match[str], strength: int, name: str) -> bool:
    """Whether a value bears out what its name says. Where less can be told from the name, more is asked of it."""
    is_strong, looks_random = strength > 1, _RANDOM.match(value) is not None
    if hit["op"] == "=" and name.isupper():  # KEY=value: a line of a shell or of .env
        return is_strong or looks_random or len(value) >= _LONG
    if " " in value or _CODE.fullmatch(value):
        return False
    if hit["quoted"] or (is_strong and name.isupper() and "_" in name):
        return is_strong or looks_random
    return looks_random and len(value) >= (_SHORT if is_strong else _LONG)


NAMED_SECRET = Rule(
    NAMED,
    _NAME + _VALUE,
    any_case("pass", "pwd", "secret", "token", "credential", "key"),
    hits=(
        "DB_PASSWORD=" + canary("correct", "horse"),
        "export CLIENT_SECRET='" + canary("battery", "staple 9") + "'",
        'password = "' + canary("hunter", "2") + '"',
        '{"user": "ada", "password": "' + canary("love", "lace!") + '"}',
        r"{\"api_key\": \"" + canary(made_up(24)) + r"\"}",
        r"{\\\"clientSecret\\\": \\\"" + canary(made_up(24)) + r"\\\"}",
        "api-key: " + canary(made_up(20)),
        "os.environ['SECRET_TOKEN'] = '" + canary(made_up(20)) + "'",
        "const authToken: string = `" + canary(made_up(30)) + "`;",
        "mysql --password " + canary("hunter", "22"),
        "login --token=" + canary(made_up(16)) + " --verbose",
        "<password>" + canary("tiger", "99") + "</password>",
        "Server=db;Uid=ada;Pwd=" + canary("love", "1815") + ";",
        "aws_secret_access_key = " + canary(made_up(20), "/", made_up(19)),
        "BUILD_TOKEN=" + canary(made_up(40)),
        "my password is " + canary("hunter", "22"),
        "ENV DB_PASSWORD " + canary("hunter", "22"),
        "os.getenv('DB_PASSWORD', '" + canary("hunter", "22") + "')",
        '<add key="Password" value="' + canary("hunter", "22") + '" />',
        "- name: DB_PASSWORD\n  value: " + canary("hunter", "22"),
        "POSTGRES_PASSWORD: " + canary("postgres", "ql"),
        "STRIPE_KEY=" + canary(made_up(30)),
        "?access_token=" + canary(made_up(30)) + "&page=2",
    ),
    misses=(
        "token_count: 4096",
        "max_tokens=8192",
        "password: str",
        "token: Optional[str] = None",
        "api_key = os.environ['OPENAI_API_KEY']",
        "apiKey: process.env.API_KEY,",
        "password=config.password",
        "token = get_token(request1)",
        "SECRET_KEY=${SECRET_KEY}",
        "API_KEY=<your-key>",
        "API_KEY=your-api-key-123",
        'password: "string"',
        "PASSWORD=changeme",
        "PWD=/home/ada/demo1",
        "the token expired 15minutes ago",
        "secret: { type: 'string' }",
        "monkey=12345abcdef",
        "public_key: 'q7Wm2Zx9KdL4'",
        "token: 1234567890",
        "if password == None:",
        "PASS: test_that_2_things_hold",
        "fields = ['password', 'address2']",
        '<label for="password">Password2</label>',
        "Your password is required",
        "PRIMARY_KEY=user_id",
        '"secretName": "tls-2024"',
    ),
    accept=_is_secret,
    rest=r"(?<=[^\s\"'`\\]{128})[^\s\"'`\\,;&<>|(){}\[\]]*+",
)
