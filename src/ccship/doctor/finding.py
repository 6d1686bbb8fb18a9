"""A problem that a check found."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """A problem and its fix: a command if there is one."""

    problem: str
    fix: str
