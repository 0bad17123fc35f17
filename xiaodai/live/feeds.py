"""关注 · The `live` port: whoever follows a lender's feed goes through here. One for each process.

Following is reading the table from a place on, and then being told by the lender's reader: what the reader told meanwhile is
kept, and what was read already is left out, so nothing is lost or doubled at the seam.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Hashable, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import Any
from uuid import UUID

from domain.kernel.feed_reading import Beginning, Happened, Place
from resolvers.kernel.subscribing import Gap
from tenancy.current import Door, Lender
from tenancy.wake import FEED, Bell
from xiaodai.live.backlog import MOST_AT_ONCE, Backlog, TooSlow
from xiaodai.live.lender_feed import LenderFeed

SECONDS_BETWEEN_CHANGES = 1.0
READING_AT_ONCE = 4


class Feeds:
    """`bell` must not be started yet."""

    def __init__(self, door: Door, bell: Bell) -> None:
        self._door = door
        self._open: dict[UUID, LenderFeed] = {}
        self._turns = asyncio.Semaphore(READING_AT_ONCE)
        bell.listen(FEED, self._heard)

    async def follow(
        self, lender: Lender, kinds: frozenset[str], after: Place | None
    ) -> AsyncGenerator[list[Happened]]:
        """Rows of these kinds behind a place (None: from now on), a few at a time, without end. Raises Gap."""
        backlog = Backlog(kinds)
        with self._joined(lender, backlog) as feed:
            await feed.begun()
            start = Beginning(after) if after else await self._from_now(feed)
            place = start.place
            try:
                while True:
                    backlog.begin_anew()
                    while rows := await self._read(feed, place, kinds):
                        for few in _portions([row for row in rows if not start.leaves_out(row)]):
                            yield few
                            place = few[-1].place
                            backlog.came_back()
                        place = rows[-1].place
                    while rows := await backlog.take():
                        fresh = [row for row in rows if row.place > place and not start.leaves_out(row)]
                        if fresh:
                            yield fresh
                            place = fresh[-1].place
            except TooSlow:
                raise Gap(place) from None

    async def changes(self, lender: Lender, modules: tuple[str, ...]) -> AsyncGenerator[None]:
        """Once at the beginning, then whenever something happened in these modules, at most once a second."""
        stir = Stir(modules)
        with self._joined(lender, stir) as feed:
            await feed.begun()
            while True:
                stir.happened.clear()
                told_at = time.monotonic()
                yield
                await stir.happened.wait()
                await asyncio.sleep(max(0.0, told_at + SECONDS_BETWEEN_CHANGES - time.monotonic()))

    @asynccontextmanager
    async def turn(self) -> AsyncGenerator[None]:
        """Whoever reads for a follower waits for his turn: an event that a thousand follow takes no more connections than one
        that few do, and leaves the others to requests."""
        async with self._turns:
            yield

    async def shared(self, lender: Lender, name: Hashable, work: Callable[[], Awaitable[Any]]) -> Any:
        """Done once for all followers of a lender that ask under one name, until something happens there."""
        feed = self._open.get(lender.id)
        return await (feed.shared(name, work) if feed else work())

    def close(self) -> None:
        for feed in self._open.values():
            feed.stop()

    async def _read(self, feed: LenderFeed, place: Place, kinds: frozenset[str]) -> list[Happened]:
        async with self._turns:
            return (await feed.read(place, kinds)).rows

    async def _from_now(self, feed: LenderFeed) -> Beginning:
        async with self._turns:
            return await feed.present()

    @contextmanager
    def _joined(self, lender: Lender, listener: Any) -> Any:
        feed = self._open.setdefault(lender.id, LenderFeed(lender, self._door))
        feed.lender = lender
        try:
            with feed.heard_by(listener):
                yield feed
        finally:
            if not feed.followed and self._open.get(lender.id) is feed:
                del self._open[lender.id]

    def _heard(self, lender_id: str) -> None:
        """Without a name some notices may be missed: all look."""
        for feed in self._open.values():
            if lender_id in ("", str(feed.lender.id)):
                feed.look()


class Stir:
    """Notes that something happened in one of these modules, not what."""

    def __init__(self, modules: tuple[str, ...]) -> None:
        self._modules = modules
        self.happened = asyncio.Event()

    def put(self, rows: Sequence[Happened]) -> None:
        if any(row.kind.startswith(self._modules) for row in rows):
            self.happened.set()


def _portions(rows: list[Happened]) -> list[list[Happened]]:
    return [rows[start : start + MOST_AT_ONCE] for start in range(0, len(rows), MOST_AT_ONCE)]
