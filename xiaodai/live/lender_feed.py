"""动态读取 · One reader of a lender's feed in this process, shared by all that follow it here.

It looks when the bell rings and at least once a second, so a lost notice costs a second, never an event. It runs as long as
anybody follows.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any, Protocol

import structlog

from domain.kernel import feed_reading
from domain.kernel.feed_reading import Beginning, Happened, Place, Read
from tenancy.current import Door, Lender

log = structlog.get_logger(__name__)

POLL_SECONDS = 1.0
HELD_BACK_SECONDS = 0.02  # doubled each time, while rows wait for an older transaction
ROWS_AT_ONCE = 500


class Listener(Protocol):
    """Whoever wants what the reader finds."""

    def put(self, rows: Sequence[Happened]) -> None: ...


class LenderFeed:
    """`lender` is as the latest follower's credential has it: the door asks for its status."""

    def __init__(self, lender: Lender, door: Door) -> None:
        self.lender = lender
        self._door = door
        self._listeners: set[Listener] = set()
        self._rung = asyncio.Event()
        self._begun = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._shared: dict[Hashable, asyncio.Task[Any]] = {}

    @property
    def followed(self) -> bool:
        return bool(self._listeners)

    def look(self) -> None:
        """The bell rang."""
        self._rung.set()

    @contextmanager
    def heard_by(self, listener: Listener) -> Iterator[None]:
        """Within the block the listener is told all that the reader finds, once the reader has `begun`."""
        self._listeners.add(listener)
        if self._task is None:
            self._task = asyncio.create_task(self._run(), name=f"feed of {self.lender.code}")
        try:
            yield
        finally:
            self._listeners.discard(listener)
            if not self._listeners:
                self.stop()

    async def begun(self) -> None:
        """From here on nothing that is written escapes the listeners."""
        await self._begun.wait()

    async def read(self, after: Place, kinds: frozenset[str] | None = None) -> Read:
        """Rows behind a place, from the table."""
        async with self._door.enter(self.lender) as connection:
            return await feed_reading.read(connection, after, ROWS_AT_ONCE, kinds)

    async def present(self) -> Beginning:
        async with self._door.enter(self.lender) as connection:
            return await feed_reading.present(connection)

    async def shared(self, name: Hashable, work: Callable[[], Awaitable[Any]]) -> Any:
        """The result of `work`, done once for all that ask under this name until something happens at the lender."""
        task = self._shared.get(name)
        if task is None:
            task = self._shared[name] = asyncio.ensure_future(work())
        try:
            return await asyncio.shield(task)  # others may wait for it as well, so it goes on when one of them leaves
        except Exception:
            self._shared.pop(name, None)
            raise

    def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            self._task = None
        self._begun.clear()
        self._shared.clear()

    async def _run(self) -> None:
        place: Place | None = None
        pause = POLL_SECONDS
        while True:
            try:
                if place is None:
                    place = (await self.present()).place
                    self._begun.set()
                found = await self.read(place)
                if found.rows:
                    place = found.rows[-1].place
                    self._tell(found.rows)
                pause = _pause_after(found, pause)
            except Exception as error:
                log.warning("a feed could not be read", lender=self.lender.code, error=type(error).__name__)
                pause = POLL_SECONDS
            if pause:
                await self._rung_or(pause)

    def _tell(self, rows: list[Happened]) -> None:
        self._shared.clear()
        for listener in self._listeners:
            listener.put(rows)

    async def _rung_or(self, seconds: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._rung.wait()
        self._rung.clear()


def _pause_after(found: Read, before: float) -> float:
    """No pause while there is more; a short one while rows are held back; else until the bell rings."""
    if len(found.rows) == ROWS_AT_ONCE:
        return 0
    if not found.held_back:
        return POLL_SECONDS
    again = HELD_BACK_SECONDS if found.rows or before in (0, POLL_SECONDS) else 2 * before
    return min(again, POLL_SECONDS)
