"""Model names: the id that was called, the name it is priced under, the family it belongs to."""

import re
from functools import lru_cache

_NAMES = 256
"""How many are remembered: a year's sessions call a few models, each thousands of times."""

_DATED = re.compile(r"(?P<name>claude-[a-z]+-(?P<major>\d+)(?:-(?P<minor>\d{1,2}))?)-\d{8}")
_FIRST_UNDATED = (4, 6)
"""From 4-6 on Langfuse's price list knows no dated names; before, it knows them."""


@lru_cache(_NAMES)
def priced_name(model_id: str) -> str:
    """The name a price is listed under: no `[1m]`, and from 4-6 on no date."""
    name = re.sub(r"\[[^\]]*\]$", "", model_id)
    dated = _DATED.fullmatch(name)
    if dated and (int(dated["major"]), int(dated["minor"] or 0)) >= _FIRST_UNDATED:
        return dated["name"]
    return name


@lru_cache(_NAMES)
def family_of(model_id: str) -> str:
    """`opus`, `sonnet`, `haiku`, ...: the first word of the name that is no number and not `claude`."""
    words = re.findall(r"[a-z]+", re.sub(r"^.*(/|anthropic\.)", "", model_id.lower()))
    return next((word for word in words if word != "claude"), model_id)
