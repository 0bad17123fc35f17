"""推进借据 · Carries the loans that must be looked at into the open day: chunks, a transaction each, several at once.

A chunk takes loans that nobody else has in hand, so any number of runners, in this process and in others, share the work and
none waits for another. A loan that cannot be carried is set aside with its reason, and the others go on.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

from domain.kernel.transaction import transaction
from domain.lending.loan import book

if TYPE_CHECKING:
    from domain.kernel.context import Context

LOANS_IN_A_CHUNK = 500
MANY_LOANS = 2_000
"""From more loans on each step of a night has a transaction of its own; those of fewer are short together (0.2 s)."""
CHUNKS_AT_ONCE = 2
"""While the server stores one chunk, the next is folded."""
LOOK_AGAIN = timedelta(milliseconds=50)

Tell = Callable[["Context"], None]
"""Is told, in the transaction of each chunk, that so much is done; it may announce that."""


async def carry_all(ctx: Context, tell: Tell) -> None:
    """Until no loan waits, those that other runners have in hand included. `ctx` is unbound."""
    while True:
        failed = await _runners(ctx, tell)
        if failed is not None and not await _one_by_one(ctx):  # one of them is broken: find it, and let the others pass
            raise failed
        async with ctx.reading() as reading:
            if not await book.waiting(reading, 1):
                return
        await asyncio.sleep(LOOK_AGAIN.total_seconds())


async def carry_some(ctx: Context, tell: Tell) -> None:
    """Until every loan that waits is in somebody's hands. A chunk that fails is left alone. `ctx` is unbound."""
    while await transaction(ctx, partial(_chunk, tell=tell)) == LOANS_IN_A_CHUNK:
        pass


async def _runners(ctx: Context, tell: Tell) -> Exception | None:
    """Several at once; answers what made one of them stop."""
    results = await asyncio.gather(*(carry_some(ctx, tell) for _ in range(CHUNKS_AT_ONCE)), return_exceptions=True)
    for result in results:
        if result is not None and not isinstance(result, Exception):
            raise result
    return next((result for result in results if isinstance(result, Exception)), None)


async def _chunk(ctx: Context, *, tell: Tell) -> int:
    carried = await book.carry_next(ctx, most=LOANS_IN_A_CHUNK)
    if carried:
        tell(ctx)
    return len(carried)


async def _one_by_one(ctx: Context) -> bool:
    """Carries the next loans, each in a transaction of its own, and sets aside those that fail. Answers whether any was left."""
    async with ctx.reading() as reading:
        waiting = await book.waiting(reading, LOANS_IN_A_CHUNK)
    for loan_id in waiting:
        try:
            await transaction(ctx, partial(book.carry_one, loan_id=loan_id))
        except Exception as error:
            await transaction(ctx, partial(book.set_aside, loan_id=loan_id, error=error))
    return bool(waiting)
