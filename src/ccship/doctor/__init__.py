"""What is wrong, and the one line that mends it.

`facts` looks at the machine, the settings, the state and the server; `checks` are pure functions of what was found.
"""

from ccship.doctor.checks import CHECKS, Finding
from ccship.doctor.facts import Facts, gather

__all__ = ["CHECKS", "Facts", "Finding", "gather"]
