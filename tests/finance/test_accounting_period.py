"""会计期间: a closed month takes nothing, two persons close and reopen it, and a year's result is carried on."""

from __future__ import annotations

from datetime import date
from decimal import Decimal as D
from typing import Any

import pytest
from sqlalchemy import text

from domain.finance import accounting_period, repayment_registration
from domain.finance.accounting_period import AccountingPeriod, PeriodKind, PeriodState
from domain.finance.receipt import Receipt
from domain.kernel.audit import GuardEntry
from domain.kernel.ports import Ports
from domain.kernel.refusals import ClosedBusinessDay, InvalidState, NotFound, SamePerson
from domain.ledger.journal import Voucher
from domain.workflow.instance import Decision
from tests.support.actors import LenderAtWork, a_lender
from tests.support.books import balances, differences
from tests.support.desk import enter
from tests.support.lending import decide
from tests.support.loans import Lending, lending_at

JANUARY, FEBRUARY = date(2026, 1, 1), date(2026, 2, 1)
CLOSED = {"on": "2026-01-20", "closed_through": "2026-01-31"}


@pytest.fixture
async def lending(place: Any, ports: Ports, blueprint: Any) -> Lending:
    return await lending_at(await a_lender(place, ports, blueprint, open_on=date(2026, 1, 15)))


async def period(lender: LenderAtWork, first_day: date, kind: PeriodKind = PeriodKind.MONTH) -> Any:
    (found,) = await lender.rows(
        AccountingPeriod, AccountingPeriod.first_day == first_day, AccountingPeriod.kind == kind
    )
    return found


async def close_january(lending: Lending) -> None:
    asked = await accounting_period.close_month(lending.lender.accountant, month=date(2026, 1, 20))
    await decide(lending.lender.second_accountant, asked.id)
    assert (await period(lending.lender, JANUARY)).state is PeriodState.CLOSED


async def test_a_closed_month_takes_no_value_date(lending: Lending) -> None:
    lender = lending.lender
    loan = await lending.pay_out(amount="12000.00")
    await lending.close(date(2026, 1, 31))
    keyed = await enter(lender, loan, lending.account_id, "100.00", date(2026, 1, 20))
    await close_january(lending)
    (warned,) = await lender.rows(GuardEntry, GuardEntry.severity == "WARN", GuardEntry.permission.like("%close"))
    assert warned.params["receipts"] == 1
    before = await balances(lender)
    with pytest.raises(ClosedBusinessDay) as late:
        await repayment_registration.register(lender.accountant, receipt_id=keyed.id)
    assert late.value.params == CLOSED
    with pytest.raises(ClosedBusinessDay) as refused:
        await enter(lender, loan, lending.account_id, "50.00", date(2026, 1, 20))
    assert (refused.value.field, refused.value.params) == (("valueDate",), CLOSED)
    with pytest.raises(ClosedBusinessDay):
        await lending.pay_out(amount="5000.00", value_date=date(2026, 1, 31))
    assert await balances(lender) == before
    assert len(await lender.rows(Receipt)) == 1
    await enter(lender, loan, lending.account_id, "50.00", FEBRUARY)


async def test_a_reversal_of_what_lies_in_a_closed_month_is_of_today(lending: Lending) -> None:
    loan = await lending.pay_out(amount="12000.00")
    before = await balances(lending.lender)
    event = await lending.receive(loan, "100.00")
    await lending.close(date(2026, 1, 31))
    await close_january(lending)
    closed = await balances(lending.lender, date(2026, 1, 31))
    await lending.reverse(loan, event)
    assert await balances(lending.lender, date(2026, 1, 31)) == closed
    assert (await balances(lending.lender))["1002"] == before["1002"]
    assert await differences(lending.lender) == []


async def test_what_stands_in_the_way_of_closing(lending: Lending) -> None:
    lender = lending.lender
    await lending.pay_out(amount="12000.00")
    with pytest.raises(InvalidState) as running:
        await accounting_period.close_month(lender.accountant, month=JANUARY)
    assert running.value.params["last_day"] == "2026-01-31"
    with pytest.raises(NotFound):
        await accounting_period.close_month(lender.accountant, month=date(2025, 12, 1))
    await lending.close(date(2026, 2, 28))
    with pytest.raises(InvalidState) as order:
        await accounting_period.close_month(lender.accountant, month=FEBRUARY)
    assert order.value.params == {"period": "2026-01", "state": "OPEN"}

    async def owner(statement: str) -> None:
        async with lender.platform.owner.begin() as connection:
            await connection.execute(text(f"set local search_path = {lender.lender.schema}"))
            assert (await connection.execute(text(statement))).rowcount == 1

    await owner("update provision_runs set state = 'REJECTED' where month = '2026-01-01'")
    with pytest.raises(InvalidState, match="INVALID_STATE") as provision:
        await accounting_period.close_month(lender.accountant, month=JANUARY)
    assert provision.value.params["period"] == "2026-01"
    await owner("update provision_runs set state = 'POSTED' where month = '2026-01-01'")
    await owner("update account_days set debit = debit + 0.01 where account = '601101' and \"on\" = '2026-01-20'")
    with pytest.raises(InvalidState) as red:
        await accounting_period.close_month(lender.accountant, month=JANUARY)
    assert red.value.params["proofs"] == ["BALANCES"]
    assert (await period(lender, JANUARY)).state is PeriodState.OPEN
    await owner("update account_days set debit = debit - 0.01 where account = '601101' and \"on\" = '2026-01-20'")
    await close_january(lending)


async def test_two_persons_close_and_reopen(lending: Lending) -> None:
    lender = lending.lender
    loan = await lending.pay_out(amount="12000.00")
    await lending.close(date(2026, 2, 28))
    asked = await accounting_period.close_month(lender.accountant, month=JANUARY)
    with pytest.raises(InvalidState):
        await accounting_period.close_month(lender.second_accountant, month=JANUARY)
    with pytest.raises(SamePerson):
        await decide(lender.accountant, asked.id)
    await decide(lender.general_manager, asked.id, Decision.REJECT)
    assert (await period(lender, JANUARY)).state is PeriodState.OPEN
    await close_january(lending)
    february = await accounting_period.close_month(lender.accountant, month=FEBRUARY)
    await decide(lender.general_manager, february.id)
    with pytest.raises(InvalidState) as later:
        await accounting_period.reopen_month(lender.accountant, month=JANUARY, reason="补录还款")
    assert later.value.params["period"] == "2026-02"
    again = await accounting_period.reopen_month(lender.accountant, month=FEBRUARY, reason="补录还款")
    with pytest.raises(ClosedBusinessDay):
        await enter(lender, loan, lending.account_id, "50.00", FEBRUARY)
    await decide(lender.general_manager, again.id)
    row = await period(lender, FEBRUARY)
    assert (row.state, row.reason, row.decided_by) == (
        PeriodState.OPEN, "补录还款", lender.general_manager.actor.id,
    )  # fmt: skip
    await enter(lender, loan, lending.account_id, "50.00", FEBRUARY)
    with pytest.raises(ClosedBusinessDay):
        await enter(lender, loan, lending.account_id, "50.00", date(2026, 1, 31))


async def test_the_result_of_a_year_is_carried_on_and_can_be_taken_back(
    place: Any, ports: Ports, blueprint: Any
) -> None:
    lending = await lending_at(await a_lender(place, ports, blueprint, open_on=date(2026, 12, 1)))
    lender, december, year = lending.lender, date(2026, 12, 1), date(2026, 1, 1)
    await lending.pay_out(amount="12000.00", rate="0.12")
    await lending.close(date(2027, 1, 2))
    with pytest.raises(InvalidState) as month_open:
        await accounting_period.close_year(lender.accountant, year=2026)
    assert month_open.value.params["period"] == "2026-12"
    await decide(lender.second_accountant, (await accounting_period.close_month(lender.accountant, month=december)).id)
    at_year_end, before = await balances(lender, date(2026, 12, 31)), await balances(lender)
    assert (at_year_end["601101"], at_year_end["6702"]) == (D("-116.13"), D("120.00"))  # 30 of 31 days
    asked = await accounting_period.close_year(lender.accountant, year=2026)
    assert await balances(lender) == before
    await decide(lender.general_manager, asked.id)
    after = await balances(lender)
    assert await balances(lender, date(2026, 12, 31)) == at_year_end
    assert after["601101"] == before["601101"] + D("116.13")  # what January has brought stays
    assert {"6702", "4103"}.isdisjoint(after)
    assert after["4104"] == D("3.87")  # a loss
    vouchers = await lender.rows(Voucher, Voucher.kind.in_(("YEAR_RESULT", "YEAR_PROFIT")))
    assert {voucher.value_date for voucher in vouchers} == {date(2026, 12, 31)}
    assert await differences(lender) == []
    with pytest.raises(InvalidState) as its_year:
        await accounting_period.reopen_month(lender.accountant, month=december, reason="更正")
    assert its_year.value.params["period"] == "2026"
    again = await accounting_period.reopen_year(lender.accountant, year=2026, reason="审计调整")
    await decide(lender.general_manager, again.id)
    assert await balances(lender) == before
    assert (await period(lender, year, PeriodKind.YEAR)).voucher_ids == []
    assert await differences(lender) == []
