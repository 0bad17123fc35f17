"""租户之门 · The only way into a lender's schema.

A connection logged in as that lender's own role, and one transaction whose first text sets the search path and all
time-outs LOCAL (tenancy.md §2). Code without the door reaches no lender; an injected statement reaches one.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from functools import lru_cache
from typing import Any

from sqlalchemy.dialects.postgresql.asyncpg import AsyncAdapt_asyncpg_dbapi
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncTransaction

from tenancy.address import driver_arguments
from tenancy.connections import Connections, Overloaded
from tenancy.lender import ACTIVE, CLOSED, PROVISIONING, SUSPENDED, Lender
from tenancy.naming import check_installation, quote
from tenancy.passwords import lender_password

__all__ = [
    "ACTIVE",
    "CLOSED",
    "PROVISIONING",
    "SUSPENDED",
    "Door",
    "Lender",
    "LenderNotOpen",
    "Overloaded",
    "schema_changed",
]


class LenderNotOpen(Exception):
    """The lender is suspended, closed or not ready; `status` says which."""

    def __init__(self, lender: Lender) -> None:
        super().__init__(f"lender {lender.code} is {lender.status}")
        self.status = lender.status


def schema_changed(error: Exception) -> bool:
    """A migration changed a column's type under a prepared statement. Run the whole transaction again, once.

    The first such error makes every connection of the process prepare anew, so it comes once for each migration.
    """
    cause = error.orig if isinstance(error, DBAPIError) else None
    return isinstance(cause, AsyncAdapt_asyncpg_dbapi.InvalidCachedStatementError)


@lru_cache(maxsize=4096)
def opening(schema: str, write: bool, statement_seconds: int) -> str:
    """BEGIN and its settings in one text. A read sees one moment; a command locks rows and sees what is committed."""
    begin = "BEGIN" if write else "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
    return (
        f"{begin};SET LOCAL search_path={quote(schema)};SET LOCAL statement_timeout={statement_seconds * 1000}"
        ";SET LOCAL lock_timeout=3000;SET LOCAL idle_in_transaction_session_timeout=15000"
    )


async def _rolled_back(transaction: AsyncTransaction) -> bool:
    """Whether that went well; what was wrong before is what is told."""
    try:
        if transaction.is_active:
            await transaction.rollback()
    except Exception:
        return False
    return True


class Door:
    """One for each process, made in its event loop.

    `app_url` gives host, port and database; its login is never used here. `servers` names further PostgreSQL servers,
    for lenders whose placement is not "main". The cap times the processes must stay below the server's
    `max_connections`.
    """

    def __init__(
        self,
        app_url: str,
        installation: str,
        master_secret: bytes,
        *,
        cap: int = 20,
        per_lender: int | None = None,
        patience_seconds: float = 1.0,
        servers: Mapping[str, str] | None = None,
    ) -> None:
        self._installation = check_installation(installation)
        self._master_secret = master_secret
        self._servers = {"main": app_url, **(servers or {})}
        share = per_lender or max(1, cap * 3 // 4)  # a noisy lender leaves room for the others
        self._connections = Connections(
            app_url, self._login, cap=cap, per_lender=share, patience_seconds=patience_seconds
        )

    @asynccontextmanager
    async def enter(
        self, lender: Lender, *, write: bool = False, statement_seconds: int = 8
    ) -> AsyncIterator[AsyncConnection]:
        """One transaction inside the lender's schema: committed when the block ends well, rolled back otherwise.

        Raises LenderNotOpen unless the lender is active, Overloaded when no connection comes free in time.
        """
        if lender.status != ACTIVE:
            raise LenderNotOpen(lender)
        kept = await self._connections.take(lender)
        keep = False
        try:
            kept.driver.opening = opening(lender.schema, write, statement_seconds)
            transaction = await kept.connection.begin()
            try:
                yield kept.connection
                if not write and kept.connection.invalidated:  # one of several readers was cancelled in a statement
                    await transaction.rollback()
                elif transaction.is_active:
                    await transaction.commit()
                keep = not kept.connection.invalidated
            except (
                Exception
            ):  # being cancelled is none: another reader may be in a statement, and the connection is cut
                keep = await _rolled_back(transaction)
                raise
        finally:
            await self._connections.give_back(kept, keep=keep)

    async def close(self) -> None:
        await self._connections.close()

    def _login(self, lender: Lender) -> dict[str, Any]:
        if lender.installation != self._installation:
            raise ValueError(f"lender {lender.code} belongs to another installation")
        password = lender_password(self._master_secret, self._installation, lender.code, lender.password_generation)
        return {**driver_arguments(self._servers[lender.server]), "user": lender.role, "password": password}
