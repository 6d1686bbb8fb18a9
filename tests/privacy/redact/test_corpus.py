"""What the rules do to other people's sessions, which hold next to no secrets."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from ccship.privacy.redact import Redactor
from conftest import FIXTURES, SHARED

CORPUS = SHARED / "corpus"
MOST = 0.00001
"""Of all strings, ten in a million may change; read one by one, those that change today hold passwords and tokens."""


def strings_in(folder: Path) -> Iterator[str]:
    """Every string of every line, keys too."""
    for path in sorted(folder.rglob("*.jsonl")):
        for line in path.read_bytes().splitlines():
            try:
                yield from strings_of(orjson.loads(line))
            except orjson.JSONDecodeError:
                continue


def strings_of(value: Any) -> Iterator[str]:
    match value:
        case str():
            yield value
        case dict():
            for key, item in value.items():
                yield key
                yield from strings_of(item)
        case list():
            for item in value:
                yield from strings_of(item)


def changed_in(folder: Path) -> tuple[int, Counter[str]]:
    """How many strings there are, and which ones do not stay."""
    redactor, number, changed = Redactor(), 0, Counter[str]()
    for text in strings_in(folder):
        number += 1
        if redactor.text(text) != text:
            changed[text] += 1
    assert redactor.errors == 0
    return number, changed


@pytest.mark.skipif(not CORPUS.is_dir(), reason="other people's sessions are not beside this checkout")
def test_other_peoples_sessions_stay_as_they_are() -> None:
    """All but ten in a million of their strings, which includes their real secrets."""
    number, changed = changed_in(CORPUS)
    assert number > 1_000_000
    assert changed.total() <= MOST * number


def test_the_fixtures_stay_as_they_are() -> None:
    """They hold no secret."""
    number, changed = changed_in(FIXTURES / "claude")
    assert number > 10_000
    assert changed == {}
