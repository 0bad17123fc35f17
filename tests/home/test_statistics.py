"""Statistics (F02): equal to the sums over the loans one sees, whoever looks and whatever the day."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal as D
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import BigInteger, String, cast, literal, select, update

from domain.calculation.classification import FiveClass
from domain.calculation.money import yuan
from domain.calculation.provision import PBOC_2002_98, POLICIES, provision
from domain.home import statistics
from domain.home.statistics import ratio, required_allowance
from domain.kernel.context import Context
from domain.kernel.ports import Ports
from domain.kernel.refusals import BadInput
from domain.kernel.scope import scope
from domain.kernel.table import uuid7
from domain.lending.loan import EventType, Loan, figures
from schema.kernel.node import global_id
from tenancy.provision import Blueprint
from tests.support.actors import LenderAtWork, a_lender
from tests.support.client import Api, statements
from tests.support.lenders import Platform
from tests.support.loans import Lending, lending_at

OPENED = date(2025, 4, 1)

# ---------------------------------------------------------------- rules


@pytest.mark.parametrize(
    ("part", "whole", "expected"),
    [
        (1, 3, "0.3333"),
        (2, 3, "0.6667"),
        (1, 20000, "0.0001"),
        (1, 20001, "0.0000"),
        (500, 7000, "0.0714"),
        (0, 9, "0.0000"),
    ],
)
def test_ratios_have_four_places(part: int, whole: int, expected: str):
    assert str(ratio(part, whole)) == expected


def test_a_ratio_to_nothing_is_none():
    assert ratio(5, 0) is None


@pytest.mark.parametrize("policy", POLICIES.values(), ids=lambda policy: policy.code)
async def test_the_allowance_in_sql_is_the_one_of_the_calculation(shared_lender: LenderAtWork, policy: Any):
    async with shared_lender.system.reading() as ctx:
        for five_class in FiveClass:
            for principal in (0, 1, 49, 50, 333_240, 3_000_001, 5_000_000_000_00):
                amount, named = cast(literal(principal), BigInteger), cast(literal(five_class.value), String)
                found = await ctx.connection.execute(select(required_allowance(policy, amount, named)))
                assert int(found.scalar_one()) == provision(policy, five_class, principal).total


# ---------------------------------------------------------------- the figures


@pytest.fixture
async def lender(place: Platform, ports: Ports, blueprint: Blueprint) -> LenderAtWork:
    return await a_lender(place, ports, blueprint, open_on=OPENED)


@pytest.fixture
async def book(lender: LenderAtWork) -> Lending:
    """Loans in time, 1, 31 and 91 days late, one settled, one of a colleague; on the second day after opening."""
    lending = await lending_at(lender)
    for months, day in enumerate((date(2025, 3, 20), date(2025, 3, 1), date(2025, 2, 1), date(2024, 11, 30)), 1):
        await lending.pay_out(value_date=day, amount=f"{months}00000.00")
    await lending.close(OPENED)
    await lending.pay_out(amount="50000.00")
    other = await lending.pay_out(value_date=date(2025, 3, 10), amount="70000.00")
    await hand_over(lender, other, lender.second_account_manager)
    return lending


async def hand_over(lender: LenderAtWork, loan_id: UUID, to: Context) -> None:
    """To a colleague of another department."""
    change = update(Loan).where(Loan.id == loan_id)
    async with lender.system.writing() as ctx:
        root = lender.general_manager.actor.department_id
        await ctx.connection.execute(change.values(manager_id=to.actor.id, department_id=root))


async def shown(person: Context, **wanted: Any) -> statistics.Statistics:
    async with person.reading() as ctx:
        return await statistics.of_day(ctx, **wanted)


async def summed(person: Context, on: date) -> dict[str, Any]:
    """The same figures, loan by loan."""
    async with person.reading() as ctx:
        visible = (await ctx.connection.execute(select(Loan.id, Loan.customer_id).where(scope(ctx, Loan)))).all()
        found = await figures.positions(ctx, [row.id for row in visible], on)
    customers = {row.id: row.customer_id for row in visible}
    alive = {key: row for key, row in found.items() if row.principal_outstanding}
    outstanding = sum(row.principal_outstanding for row in alive.values())
    bad = sum(row.principal_outstanding for row in alive.values() if row.five_class.non_performing)
    required = sum(provision(PBOC_2002_98, row.five_class, row.principal_outstanding).total for row in alive.values())
    return {
        "loan_count": len(alive),
        "customer_count": len({customers[key] for key in alive}),
        "outstanding": yuan(outstanding),
        "overdue_principal": yuan(sum(row.overdue_principal for row in alive.values())),
        "par30": yuan(sum(row.principal_outstanding for row in alive.values() if row.days_past_due > 30)),
        "par90": yuan(sum(row.principal_outstanding for row in alive.values() if row.days_past_due > 90)),
        "npl_ratio": ratio(bad, outstanding) or D(0),
        "provision_coverage": ratio(required, bad),
    }


def picked(found: statistics.Statistics, expected: dict[str, Any]) -> dict[str, Any]:
    return {name: getattr(found, name) for name in expected}


async def test_each_viewer_sees_the_sums_of_his_loans(lender: LenderAtWork, book: Lending):
    people = (lender.general_manager, lender.business_manager, lender.account_manager, lender.second_account_manager)
    counts = []
    for person in people:
        for back in range(3):
            day = OPENED + timedelta(days=1 - back)
            expected = await summed(person, day)
            found = await shown(person, on=day)
            assert picked(found, expected) == expected
            assert sum(one.outstanding for one in found.by_class) == found.outstanding
            assert sum(one.loan_count for one in found.by_class) == found.loan_count
        counts.append((await shown(person)).loan_count)
    assert counts == [6, 5, 5, 1]


async def test_the_figures_themselves(lender: LenderAtWork, book: Lending):
    found = await shown(lender.general_manager)
    assert found.on == OPENED + timedelta(days=1)
    assert (found.loan_count, found.customer_count) == (6, 6)
    assert found.outstanding == D("1120000.00")
    assert (found.par30, found.par90) == (D("700000.00"), D("400000.00"))
    assert found.npl_ratio == D("0.3571")  # 400,000 of 1,120,000
    assert found.disbursed_today == D("50000.00")
    assert [(one.five_class.value, one.outstanding) for one in found.by_class] == [
        ("NORMAL", D("220000.00")), ("SPECIAL_MENTION", D("500000.00")), ("SUBSTANDARD", D("400000.00")),
        ("DOUBTFUL", D("0.00")), ("LOSS", D("0.00")),
    ]  # fmt: skip


async def test_receipts_change_them_at_once(lender: LenderAtWork):
    lending = await lending_at(lender)
    loan_id = await lending.pay_out(value_date=date(2025, 3, 1))
    before = await shown(lender.account_manager)
    assert (before.due_today, before.collected_today, before.overdue_principal) == (D("8884.88"), D(0), D(0))
    receipt = await lending.receive(loan_id, "8884.88")
    after = await shown(lender.account_manager)
    assert (after.due_today, after.collected_today) == (D("8884.88"), D("8884.88"))
    assert before.outstanding - after.outstanding == D("7884.88")
    await lending.reverse(loan_id, receipt)
    assert await shown(lender.account_manager) == before
    await lending.receive(loan_id, "200000.00")
    await lending.close(OPENED)
    settled = await shown(lender.account_manager)
    assert settled.collected_today == D(0)
    assert (await shown(lender.account_manager, on=OPENED)).collected_today == D("200000.00")


async def test_departments_and_those_below(lender: LenderAtWork, book: Lending):
    boss = lender.general_manager
    sales = lender.account_manager.actor.department_id
    root = boss.actor.department_id
    assert (await shown(boss, department_id=sales)).loan_count == 5
    assert (await shown(boss, department_id=root)).loan_count == 6
    assert (await shown(boss, department_id=uuid7())).loan_count == 0
    # Nobody sees more by naming a department.
    assert (await shown(lender.second_account_manager, department_id=sales)).loan_count == 0


async def test_nothing_to_count(lender: LenderAtWork):
    found = await shown(lender.general_manager)
    assert (found.loan_count, found.outstanding, found.overdue_ratio, found.npl_ratio) == (0, D(0), D(0), D(0))
    assert found.provision_coverage is None
    assert len(found.by_class) == 5
    with pytest.raises(BadInput):
        await shown(lender.general_manager, on=OPENED + timedelta(days=1))


async def test_what_is_not_the_lenders_risk_is_out(lender: LenderAtWork, book: Lending):
    (row, *_) = [row for row in await lender.rows(Loan) if row.principal == D("400000.00")]
    whole = await shown(lender.general_manager)

    async def is_out() -> None:
        found = await shown(lender.general_manager)
        assert (found.loan_count, found.outstanding, found.par90) == (5, D("720000.00"), D(0))
        assert found.provision_coverage is None

    for change in ({"kind": "ENTRUSTED"}, {"kind": "NORMAL", "state": "TRANSFERRED"}):
        async with lender.system.writing() as ctx:
            await ctx.connection.execute(update(Loan).where(Loan.id == row.id).values(**change))
        await is_out()
    async with lender.system.writing() as ctx:
        await ctx.connection.execute(update(Loan).where(Loan.id == row.id).values(state=row.state))
    assert await shown(lender.general_manager) == whole
    await book.record(row.id, EventType.WRITE_OFF, None, None)
    await is_out()
    assert (await shown(lender.general_manager, on=OPENED)).par90 == D("400000.00"), (
        "it was in the books the day before"
    )


async def test_three_statements_whatever_the_size(lender: LenderAtWork, book: Lending):
    with statements() as sent:
        await shown(lender.general_manager)
    assert len([one for one in sent if "business_clock" not in one]) == 3


# ---------------------------------------------------------------- API

ASK = """query ($filter: StatisticsFilter) { statistics(filter: $filter) { on loanCount customerCount outstanding
  overduePrincipal overdueRatio par30 par90 nplRatio provisionCoverage disbursedToday collectedToday dueToday
  byClass { fiveClass loanCount outstanding } pendingTaskCount } }"""


async def test_statistics_through_the_api(lender: LenderAtWork, book: Lending, api: Api):
    found = (await api.as_("general_manager").data(ASK))["statistics"]
    assert (found["on"], found["loanCount"], found["outstanding"]) == ("2025-04-02", 6, "1120000.00")
    assert (found["par30"], found["nplRatio"], found["pendingTaskCount"]) == ("700000.00", "0.3571", 0)
    assert found["byClass"][2] == {"fiveClass": "SUBSTANDARD", "loanCount": 1, "outstanding": "400000.00"}
    # 1 % of all, 2 % of what is special mention, 25 % of what is substandard, over the 400,000 that are bad.
    assert D(found["provisionCoverage"]) == ratio(11_200_00 + 10_000_00 + 100_000_00, 400_000_00)
    sales = global_id("Department", lender.account_manager.actor.department_id)
    wanted = {"on": "2025-04-01", "departmentId": sales}
    earlier = (await api.as_("general_manager").data(ASK, filter=wanted))["statistics"]
    assert (earlier["on"], earlier["loanCount"]) == ("2025-04-01", 4)
    assert (await api.as_("general_manager").ask(ASK, filter={"on": "2025-04-03"})).codes == ["BAD_USER_INPUT"]
    assert (await api.as_("general_manager").ask(ASK, filter={"departmentId": "x"})).codes == ["BAD_USER_INPUT"]
