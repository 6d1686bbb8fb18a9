"""What a rule is. Owns no rule and no text: the tables and the `Redactor` do."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rule:
    """A credential shape: what it is called, what it looks like, which literals it cannot do without."""

    name: str
    pattern: str
    keywords: tuple[str, ...] = ()
