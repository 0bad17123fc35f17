"""还款登记 · Repayment registration (F20): the accountant compares a receipt with the bank's statement and posts it.

Maker and checker are different people. A posted receipt is undone by a reversal (冲正): an opposite event, decided by somebody
who neither keyed nor registered nor asked. Any receipt may be reversed, in any order.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import select

from domain.finance import entrusted_fund
from domain.finance.receipt import Receipt, ReceiptState
from domain.finance.remark import remark
from domain.finance.repayment_entry import REGISTER, check_value_date
from domain.home import pending_task
from domain.kernel import paging
from domain.kernel.command import command, lock, query
from domain.kernel.paging import Order, Page, Window
from domain.kernel.refusals import InvalidInput, InvalidState, SamePerson
from domain.kernel.scope import scope
from domain.lending import interest_waiver, settlement
from domain.lending import loan as loans
from domain.lending.loan import EventType, Loan
from domain.workflow import instance
from domain.workflow.instance import WorkflowInstance
from domain.workflow.terms import ApprovedTerms

if TYPE_CHECKING:
    from domain.kernel.context import Context

REVERSAL = "RECEIPT_REVERSAL"


# ---------------------------------------------------------------- commands


@command("finance.receipt.register", idempotent=True)
async def register(
    ctx: Context, *, receipt_id: UUID, comment: str | None = None, idempotency_key: str | None = None
) -> Receipt:
    """Posts a receipt: the loan is folded with it from its value date, the difference is booked today.

    Raises NOT_FOUND, INVALID_STATE, SAME_PERSON (who keyed it), INVALID_INPUT (comment)."""
    row = await lock(ctx, Receipt, receipt_id, "receiptId")
    await _decide(ctx, row, ReceiptState.REGISTERED, comment)
    await post(ctx, row)
    return row


async def post(ctx: Context, row: Receipt) -> None:
    """Posts a receipt that was checked, and what hangs on it. Raises INVALID_INPUT (its value date lies before the loan)."""
    loan = await ctx.session.get_one(Loan, row.loan_id)
    check_value_date(row.value_date, loan.value_date, ctx.today)
    event = await loans.record(
        ctx,
        loan,
        type=EventType.RECEIPT,
        value_date=row.value_date,
        payload={
            "amount": row.amount,
            "prepayment": row.prepayment,
            "bank_reference": row.bank_reference,
            "receipt_id": row.id,
        },
        company_account_id=row.company_account_id,
        reference=row,
    )
    row.event_id = event.id
    await entrusted_fund.ask_to_pass_on(ctx, loan)
    await _see_to_the_rest(ctx, loan)
    ctx.announce("finance.receipt.registered", row, loan_id=loan.id, customer_id=row.customer_id)


@command("finance.receipt.reject", idempotent=True)
async def reject(
    ctx: Context, *, receipt_id: UUID, comment: str | None = None, idempotency_key: str | None = None
) -> Receipt:
    """Sends a receipt back: it is not on the bank's statement, or was keyed wrongly. It may be keyed anew.

    Raises NOT_FOUND, INVALID_STATE, SAME_PERSON (who keyed it), INVALID_INPUT (comment)."""
    row = await lock(ctx, Receipt, receipt_id, "receiptId")
    await _decide(ctx, row, ReceiptState.REJECTED, comment)
    ctx.announce("finance.receipt.rejected", row, loan_id=row.loan_id)
    return row


async def _decide(ctx: Context, row: Receipt, state: ReceiptState, comment: str | None) -> None:
    """The checker's word on a receipt that waits for one."""
    if row.entered_by == ctx.actor.id:
        raise SamePerson("receiptId")
    if row.state is not ReceiptState.ENTERED:
        raise InvalidState("receiptId", state=row.state)
    row.state, row.decided_by, row.decided_at = state, ctx.actor.id, ctx.now
    row.comment = remark(comment)
    await pending_task.close(ctx, row, REGISTER)


async def _see_to_the_rest(ctx: Context, loan: Loan) -> None:
    """What hangs on a loan whose past has changed: promises kept or broken, the contract that is settled or not."""
    await interest_waiver.restate(ctx, loan.id)
    await settlement.follow_loans(ctx, [loan.contract_id])


# ---------------------------------------------------------------- reversal


@command("finance.receipt.request_reversal", idempotent=True)
async def request_reversal(
    ctx: Context, *, receipt_id: UUID, comment: str | None = None, idempotency_key: str | None = None
) -> Receipt:
    """申请冲正 · Asks another person to undo a posted receipt; it stays posted until then.

    Raises NOT_FOUND, INVALID_STATE (not posted, or asked for already), INVALID_INPUT (comment)."""
    row = await lock(ctx, Receipt, receipt_id, "receiptId")
    if row.state is not ReceiptState.REGISTERED:
        raise InvalidState("receiptId", state=row.state)
    if row.refund_id is not None:
        raise InvalidState(
            "receiptId",
            zh="退款抵扣不能单独冲正。",
            en="What was set off out of a refund is not undone alone.",
            state=row.state,
        )
    if row.reversal_id is not None:
        raise InvalidState("receiptId", zh="冲正正在审批。", en="A reversal is being decided.", state=row.state)
    row.comment = remark(comment) or row.comment
    makers = {row.entered_by, row.decided_by} - {None}
    running = await instance.start(
        ctx,
        purpose=REVERSAL,
        subject=row,
        title=f"还款冲正 Reversal of {row.number}",
        amount=row.amount,
        customer_id=row.customer_id,
        makers=makers,  # type: ignore[arg-type]
    )
    row.reversal_id = running.id
    ctx.announce("finance.receipt.reversal_requested", row, loan_id=row.loan_id)
    return row


@instance.outcome(REVERSAL)
async def reversal_decided(ctx: Context, running: WorkflowInstance, approved: bool, _terms: ApprovedTerms) -> None:
    """Undoes the receipt by an opposite event, or leaves it as it is."""
    row = await ctx.session.get_one(Receipt, running.subject_id)
    row.reversal_id = None
    if not approved:
        return
    if row.state is not ReceiptState.REGISTERED:
        raise InvalidState("taskId", state=row.state)
    loan = await ctx.session.get_one(Loan, row.loan_id)
    await loans.record(
        ctx,
        loan,
        type=EventType.REVERSAL,
        value_date=row.value_date,
        payload={"target_event_id": row.event_id},
        company_account_id=row.company_account_id,
        reference=row,
    )
    row.state = ReceiptState.REVERSED
    await _see_to_the_rest(ctx, loan)
    ctx.announce("finance.receipt.reversed", row, loan_id=loan.id, customer_id=row.customer_id)


@instance.terms_check(REVERSAL)
async def no_terms(_ctx: Context, _running: WorkflowInstance, _terms: ApprovedTerms) -> None:
    """A receipt is undone as a whole. Raises INVALID_INPUT for any terms."""
    raise InvalidInput("terms", zh="冲正只能整笔进行。", en="A receipt is reversed as a whole.")


# ---------------------------------------------------------------- queries


@query("finance.receipt.read")
async def to_register(ctx: Context, *, columns: Sequence[Any], window: Window) -> Page:
    """Receipts that wait for a checker, oldest first; those that the actor keyed are not offered."""
    table = Receipt.__table__.c
    statement = select(*columns).where(
        scope(ctx, Receipt), table.state == ReceiptState.ENTERED, table.entered_by != ctx.actor.id
    )
    return await paging.page(ctx, statement, [Order(table.id)], window)
