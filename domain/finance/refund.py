"""出纳退款 · Refund (F18): money of a receipt that nothing has taken goes back to who paid it.

Asked for by one person, approved by others through the workflow (F48), paid by the cashier (refund_payment.py). What a receipt
has left is what the loan's fold keeps of it today, less what open requests speak for. A customer who is overdue on another
loan gets nothing back without agreeing that the arrears are taken out of it first (Civil Code 560, 568; decision 0027).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING, Any, ClassVar
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, func, select
from sqlalchemy.orm import Mapped, mapped_column

from domain.calculation.classification import LendingMode
from domain.calculation.loan.debt import InstallmentState
from domain.calculation.loan.fold import Fold
from domain.calculation.money import yuan
from domain.calculation.several_debts import SeveralDebt
from domain.finance.receipt import Receipt, ReceiptState
from domain.finance.remark import remark
from domain.home import pending_task
from domain.kernel import paging
from domain.kernel.command import command, find, lock, query
from domain.kernel.numbering import numbered
from domain.kernel.paging import Order, Page, Window
from domain.kernel.refusals import (
    ArrearsExist,
    InvalidAmount,
    InvalidInput,
    InvalidState,
    PayeeNotBorrower,
    RefundExceedsBalance,
)
from domain.kernel.scope import Reach, Through, scope
from domain.kernel.table import Keyed, MoneyColumn, choice
from domain.ledger.journal import ZERO
from domain.lending.loan import Loan, LoanState, figures
from domain.organization.department import check_text
from domain.post_loan.customer_account import AccountPurpose, CustomerAccount
from domain.workflow import instance
from domain.workflow.instance import WorkflowInstance
from domain.workflow.terms import ApprovedTerms

if TYPE_CHECKING:
    from domain.kernel.context import Context

PURPOSE = "REFUND"
PAY = "REFUND_PAY"
CONFIRM = "REFUND_CONFIRM"
LONGEST_NOTE = 500
IN_ARREARS = (LoanState.OVERDUE, LoanState.NON_ACCRUAL, LoanState.WRITTEN_OFF)


class RefundState(StrEnum):
    """退款状态 · A payment that failed ends the refund: another one is approved anew, perhaps to another account."""

    PENDING = "PENDING"
    """审批中 Waits for a decision."""
    APPROVED = "APPROVED"
    """已批准 Waits for the cashier."""
    PAYING = "PAYING"
    """付款中 Waits for the bank's word or a second person."""
    PAID = "PAID"
    """已退款 The money has gone back, or was set off."""
    REJECTED = "REJECTED"
    """已拒绝 Not granted."""
    FAILED = "FAILED"
    """付款失败 The money has not left, and is kept again."""
    CANCELLED = "CANCELLED"
    """已取消 Given up before it was paid."""


SPOKEN_FOR = (RefundState.PENDING, RefundState.APPROVED)
"""Requests whose money is still kept, and promised to them."""
GONE = (RefundState.PAYING, RefundState.PAID)
"""Refunds whose money has left the loan."""


class RefundReason(StrEnum):
    """退款原因 · Why the lender holds money that is not his."""

    OVERPAYMENT = "OVERPAYMENT"
    """多还 More was paid than was due."""
    DOUBLE_PAYMENT = "DOUBLE_PAYMENT"
    """重复还款 Paid twice."""
    WRONG_PAYER = "WRONG_PAYER"
    """错付 Paid by somebody who owes nothing here."""
    CORRECTION = "CORRECTION"
    """更正退息 Interest or fees given back after an error or a judgment."""


class Refund(Keyed):
    """One refund. `amount` is what was asked until the approval, then what was approved; `offset_amount` of it paid arrears of
    other loans. `event_id` is the loan event that took the rest out, `by_hand` how that is paid; the id is the bank's reference."""

    __tablename__ = "refunds"
    __table_args__ = (
        CheckConstraint("offset_amount >= 0 and offset_amount <= amount", name="offset"),
        Index("ix_refunds_receipt_id", "receipt_id"),
        Index("ix_refunds_loan_id", "loan_id"),
    )
    reach: ClassVar[Reach] = Through("loan_id", "loans")

    number: Mapped[str] = mapped_column(String(20), unique=True)
    state: Mapped[RefundState] = mapped_column(choice(RefundState), default=RefundState.PENDING)
    receipt_id: Mapped[UUID] = mapped_column(ForeignKey("receipts.id"))
    loan_id: Mapped[UUID] = mapped_column(ForeignKey("loans.id"))
    customer_id: Mapped[UUID] = mapped_column(ForeignKey("customers.id"))
    amount: Mapped[Decimal] = mapped_column(MoneyColumn)
    reason: Mapped[RefundReason] = mapped_column(choice(RefundReason))
    note: Mapped[str | None] = mapped_column(String(LONGEST_NOTE))
    offset_consent: Mapped[bool]
    offset_amount: Mapped[Decimal] = mapped_column(MoneyColumn)
    customer_account_id: Mapped[UUID] = mapped_column(ForeignKey("customer_accounts.id"))
    requested_by: Mapped[UUID] = mapped_column(ForeignKey("employees.id"))
    decided_by: Mapped[UUID | None] = mapped_column(ForeignKey("employees.id"))
    decided_at: Mapped[datetime | None]
    company_account_id: Mapped[UUID | None] = mapped_column(ForeignKey("company_accounts.id"))
    cashier_id: Mapped[UUID | None] = mapped_column(ForeignKey("employees.id"))
    value_date: Mapped[date | None]
    by_hand: Mapped[bool] = mapped_column(default=False)
    asked: Mapped[int] = mapped_column(default=0)
    bank_reference: Mapped[str | None] = mapped_column(String(100))
    comment: Mapped[str | None] = mapped_column(String(500))
    failure: Mapped[str | None] = mapped_column(String(500))
    paid_at: Mapped[datetime | None]
    event_id: Mapped[UUID | None]

    @property
    def cash(self) -> Decimal:
        """What is paid out, in CNY: the amount less what was set off."""
        return self.amount - self.offset_amount


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What is asked. `amount` in CNY; without `customer_account_id` the money goes to the payer's own account."""

    amount: Decimal
    reason: RefundReason = RefundReason.OVERPAYMENT
    note: str | None = None
    customer_account_id: UUID | None = None
    offset_consent: bool = False


# ---------------------------------------------------------------- rules


def check_amount(field: str, asked: Decimal, balance: Decimal) -> None:
    """At most what the receipt has left. Raises InvalidAmount, RefundExceedsBalance."""
    if asked <= 0:
        raise InvalidAmount(field, amount=asked)
    if asked > balance:
        raise RefundExceedsBalance(field, asked=asked, balance=balance)


def is_payers(holder: str, payer_name: str) -> bool:
    """Whether an account bears the payer's name; spaces do not count."""
    return "".join(holder.split()) == "".join(payer_name.split())


def check_payee(account: CustomerAccount, customer_id: UUID, payer_name: str) -> None:
    """The money goes back to who paid it: an account entered for this customer, in the payer's name, that pays or is refunded."""
    if account.customer_id != customer_id or not is_payers(account.holder, payer_name):
        raise PayeeNotBorrower(
            "customerAccountId",
            zh="收款人不是原付款人 {payer}。",
            en="The payee is not {payer}, who paid.",
            payer=payer_name,
        )
    if not (account.serves(AccountPurpose.REFUND) or account.serves(AccountPurpose.REPAYMENT)):
        raise InvalidInput(
            "customerAccountId", zh="该账户未用于还款或退款。", en="This account is not one for refunds."
        )


def check_consent(field: str, arrears: Decimal, consent: bool) -> None:
    """先抵后退 · Arrears elsewhere come first, with the customer's consent. Raises ArrearsExist with what they are."""
    if arrears and not consent:
        raise ArrearsExist(field, arrears=arrears)


def debt_of(loan: Loan, fold: Fold) -> SeveralDebt:
    """What a loan in arrears owes today, in fen, since its oldest unpaid due date; of one written off, what is still claimed."""
    if fold.state.claim is not None:
        amount, since = sum(fold.state.claim.values()), min(debt.due_date for debt in fold.state.debts.values())
    else:
        due = [row for row in fold.installments_on(fold.until) if row.state is not InstallmentState.PENDING]
        amount = sum(row.fee + row.penalty + row.compound + row.unpaid_interest + row.unpaid_principal for row in due)
        since = min((debt.due_date for debt in fold.state.unsettled), default=fold.until)
    return SeveralDebt(
        loan=str(loan.id),
        due_date=since,
        amount=amount,
        security=int(loan.lending_mode is not LendingMode.CREDIT),
        annual_rate=fold.state.rate.annual_rate,
    )


# ---------------------------------------------------------------- what is left, and what is owed elsewhere


async def kept(ctx: Context, receipt: Receipt) -> Decimal:
    """What the loan keeps of a receipt today, in CNY, as it is folded now."""
    fold = (await figures.folds(ctx, [receipt.loan_id]))[receipt.loan_id]
    return yuan(sum(part.amount for part in fold.state.kept if part.receipt == str(receipt.event_id)))


async def spoken_for(ctx: Context, receipt_id: UUID, but: UUID | None = None) -> Decimal:
    """What open requests (but this one) have been promised of a receipt. Its loan is locked: no other is made meanwhile."""
    table = Refund.__table__.c
    promised = select(func.coalesce(func.sum(table.amount), ZERO)).where(
        table.receipt_id == receipt_id, table.state.in_(SPOKEN_FOR)
    )
    if but is not None:
        promised = promised.where(table.id != but)
    return Decimal((await ctx.connection.execute(promised)).scalar_one())


async def arrears_elsewhere(ctx: Context, loan: Loan) -> dict[UUID, SeveralDebt]:
    """What the borrower owes on other loans that are overdue or written off, by loan; nothing where all is well."""
    wanted = select(Loan).where(Loan.customer_id == loan.customer_id, Loan.id != loan.id, Loan.state.in_(IN_ARREARS))
    others = {other.id: other for other in (await ctx.session.execute(wanted)).scalars()}
    if not others:
        return {}
    debts = {key: debt_of(others[key], fold) for key, fold in (await figures.folds(ctx, list(others))).items()}
    return {key: debt for key, debt in debts.items() if debt.amount}


def total(debts: Mapping[UUID, SeveralDebt]) -> Decimal:
    """All of them together, in CNY."""
    return yuan(sum(debt.amount for debt in debts.values()))


async def _payee(ctx: Context, receipt: Receipt, account_id: UUID | None) -> CustomerAccount:
    """The account named, or the payer's own: one for refunds first, then the one entered last."""
    if account_id is not None:
        account = await find(ctx, CustomerAccount, account_id, "customerAccountId")
        check_payee(account, receipt.customer_id, receipt.payer_name)
        return account
    known = select(CustomerAccount).where(CustomerAccount.customer_id == receipt.customer_id)
    purposes = (AccountPurpose.REFUND, AccountPurpose.REPAYMENT)
    found = [
        account
        for account in (await ctx.session.execute(known.order_by(CustomerAccount.id.desc()))).scalars()
        if is_payers(account.holder, receipt.payer_name) and any(map(account.serves, purposes))
    ]
    if not found:
        raise InvalidInput(
            "customerAccountId",
            zh="未登记付款人 {payer} 的还款或退款账户。",
            en="No account of {payer}, who paid, is known for repayments or refunds.",
            payer=receipt.payer_name,
        )
    return next((account for account in found if account.serves(AccountPurpose.REFUND)), found[0])


# ---------------------------------------------------------------- commands


@command("finance.refund.request", idempotent=True)
async def request(ctx: Context, *, receipt_id: UUID, wish: Wish, idempotency_key: str | None = None) -> Refund:
    """Asks for a refund and starts its workflow; the money is spoken for from now on.

    Raises NOT_FOUND, INVALID_STATE (receipt not posted), INVALID_AMOUNT, REFUND_EXCEEDS_BALANCE, PAYEE_NOT_BORROWER,
    INVALID_INPUT (account, note), ARREARS_EXIST (overdue elsewhere, no consent)."""
    source = await find(ctx, Receipt, receipt_id, "receiptId")
    loan = await lock(ctx, Loan, source.loan_id, "receiptId")  # two requests at once: the second one sees the first
    await ctx.session.refresh(source)
    if source.state is not ReceiptState.REGISTERED:
        raise InvalidState("receiptId", state=source.state)
    check_amount("amount", wish.amount, await kept(ctx, source) - await spoken_for(ctx, source.id))
    payee = await _payee(ctx, source, wish.customer_account_id)
    check_consent("offsetConsent", total(await arrears_elsewhere(ctx, loan)), wish.offset_consent)
    row = ctx.add(
        Refund(
            number=await numbered(ctx, "TK"),
            state=RefundState.PENDING,
            receipt_id=source.id,
            loan_id=loan.id,
            customer_id=loan.customer_id,
            amount=wish.amount,
            reason=wish.reason,
            note=check_text("note", wish.note, LONGEST_NOTE) if wish.note else None,
            offset_consent=wish.offset_consent,
            offset_amount=ZERO,
            customer_account_id=payee.id,
            requested_by=ctx.actor.id,
            by_hand=False,
            asked=0,
        )
    )
    await ctx.session.flush()
    await instance.start(
        ctx,
        purpose=PURPOSE,
        subject=row,
        title=f"退款 Refund {row.number}",
        amount=wish.amount,
        customer_id=loan.customer_id,
    )
    ctx.announce("finance.refund.requested", row, loan_id=loan.id)
    return row


@instance.outcome(PURPOSE)
async def decided(ctx: Context, running: WorkflowInstance, approved: bool, terms: ApprovedTerms) -> None:
    """The workflow has ended: the cashiers may pay what was approved, or nothing is paid.

    Raises REFUND_EXCEEDS_BALANCE (something else has taken the money meanwhile), ARREARS_EXIST (overdue by now)."""
    row = await ctx.session.get_one(Refund, running.subject_id)
    row.decided_by, row.decided_at = ctx.actor.employee_id, ctx.now
    if not approved:
        row.state = RefundState.REJECTED
        ctx.announce("finance.refund.rejected", row, loan_id=row.loan_id)
        return
    loan = await ctx.session.get_one(Loan, row.loan_id, with_for_update=True)
    source = await ctx.session.get_one(Receipt, row.receipt_id)
    amount = terms.amount or row.amount
    check_amount("taskId", amount, await kept(ctx, source) - await spoken_for(ctx, source.id, but=row.id))
    check_consent("taskId", total(await arrears_elsewhere(ctx, loan)), row.offset_consent)
    row.amount, row.state = amount, RefundState.APPROVED
    await pending_task.open(
        ctx,
        type=PAY,
        title=f"出纳退款 Refund {row.number}",
        subject=row,
        roles=("CASHIER",),
        exclude=await deciders(ctx, row),
        amount=row.amount,
        customer_id=row.customer_id,
    )
    ctx.announce("finance.refund.approved", row, loan_id=row.loan_id)


async def deciders(ctx: Context, row: Refund) -> set[UUID]:
    """四眼 · Who approved it may not pay it."""
    runs, voices = WorkflowInstance.__table__.c, instance.WorkflowAction.__table__.c
    ours = select(runs.id).where(runs.subject_id == row.id)
    spoke = select(voices.actor_id).where(voices.instance_id.in_(ours), voices.decision.in_(instance.VOICES))
    return set((await ctx.connection.execute(spoke)).scalars())


@command("finance.refund.cancel")
async def cancel(ctx: Context, *, refund_id: UUID, comment: str | None = None) -> Refund:
    """取消退款 · It will not be paid, and its money is free again. Raises NOT_FOUND, INVALID_STATE (once the cashier has paid)."""
    row = await lock(ctx, Refund, refund_id, "refundId")
    if row.state not in SPOKEN_FOR:
        raise InvalidState("refundId", state=row.state)
    row.state, row.comment = RefundState.CANCELLED, remark(comment)
    await instance.stop(ctx, row)
    await pending_task.close(ctx, row)
    ctx.announce("finance.refund.cancelled", row, loan_id=row.loan_id)
    return row


# ---------------------------------------------------------------- queries


@query("finance.refund.read")
async def page(
    ctx: Context,
    *,
    columns: Sequence[Any],
    window: Window,
    states: Sequence[RefundState] | None = None,
    loan_id: UUID | None = None,
    customer_id: UUID | None = None,
) -> Page:
    """The refunds that the actor may see, newest first."""
    table = Refund.__table__.c
    statement = select(*columns).where(scope(ctx, Refund))
    if states is not None:
        statement = statement.where(table.state.in_(states))
    if loan_id is not None:
        statement = statement.where(table.loan_id == loan_id)
    if customer_id is not None:
        statement = statement.where(table.customer_id == customer_id)
    return await paging.page(ctx, statement, [Order(table.id, descending=True)], window)
