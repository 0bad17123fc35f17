"""共享限额 · What all processes count together, in the catalog: how much of a span of time is taken, and open sockets."""

from __future__ import annotations

import time
from collections.abc import Set
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, case, delete, func, insert, select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from sqlalchemy.sql.dml import ReturningInsert

from tenancy.tables import api_processes, open_sockets, rate_windows

BEAT_SECONDS = 4.0
LAPSE_SECONDS = 12
"""A process that missed three heartbeats is dead: its sockets count no more."""
KEPT_SECONDS = 600
"""Longer than any window: what is older may be swept."""


@dataclass(frozen=True, slots=True)
class Granted:
    """`count` of what was asked for; `window` tells one span from the next, which began at `begun` of time.monotonic()."""

    count: int
    window: float
    begun: float


@dataclass(frozen=True, slots=True)
class Places:
    """How many sockets may be open at once, over all processes."""

    per_person: int = 5
    per_lender: int = 500


class SharedLimits:
    """Every method is one short transaction on unlogged tables: no flush to disk."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    # ---------------------------------------------------------------- spans of time

    async def draw(self, name: str, count: int, *, most: int, seconds: float, since: float | None = None) -> Granted:
        """Takes up to `count` of the `most` that `name` may have in one window of `seconds`, by the database's clock.

        A window begins with the first who draws, or `since` a moment of time.monotonic() when they counted by
        themselves until now. One upsert, so draws at the same moment never take the same.
        """
        async with self._engine.begin() as connection:  # first: a new connection may take its time
            moment = time.monotonic()
            drawing = _draw(name, count, most=most, seconds=seconds, age=moment - (since or moment))
            taken, window, age = (await connection.execute(drawing)).one()
        return Granted(max(0, min(count, most - (taken - count))), float(window), moment - float(age))

    async def sweep(self) -> None:
        """Removes windows that lapsed and processes that died long ago."""
        long_ago = func.now() - timedelta(seconds=KEPT_SECONDS)
        async with self._engine.begin() as connection:
            await connection.execute(delete(rate_windows).where(rate_windows.c.begun_at < long_ago))
            await connection.execute(delete(api_processes).where(api_processes.c.alive_at < long_ago))

    # ---------------------------------------------------------------- sockets

    async def open_socket(
        self, socket_id: UUID, process_id: UUID, lender_id: UUID | None, person_id: UUID, places: Places
    ) -> bool:
        """False when the person, or the lender, has no place left. Two at the same moment never get the same place."""
        s = open_sockets.c
        of_the_living = (
            select(s.person_id).join(api_processes).where(_alive(), s.lender_id.is_not_distinct_from(lender_id))
        )
        counted = of_the_living.subquery()
        total = func.count()
        mine = total.filter(counted.c.person_id == person_id)
        free = select(total < places.per_lender, mine < places.per_person).select_from(counted)
        async with self._engine.begin() as connection:
            await connection.execute(select(func.pg_advisory_xact_lock(func.hashtext(f"sockets:{lender_id}"))))
            if not all((await connection.execute(free)).one()):
                return False
            await _tell_alive(connection, process_id)
            row = {"id": socket_id, "process_id": process_id, "lender_id": lender_id, "person_id": person_id}
            await connection.execute(insert(open_sockets).values(**row))
        return True

    async def close_socket(self, socket_id: UUID) -> None:
        async with self._engine.begin() as connection:
            await connection.execute(delete(open_sockets).where(open_sockets.c.id == socket_id))

    async def beat(self, process_id: UUID, still_open: Set[UUID]) -> None:
        """The heartbeat: this process lives, and has these sockets and no others.

        The set is read once the process's row is locked: a socket that is being opened is in it, or waits for the row.
        """
        s = open_sockets.c
        async with self._engine.begin() as connection:
            await _tell_alive(connection, process_id)
            forgotten = s.id.not_in(list(still_open))
            await connection.execute(delete(open_sockets).where(s.process_id == process_id, forgotten))

    async def end_process(self, process_id: UUID) -> None:
        """The process ends in order: its sockets with it."""
        async with self._engine.begin() as connection:
            await connection.execute(delete(api_processes).where(api_processes.c.id == process_id))


def _draw(name: str, count: int, *, most: int, seconds: float, age: float) -> ReturningInsert[Any]:
    """Answers what is taken now with this draw, when the window began, and how many seconds ago that was."""
    w = rate_windows.c
    lapsed = w.begun_at <= func.now() - timedelta(seconds=seconds)
    row = upsert(rate_windows).values(name=name, begun_at=func.now() - timedelta(seconds=age), taken=count)
    return row.on_conflict_do_update(
        index_elements=["name"],
        set_={
            "begun_at": case((lapsed, row.excluded.begun_at), else_=w.begun_at),
            # Never far beyond what there is, however often a client asks in vain.
            "taken": case((lapsed, row.excluded.taken), else_=func.least(w.taken, most) + count),
        },
    ).returning(w.taken, func.extract("epoch", w.begun_at), func.extract("epoch", func.now() - w.begun_at))


def _alive() -> ColumnElement[bool]:
    return api_processes.c.alive_at > func.now() - timedelta(seconds=LAPSE_SECONDS)


async def _tell_alive(connection: AsyncConnection, process_id: UUID) -> None:
    row = upsert(api_processes).values(id=process_id, alive_at=func.now())
    await connection.execute(row.on_conflict_do_update(index_elements=["id"], set_={"alive_at": func.now()}))
