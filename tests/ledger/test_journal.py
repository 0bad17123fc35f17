"""The journal: many vouchers in as many statements as one, numbers without gaps, and never one in a closed day."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from domain.kernel import clock
from domain.kernel.context import Context
from domain.ledger import journal, proof
from domain.ledger.account import Account
from domain.ledger.journal import Entry, Line, Voucher, VoucherLine
from domain.ledger.proof import Proof
from tenancy.connections import Overloaded
from tests.support.actors import LenderAtWork
from tests.support.client import statements

AMOUNT = Decimal("10.00")


def entry(amount: Decimal = AMOUNT) -> Entry:
    lines = [Line("130301", debit=amount), Line("4001", credit=amount)]
    return Entry(kind="TEST", reference=Account(code="130301"), lines=lines, summary="测试 Test")


async def post(ctx: Context, *wanted: Entry) -> int:
    """Posts in a transaction of its own; answers how many statements that took."""
    async with ctx.writing() as inner:
        with statements() as seen:
            await journal.post(inner, *wanted)
        return len(seen)


async def test_many_take_the_statements_of_one_and_numbers_have_no_gaps(lender: LenderAtWork) -> None:
    one = await post(lender.system, entry())
    assert await post(lender.system, *[entry() for _ in range(30)], entry(Decimal("0.00"))) == one
    with pytest.raises(RuntimeError):  # noqa: PT012 – the transaction is what fails
        async with lender.system.writing() as ctx:
            await journal.post(ctx, entry(), entry())
            raise RuntimeError("the command is rolled back, and gives its numbers back")
    await post(lender.system, entry())
    vouchers = await lender.rows(Voucher)
    assert sorted(voucher.sequence for voucher in vouchers) == list(range(1, 33))
    assert all(voucher.debit_total == voucher.credit_total == AMOUNT for voucher in vouchers)
    async with lender.system.reading() as ctx:
        assert await journal.balance(ctx, "130301") == 32 * AMOUNT


async def test_twenty_at_once_of_which_some_fail_leave_no_gap(lender: LenderAtWork) -> None:
    async def attempt(number: int) -> None:
        while True:
            try:
                return await once(number)
            except Overloaded:  # more at once than a lender has connections
                continue

    async def once(number: int) -> None:
        async with lender.system.writing() as ctx:
            await journal.post(ctx, entry(), entry())
            if number % 4 == 0:
                raise RuntimeError("this one is taken back, after its numbers were given out")

    done = await asyncio.gather(*map(attempt, range(20)), return_exceptions=True)
    assert [type(error) for error in done if error] == [RuntimeError] * 5
    vouchers = await lender.rows(Voucher)
    assert sorted(voucher.sequence for voucher in vouchers) == list(range(1, 31))
    async with lender.system.reading() as ctx:
        found = {one.proof for one in await proof.differences(ctx)}
    assert found == {Proof.SUB_LEDGER}, "there is no loan behind these entries; the numbers and all else are right"


@pytest.mark.parametrize(
    "statement",
    [
        "update vouchers set summary = ''", "delete from vouchers", "truncate vouchers cascade",
        "update voucher_lines set debit = debit + 1", "delete from voucher_lines",
        "update vouchers set debit_total = 1, credit_total = 1",
    ],
)  # fmt: skip
async def test_nobody_edits_what_was_posted(lender: LenderAtWork, statement: str) -> None:
    """With the lender's own login, which is all the program has."""
    await post(lender.system, entry())
    before = await lender.rows(Voucher), await lender.rows(VoucherLine)
    with pytest.raises(DBAPIError) as refused:
        async with lender.system.writing() as ctx:
            await ctx.connection.execute(text(statement))
    assert getattr(refused.value.orig, "sqlstate", None) == "42501", "insufficient privilege"
    assert (await lender.rows(Voucher), await lender.rows(VoucherLine)) == before


async def test_nothing_is_posted_in_a_day_that_was_closed_meanwhile(lender: LenderAtWork) -> None:
    with pytest.raises(DBAPIError) as late:  # noqa: PT012 – two transactions are needed
        async with lender.system.writing() as slow:
            async with lender.system.writing() as turning:
                await clock.open_day(turning, turning.today + timedelta(days=1))
            await journal.post(slow, entry())
    assert getattr(late.value.orig, "sqlstate", None) == "40001", "the command is run again, on the new day"
    assert await lender.rows(Voucher) == []


async def test_what_does_not_balance_is_a_mistake_of_the_program(lender: LenderAtWork) -> None:
    crooked = Entry(kind="TEST", reference=Account(code="4001"), lines=[Line("4001", debit=AMOUNT)], summary="–")
    with pytest.raises(ValueError, match="does not balance"):
        await post(lender.system, entry(), crooked)
    async with lender.system.reading() as ctx:
        assert (await ctx.connection.execute(select(Voucher.id))).all() == []
