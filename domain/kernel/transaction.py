"""事务 · One transaction of a lender, run again where it got into the way of another. Commands and end of day use it."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeVar

from sqlalchemy.exc import DBAPIError

if TYPE_CHECKING:
    from domain.kernel.context import Context

R = TypeVar("R")

TRIES = 5
RETRYABLE = {"40001", "40P01", "55P03"}  # serialization failure, deadlock, lock time-out


async def transaction(
    ctx: Context,
    work: Callable[[Context], Awaitable[R]],
    *,
    again: Callable[[Context], Awaitable[None]] | None = None,
) -> R:
    """Runs `work` in a transaction of its own and answers what it answers. `ctx` is unbound; `work` gets the bound one.

    What the database undid because of another transaction is tried again, after a short pause, at most five times in all;
    so `work` changes nothing but the database. `again` goes before it in each further try. Raises whatever `work` or the
    commit raises otherwise, with nothing written."""
    for left in reversed(range(TRIES)):
        try:
            async with ctx.writing() as inner:
                if again and left < TRIES - 1:
                    await again(inner)
                return await work(inner)
        except DBAPIError as error:
            if left == 0 or getattr(error.orig, "sqlstate", None) not in RETRYABLE:
                raise
            await asyncio.sleep(random.randint(5, 50) * (TRIES - left) / 1000)
    raise AssertionError("unreachable")
