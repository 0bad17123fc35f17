"""退款付款 · Paying a refund (F18): arrears elsewhere first, the rest through the bank link or by hand with a second person.

The money leaves the loan when the cashier gives the order, not when the bank has answered: from then on nothing else can take
it, whatever is entered meanwhile, and a payment that fails brings it back by an opposite entry (decision 0027). The bank is
asked what it knows of the order before every payment, under the refund's own id, so it is never paid twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import select

from domain.calculation.money import fen, yuan
from domain.calculation.several_debts import share_out
from domain.configuration import document
from domain.configuration.company_account import CompanyAccount
from domain.finance import payment
from domain.finance.receipt import Receipt, ReceiptMethod, ReceiptState
from domain.finance.refund import (
    CONFIRM,
    PAY,
    Refund,
    RefundState,
    arrears_elsewhere,
    check_amount,
    check_consent,
    deciders,
    kept,
    total,
)
from domain.finance.remark import remark
from domain.home import pending_task
from domain.kernel import job, personal_data
from domain.kernel.clock import hold_day, machine_now
from domain.kernel.command import command, lock
from domain.kernel.numbering import numbered
from domain.kernel.refusals import InvalidInput, InvalidState, SamePerson
from domain.lending import interest_waiver, settlement
from domain.lending import loan as loans
from domain.lending.loan import EventType, Loan
from domain.lending.loan_contract import LoanContract
from domain.post_loan.customer_account import CustomerAccount
from gateways.bank.port import PaymentOrder, PaymentResult, PaymentStatus

if TYPE_CHECKING:
    from domain.kernel.context import Context


@command("finance.refund.pay", idempotent=True)
async def pay(
    ctx: Context,
    *,
    refund_id: UUID,
    company_account_id: UUID,
    slip_ids: Sequence[UUID] = (),
    idempotency_key: str,
) -> Refund:
    """付款 · Pays an approved refund today. Answers PAYING: the bank says later what became of it; PAID where arrears took all.

    With `slip_ids` (uploads) it was paid by hand, and an accountant confirms it. Raises NOT_FOUND, INVALID_STATE, SAME_PERSON (who
    approved it), REFUND_EXCEEDS_BALANCE, ARREARS_EXIST, INSUFFICIENT_ACCOUNT_BALANCE, INVALID_INPUT (account; neither link nor
    slip)."""
    row = await lock(ctx, Refund, refund_id, "refundId")
    if row.state is not RefundState.APPROVED:
        raise InvalidState("refundId", state=row.state)
    if ctx.actor.id in await deciders(ctx, row):
        raise SamePerson("refundId")
    account = await lock(ctx, CompanyAccount, company_account_id, "companyAccountId")
    await hold_day(ctx)  # before the loans, as whoever posts and end of day do
    loan, others = await _loans_of(ctx, row)
    source = await ctx.session.get_one(Receipt, row.receipt_id)
    check_amount("refundId", row.amount, await kept(ctx, source))
    row.company_account_id, row.cashier_id, row.value_date = account.id, ctx.actor.id, ctx.today
    await _set_off(ctx, row, source, loan, others)
    await pending_task.close(ctx, row, PAY)
    if not row.cash:
        _paid(ctx, row, None)
        return row
    await payment.payer(ctx, account.id, row.cash, payment.use_for(loan.entrusted_contract_id))
    row.event_id = await _take_out(ctx, row, source, loan, row.cash)
    row.state = RefundState.PAYING
    if slip_ids:
        contract = await ctx.session.get_one(LoanContract, loan.contract_id)
        await document.attach(ctx, slip_ids, row, application_id=contract.application_id)
        await _ask_for_confirmation(ctx, row)
    else:
        await _order(ctx, row)
    ctx.announce("finance.refund.paying", row, loan_id=loan.id)
    return row


async def foresee(ctx: Context, row: Refund) -> None:
    """预演 · What paying a refund would do to the loans today, from the account on which its receipt came in.

    For the preview of a request only: nobody has ordered a payment. Raises ARREARS_EXIST."""
    await hold_day(ctx)
    loan, others = await _loans_of(ctx, row)
    source = await ctx.session.get_one(Receipt, row.receipt_id)
    row.company_account_id, row.value_date = source.company_account_id, ctx.today
    await _set_off(ctx, row, source, loan, others)
    if row.cash:
        row.event_id = await _take_out(ctx, row, source, loan, row.cash)
    ctx.announce("finance.refund.paying", row, loan_id=loan.id)


async def _loans_of(ctx: Context, row: Refund) -> tuple[Loan, dict[UUID, Loan]]:
    """The loan of the refund, and the customer's others; all locked, in the order of their ids."""
    wanted = select(Loan).where(Loan.customer_id == row.customer_id).order_by(Loan.id).with_for_update()
    found = {loan.id: loan for loan in (await ctx.session.execute(wanted)).scalars()}
    return found.pop(row.loan_id), found


async def _set_off(ctx: Context, row: Refund, source: Receipt, loan: Loan, others: dict[UUID, Loan]) -> None:
    """抵扣 · What is overdue on other loans is paid out of the refund, in the order of the law (Civil Code 560, golden A20).

    Both sides go through the same account at the same moment, so nothing is left on it. Raises ARREARS_EXIST without consent."""
    debts = await arrears_elsewhere(ctx, loan)
    check_consent("refundId", total(debts), row.offset_consent)
    shares = share_out(fen(row.amount), debts.values(), ctx.today)
    if not shares:
        return
    row.offset_amount = yuan(sum(share.amount for share in shares))
    await _take_out(ctx, row, source, loan, row.offset_amount)
    for share in shares:
        await _receive(ctx, row, source, others[UUID(share.loan)], yuan(share.amount))


async def _take_out(ctx: Context, row: Refund, source: Receipt, loan: Loan, amount: Decimal) -> UUID:
    """退款 · Dr 2241 / Cr 1002: kept money of the receipt leaves the loan today. Answers the event."""
    event = await loans.record(
        ctx,
        loan,
        type=EventType.REFUND,
        value_date=ctx.today,
        payload={"amount": amount, "receipt_event_id": source.event_id, "refund_id": row.id},
        company_account_id=row.company_account_id,
        reference=row,
    )
    return event.id


async def _receive(ctx: Context, row: Refund, source: Receipt, loan: Loan, amount: Decimal) -> None:
    """The same money as a receipt on another loan: asked for by who asked for the refund, checked by who approved it."""
    assert row.company_account_id is not None
    receipt = ctx.add(
        Receipt(
            number=await numbered(ctx, "HK"),
            state=ReceiptState.REGISTERED,
            loan_id=loan.id,
            customer_id=loan.customer_id,
            amount=amount,
            value_date=ctx.today,
            company_account_id=row.company_account_id,
            payer_name=source.payer_name,
            bank_reference=f"{row.number}/{loan.number}",
            method=ReceiptMethod.OFFSET,
            entered_by=row.requested_by,
            decided_by=row.decided_by,
            decided_at=ctx.now,
            refund_id=row.id,
        )
    )
    await ctx.session.flush()
    event = await loans.record(
        ctx,
        loan,
        type=EventType.RECEIPT,
        value_date=ctx.today,
        payload={
            "amount": amount,
            "prepayment": None,
            "bank_reference": receipt.bank_reference,
            "receipt_id": receipt.id,
        },
        company_account_id=row.company_account_id,
        reference=receipt,
    )
    receipt.event_id = event.id
    await _see_to_the_rest(ctx, loan)
    ctx.announce("finance.receipt.registered", receipt, loan_id=loan.id, customer_id=loan.customer_id)


async def _see_to_the_rest(ctx: Context, loan: Loan) -> None:
    """What hangs on a loan that was paid, or whose past has changed: promises, and the contract."""
    await interest_waiver.restate(ctx, loan.id)
    await settlement.follow_loans(ctx, [loan.contract_id])


async def _ask_for_confirmation(ctx: Context, row: Refund) -> None:
    row.by_hand = True
    await pending_task.open(
        ctx,
        type=CONFIRM,
        title=f"退款确认 Confirm the refund {row.number}",
        subject=row,
        roles=("ACCOUNTANT",),
        exclude=[ctx.actor.id],
        amount=row.cash,
        customer_id=row.customer_id,
    )


async def _order(ctx: Context, row: Refund) -> None:
    """Asks for the job that hands the order over."""
    if not payment.bank_linked(ctx):
        raise InvalidInput(
            "attachmentIds",
            zh="未接通银行，请上传付款回单。",
            en="There is no bank link: attach the slip of the payment.",
        )
    await job.enqueue(ctx, "finance.refund.settle", _job_of(row.id), refund_id=row.id)


def _job_of(refund_id: UUID) -> str:
    return f"refund/{refund_id}"


@command("finance.refund.ask_bank_again")
async def ask_bank_again(ctx: Context, *, refund_id: UUID) -> Refund:
    """再次查询银行 · The bank's word was given up on, after many failures: it is asked anew, under the same order, so nothing is
    paid twice.

    Raises NOT_FOUND, INVALID_STATE (nothing waits for the bank's word, or the bank is being asked still)."""
    row = await lock(ctx, Refund, refund_id, "refundId")
    if row.state is not RefundState.PAYING or row.by_hand:
        raise InvalidState("refundId", state=row.state)
    if not await job.resume(ctx, _job_of(row.id)):
        raise InvalidState(
            "refundId", zh="正在查询银行，请稍候。", en="The bank is being asked already.", state=row.state
        )
    ctx.announce("finance.refund.paying", row, loan_id=row.loan_id)
    return row


# ---------------------------------------------------------------- what became of it


@command("finance.refund.confirm")
async def confirm(ctx: Context, *, refund_id: UUID, paid: bool = True, comment: str | None = None) -> Refund:
    """退款确认 · A second person has seen that a payment by hand has left, or that it has not (`paid` false, with a comment).

    Raises NOT_FOUND, INVALID_STATE (nothing was paid by hand), SAME_PERSON, INVALID_INPUT (no comment)."""
    row = await lock(ctx, Refund, refund_id, "refundId")
    if row.state is not RefundState.PAYING or not row.by_hand:
        raise InvalidState("refundId", state=row.state)
    if row.cashier_id == ctx.actor.id:
        raise SamePerson("refundId")
    said = remark(comment)
    if paid:
        row.comment = said
        _paid(ctx, row, None)
    elif said is None:
        raise InvalidInput("comment", zh="请填写理由。", en="Give a reason.")
    else:
        await _failed(ctx, row, said)
    await pending_task.close(ctx, row)
    return row


def _paid(ctx: Context, row: Refund, bank_reference: str | None) -> None:
    row.state, row.paid_at, row.bank_reference = RefundState.PAID, ctx.now, bank_reference
    ctx.announce("finance.refund.paid", row, loan_id=row.loan_id, customer_id=row.customer_id)


async def _failed(ctx: Context, row: Refund, reason: str) -> None:
    """The money has not left: the loan keeps it again, from the day on which it was taken out, by an opposite entry."""
    assert row.cashier_id is not None
    assert row.value_date is not None
    await hold_day(ctx)
    loan = await ctx.session.get_one(Loan, row.loan_id)
    # Whoever hears the bank's answer only carries out what the cashier did: the entry is the cashier's.
    await loans.record(
        ctx.acting_as(replace(ctx.actor, id=row.cashier_id)),
        loan,
        type=EventType.REVERSAL,
        value_date=row.value_date,
        payload={"target_event_id": row.event_id},
        company_account_id=row.company_account_id,
        reference=row,
    )
    row.state, row.failure = RefundState.FAILED, reason[:500]
    await _see_to_the_rest(ctx, loan)
    ctx.announce("finance.refund.failed", row, loan_id=loan.id)


# ---------------------------------------------------------------- the bank's word


@job.job("finance.refund.settle")
async def settle(ctx: Context, payload: dict[str, Any]) -> datetime | None:
    """The job behind a refund: asks, pays if the bank never got it, writes down the answer; again until it is settled."""
    refund_id = UUID(payload["refund_id"])
    order = await _order_for_the_bank(ctx, refund_id)
    if order is None:
        return None
    row = await answer(ctx, refund_id=refund_id, result=await payment.hand_over(ctx.ports.bank, order))
    return machine_now() + payment.wait(row.asked) if row.state is RefundState.PAYING else None


@command("finance.refund.answer")
async def answer(ctx: Context, *, refund_id: UUID, result: PaymentResult | None) -> Refund:
    """What the bank said; once it is settled, late and repeated answers change nothing. Raises NOT_FOUND."""
    row = await lock(ctx, Refund, refund_id)
    if row.state is not RefundState.PAYING:
        return row
    row.asked += 1
    if result is not None and result.status is PaymentStatus.PAID:
        _paid(ctx, row, result.bank_reference)
    elif result is not None and result.status is PaymentStatus.FAILED:
        await _failed(ctx, row, result.reason or "–")
    return row


async def _order_for_the_bank(ctx: Context, refund_id: UUID) -> PaymentOrder | None:
    """The order with its accounts in plain, for this call only; None once it is settled."""
    async with ctx.writing() as inner:  # personal data is opened from rows of the unit of work
        row = await inner.session.get_one(Refund, refund_id)
        if row.state is not RefundState.PAYING:
            return None
        assert row.value_date is not None
        payer = await inner.session.get_one(CompanyAccount, row.company_account_id)
        payee = await inner.session.get_one(CustomerAccount, row.customer_account_id)
        return PaymentOrder(
            reference=str(row.id),
            amount=row.cash,
            payer_account=personal_data.unseal(inner, payer, "account") or "",
            payee_name=payee.holder,
            payee_account=personal_data.unseal(inner, payee, "account") or "",
            payee_bank=payee.bank,
            purpose=f"退款 {row.number}",
            value_date=row.value_date,
        )
