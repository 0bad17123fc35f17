"""What the catalog counts for all processes, in memory: for applications that run without a database."""

from __future__ import annotations

import time
from collections.abc import Callable, Set
from uuid import UUID

from tenancy.shared_limits import Granted, Places


class SharedLimitsInMemory:
    """`tenancy.shared_limits.SharedLimits` by the same rules; several applications may share one."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._windows: dict[str, tuple[float, int]] = {}
        self._sockets: dict[UUID, tuple[UUID, UUID | None, UUID]] = {}
        self.draws = 0

    async def draw(self, name: str, count: int, *, most: int, seconds: float, since: float | None = None) -> Granted:
        self.draws += 1
        now = self._clock()
        begun, taken = self._windows.get(name, (0.0, 0))
        if begun <= now - seconds:
            begun, taken = since or now, 0
        granted = max(0, min(count, most - taken))
        self._windows[name] = (begun, taken + granted)
        return Granted(granted, begun, begun)

    async def open_socket(
        self, socket_id: UUID, process_id: UUID, lender_id: UUID | None, person_id: UUID, places: Places
    ) -> bool:
        others = [person for _, lender, person in self._sockets.values() if lender == lender_id]
        if len(others) >= places.per_lender or others.count(person_id) >= places.per_person:
            return False
        self._sockets[socket_id] = (process_id, lender_id, person_id)
        return True

    async def close_socket(self, socket_id: UUID) -> None:
        self._sockets.pop(socket_id, None)

    async def beat(self, process_id: UUID, still_open: Set[UUID]) -> None:
        self._sockets = {
            socket: held for socket, held in self._sockets.items() if held[0] != process_id or socket in still_open
        }

    async def end_process(self, process_id: UUID) -> None:
        await self.beat(process_id, set())

    async def sweep(self) -> None: ...
