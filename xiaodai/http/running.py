"""停用即止 · Operations that run while their lender is suspended: they end within seconds, like its sessions and sockets."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from uuid import UUID

import structlog

log = structlog.get_logger(__name__)

LOOK_SECONDS = 1.0

IsOpen = Callable[[UUID], Awaitable[bool]]
"""Whether the lender with this id may work now."""


class Running:
    """All operations of one process that run now, each with the time-out that can end it."""

    def __init__(self, is_open: IsOpen) -> None:
        self._is_open = is_open
        self._lenders: dict[asyncio.Timeout, UUID] = {}
        self._stopped: set[asyncio.Timeout] = set()

    @contextmanager
    def noted(self, lender_id: UUID | None, limit: asyncio.Timeout) -> Iterator[None]:
        """While the block runs, a suspension of this lender ends it."""
        if lender_id is not None:
            self._lenders[limit] = lender_id
        try:
            yield
        finally:
            self._lenders.pop(limit, None)

    def was_stopped(self, limit: asyncio.Timeout) -> bool:
        """True when it was a suspension, not its own time, that ended the operation. To be asked once."""
        stopped = limit in self._stopped
        self._stopped.discard(limit)
        return stopped

    async def watch(self) -> None:
        """Until it is cancelled: looks every second, and asks only about lenders for whom something runs."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            for lender_id in set(self._lenders.values()):
                try:
                    is_open = await self._is_open(lender_id)
                except Exception as error:
                    log.warning("a lender could not be looked up", error=type(error).__name__)
                    continue
                if not is_open:
                    self._stop(lender_id)

    def _stop(self, lender_id: UUID) -> None:
        now = asyncio.get_running_loop().time()
        for limit in [limit for limit, of in self._lenders.items() if of == lender_id]:
            self._lenders.pop(limit)
            self._stopped.add(limit)
            limit.reschedule(now)
