"""What changes a loan for good: extension, misuse rate, acceleration, write-off with recoveries, refund; stored and posted."""

from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from domain.calculation.classification import FiveClass
from domain.calculation.schedule import Method
from domain.kernel.ports import Ports
from domain.kernel.refusals import RefundExceedsBalance
from domain.lending.loan import EventType, LoanState
from domain.lending.loan.tables import AllocationRow, InstallmentRow, PlannedRow
from tests.lending.test_loan_golden_days import proved
from tests.lending.test_loan_late import entries
from tests.support.actors import a_lender
from tests.support.loans import Lending, lending_at

ZERO = Decimal("0.00")


@pytest.fixture
async def lending(place: Any, ports: Ports, blueprint: Any) -> Lending:
    return await lending_at(await a_lender(place, ports, blueprint, open_on=date(2026, 1, 15)))


async def changed(lending: Lending, loan_id: UUID, kind: EventType, on: date | None = None, **payload: Any) -> UUID:
    return await lending.record(loan_id, kind, on, None, **payload)


async def written_off(lending: Lending) -> tuple[UUID, UUID]:
    """A loan of 3,000.00 over a month, 100 days unpaid, given up in the books."""
    loan_id = await lending.pay_out(amount="3000.00", rate="0.12", periods=1)
    await lending.close(date(2026, 5, 25))
    assert (await lending.figures(loan_id)).principal_outstanding == 300000
    return loan_id, await changed(lending, loan_id, EventType.WRITE_OFF)


async def test_a_written_off_loan_leaves_the_balance_and_is_still_claimed(lending: Lending) -> None:
    loan_id, event_id = await written_off(lending)
    loan, shown = await lending.loan(loan_id), await lending.figures(loan_id)
    assert (loan.state, loan.principal_outstanding, shown.five_class) == (LoanState.WRITTEN_OFF, ZERO, FiveClass.LOSS)
    posted = await entries(lending, event_id)
    assert posted["1304"] == posted["9002"] == (Decimal("3000.00"), ZERO)
    assert posted["130304"] == (ZERO, Decimal("3000.00")), "100 days late it stood with what does not accrue"
    assert posted["9003"][0] == posted["9001"][1] > Decimal("180.00"), "interest was off balance, and is claimed now"
    assert await proved(lending) == []

    await lending.close(date(2026, 5, 26))
    recovered = await lending.receive(loan_id, "3100.00")
    lines = await lending.lender.rows(AllocationRow, AllocationRow.event_id == recovered)
    assert [(line.component, line.amount) for line in lines] == [
        ("WRITTEN_OFF_PRINCIPAL", Decimal("3000.00")),
        ("OFF_BALANCE_INTEREST", Decimal("100.00")),
    ]
    posted = await entries(lending, recovered)
    assert posted["1304"] == (ZERO, Decimal("3000.00"))
    assert posted["601104"] == (ZERO, Decimal("100.00"))
    assert await proved(lending) == []


async def test_a_write_off_taken_back_was_never_one(lending: Lending) -> None:
    loan_id, event_id = await written_off(lending)
    before = await lending.receive(loan_id, "1000.00")
    await changed(lending, loan_id, EventType.REVERSAL, target_event_id=str(event_id))
    loan = await lending.loan(loan_id)
    assert (loan.state, loan.principal_outstanding > Decimal("2000")) == (LoanState.NON_ACCRUAL, True)
    lines = await lending.lender.rows(AllocationRow, AllocationRow.event_id == before)
    assert {line.component for line in lines} <= {"PENALTY", "COMPOUND", "INTEREST", "PRINCIPAL"}
    assert await proved(lending) == []


async def test_kept_money_goes_back_and_no_more(lending: Lending) -> None:
    loan_id = await lending.pay_out()
    receipt = await lending.receive(loan_id, "115.12")
    with pytest.raises(RefundExceedsBalance):
        await changed(lending, loan_id, EventType.REFUND, amount="115.13")
    assert len(await lending.events(loan_id)) == 2
    refunded = await lending.record(
        loan_id, EventType.REFUND, None, lending.account_id, amount="115.12", receipt_event_id=str(receipt)
    )
    assert await entries(lending, refunded) == {
        "224101": (Decimal("115.12"), ZERO), "1002": (ZERO, Decimal("115.12"))
    }  # fmt: skip
    with pytest.raises(RefundExceedsBalance):  # its money is gone: the refund is reversed first
        await lending.reverse(loan_id, receipt)
    assert await proved(lending) == []


async def test_the_extension_of_s36_as_it_is_stored(lending: Lending) -> None:
    loan_id = await lending.pay_out(amount="200000.00", rate="0.12", periods=6, method=Method.INTEREST_ONLY)
    await changed(
        lending, loan_id, EventType.EXTENSION, annual_rate="0.132",
        due_dates=["2026-08-15", "2026-09-15", "2026-10-15"], grace_ends=["2026-08-18", "2026-09-15", "2026-10-15"],
    )  # fmt: skip
    rows = await lending.lender.rows(InstallmentRow, InstallmentRow.loan_id == loan_id)
    assert [row.interest for row in sorted(rows, key=lambda row: row.seq)] == [200000] * 6 + [220000] * 3
    plans = await lending.lender.rows(PlannedRow, PlannedRow.loan_id == loan_id)
    assert [sum(row.principal for row in plans if row.version == version) for version in (1, 2)] == [20000000] * 2
    ends = {row.due_date: row.grace_end for row in plans if row.version == 2}
    assert ends[date(2026, 8, 15)] == date(2026, 8, 18), "what the calendar said when it was agreed"
    assert await proved(lending) == []


async def test_misused_money_bears_more(lending: Lending) -> None:
    loan_id = await lending.pay_out(amount="36000.00", rate="0.10", periods=1, method=Method.BULLET)
    await lending.close(date(2026, 1, 24))
    before = await lending.figures(loan_id)
    await changed(lending, loan_id, EventType.MISUSE_RATE, multiplier="2", amount="18000.00")
    await lending.close(date(2026, 1, 25))
    night = (await lending.figures(loan_id)).accrued_interest - before.accrued_interest
    whole = before.accrued_interest / 10
    assert abs(night - whole * 1.5) <= 1, "half of it at twice the rate"
    assert await proved(lending) == []


async def test_an_accelerated_loan_is_due_at_once(lending: Lending) -> None:
    loan_id = await lending.pay_out()
    await lending.close(date(2026, 1, 24))
    await changed(lending, loan_id, EventType.ACCELERATION)
    rows = await lending.lender.rows(InstallmentRow, InstallmentRow.loan_id == loan_id)
    assert [(row.due_date, row.principal) for row in rows] == [(date(2026, 1, 25), 10000000)]
    await lending.close(date(2026, 1, 25))
    loan = await lending.loan(loan_id)
    assert (loan.state, loan.days_past_due_since) == (LoanState.OVERDUE, date(2026, 1, 25))
    assert await proved(lending) == []
