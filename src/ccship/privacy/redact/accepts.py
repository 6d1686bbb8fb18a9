"""Checks of a match's secret that several rules share."""

import re

from ccship.privacy.redact import values
from ccship.privacy.redact.names import names_secret


def is_secret(hit: re.Match[str]) -> bool:
    """Whether the secret is neither a placeholder nor the name of a secret."""
    return not values.is_placeholder(hit["secret"]) and not names_secret(hit["secret"])


def is_literal(hit: re.Match[str]) -> bool:
    """Whether the secret is also one word, and neither an address nor code."""
    secret = hit["secret"]
    return (
        " " not in secret
        and is_secret(hit)
        and not values.is_address(secret)
        and not values.is_mailbox(secret)
        and not values.is_code(secret, is_quoted=True)
    )


def is_password(hit: re.Match[str]) -> bool:
    """Whether the secret is a literal that can be a password."""
    return is_literal(hit) and values.looks_like_password(hit["secret"])


def is_random(hit: re.Match[str]) -> bool:
    """Whether the secret is a literal that looks random."""
    return is_literal(hit) and values.looks_random(hit["secret"])


def is_generated(hit: re.Match[str]) -> bool:
    """Whether the secret is a literal that a program generated."""
    return is_literal(hit) and values.is_token(hit["secret"]) and values.looks_generated(hit["secret"])


_LETTERS, _WORDS = re.compile(r"[A-Za-z]{8,}"), re.compile(r"[A-Z]?[a-z]+(?:[A-Z][a-z]{2,})*|[A-Z]+|[A-Z]+[a-z]{3,}")
_SHORTEST = 5


def is_typed(secret: str) -> bool:
    """Whether a value can be the secret where a program expects one: a password, or letters that are no words."""
    if (
        len(secret) < _SHORTEST
        or secret.startswith(("$", "-", "<", "@", "%"))
        or values.is_placeholder(secret)
        or names_secret(secret)
        or values.is_address(secret)
    ):
        return False
    if values.looks_like_password(secret):
        return re.fullmatch(r"\d+(?::\d+)?(?:/\w+)?", secret) is None
    return _LETTERS.fullmatch(secret) is not None and not _WORDS.fullmatch(secret)
