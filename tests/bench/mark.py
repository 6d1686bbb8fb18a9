"""A number beside what it is compared with."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

NAME_WIDTH = 72

Unit: TypeAlias = Literal["ms", "s", "MB", "MB/s", "spans/s", "workers"]


@dataclass(frozen=True)
class Mark:
    """`here` may be `limit` times the `reference` at most; a rate (something a second) must be that at least.

    A `limit` of None: nobody asked for it, it is there to be seen.
    """

    name: str
    here: float
    reference: float
    limit: float | None
    unit: Unit = "ms"

    @property
    def ratio(self) -> float:
        return self.here / self.reference

    @property
    def is_missed(self) -> bool:
        if self.limit is None:
            return False
        return self.ratio < self.limit if self.unit.endswith("/s") else self.ratio > self.limit

    def __str__(self) -> str:
        sign = "" if self.limit is None else f"{'>=' if self.unit.endswith('/s') else '<='} {self.limit:g}"
        return (
            f"{self.name:<{NAME_WIDTH}}{self.here:>9.4g} {self.unit:<8}{self.reference:>9.4g}{self.ratio:>8.2f}  {sign}"
        )


HEAD = f"{'measured':<{NAME_WIDTH}}{'here':>9} {'':<8}{'reference':>9}{'ratio':>8}  mark"
