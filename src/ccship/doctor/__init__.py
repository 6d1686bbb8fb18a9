"""Checks of the setup, each with a fix.

`facts` collects facts about the machine, the settings, the state and the server; `checks` are pure functions of them.
"""

from ccship.doctor.checks import CHECKS
from ccship.doctor.facts import Facts, gather
from ccship.doctor.finding import Finding

__all__ = ["CHECKS", "Facts", "Finding", "gather"]
