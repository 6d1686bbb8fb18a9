"""The sets of secrets that recall is measured with: (where it is from, text, secret)."""

import math
import random
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

from ccship.privacy.redact.gitleaks import DATA
from recall.formats import FORMATS
from recall.sample import sampler
from recall.values import fields, passwords

Sample: TypeAlias = tuple[str, str, str]
EACH = 6
"""Secrets a rule."""

_NAMED = (
    *("API_KEY={}", "export AUTH_TOKEN={}", "CLIENT_SECRET='{}'", 'api_key: "{}"', '{{"clientSecret": "{}"}}'),
    *("password = '{}'", "token: {}", "--token {}", r"{{\"apiKey\": \"{}\"}}", "- name: API_TOKEN\n  value: {}"),
    *("const apiKey = `{}`;", "os.environ['SECRET_KEY'] = '{}'", "my api key is {}", "x-api-key: {}"),
)
_CARRIERS = (
    *("https://ada:{}@example.com/x", "Authorization: Bearer {}", "https://example.com/?access_token={}&page=2"),
    *("curl -u ada:{} https://example.com", "Cookie: sid={}; theme=dark", "machine example.com login ada password {}"),
    *("//registry.example.com/:_authToken={}", "postgresql://ada:{}@db/demo", "<password>{}</password>"),
    *("docker login -u ada -p {} registry.example.com", "| API_KEY | {} |", "Authorization: token {}"),
)
_ASSIGNED = ("{name}_key = '{}'", '"{name}_token": "{}"', "{name}={}", "{name}-secret: {}")


def _entropy(text: str) -> float:
    return -sum(count / len(text) * math.log2(count / len(text)) for count in Counter(text).values())


def _secrets(row: dict[str, Any]) -> Iterator[tuple[str, random.Random]]:
    make = sampler(row.get("secret") or row["pattern"])
    for number in range(EACH):
        rng = random.Random(f"{row['id']} {number}")  # noqa: S311 - the same ones every time
        tries = (make(rng) for _ in range(100))
        secret = next((it for it in tries if _entropy(it) > row.get("entropy", 0)), None)
        if secret is not None:
            yield secret, rng


def _rows() -> list[dict[str, Any]]:
    return [*DATA["assigned"], *DATA["shaped"]]


def named() -> Iterator[Sample]:
    """Secrets of all rules beside the names that people give to variables."""
    yield from _filled(_NAMED)


def in_carriers() -> Iterator[Sample]:
    """Secrets of all rules in URLs, headers, commands and files that have a place for a secret."""
    yield from _filled(_CARRIERS)


def _filled(templates: tuple[str, ...]) -> Iterator[Sample]:
    for row in _rows():
        for place, (secret, _) in enumerate(_secrets(row)):
            for template in templates[place % 2 :: 2]:
                yield f"{row['id']} {template}", template.format(secret), secret


def bare() -> Iterator[Sample]:
    """What the rule itself matches: the secret alone, or beside the name of its service."""
    for row in DATA["shaped"]:
        for secret, _ in _secrets(row):
            yield row["id"], f"it is {secret} here", secret
    for row in DATA["assigned"]:
        name = sampler(row["name"])
        for secret, rng in _secrets(row):
            text = rng.choice(_ASSIGNED).format(secret, name=name(rng))
            yield row["id"], text, secret


def in_formats() -> Iterator[Sample]:
    """The table of everyday formats, six values each."""
    for group, formats in FORMATS.items():
        for number, template in enumerate(formats):
            rng = random.Random(f"{group} {number}")  # noqa: S311 - the same ones every time
            for secret in passwords(rng):
                values = fields(rng, secret)
                text = template.format(secret, secret, **values)
                used = [value for name, value in values.items() if "{" + name + "}" in template]
                for part in [secret] if "{}" in template else used:
                    yield f"{group} {template}", text, max(part.split("\n"), key=len).strip("+ ")


SETS: dict[str, Callable[[], Iterator[Sample]]] = {
    "named": named,
    "carriers": in_carriers,
    "bare": bare,
    "formats": in_formats,
}


def found(samples: Iterator[Sample], redact: Callable[[str], str]) -> tuple[int, Counter[str]]:
    """The number of samples, and the missed ones by their source: those whose secret is still in the text."""
    number, missed = 0, Counter[str]()
    for source, text, secret in samples:
        number += 1
        missed[source] += secret in redact(text)
    return number, missed
