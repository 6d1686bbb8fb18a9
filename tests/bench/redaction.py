"""How fast text is redacted, and whether the time grows with the text and no faster."""

import tempfile
import time
from functools import partial
from pathlib import Path
from typing import Any

import orjson

from bench.generate import claude_dir
from bench.mark import Mark
from bench.parse import cpu
from ccship.privacy.redact import RULES, Redactor
from recall.sets import bare
from redact_examples import EXAMPLES
from redact_examples.notation import unmarked

MEGABYTES, ROUNDS = 20, 4
GOAL = 90.0
"""MB/s on one core."""

HOSTILE = (
    *(
        "password=",
        "cookie=",
        "cookie=a1b2c3d4;",
        'PASSWORD="',
        "token: ",
        "secret='a b ",
        "a_key=",
        '\\"token\\": \\"',
        "eyJ0123456789",
        "eyJ.",
        "://a:",
    ),
    *(
        "-----BEGIN RSA PRIVATE KEY-----\n",
        "AKIA" + "0123456789ABCDEF ",
        "AB=a1B2c3d4e5\n",
        "AB=1\n",
        "-u a:b ",
        "SG.a",
        "\\",
    ),
    *("[redacted:x]", "password=[redacted:x]", "=", "a", "k", "_", "sk-", "Cookie: a=1; b=2; "),
    *(
        "| a | password |\n",
        "password,a\n",
        "passwords:\n  - a\n",
        "passwords = ['a', ",
        "kind: Secret\ndata:\n  a: b\n",
    ),
    *('"kind": "Secret", "data": {"a": "b", ', "mysql -u ", "docker login ", "zip -", "cookies = {'a': 'b', "),
    *(
        '<password a="',
        "password {default",
        "password: &a'",
        'password":"","a":"',
        "the password of a to b is",
        "key for a ",
    ),
    *(
        "seed phrase: one two three ",
        "\tTRUE\t/\tTRUE\t0\ta\t",
        "mongo ",
        "<<<",
        "https://hooks/",
        "echo a | chpasswd ",
    ),
    *("login ada password ", ":5432:a:b:", "jwt.sign('", "auth=('a', 'b', ", "MIIEvQIBADAN", "LS0tLS1CRUdJTi", "1|"),
    *(
        "mysql -u 'a' ",
        "docker login a -u b ",
        '["mysql", "-u", "a", ',
        "snmpwalk -A a -X b ",
        "curl -u a ",
        "com2sec a b ",
    ),
    *("login('a', 'b', ", "connect(f(a), ", "hash_hmac(a, b, ", "basic_auth 'a', ", "SetBasicAuth(f("),
    *('"ada" "b" ', "userlist.txt\nada:b\n", "/passwd\n", "user  password\n", "||password||\n|a|\n", "password\ta\n"),
    *("password from a1b to c2d ", "tokens {a = '", "{{ 'a' | ", "secretGenerator:\n- name: a\n", "Private Keys\n\n"),
    *(
        "a, password = 'a', ",
        "password: z.string().a().b",
        "password = a ? b : ",
        "<b>Password:</b> <code>",
        "password else ",
        "token=<<END\n  a\n",
        "<password>\n  abcd\n",
        "token: string | ",
        "api_token: str = field(default_factory=lambda: ",
        '"abcdefgh1" -> token',
        '"abcdefgh1", forKey: "token',
        "' WHERE name = 'password",
        "Password = pointer.To(a.b.",
        'password_word" a="b" c="d">',
    ),
    *(
        "passphrase: ab cd ",
        '"password": "ab cd ',
        'f("a", "b", "password", "c", ',
        "${TOKEN-a1b2",
        "passwords:\n  a: b1c2d\n",
        'password: "a1b2c3d4"\n"e5f6g7"\n',
        "password: a1b2c3d4 -> e5f6g7h8 -> ",
        'password:\n  description: a\n  type: "b"\n',
        "a.env:1:AB=c1D2e3f4g5\n",
    ),
    *("echo 'a' 'b' | ", "printf 'a\\nb' ", "?apiKey=a1b2&", "aaaaaaaaaaaaaaaa%2B", ".Gaaaaa.", ":APA91b", ":fx"),
    *(
        "assword: send ",
        "Input Password  id:password  ",
        "K 8\npassword\n",
        "chpasswd:\n  list:\n    - a:b\n",
        "1 MD5 a\n",
    ),
)
"""What a text is made of that wants to be slow to look at."""


def records() -> Mark:
    """Redact each record of generated sessions once; the reference is the goal.

    A tool result is twice in the records, as in real sessions, and nothing else repeats more than it does there.
    Measuring the same records in turns would only measure the cache of clean texts.
    """
    with tempfile.TemporaryDirectory() as folder:
        return Mark("redaction", megabytes_per_second(claude_dir(Path(folder), MEGABYTES)), GOAL, 1.0, "MB/s")


def megabytes_per_second(folder: Path) -> float:
    """Return the speed on one core over the records of a folder: the best of some rounds, each with a new cache."""
    lines = [line for path in sorted(folder.rglob("*.jsonl")) for line in path.read_bytes().splitlines()]
    records = [orjson.loads(line) for line in lines]
    took = min(cpu(partial(_redact, records)) for _ in range(ROUNDS + 1))  # the first compiles the patterns
    return sum(map(len, lines)) / 1e6 / took


def _redact(records: list[Any]) -> None:
    redactor = Redactor()
    for record in records:
        redactor.value(record)


def growth(piece: str, size: int = 4_000, times: int = 4) -> float:
    """How many times longer a character takes in a hostile text that is so many times as long.

    Noise only adds time: one sample of the longer text decides unless it is a fifth above linear time.
    """
    short = times * seconds(piece, size)
    once = seconds(piece, times * size, samples=1)
    return (once if once <= 1.2 * short else seconds(piece, times * size)) / short


def seconds(piece: str, size: int, samples: int = 3) -> float:
    text = (piece * (size // len(piece) + 1))[:size]
    took = []
    for _ in range(samples):
        began = time.process_time()
        Redactor().text(text)
        took.append(time.process_time() - began)
    return min(took)


FEW = 8
"""Keywords of a rule that are all tried. Of rules with hundreds, such as the names of programs, every n-th is."""


def hostile_pieces() -> list[str]:
    """Those above, keywords of every rule, and every other true positive, whole or cut in half in turns."""
    keywords = {keyword for rule in RULES for keyword in rule.keywords[:: 1 + len(rule.keywords) // FEW]}
    vendored = {rule: text for rule, text, _ in bare()}
    secrets = [unmarked(hit) for examples in EXAMPLES.values() for hit in examples.hits] + list(vendored.values())
    return [*HOSTILE, *sorted(keywords), *secrets[::4], *(secret[: len(secret) // 2] for secret in secrets[2::4])]
