"""A late receipt, its reversal and the reversal of that: the vouchers, what is known now and what was known then."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from domain.calculation.allocation import Component
from domain.kernel.ports import Ports
from domain.kernel.refusals import ClosedBusinessDay, NotFound, ProductRuleViolated
from domain.ledger import journal
from domain.lending import loan as loans
from domain.lending.loan import figures
from domain.lending.loan.tables import AllocationRow, Loan, LoanState, MovementRow, PlannedRow, PositionRow
from tests.calculation.loan.cases import eod_case
from tests.lending.test_loan_golden_days import proved
from tests.support.actors import a_lender
from tests.support.loans import Lending, lending_at

E04 = {"amount": "12000.00", "rate": "0.12", "periods": 3}


@pytest.fixture
async def lending(place: Any, ports: Ports, blueprint: Any) -> Lending:
    return await lending_at(await a_lender(place, ports, blueprint, open_on=date(2026, 1, 15)))


async def entries(lending: Lending, event_id: UUID) -> dict[str, tuple[Decimal, Decimal]]:
    """Account → (debit, credit) of the voucher behind an event."""
    async with lending.lender.system.reading() as ctx:
        found = await journal.entries_by_event(ctx, [event_id])
    return {line.account: (line.debit, line.credit) for line in found[event_id]}


async def test_the_late_receipt_of_the_worked_example(lending: Lending) -> None:
    loan_id = await lending.pay_out(**E04)
    await lending.close(date(2026, 2, 14))
    await lending.receive(loan_id, "2000.00")
    await lending.close(date(2026, 4, 1))
    known_before = await lending.figures(loan_id)
    assert (known_before.days_past_due, known_before.five_class) == (46, "SPECIAL_MENTION")

    event_id = await lending.receive(loan_id, "6300.00", date(2026, 3, 20))

    zero = Decimal("0.00")
    assert await entries(lending, event_id) == {
        "1002": (Decimal("6300.00"), zero),
        "130302": (zero, Decimal("6080.14")),
        "113201": (zero, Decimal("80.40")),
        "113202": (zero, Decimal("83.85")),
        "113203": (zero, Decimal("0.72")),
        "601102": (Decimal("39.53"), zero),
        "601103": (Decimal("0.52"), zero),
        "224101": (zero, Decimal("94.94")),
    }
    now = await lending.figures(loan_id)
    assert (now.days_past_due, now.five_class, now.unapplied) == (0, "NORMAL", 9494)
    assert await proved(lending) == []
    for row in eod_case("E04")["rows"]:
        on = date.fromisoformat(row["date"])
        if on <= date(2026, 4, 2):
            assert (await lending.figures(loan_id, on)).days_past_due == row["dpd"], on


async def test_as_known_then_and_as_known_now(lending: Lending) -> None:
    loan_id = await lending.pay_out(**E04)
    await lending.close(date(2026, 3, 31))
    async with lending.lender.system.reading() as ctx:
        then, on = ctx.now, date(2026, 3, 25)
    before = await lending.figures(loan_id, on)
    await lending.receive(loan_id, "4080.27", date(2026, 2, 15))
    async with lending.lender.system.reading() as ctx:
        known_then = (await figures.positions(ctx, [loan_id], on, known_at=then))[loan_id]
        known_now = (await figures.positions(ctx, [loan_id], on))[loan_id]
    assert known_then == before
    assert (before.days_past_due, known_now.days_past_due) == (38, 10)
    closed = await lending.lender.rows(PositionRow, PositionRow.loan_id == loan_id)
    assert len(closed) > len({(row.from_date) for row in closed}), "a correction closes rows and keeps them"


async def test_a_reversed_receipt_never_was_and_a_reversed_reversal_brings_it_back(lending: Lending) -> None:
    loan_id = await lending.pay_out(**E04)
    await lending.close(date(2026, 2, 14))
    never_paid = {day: await lending.figures(loan_id, day) for day in (date(2026, 1, 31), date(2026, 2, 15))}
    receipt = await lending.receive(loan_id, "4080.27")
    paid = await lending.figures(loan_id)
    lines = await lending.lender.rows(AllocationRow, AllocationRow.event_id == receipt)
    assert [(line.seq, line.component, line.amount) for line in lines] == [
        (1, "INTEREST", Decimal("120.00")),
        (1, "PRINCIPAL", Decimal("3960.27")),
    ]

    reversal = await lending.reverse(loan_id, receipt)

    assert await lending.figures(loan_id) == never_paid[date(2026, 2, 15)]
    assert await entries(lending, reversal) == {
        account: (credit, debit) for account, (debit, credit) in (await entries(lending, receipt)).items()
    }
    assert await lending.lender.rows(AllocationRow, AllocationRow.event_id == receipt) == lines
    assert await proved(lending) == []

    await lending.reverse(loan_id, reversal)
    assert await lending.figures(loan_id) == paid
    assert await proved(lending) == []


async def test_paid_back_it_is_settled_and_nothing_accrues(lending: Lending) -> None:
    loan_id = await lending.pay_out(**E04)
    await lending.close(date(2026, 1, 24))
    async with lending.lender.system.reading() as ctx:
        quote = await loans.quote(ctx, loan_id)
    assert quote is not None
    await lending.receive(loan_id, f"{quote.to_pay / 100:.2f}", prepayment="SETTLE")
    row = await lending.loan(loan_id)
    assert (row.state, row.principal_outstanding, row.settled_on) == (
        LoanState.SETTLED,
        Decimal("0.00"),
        date(2026, 1, 25),
    )
    await lending.close(date(2026, 3, 1))
    left = await lending.figures(loan_id)
    assert (left.principal_outstanding, left.uncollected_interest, left.unapplied) == (0, 0, 0)
    assert await proved(lending) == []


async def test_a_prepayment_makes_another_version_of_the_plan(lending: Lending) -> None:
    loan_id = await lending.pay_out()
    await lending.close(date(2026, 1, 24))
    await lending.receive(loan_id, "30000.00", prepayment="REDUCE_INSTALLMENT")
    rows = await lending.lender.rows(PlannedRow, PlannedRow.loan_id == loan_id)
    by_version = {version: [row for row in rows if row.version == version] for version in (1, 2)}
    assert [sum(row.principal for row in found) for found in by_version.values()] == [10_000_000, 7_000_000]
    assert [row.due_date for row in by_version[1]] == [row.due_date for row in by_version[2]]
    assert await proved(lending) == []


async def test_a_pay_out_entered_late_stands_as_one_in_time(lending: Lending) -> None:
    in_time = await lending.pay_out(**E04)
    await lending.close(date(2026, 3, 31))
    late = await lending.pay_out(value_date=date(2026, 1, 15), **E04)
    assert await lending.figures(late) == await lending.figures(in_time)
    assert await lending.figures(late, date(2026, 2, 20)) == await lending.figures(in_time, date(2026, 2, 20))
    assert await proved(lending) == []


async def test_what_is_refused(lending: Lending) -> None:
    loan_id = await lending.pay_out(method="BULLET", basis="ACTUAL_360", unit="DAY", periods=30)
    for value_date in (date(2026, 1, 14), date(2026, 1, 16)):
        with pytest.raises(ClosedBusinessDay):
            await lending.receive(loan_id, "1.00", value_date)
    with pytest.raises(ProductRuleViolated):
        await lending.receive(loan_id, "1.00", prepayment="SHORTEN_TERM")
    with pytest.raises(NotFound):
        await lending.receive(UUID(int=1), "1.00")
    assert len(await lending.events(loan_id)) == 1, "a refused event leaves nothing"


async def test_a_waiver_lapses_when_it_is_not_paid_by_its_date(lending: Lending) -> None:
    loan_id = await lending.pay_out(**E04)
    await lending.close(date(2026, 3, 1))
    async with lending.lender.system.reading() as ctx:
        due = await loans.due(ctx, loan_id, Component.PENALTY)
    waived = {"component": "PENALTY", "amount": str(due), "void_unless_paid_by": "2026-03-04"}
    await lending.record(loan_id, loans.EventType.WAIVER, None, None, **waived)
    assert (await lending.figures(loan_id)).penalty == 0
    await lending.close(date(2026, 3, 4))
    (lapsed,) = await lending.lender.rows(MovementRow, MovementRow.loan_id == loan_id, MovementRow.kind == "LAPSED")
    assert (lapsed.value_date, lapsed.amount) == (date(2026, 3, 5), int(due * 100))
    assert await proved(lending) == []


async def test_each_person_sees_his_own_loans(lending: Lending) -> None:
    loan_id = await lending.pay_out(**E04)
    for person, may in (("account_manager", True), ("second_account_manager", False), ("accountant", True)):
        async with getattr(lending.lender, person).writing() as ctx:
            if may:
                assert (await loans.lock(ctx, loan_id)).id == loan_id
            else:
                with pytest.raises(NotFound):
                    await loans.lock(ctx, loan_id)
    assert (await lending.loan(loan_id)).next_action_on == date(2026, 2, 15)
    assert date(2026, 2, 15) - timedelta(days=31) == (await lending.lender.rows(Loan))[0].value_date
