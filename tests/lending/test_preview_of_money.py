"""预演 of money that moves: pay-outs, refunds, write-offs, recoveries and their undoing show what confirming posts (0033)."""

from datetime import date
from decimal import Decimal as D
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from domain.finance import disbursement, payment, refund, refund_payment, repayment_entry, repayment_registration
from domain.finance.refund import RefundState
from domain.kernel.refusals import ArrearsExist, Denied, InvalidState, NotLossClass, UpfrontDeduction
from domain.lending.loan import Loan, LoanState, preview
from domain.lending.loan.preview import Preview
from domain.post_loan import write_off, written_off_register
from domain.workflow import decision
from domain.workflow.instance import Decision
from tests.finance.test_refund import A_MONTH_AGO, PAYER, TODAY, Kept, a_card, linked, overdue_elsewhere
from tests.lending.test_preview import comes_true, everything, lines_of, posted_since, the_task, vouchers
from tests.post_loan.test_write_off import GROUNDS, LOST, proved, written_off
from tests.support import desk
from tests.support.actors import LenderAtWork
from tests.support.desk import a_bank, a_desk, a_key, a_slip
from tests.support.lending import decide
from tests.support.loans import Lending, lending_at, provide


@pytest.fixture
async def lending(lender: LenderAtWork) -> Lending:
    return await lending_at(lender)


@pytest.fixture
async def lost(lending: Lending) -> UUID:
    """A loan 364 days past due, and an allowance of just its principal."""
    await provide(lending.lender, "80000.00")
    return await lending.pay_out(**LOST)


@pytest.fixture
async def kept(lending: Lending) -> Kept:
    """115.12 of a receipt of 9,000.00 are kept."""
    loan_id = await lending.pay_out(value_date=A_MONTH_AGO)
    customer_id = (await lending.loan(loan_id)).customer_id
    await a_card(lending.lender, customer_id)
    came = await desk.receive(lending.lender, loan_id, lending.account_id, "9000.00", TODAY, payer_name=PAYER)
    return Kept(lending, loan_id, customer_id, came)


async def unchanged(lending: Lending, previewing: Any) -> Preview:
    """What a preview shows, when nothing has changed in any table."""
    before = await everything(lending)
    found: Preview = await previewing
    assert await everything(lending) == before
    return found


# ---------------------------------------------------------------- paid out


@pytest.mark.parametrize("by_hand", [False, True])
async def test_a_pay_out_shows_the_loan_that_would_begin(lender: LenderAtWork, tmp_path: Path, by_hand: bool) -> None:
    at = await a_desk(lender)
    lending = Lending(lender, at.account.id)
    async with a_bank(tmp_path) as bank:
        order = at.order | {"idempotency_key": a_key()}
        order |= {"slip_ids": [await a_slip(lender)]} if by_hand else {}
        cashier = at.with_bank(lender.cashier, bank)
        found = await unchanged(lending, preview.of_command(cashier, payment.pay, follows=disbursement.paid, **order))
        assert await lender.rows(Loan) == []
        known = await vouchers(lending)
        await payment.pay(cashier, **order)
        if by_hand:
            confirmed: dict[str, Any] = {"disbursement_id": at.pay_out.id}
            second = await unchanged(
                lending, preview.of_command(lender.second_accountant, payment.confirm, **confirmed)
            )
            assert (second.final, lines_of(second)) == (True, lines_of(found))
            await payment.confirm(lender.second_accountant, **confirmed)
        else:
            await at.settle(bank)
    (loan,) = await lender.rows(Loan)
    (change,) = found.loans
    assert (found.final, change.state_before, change.state_after) == (False, None, loan.state)
    assert lines_of(found) == await posted_since(lending, known)
    assert lines_of(found), "principal left the bank"
    assert found.announced[-1] == "finance.disbursement.paid"
    shown = [row.after for row in change.comparison.installments() if row.after]
    assert sum(row.principal for row in shown) == 100 * loan.principal
    (begun,) = change.comparison.days()
    assert (begun.on, begun.before, begun.after) == (loan.value_date, None, await lending.figures(loan.id))


async def test_money_held_back_is_refused_in_a_preview_too(lender: LenderAtWork, tmp_path: Path) -> None:
    at = await a_desk(lender)
    before = await everything(Lending(lender, at.account.id))
    async with a_bank(tmp_path) as bank:
        order = at.order | {"idempotency_key": a_key(), "amount": D("90000.00")}
        with pytest.raises(UpfrontDeduction):
            await preview.of_command(
                at.with_bank(lender.cashier, bank), payment.pay, follows=disbursement.paid, **order
            )
    assert await everything(Lending(lender, at.account.id)) == before


# ---------------------------------------------------------------- refunds


def asking(kept: Kept, **wish: Any) -> Any:
    given = refund.Wish(**({"amount": D("115.12")} | wish))
    return preview.of_request(
        kept.lender.account_manager, refund.request, follows=refund_payment.foresee, receipt_id=kept.receipt.id,
        wish=given,
    )  # fmt: skip


async def test_a_refund_shows_at_every_step_what_its_payment_does(kept: Kept, tmp_path: Path) -> None:
    lender, lending = kept.lender, kept.lending
    asked = await unchanged(lending, asking(kept))
    assert not asked.final
    approved = await kept.approved()
    async with a_bank(tmp_path) as bank:
        order = {"refund_id": approved.id, "company_account_id": lending.account_id, "idempotency_key": a_key()}
        cashier = linked(lender.cashier, bank)
        found = await unchanged(lending, preview.of_command(cashier, refund_payment.pay, **order))
        assert (found.final, lines_of(found)) == (True, lines_of(asked))
        assert lines_of(found) == [("1002", D("0.00"), D("115.12")), ("224101", D("115.12"), D("0.00"))]
        await comes_true(lending, kept.loan_id, found, refund_payment.pay(cashier, **order), A_MONTH_AGO)
    assert asked.loans[0].comparison.after.state.kept == found.loans[0].comparison.after.state.kept
    assert await proved(lender) == []


async def test_arrears_of_another_loan_are_shown_on_that_loan(kept: Kept) -> None:
    other = await overdue_elsewhere(kept)
    with pytest.raises(ArrearsExist):
        await asking(kept)
    asked = await unchanged(kept.lending, asking(kept, offset_consent=True))
    assert {change.loan_id for change in asked.loans} == {kept.loan_id, other}
    approved = await kept.approved(offset_consent=True)
    known = await vouchers(kept.lending)
    paid = await kept.pay(approved.id)
    assert paid.state is RefundState.PAID
    assert lines_of(asked) == await posted_since(kept.lending, known)
    (change,) = [one for one in asked.loans if one.loan_id == other]
    (day,) = change.comparison.days()
    assert day.after == await kept.lending.figures(other)


async def test_a_payment_by_hand_that_has_not_left_shows_its_opposite_entry(kept: Kept) -> None:
    lending, lender = kept.lending, kept.lender
    approved = await kept.approved()
    await kept.pay(approved.id, slip_ids=[await a_slip(lender)])
    said: dict[str, Any] = {"refund_id": approved.id, "paid": False, "comment": "户名不符"}
    found = await unchanged(lending, preview.of_command(lender.accountant, refund_payment.confirm, **said))
    confirm = refund_payment.confirm(lender.accountant, **said)
    await comes_true(lending, kept.loan_id, found, confirm, A_MONTH_AGO)


# ---------------------------------------------------------------- written off and recovered


async def test_a_write_off_shows_what_its_approval_posts(lending: Lending, lost: UUID) -> None:
    lender = lending.lender
    asked: dict[str, Any] = {"loan_id": lost, "grounds": GROUNDS}
    request = await unchanged(lending, preview.of_request(lender.post_loan_officer, write_off.request, **asked))
    (change,) = request.loans
    assert (request.final, change.state_before, change.state_after) == (
        False, LoanState.NON_ACCRUAL, LoanState.WRITTEN_OFF,
    )  # fmt: skip
    row = await write_off.request(lender.post_loan_officer, **asked)
    task_id = await the_task(lending, lender.general_manager, row.id)
    said: dict[str, Any] = {"task_id": task_id, "decision": Decision.APPROVE, "opinion": "同意"}
    found = await unchanged(lending, preview.of_decision(lender.general_manager, decision.decide, **said))
    assert (found.final, lines_of(found)) == (True, lines_of(request))
    confirm = decision.decide(lender.general_manager, **said)
    await comes_true(lending, lost, found, confirm, LOST["value_date"])
    with pytest.raises(InvalidState):
        await preview.of_request(lender.post_loan_officer, write_off.request, **asked)


async def test_undoing_a_write_off_shows_what_its_approval_posts(lending: Lending, lost: UUID) -> None:
    lender = lending.lender
    row = await written_off(lender, lost)
    asked: dict[str, Any] = {"write_off_id": row.id, "comment": "债务人恢复还款"}
    found = await unchanged(lending, preview.of_request(lender.post_loan_officer, write_off.request_reversal, **asked))
    await write_off.request_reversal(lender.post_loan_officer, **asked)
    confirm = decide(lender.general_manager, row.id)
    await comes_true(lending, lost, found, confirm, LOST["value_date"])


@pytest.mark.parametrize("amount", ["1000.00", "89600.00", "95000.00"])
async def test_a_recovery_shows_what_its_registration_posts(lending: Lending, lost: UUID, amount: str) -> None:
    lender = lending.lender
    await written_off(lender, lost)
    entry = repayment_entry.Entry(
        amount=D(amount), value_date=TODAY, company_account_id=lending.account_id, payer_name="张三",
        bank_reference=f"REF-{a_key()}",
    )  # fmt: skip
    asked: dict[str, Any] = {"loan_id": lost, "entry": entry, "idempotency_key": a_key()}
    posting = repayment_registration.post
    found = await unchanged(
        lending, preview.of_command(lender.cashier, written_off_register.record_recovery, follows=posting, **asked)
    )
    assert (found.final, "finance.receipt.registered" in found.announced) == (False, True)
    keyed = await written_off_register.record_recovery(lender.cashier, **asked)
    confirm = repayment_registration.register(lender.accountant, receipt_id=keyed.id)
    await comes_true(lending, lost, found, confirm, LOST["value_date"])


async def test_an_entry_shows_what_its_registration_posts(lending: Lending) -> None:
    loan_id = await lending.pay_out(value_date=A_MONTH_AGO)
    entry = repayment_entry.Entry(
        amount=D("4000.00"), value_date=date(2024, 12, 20), company_account_id=lending.account_id, payer_name="张三",
        bank_reference="REF-1",
    )  # fmt: skip
    asked: dict[str, Any] = {"loan_id": loan_id, "entry": entry, "idempotency_key": a_key()}
    cashier = lending.lender.cashier
    posting = repayment_registration.post
    found = await unchanged(lending, preview.of_command(cashier, repayment_entry.enter, follows=posting, **asked))
    keyed = await repayment_entry.enter(cashier, **asked)
    confirm = repayment_registration.register(lending.lender.accountant, receipt_id=keyed.id)
    await comes_true(lending, loan_id, found, confirm, A_MONTH_AGO)


async def test_permissions_and_refusals_are_those_of_the_command(lending: Lending, lost: UUID) -> None:
    lender = lending.lender
    good = await lending.pay_out(value_date=A_MONTH_AGO)
    before = await everything(lending)
    with pytest.raises(Denied):
        await preview.of_request(lender.cashier, write_off.request, loan_id=lost, grounds=GROUNDS)
    with pytest.raises(NotLossClass):
        await preview.of_request(lender.post_loan_officer, write_off.request, loan_id=good, grounds=GROUNDS)
    assert await everything(lending) == before
