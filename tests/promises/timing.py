"""Whether two things take the same time: never a time itself, only their ratio, measured side by side."""

from __future__ import annotations

import statistics
import time
from collections.abc import Awaitable, Callable

PAIRS = 60
TOLERANCE = 0.2
MEASURED = 3

Act = Callable[[], Awaitable[object]]


async def ratio(one: Act, other: Act, pairs: int = PAIRS) -> float:
    """The median time of one over that of the other; they take turns, and turns at going first, so whatever else the
    machine does falls on both."""
    taken: tuple[list[float], list[float]] = ([], [])
    for number in range(pairs):
        for which in (number % 2, 1 - number % 2):
            begun = time.perf_counter()
            await (one, other)[which]()
            taken[which].append(time.perf_counter() - begun)
    return statistics.median(taken[0]) / statistics.median(taken[1])


async def differs(one: Act, other: Act) -> list[float]:
    """The ratios, when none of several measurements was within the tolerance; a real difference is there each time."""
    ratios: list[float] = []
    for _ in range(MEASURED):
        ratios.append(await ratio(one, other))
        if 1 / (1 + TOLERANCE) <= ratios[-1] <= 1 + TOLERANCE:
            return []
    return ratios
