"""How fast text is redacted, and whether the time grows with the text and no faster."""

import re
import time
from pathlib import Path

import orjson

from ccship.redact import RULES, Redactor

HOSTILE = (
    *(
        "password=",
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
)
"""What a text is made of that wants to be slow to look at."""


def megabytes_per_second(folder: Path, megabytes: int = 8) -> float:
    """On one core, over the records of transcripts, again and again up to that size."""
    lines = [line for path in sorted(folder.rglob("*.jsonl")) for line in path.read_bytes().splitlines()]
    records = [orjson.loads(line) for line in lines]
    size = sum(map(len, lines))
    redactor = Redactor()
    redactor.value(records)
    rounds = megabytes * 1_000_000 // size + 1
    began = time.process_time()
    for _ in range(rounds):
        for record in records:
            redactor.value(record)
    return rounds * size / 1e6 / (time.process_time() - began)


def growth(piece: str, size: int = 6_000) -> float:
    """How many times longer a hostile text of four times the length takes, per character."""
    return seconds(piece, 4 * size) / seconds(piece, size) / 4


def seconds(piece: str, size: int) -> float:
    text = (piece * (size // len(piece) + 1))[:size]
    took = []
    for _ in range(3):
        began = time.process_time()
        Redactor().text(text)
        took.append(time.process_time() - began)
    return min(took)


def hostile_pieces() -> list[str]:
    """Those above, and a true positive of every rule, whole and cut in half."""
    secrets = [re.sub("[«»]", "", rule.hits[0]) for rule in RULES]
    return [*HOSTILE, *secrets, *(secret[: len(secret) // 2] for secret in secrets)]
