"""出纳放款 · Disbursement (F15): the pay-out of a contract, reviewed by the accountant and paid by the cashier.

PENDING → REVIEWED → PAYING → PAID. The loan is made when the money has left, with its plan from that day. A payment that
fails goes back to PENDING with its reason and is reviewed and paid anew. How it is paid is in payment.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING, Any, ClassVar
from uuid import UUID

from sqlalchemy import ForeignKey, Index, String, select
from sqlalchemy.orm import Mapped, mapped_column

from domain.finance import entrusted_fee
from domain.finance.remark import remark
from domain.home import pending_task
from domain.kernel import paging
from domain.kernel.command import command, lock, query
from domain.kernel.numbering import numbered
from domain.kernel.paging import Order, Page, Window
from domain.kernel.refusals import ContractNotSigned, InvalidState
from domain.kernel.scope import Reach, Through, scope
from domain.kernel.table import Keyed, MoneyColumn, choice
from domain.lending.loan import open_loan
from domain.lending.loan_contract import ContractState, LoanContract

if TYPE_CHECKING:
    from domain.kernel.context import Context

REVIEW = "DISBURSEMENT_REVIEW"
PAY = "DISBURSEMENT_PAY"
CONFIRM = "DISBURSEMENT_CONFIRM"


class DisbursementState(StrEnum):
    """放款状态 · PENDING waits for the accountant, REVIEWED for the cashier, PAYING for the bank's word or a second person.

    FAILED is passed through only: a failed payment is PENDING again, with its reason."""

    PENDING = "PENDING"
    """待复核 Waits for the accountant."""
    REVIEWED = "REVIEWED"
    """已复核 Waits for the cashier."""
    PAYING = "PAYING"
    """付款中 Waits for the bank's word or a second person."""
    PAID = "PAID"
    """已放款 The money is out and the loan begins."""
    FAILED = "FAILED"
    """付款失败 Refused by the bank; passed through only."""
    CANCELLED = "CANCELLED"
    """已取消 Will not be paid."""


class Disbursement(Keyed):
    """One pay-out. The accounts, the value date and the cashier are those of the payment under way or made."""

    __tablename__ = "disbursements"
    __table_args__ = (
        Index("ix_disbursements_contract_id", "contract_id"),
        Index("ix_disbursements_state", "state", "company_account_id"),
    )
    reach: ClassVar[Reach] = Through("contract_id", "loan_contracts")

    number: Mapped[str] = mapped_column(String(20), unique=True)
    state: Mapped[DisbursementState] = mapped_column(choice(DisbursementState), default=DisbursementState.PENDING)
    contract_id: Mapped[UUID] = mapped_column(ForeignKey("loan_contracts.id"))
    customer_id: Mapped[UUID] = mapped_column(ForeignKey("customers.id"))
    amount: Mapped[Decimal] = mapped_column(MoneyColumn)
    value_date: Mapped[date | None]
    reviewer_id: Mapped[UUID | None] = mapped_column(ForeignKey("employees.id"))
    cashier_id: Mapped[UUID | None] = mapped_column(ForeignKey("employees.id"))
    company_account_id: Mapped[UUID | None] = mapped_column(ForeignKey("company_accounts.id"))
    customer_account_id: Mapped[UUID | None] = mapped_column(ForeignKey("customer_accounts.id"))
    bank_reference: Mapped[str | None] = mapped_column(String(100))
    comment: Mapped[str | None] = mapped_column(String(500))
    failure: Mapped[str | None] = mapped_column(String(500))
    paid_at: Mapped[datetime | None]
    loan_id: Mapped[UUID | None] = mapped_column(ForeignKey("loans.id"))


# ---------------------------------------------------------------- for the contract: planned, then ready


async def plan(ctx: Context, contract: LoanContract) -> Disbursement:
    """The pay-out of a contract that was just printed: all of it, and PENDING."""
    row = ctx.add(
        Disbursement(
            number=await numbered(ctx, "FK"),
            state=DisbursementState.PENDING,
            contract_id=contract.id,
            customer_id=contract.customer_id,
            amount=contract.amount,
        )
    )
    ctx.announce("finance.disbursement.planned", row, contract_id=contract.id)
    return row


async def ready(ctx: Context, contract: LoanContract) -> None:
    """The contract is signed: its pending pay-outs go to the accountants."""
    waiting = select(Disbursement).where(
        Disbursement.contract_id == contract.id, Disbursement.state == DisbursementState.PENDING
    )
    for row in (await ctx.session.execute(waiting)).scalars():
        await ask_for_review(ctx, row)


async def ask_for_review(ctx: Context, row: Disbursement) -> None:
    """Opens the accountants' task."""
    await pending_task.open(
        ctx,
        type=REVIEW,
        title=f"放款复核 Review the pay-out {row.number}",
        subject=row,
        roles=("ACCOUNTANT",),
        amount=row.amount,
        customer_id=row.customer_id,
    )


# ---------------------------------------------------------------- commands


@command("finance.disbursement.review")
async def review(ctx: Context, *, disbursement_id: UUID, comment: str | None = None) -> Disbursement:
    """放款复核 · The conditions of payment hold; the cashiers may pay.

    Raises NOT_FOUND, INVALID_STATE, CONTRACT_NOT_SIGNED, INVALID_INPUT (comment)."""
    row = await lock(ctx, Disbursement, disbursement_id, "disbursementId")
    if row.state is not DisbursementState.PENDING:
        raise InvalidState("disbursementId", state=row.state)
    contract = await ctx.session.get_one(LoanContract, row.contract_id)
    if contract.state is not ContractState.EFFECTIVE:
        raise ContractNotSigned("disbursementId")
    row.state = DisbursementState.REVIEWED
    row.reviewer_id, row.comment = ctx.actor.id, remark(comment)
    await pending_task.close(ctx, row, REVIEW)
    await pending_task.open(
        ctx,
        type=PAY,
        title=f"出纳放款 Pay out {row.number}",
        subject=row,
        roles=("CASHIER",),
        exclude=[ctx.actor.id],
        amount=row.amount,
        customer_id=row.customer_id,
    )
    ctx.announce("finance.disbursement.reviewed", row)
    return row


@command("finance.disbursement.cancel")
async def cancel(ctx: Context, *, disbursement_id: UUID, comment: str | None = None) -> Disbursement:
    """取消放款 · It will not be paid, and its contract ends: void if nobody signed it, else terminated.

    Raises NOT_FOUND, INVALID_STATE (once the cashier has paid), INVALID_INPUT (comment)."""
    row = await lock(ctx, Disbursement, disbursement_id, "disbursementId")
    if row.state not in (DisbursementState.PENDING, DisbursementState.REVIEWED):
        raise InvalidState("disbursementId", state=row.state)
    row.state, row.comment = DisbursementState.CANCELLED, remark(comment)
    contract = await ctx.session.get_one(LoanContract, row.contract_id, with_for_update=True)
    unsigned = contract.state is ContractState.SIGNING
    contract.state = ContractState.VOID if unsigned else ContractState.TERMINATED
    await pending_task.close(ctx, contract)
    await pending_task.close(ctx, row)  # under the contract's lock: a signing just now has asked for the review
    ctx.announce("finance.disbursement.cancelled", row)
    return row


# ---------------------------------------------------------------- what became of a payment


async def paid(ctx: Context, row: Disbursement, bank_reference: str | None = None) -> None:
    """The money has left: the loan begins on the value date. `row` is locked and PAYING."""
    assert row.value_date is not None
    assert row.company_account_id is not None
    assert row.cashier_id is not None
    contract = await ctx.session.get_one(LoanContract, row.contract_id)
    # Whoever hears the bank's answer only carries out what the cashier did: the event and its voucher are the cashier's.
    loan = await open_loan(
        ctx.acting_as(replace(ctx.actor, id=row.cashier_id)),
        contract=contract,
        disbursement_id=row.id,
        principal=row.amount,
        value_date=row.value_date,
        company_account_id=row.company_account_id,
    )
    row.state, row.loan_id, row.paid_at = DisbursementState.PAID, loan.id, ctx.now
    row.bank_reference = bank_reference
    await entrusted_fee.due_at_pay_out(ctx, loan)
    await pending_task.close(ctx, row)
    ctx.announce("finance.disbursement.paid", row, loan_id=loan.id, contract_id=contract.id)


async def failed(ctx: Context, row: Disbursement, reason: str) -> None:
    """The money has not left: everything begins anew with the review. `row` is locked and PAYING."""
    row.state, row.failure = DisbursementState.PENDING, reason[:500]
    row.reviewer_id = row.cashier_id = row.value_date = None
    row.company_account_id = row.customer_account_id = None
    await pending_task.close(ctx, row)
    await ask_for_review(ctx, row)
    ctx.announce("finance.disbursement.failed", row)


# ---------------------------------------------------------------- queries


@query("finance.disbursement.read")
async def page(
    ctx: Context,
    *,
    columns: Sequence[Any],
    window: Window,
    states: Sequence[DisbursementState] | None = None,
    customer_id: UUID | None = None,
) -> Page:
    """The pay-outs that the actor may see, newest first."""
    table = Disbursement.__table__.c
    statement = select(*columns).where(scope(ctx, Disbursement))
    if states is not None:
        statement = statement.where(table.state.in_(states))
    if customer_id is not None:
        statement = statement.where(table.customer_id == customer_id)
    return await paging.page(ctx, statement, [Order(table.id, descending=True)], window)


async def by_contract(ctx: Context, contract_ids: Sequence[UUID], columns: Sequence[Any]) -> dict[UUID, list[Any]]:
    """The pay-outs of each contract, in order. `columns` must hold `contract_id`."""
    table = Disbursement.__table__.c
    statement = select(*columns).where(table.contract_id.in_(contract_ids)).order_by(table.id)
    found: dict[UUID, list[Any]] = {key: [] for key in contract_ids}
    for row in (await ctx.connection.execute(statement)).all():
        found[row.contract_id].append(row)
    return found
