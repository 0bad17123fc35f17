"""拨备: each month's last day by itself, other runs by two persons, released as booked, policy by lender."""

from __future__ import annotations

from datetime import date
from decimal import Decimal as D
from typing import Any

import pytest
from sqlalchemy import text

from domain.finance import provision
from domain.finance.provision import ProvisionItem, ProvisionRun, ProvisionRunState, last_day, month_of
from domain.kernel.ports import Ports
from domain.kernel.refusals import Conflict, InvalidInput, InvalidState, SamePerson
from domain.ledger.journal import Voucher
from domain.workflow.instance import Decision
from tests.support.actors import LenderAtWork, a_lender
from tests.support.books import balances, differences, set_parameter
from tests.support.client import statements
from tests.support.lending import decide
from tests.support.loans import Lending, lending_at

OPEN, MONTH_END = date(2026, 1, 15), date(2026, 1, 31)


@pytest.fixture
async def lending(place: Any, ports: Ports, blueprint: Any) -> Lending:
    return await lending_at(await a_lender(place, ports, blueprint, open_on=OPEN))


async def runs(lender: LenderAtWork) -> list[Any]:
    return sorted(await lender.rows(ProvisionRun), key=lambda run: run.id)


def test_months() -> None:
    assert [last_day(day) for day in (date(2026, 1, 1), date(2026, 2, 28), date(2028, 2, 1), date(2026, 12, 31))] == [
        date(2026, 1, 31), date(2026, 2, 28), date(2028, 2, 29), date(2026, 12, 31),
    ]  # fmt: skip
    assert month_of(date(2026, 12, 31)) == date(2026, 12, 1)


@pytest.mark.parametrize(
    ("policy", "general", "specific"),
    [
        ("PBOC_2002_98", "120.00", "0.00"),
        ("LADDER_LOCAL", "0.00", "120.00"),
        ("MOF_2012_20_STANDARD", "0.00", "180.00"),
    ],
)
async def test_the_last_day_of_a_month_books_what_the_lenders_policy_requires(
    lending: Lending, policy: str, general: str, specific: str
) -> None:
    await set_parameter(lending.lender, "provision_policy", policy)
    loan = await lending.pay_out(amount="12000.00")
    await lending.close(date(2026, 1, 30))
    assert await runs(lending.lender) == []
    await lending.close(MONTH_END)
    (run,) = await runs(lending.lender)
    required = D(general) + D(specific)
    assert (run.state, run.as_of, run.policy, run.change) == (ProvisionRunState.POSTED, MONTH_END, policy, required)
    (item,) = await lending.lender.rows(ProvisionItem)
    assert (item.loan_id, item.principal, item.general, item.specific) == (loan, D("12000.00"), D(general), D(specific))
    held = await balances(lending.lender, MONTH_END)
    assert (held["6702"], held["1304"]) == (required, -required)
    (voucher,) = await lending.lender.rows(Voucher, Voucher.kind == "PROVISION")
    assert (voucher.id, voucher.business_date) == (run.voucher_id, MONTH_END)
    assert await differences(lending.lender) == []


async def test_what_is_no_longer_required_is_released(lending: Lending) -> None:
    loan = await lending.pay_out(amount="12000.00")
    await lending.close(MONTH_END)
    await lending.receive(loan, "13000.00", prepayment="SETTLE")
    await lending.close(date(2026, 2, 28))
    _, second = await runs(lending.lender)
    assert (second.principal, second.booked_before, second.change) == (D("0.00"), D("120.00"), D("-120.00"))
    assert {"6702", "1304"}.isdisjoint(await balances(lending.lender))
    assert await differences(lending.lender) == []


async def test_an_additional_allowance_is_kept_on_top(lending: Lending) -> None:
    await set_parameter(lending.lender, "provision_additional", "80.00")
    await lending.pay_out(amount="12000.00")
    await lending.close(MONTH_END)
    (run,) = await runs(lending.lender)
    found = provision.of_run(run)
    assert (run.change, found.portfolio.adequacy_ratio) == (D("200.00"), D("1.6667"))


async def test_entrusted_loans_require_nothing(lending: Lending) -> None:
    await lending.pay_out(amount="12000.00")
    schema = lending.lender.lender.schema
    async with lending.lender.platform.owner.begin() as connection:
        await connection.execute(text(f"update {schema}.loans set kind = 'ENTRUSTED'"))
    async with lending.lender.accountant.reading() as ctx:
        found = await provision.preview(ctx, OPEN)
    assert found is not None
    assert (found.portfolio.principal, found.change, found.portfolio.npl_ratio) == (0, 0, None)


async def test_another_person_decides_on_a_run_that_somebody_asks_for(lending: Lending) -> None:
    lender = lending.lender
    await lending.pay_out(amount="12000.00")
    async with lender.accountant.reading() as ctx:
        shown = await provision.preview(ctx, OPEN)
    assert shown is not None
    assert shown.change == 12000
    assert await runs(lender) == []
    run = await provision.run(lender.accountant, month=OPEN, reason="试点报表")
    assert "1304" not in await balances(lender)
    with pytest.raises(InvalidState):
        await provision.run(lender.second_accountant, month=OPEN, reason="再算一次")
    with pytest.raises(SamePerson):
        await decide(lender.accountant, run.id)
    await decide(lender.second_accountant, run.id)
    (posted,) = await runs(lender)
    assert (posted.state, (await balances(lender))["1304"]) == (ProvisionRunState.POSTED, D("-120.00"))
    assert await differences(lender) == []


async def test_a_run_whose_figures_have_changed_is_proposed_anew(lending: Lending) -> None:
    lender = lending.lender
    await lending.pay_out(amount="12000.00")
    run = await provision.run(lender.accountant, month=OPEN, reason="试点报表")
    await lending.pay_out(amount="24000.00")
    with pytest.raises(Conflict) as changed:
        await decide(lender.general_manager, run.id)
    assert changed.value.params == {"proposed": "120.00", "now": "360.00"}
    assert "1304" not in await balances(lender)
    await decide(lender.general_manager, run.id, Decision.REJECT)
    assert [row.state for row in await runs(lender)] == [ProvisionRunState.REJECTED]
    await provision.run(lender.accountant, month=OPEN, reason="更正")
    await lending.close(MONTH_END)  # nobody has decided: end of day runs the month itself
    assert [row.state for row in await runs(lender)][1:] == [ProvisionRunState.SUPERSEDED, ProvisionRunState.POSTED]


@pytest.mark.parametrize("month", [date(2025, 12, 31), date(2026, 3, 1)])
async def test_a_month_before_the_lender_or_to_come_is_refused(lending: Lending, month: date) -> None:
    with pytest.raises(InvalidInput) as refused:
        await provision.run(lending.lender.accountant, month=month, reason="试算")
    assert refused.value.params == {"earliest": "2026-01-01", "latest": "2026-01-01"}
    async with lending.lender.accountant.reading() as ctx:
        assert await provision.preview(ctx, month) is None


async def test_many_loans_take_the_statements_of_one(lending: Lending) -> None:
    async def counted() -> int:
        async with lending.lender.system.writing() as ctx:
            with statements() as seen:
                await provision.close_day(ctx, MONTH_END)
            return len(seen)

    await lending.pay_out(amount="12000.00")
    await lending.close(date(2026, 1, 30))
    one = await counted()
    for _ in range(3):
        await lending.pay_out(amount="12000.00")
    assert await counted() == one
