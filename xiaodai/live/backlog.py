"""积压 · What one follower has still to take: bounded, so that a client that stops reading costs nothing.

A backlog that runs over is dropped: the follower reads on from the table, at his own pace. Only who took nothing for a
while meanwhile is too slow (GAP).
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Collection, Sequence

from domain.kernel.feed_reading import Happened

MOST_EVENTS = 1000
MOST_AT_ONCE = 50
PATIENCE_SECONDS = 5.0


class TooSlow(Exception):
    """The follower took nothing for too long while the backlog ran over."""


class Backlog:
    """Filled by the reader of the feed, emptied by one follower."""

    def __init__(self, kinds: Collection[str]) -> None:
        self._kinds = kinds
        self._rows: deque[Happened] = deque()
        self._filled = asyncio.Event()
        self._busy_since: float | None = time.monotonic()  # None while the follower waits for rows
        self._over = self._too_slow = False

    def put(self, rows: Sequence[Happened]) -> None:
        """Called by the reader with all rows; keeps those of the kinds that are followed."""
        wanted = [row for row in rows if row.kind in self._kinds]
        if not wanted:
            return
        if self._over or len(self._rows) + len(wanted) > MOST_EVENTS:
            self._rows.clear()
            self._over = True
            busy = 0.0 if self._busy_since is None else time.monotonic() - self._busy_since
            self._too_slow |= busy > PATIENCE_SECONDS
        else:
            self._rows.extend(wanted)
        self._filled.set()

    def begin_anew(self) -> None:
        """The follower reads the table from here on; what is put meanwhile is kept for afterwards. Raises TooSlow."""
        self.came_back()
        self._rows.clear()
        self._over = False

    def came_back(self) -> None:
        """The follower delivered what he had. Raises TooSlow when that took him too long."""
        if self._too_slow:
            raise TooSlow
        self._busy_since = time.monotonic()

    async def take(self) -> list[Happened]:
        """Waits for rows and answers some of them; none when the backlog ran over. Raises TooSlow."""
        self.came_back()
        self._busy_since = None
        while not self._rows and not self._over:
            self._filled.clear()
            await self._filled.wait()
        self._busy_since = time.monotonic()
        return [self._rows.popleft() for _ in range(min(len(self._rows), MOST_AT_ONCE))]
