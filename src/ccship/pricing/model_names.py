"""Names of models: the id in a call, the name in price lists, the family."""

import re
from functools import lru_cache

_NAMES = 256
"""Cache size: a year's sessions use a few models, each thousands of times."""

_DATED = re.compile(r"(?P<name>claude-[a-z]+-(?P<major>\d+)(?:-(?P<minor>\d{1,2}))?)-\d{8}")
_FIRST_UNDATED = (4, 6)
"""From 4-6 on, Langfuse's price list has no dated names; before, it has."""


@lru_cache(_NAMES)
def priced_name(model_id: str) -> str:
    """Return the name in price lists: without `[1m]`, and from 4-6 on without a date."""
    name = re.sub(r"\[[^\]]*\]$", "", model_id)
    dated = _DATED.fullmatch(name)
    if dated and (int(dated["major"]), int(dated["minor"] or 0)) >= _FIRST_UNDATED:
        return dated["name"]
    return name


@lru_cache(_NAMES)
def family_of(model_id: str) -> str:
    """Return the family (`opus`, `sonnet`, `haiku`, ...): the first word that is not a number or `claude`."""
    words = re.findall(r"[a-z]+", re.sub(r"^.*(/|anthropic\.)", "", model_id.lower()))
    return next((word for word in words if word != "claude"), model_id)
