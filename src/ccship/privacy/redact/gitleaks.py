"""The rules of gitleaks, vendored as data: `gitleaks.json`, written by `tests/recall/vendor_gitleaks.py`.

Separates a name from its secret in running text, where a secret may end in a comma or be quoted for JSON. The names and
the shapes of secrets are gitleaks'.
"""

import math
import re
from collections import Counter
from functools import partial
from pkgutil import get_data
from typing import Any

import orjson

from ccship.privacy.redact.rules import START, Rule
from ccship.privacy.redact.scan import compiled

DATA: dict[str, Any] = orjson.loads(get_data(__package__, "gitleaks.json") or b"")
LICENCE = "gitleaks.LICENSE"

_OPERATOR = (
    r"[ \t\w.-]{0,30}+"  # the rest of the name
    r"(?>(?:[\s'\"`\\)\]]|\*\*){0,6})(?::{1,3}=|\|\||=>|->|\?=|[=>:,|(])"
    r"(?>(?:[\s'\"`\\=(]|\|){0,8})(?:(?i:bearer|token|basic)[ ])?"
)
_WORD_END = r"(?![A-Za-z0-9])"
_VALUE_END = r"(?![\w+-])"
_REST = r"[\w-]*+"
"""The text after a secret of fixed length that continues: a newer, longer kind."""


def _rules() -> tuple[Rule, ...]:
    assigned = [
        Rule(
            row["id"],
            f"(?a){row['name']}{_OPERATOR}(?P<secret>{row['secret']}){_VALUE_END}",
            tuple(row["keywords"]),
            accept=_accept(row),
        )
        for row in DATA["assigned"]
    ]
    shaped = [
        Rule(
            row["id"],
            f"(?a){START}(?P<secret>{row['pattern']}){_WORD_END}"
            if row["is_word"]
            else f"(?a)(?P<secret>{row['pattern']})",
            tuple(row["keywords"]),
            lead=row.get("lead", 0),
            accept=_accept(row),
            rest="" if row["is_word"] else _REST,
        )
        for row in DATA["shaped"]
    ]
    return (*shaped, *assigned)


def _accept(row: dict[str, Any]) -> Any:
    needs_digit = "name" in row  # a name is not enough: `sentry: abcdefghijklmnopqrstuvwx` may be anything
    return partial(_is_secret, row.get("entropy", 0.0), tuple(row.get("allowed", ())), needs_digit)


def _is_secret(entropy: float, allowed: tuple[str, ...], needs_digit: bool, hit: re.Match[str]) -> bool:
    secret = hit["secret"]
    return (
        entropy_of(secret) > entropy
        and not (needs_digit and not compiled(r"\d").search(secret))
        and not any(word in secret.lower() for word in DATA["stopwords"])
        and not any(compiled(pattern).search(secret) for pattern in (*allowed, *DATA["allowed"]))
    )


def entropy_of(text: str) -> float:
    """Return Shannon's entropy in bits per character."""
    return -sum(count / len(text) * math.log2(count / len(text)) for count in Counter(text).values())


RULES = _rules()
