"""A planted fault of one fen in the register of collateral turns that proof red and names the mortgage."""

from datetime import date
from typing import Any

import pytest
from sqlalchemy import text

from domain.kernel.ports import Ports
from domain.ledger import journal
from domain.ledger.journal import Entry, Line
from domain.ledger.proof import Proof
from domain.lending.loan import Loan
from tests.ledger.test_proof import found, planted
from tests.support.actors import a_lender
from tests.support.loans import Lending, lending_at
from tests.support.mortgages import made, registered

OPEN = date(2025, 1, 15)
FAULTS = {
    "the value": ("mortgages", "appraised_value = appraised_value + 0.01", "number = 'DY-2025-0002'"),
    "the state": ("mortgages", "state = 'RELEASED'", "number = 'DY-2025-0002'"),
}


@pytest.fixture(scope="module")
async def lending(place: Any, ports: Ports, blueprint: Any) -> Lending:
    """Two mortgages in the register, one that is not registered yet, and a day that has passed."""
    lending = await lending_at(await a_lender(place, ports, blueprint, open_on=OPEN))
    await registered(lending.lender, await lending.pay_out())
    await registered(lending.lender, await lending.pay_out())
    await made(lending.lender, await lending.pay_out())
    await lending.close(OPEN)
    assert await found(lending) == await found(lending, daily=True) == []
    return lending


@pytest.mark.parametrize("daily", [False, True])
@pytest.mark.parametrize("fault", FAULTS)
async def test_exactly_this_proof_is_red_and_names_the_mortgage(lending: Lending, fault: str, daily: bool) -> None:
    async with planted(lending, *FAULTS[fault]):
        differences = await found(lending, daily=daily)
    assert [(one.proof, one.where) for one in differences] == [(Proof.COLLATERAL, "DY-2025-0002")]
    assert await found(lending, daily=daily) == []


async def test_a_voucher_that_is_unsound_explains_it(lending: Lending) -> None:
    second = "account = '9004' and sub_id = (select id from mortgages where number = 'DY-2025-0002')"
    async with planted(lending, "voucher_lines", "debit = debit + 0.01", second):
        differences = await found(lending)
    assert [one.proof for one in differences] == [Proof.VOUCHERS]


async def test_what_bears_no_mortgages_key_is_found_by_its_voucher(place: Any, ports: Ports, blueprint: Any) -> None:
    lending = await lending_at(await a_lender(place, ports, blueprint, open_on=OPEN))
    loan_id = await lending.pay_out()
    async with lending.lender.system.writing() as ctx:
        lines = [Line("9004", debit=journal.ZERO + 1, sub_id=loan_id), Line("9999", credit=journal.ZERO + 1)]
        await journal.post(ctx, Entry(kind="STRAY", reference=Loan(id=loan_id), lines=lines, summary="串户"))
        number = text("select number from vouchers where kind = 'STRAY'")
        expected = (await ctx.connection.execute(number)).scalar_one()
    for daily in (False, True):
        shown = [(one.proof, one.where) for one in await found(lending, daily=daily)]
        assert (Proof.COLLATERAL, expected) in shown
