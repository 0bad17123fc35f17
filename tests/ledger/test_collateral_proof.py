"""A planted fault of one fen in the register of collateral, or in what was taken over, turns that proof red and names it."""

from datetime import date
from typing import Any

import pytest
from sqlalchemy import text

from domain.kernel.ports import Ports
from domain.ledger import journal
from domain.ledger.journal import Entry, Line
from domain.ledger.proof import Proof
from domain.lending.loan import Loan
from tests.collateral.test_repossession import LATE, taken_over
from tests.ledger.test_proof import found, planted
from tests.support.actors import a_lender
from tests.support.loans import Lending, lending_at
from tests.support.mortgages import made, registered

OPEN = date(2025, 1, 15)
HOUSE, ASSET = "DY-2025-0002", "DZ-2025-0001"
FAULTS = {
    "the value of a mortgage": (HOUSE, "mortgages", "appraised_value = appraised_value + 0.01", f"number = '{HOUSE}'"),
    "the state of a mortgage": (HOUSE, "mortgages", "state = 'RELEASED'", f"number = '{HOUSE}'"),
    "the value of an asset": (ASSET, "repossessed_assets", "amount = amount + 0.01", f"number = '{ASSET}'"),
    "the state of an asset": (ASSET, "repossessed_assets", "state = 'REVERSED'", f"number = '{ASSET}'"),
}


@pytest.fixture(scope="module")
async def lending(place: Any, ports: Ports, blueprint: Any) -> Lending:
    """Two mortgages in the register, one that is not registered yet, an asset that was taken over, and a day that has passed."""
    lending = await lending_at(await a_lender(place, ports, blueprint, open_on=OPEN))
    await registered(lending.lender, await lending.pay_out())
    await registered(lending.lender, await lending.pay_out())
    await made(lending.lender, await lending.pay_out())
    late = await lending.pay_out(**LATE)
    await taken_over(
        lending.lender, await registered(lending.lender, late, certificate_number="不动产权第0000009号"), late
    )
    await lending.close(OPEN)
    assert await found(lending) == await found(lending, daily=True) == []
    return lending


@pytest.mark.parametrize("daily", [False, True])
@pytest.mark.parametrize("fault", FAULTS)
async def test_exactly_this_proof_is_red_and_names_it(lending: Lending, fault: str, daily: bool) -> None:
    where, *change = FAULTS[fault]
    async with planted(lending, *change):
        differences = await found(lending, daily=daily)
    assert [(one.proof, one.where) for one in differences] == [(Proof.COLLATERAL, where)]
    assert await found(lending, daily=daily) == []


@pytest.mark.parametrize(
    ("account", "number", "table"), [("9004", HOUSE, "mortgages"), ("1441", ASSET, "repossessed_assets")]
)
async def test_a_voucher_that_is_unsound_explains_it(lending: Lending, account: str, number: str, table: str) -> None:
    line = f"account = '{account}' and sub_id = (select id from {table} where number = '{number}')"
    async with planted(lending, "voucher_lines", "debit = debit + 0.01", line):
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
        assert (Proof.COLLATERAL, f"{expected} 9004") in shown
