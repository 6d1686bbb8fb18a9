"""Names that transcripts contain, such as branches and tools, without likely credentials: the ledger keeps them."""

import re
from functools import cache, lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ccship.privacy.redact import Redactor

_LONGEST = 200
"""Characters of a name that are kept."""

_HARMLESS = re.compile(
    r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
    r"|(?=.{0,80}\Z)[-_/.]{0,3}(?:WORD(?:[-_/.]{1,3}WORD)*[-_/.]{0,3})?".replace(
        "WORD", "(?:[A-Za-z]{1,15}[0-9]{0,8}|[0-9]{1,8})"
    )
)
"""A uuid, or words and numbers: no credential has this form, so the rules, which take long to load, are not needed.

Words are not empty: otherwise a row of separators could be divided in exponentially many ways.
"""


@lru_cache(maxsize=4096)
def stored_name(text: str) -> str:
    """Return a name as the ledger stores it: redacted, printable, and cut."""
    if not _HARMLESS.fullmatch(text):
        text = "".join(character if character.isprintable() else " " for character in _redactor().text(text))
    return text[:_LONGEST]


@cache
def _redactor() -> "Redactor":
    from ccship.privacy.redact import Redactor  # noqa: PLC0415 - takes longer than a report, and few names need it

    return Redactor()
