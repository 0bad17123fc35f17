"""Entrusted money to the last fen: one wrong figure around it turns one proof red, that of the thing that is wrong."""

from __future__ import annotations

from datetime import date
from decimal import Decimal as D
from typing import Any

import pytest

from domain.configuration.company_account import AccountUse
from domain.kernel.ports import Ports
from domain.ledger import journal
from domain.ledger.journal import Entry, Line
from domain.ledger.proof import Proof
from domain.lending.loan import Loan
from tests.ledger.test_proof import found, planted
from tests.support.actors import a_lender
from tests.support.desk import a_company_account
from tests.support.entrusting import Trust, a_trust

OPEN = date(2026, 1, 15)
HERE = "sub_id in (select id from company_accounts where cast(uses as text) like '%ENTRUSTED%')"


@pytest.fixture(scope="module")
async def trust(place: Any, ports: Ports, blueprint: Any) -> Trust:
    """1,200,000.00 came in yesterday, 1,000,000.00 are lent, no fee was taken: the account holds just what is owed."""
    made = await a_trust(await a_lender(place, ports, blueprint, open_on=OPEN))
    await made.came_in("1200000.00")
    await made.lend("1000000.00")
    assert await made.balance() == D("200000.00")
    (closed,) = await made.lending.close(OPEN)
    assert closed.ledger_balanced
    assert await found(made.lending) == await found(made.lending, daily=True) == []
    return made


@pytest.mark.parametrize("daily", [False, True])
@pytest.mark.parametrize("change", ["debit = debit - 0.01", "credit = credit + 0.01", "debit = debit + 0.01"])
async def test_a_turnover_of_the_bank_account(trust: Trust, change: str, daily: bool) -> None:
    """Of an earlier day, too: the daily proof looks further back where money seems to be missing."""
    async with planted(trust.lending, "account_days", change, f"account = '1002' and {HERE}"):
        differences = await found(trust.lending, daily=daily)
    seen = [(one.proof, one.where) for one in differences]
    unseen = daily and change == "debit = debit + 0.01"  # more money than is owed may be the lender's fee
    assert seen == ([] if unseen else [(Proof.BALANCES, "1002 2026-01-15")]), [*map(str, differences)]
    assert await found(trust.lending, daily=daily) == []


@pytest.mark.parametrize("sign", ["+", "-"])
@pytest.mark.parametrize(
    ("account", "side"), [("1002", "debit"), ("1002", "credit"), ("1321", "debit"), ("2314", "credit")]
)
async def test_a_line_of_a_voucher(trust: Trust, account: str, side: str, sign: str) -> None:
    where = f"account = '{account}' and {side} > 0"
    async with planted(trust.lending, "voucher_lines", f"{side} = {side} {sign} 0.01", where):
        differences = await found(trust.lending)
    assert [one.proof for one in differences] == [Proof.VOUCHERS], [*map(str, differences)]
    assert await found(trust.lending) == []


async def test_a_sound_voucher_that_the_loan_knows_nothing_of(trust: Trust) -> None:
    """A fen less is lent than the fold says, so a fen more is owed to the entrustor than is there."""
    (loan,) = await trust.lending.loans()
    for less, more in (("1321", "224101"), ("224101", "1321")):
        async with trust.lender.system.writing() as ctx:
            lines = [Line(more, debit=D("0.01"), sub_id=loan.id), Line(less, credit=D("0.01"), sub_id=loan.id)]
            await journal.post(ctx, Entry(kind="TEST", reference=Loan(id=loan.id), lines=lines, summary="测试"))
        if less == "1321":
            for daily in (False, True):
                differences = await found(trust.lending, daily=daily)
                assert {(one.proof, one.loan_id) for one in differences} == {(Proof.SUB_LEDGER, loan.id)}
    assert await found(trust.lending) == []


async def test_money_that_is_really_gone(trust: Trust) -> None:
    """A sound voucher and its turnover say that it went to the lender's own account: nothing else is wrong."""
    own = await a_company_account(trust.lender, "110000000777", uses=(AccountUse.COLLECT,), opening_balance=D("0.00"))
    for out, into in ((trust.account.id, own.id), (own.id, trust.account.id)):
        async with trust.lender.system.writing() as ctx:
            lines = [Line("1002", debit=D("0.01"), sub_id=into), Line("1002", credit=D("0.01"), sub_id=out)]
            await journal.post(ctx, Entry(kind="TEST", reference=trust.account, lines=lines, summary="测试"))
        if into == own.id:
            for daily in (False, True):
                (red,) = await found(trust.lending, daily=daily)
                assert (red.proof, str(red.expected), str(red.found)) == (Proof.ENTRUSTED, "≥ 200000.00", "199999.99")
    assert await found(trust.lending) == []
