"""席位 · The sockets of this process among those of all: each takes a place in the catalog and gives it back.

The heartbeat tells the catalog that this process lives and what it has open; places of a process that was killed are free
again within 15 s. While the catalog is out of reach nobody is turned away.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Set
from itertools import count
from typing import Protocol
from uuid import UUID, uuid4

import structlog

from resolvers.kernel.operation import Caller
from tenancy.shared_limits import BEAT_SECONDS, Places

log = structlog.get_logger(__name__)

SWEEP_EVERY = 15  # heartbeats


class OpenSockets(Protocol):
    """What all processes have open together (`tenancy.shared_limits`)."""

    async def open_socket(
        self, socket_id: UUID, process_id: UUID, lender_id: UUID | None, person_id: UUID, places: Places
    ) -> bool: ...
    async def close_socket(self, socket_id: UUID) -> None: ...
    async def beat(self, process_id: UUID, still_open: Set[UUID]) -> None: ...
    async def end_process(self, process_id: UUID) -> None: ...
    async def sweep(self) -> None: ...


class SocketPlaces:
    """One for each process."""

    def __init__(self, everywhere: OpenSockets) -> None:
        self._everywhere = everywhere
        self._process_id = uuid4()
        self._held: set[UUID] = set()

    async def take(self, socket_id: UUID, caller: Caller, places: Places) -> bool:
        """False when the person, or the lender, has enough. What was taken or asked for must be given back."""
        self._held.add(socket_id)  # first: a heartbeat meanwhile must not take it for one that was forgotten
        lender_id = caller.lender.id if caller.lender else None
        try:
            return await self._everywhere.open_socket(socket_id, self._process_id, lender_id, caller.actor.id, places)
        except Exception as error:
            log.warning("a socket could not be counted", error=type(error).__name__)
            return True

    async def give_back(self, socket_id: UUID) -> None:
        if socket_id in self._held:
            self._held.remove(socket_id)
            await _tried(self._everywhere.close_socket(socket_id))  # should it fail, the next heartbeat says so too

    async def keep(self) -> None:
        """The heartbeat, until it is cancelled."""
        for number in count():
            await _tried(self._everywhere.beat(self._process_id, self._held))
            if number % SWEEP_EVERY == 0:
                await _tried(self._everywhere.sweep())
            await asyncio.sleep(BEAT_SECONDS)

    async def end(self) -> None:
        """The process ends in order."""
        await _tried(self._everywhere.end_process(self._process_id))


async def _tried(telling: Awaitable[None]) -> None:
    try:
        await telling
    except Exception as error:
        log.warning("the catalog could not be told of sockets", error=type(error).__name__)
