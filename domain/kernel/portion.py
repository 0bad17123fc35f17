"""一部分 · What a step of end of day does in one transaction, when the whole of it would keep one open for long.

A step in parts has the shape `async def step(ctx, day, after) -> Portion`. It does what comes next behind `after` (a key, None
at first), at most `MOST` rows, and answers how many it did and where it stopped; it is asked again until nothing is left.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

MOST = 5000


class Portion(NamedTuple):
    """How many were done, and the last of them; None when nothing is left."""

    done: int
    reached: UUID | None = None

    @classmethod
    def of(cls, keys: Sequence[UUID]) -> Portion:
        """These were done, in order, of at most `MOST` that were looked for."""
        return cls(len(keys), keys[-1] if len(keys) >= MOST else None)
