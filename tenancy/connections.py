"""连接 · Connections kept by lender, under one cap for the process.

A connection is logged in as one lender's role and never serves another. At the cap the longest idle one, whoever's it
is, is closed first. Whatever comes back in doubt (cancelled, broken, a transaction still open) is cut, not mended.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import asyncpg  # type: ignore[import-untyped]
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from sqlalchemy.pool import NullPool

from tenancy.address import engine_url
from tenancy.lender import Lender


class Overloaded(Exception):
    """No connection came free within the patience: the caller should answer 503 and the client try again."""


class Opening:
    """One transaction whose BEGIN and settings travel as one text. SQLAlchemy calls only these three."""

    def __init__(self, connection: asyncpg.Connection, text: str) -> None:
        self.connection, self.text = connection, text

    async def start(self) -> None:
        await self.connection.execute(self.text)  # no arguments, so one simple query may hold several statements

    async def commit(self) -> None:
        await self.connection.execute("COMMIT")

    async def rollback(self) -> None:
        await self.connection.execute("ROLLBACK")


class DoorConnection(asyncpg.Connection):
    """An unset opening means a bare read: SQLAlchemy's own first look at a server comes this way too."""

    __slots__ = ("opening",)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.opening: str | None = None

    def transaction(self, **_: Any) -> Opening:
        text, self.opening = self.opening or "BEGIN READ ONLY", None  # one opening serves one transaction
        return Opening(self, text)


@dataclass(slots=True, eq=False)
class Kept:
    """An open connection of one lender and the driver's connection beneath it."""

    lender_id: UUID
    connection: AsyncConnection
    driver: DoorConnection
    idle_since: float = 0.0

    @property
    def clean(self) -> bool:
        return not (self.driver.is_closed() or self.driver.is_in_transaction() or self.connection.in_transaction())


Login = Callable[[Lender], dict[str, Any]]
_login: ContextVar[dict[str, Any]] = ContextVar("login of the connection being opened")


class Connections:
    """At most `cap` open connections, at most `per_lender` of them in use by one lender.

    `login` answers the driver arguments (user, password, host …) of a lender. One engine, and so one cache of compiled
    statements, serves all lenders; SQLAlchemy's pool is out of it because it knows no lenders.
    """

    def __init__(self, address: str, login: Login, *, cap: int, per_lender: int, patience_seconds: float) -> None:
        self._engine = create_async_engine(
            engine_url(address),
            poolclass=NullPool,
            connect_args={"connection_class": DoorConnection},
            hide_parameters=True,  # an error's text may be logged; what people typed may not
        )
        event.listen(self._engine.sync_engine, "do_connect", _use_login)
        self._login = login
        self._cap, self._per_lender, self._patience = cap, per_lender, patience_seconds
        self._leases = asyncio.Semaphore(cap)
        self._turns: dict[UUID, asyncio.Semaphore] = {}
        self._idle: dict[UUID, list[Kept]] = {}
        self.open = 0

    async def take(self, lender: Lender) -> Kept:
        """A connection of this lender: his idle one, or a new one. Raises Overloaded after the patience."""
        turn = self._turns.setdefault(lender.id, asyncio.Semaphore(self._per_lender))
        await self._wait_for(turn)
        try:
            await self._wait_for(self._leases)
            try:
                return await self._idle_of(lender.id) or await self._make(lender)
            except BaseException:
                self._leases.release()
                raise
        except BaseException:
            turn.release()
            raise

    async def give_back(self, kept: Kept, *, keep: bool) -> None:
        """Ends a `take`. With `keep` false, or in doubt, the connection is cut."""
        self._turns[kept.lender_id].release()
        self._leases.release()
        if keep and kept.clean:
            kept.idle_since = time.monotonic()
            self._idle.setdefault(kept.lender_id, []).append(kept)
        else:
            await self._cut(kept)

    async def close(self) -> None:
        for kept in [kept for stack in self._idle.values() for kept in stack]:
            await self._cut(kept)
        self._idle.clear()
        await self._engine.dispose()

    async def _wait_for(self, semaphore: asyncio.Semaphore) -> None:
        if not semaphore.locked():
            await semaphore.acquire()  # at once; a timer for each request would cost more than the rest of this file
            return
        try:
            async with asyncio.timeout(self._patience):
                await semaphore.acquire()
        except TimeoutError:
            raise Overloaded from None

    async def _idle_of(self, lender_id: UUID) -> Kept | None:
        """The latest idle one, its caches warm; those the server closed meanwhile are dropped on the way."""
        stack = self._idle.get(lender_id, [])
        while stack:
            kept = stack.pop()
            if not stack:
                del self._idle[lender_id]
            if not kept.driver.is_closed():
                return kept
            await self._cut(kept)
        return None

    async def _make(self, lender: Lender) -> Kept:
        """Opens a connection, and makes room for it first when the cap is reached."""
        full = self.open >= self._cap
        self.open += 1  # before anything waits, or two callers would take the same place
        token = _login.set(self._login(lender))
        try:
            if full:
                await self._cut(self._longest_idle())
            connection = await self._engine.connect()
            try:
                raw = await connection.get_raw_connection()
                driver: Any = raw.driver_connection
                return Kept(lender.id, connection, driver)
            except BaseException:
                await connection.close()
                raise
        except BaseException:
            self.open -= 1
            raise
        finally:
            _login.reset(token)

    def _longest_idle(self) -> Kept:
        """There is one: fewer than `cap` connections are in use while the caller holds a lease without one."""
        stack = min(self._idle.values(), key=lambda stack: stack[0].idle_since)
        kept = stack.pop(0)
        if not stack:
            del self._idle[kept.lender_id]
        return kept

    async def _cut(self, kept: Kept) -> None:
        kept.driver.terminate()  # at once and without waiting: this also runs while the caller is being cancelled
        self.open -= 1
        await asyncio.shield(_forget(kept))  # whoever is cancelled once more leaves it to end by itself


async def _forget(kept: Kept) -> None:
    with suppress(Exception):
        await kept.connection.invalidate()
        await kept.connection.close()


def _use_login(_dialect: Any, _record: Any, _args: Any, arguments: dict[str, Any]) -> None:
    """SQLAlchemy is about to connect: as the lender, not as the login of the engine's address."""
    arguments.update(_login.get())
