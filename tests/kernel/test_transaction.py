"""One transaction, run again where another got into its way: for commands and for end of day alike."""

from __future__ import annotations

import asyncio
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from domain import end_of_day
from domain.kernel import clock, command
from domain.kernel.context import Context
from domain.kernel.refusals import InvalidInput
from domain.kernel.transaction import RETRYABLE, TRIES, transaction
from domain.ledger import journal
from domain.ledger.account import Account
from domain.ledger.journal import Entry, Line, Voucher
from tests.support.actors import LenderAtWork

AMOUNT = Decimal("10.00")
ENTRY = Entry(
    kind="TEST",
    reference=Account(code="130301"),
    lines=[Line("130301", debit=AMOUNT), Line("4001", credit=AMOUNT)],
    summary="测试 Test",
)


class Work:
    """Posts a voucher, and is undone by the database the first few times."""

    def __init__(self, sqlstate: str, times: int) -> None:
        self.sqlstate, self.times, self.begun = sqlstate, times, 0

    async def __call__(self, ctx: Context) -> str:
        self.begun += 1
        await journal.post(ctx, ENTRY)
        if self.begun <= self.times:
            await ctx.connection.execute(text(f"do $$ begin raise sqlstate '{self.sqlstate}'; end $$"))
        return "done"


@pytest.mark.parametrize("sqlstate", sorted(RETRYABLE))
async def test_what_another_undid_is_done_again_and_once(lender: LenderAtWork, sqlstate: str) -> None:
    work = Work(sqlstate, TRIES - 1)
    assert await transaction(lender.system, work) == "done"
    assert work.begun == TRIES
    assert [row.sequence for row in await lender.rows(Voucher)] == [1]


async def test_who_was_overtaken_is_not_overtaken_again(lender: LenderAtWork) -> None:
    """Days close one after another; the second try holds the day from its beginning, and the next close waits for it."""
    closes: list[asyncio.Task[list[Any]]] = []

    async def work(ctx: Context) -> date:
        closes.append(asyncio.create_task(end_of_day.run(lender.system, through=ctx.today)))
        await (closes[0] if len(closes) == 1 else lender.until_somebody_waits())
        await journal.post(ctx, ENTRY)
        return ctx.today

    opened = date(2025, 1, 1)
    assert await transaction(lender.system, work, again=clock.take_day) == opened + timedelta(days=1)
    await closes[1]
    (voucher,) = await lender.rows(Voucher)
    assert (len(closes), voucher.business_date) == (2, opened + timedelta(days=1))


async def test_five_times_overtaken_is_enough(lender: LenderAtWork) -> None:
    work = Work("40001", TRIES)
    with pytest.raises(DBAPIError):
        await transaction(lender.system, work)
    assert work.begun == TRIES
    assert await lender.rows(Voucher) == []


async def test_what_is_wrong_in_itself_is_not_tried_again(lender: LenderAtWork) -> None:
    work = Work("22012", 1)
    with pytest.raises(DBAPIError):
        await transaction(lender.system, work)

    async def refuses(ctx: Context) -> None:
        work.begun += 1
        await journal.post(ctx, ENTRY)
        raise InvalidInput("amount")

    with pytest.raises(InvalidInput):
        await transaction(lender.system, refuses)
    assert work.begun == 2
    assert await lender.rows(Voucher) == []


def test_nobody_else_has_such_a_loop() -> None:
    loops: list[Any] = [command.transaction, end_of_day.transaction]
    assert loops == [transaction, transaction]
