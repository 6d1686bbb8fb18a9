"""Limits of transcripts, shared by all readers. Larger values are damage."""

from typing import Annotated, TypeAlias

import msgspec

MAX_LINE_BYTES = 16 * 1024 * 1024
"""A longer line is a bad record and is never kept in memory. The longest known line has 2.1 MB."""

MAX_DEPTH = 100
"""Levels of nesting in a line. Encoders fail from 254 on, our recursive functions from about 300."""

MAX_QUANTITY = 10**9
"""For tokens, attempts and positions: a thousand times the largest context window; sums stay below 64 bits."""

MAX_MS = 1e11
"""Three years. In nanoseconds it still fits into 64 bits."""

FIRST_YEAR, LAST_YEAR = 1970, 2261
"""Years of timestamps (UTC) whose nanoseconds since the epoch are positive and fit into 63 bits."""

Quantity: TypeAlias = Annotated[int, msgspec.Meta(ge=0, le=MAX_QUANTITY)]
Milliseconds: TypeAlias = Annotated[float, msgspec.Meta(ge=-MAX_MS, le=MAX_MS)]
