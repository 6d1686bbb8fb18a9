"""Made-up credentials of every shape that is redacted, built from pieces: no scanner takes them for real ones."""

from typing import NamedTuple


class Canary(NamedTuple):
    """`text` holds `secret`, which `rule` must take out: whatever leaves this machine must not contain `secret`."""

    rule: str
    text: str
    secret: str


CANARIES: list[Canary] = []
