"""核销管理 · Write-off (F34): a loan of the class LOSS leaves the books against the allowance; the claim stays (账销案存).

Asked for with condition, evidence and the finding on responsibility, approved by the general manager through the workflow,
effective on the business date of the approval (财政部呆账核销管理办法). What leaves, and what comes in later, is what the loan's
fold says: a receipt after it is a recovery by itself (decision 0012). It is undone by an opposite entry, through its own
workflow. What was written off and recovered is in written_off_register.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING, Any, ClassVar
from uuid import UUID

from sqlalchemy import ForeignKey, Index, String, Text, select
from sqlalchemy.orm import Mapped, mapped_column

from domain.calculation.classification import FiveClass
from domain.calculation.dates import add_months
from domain.calculation.loan.lines import Figures
from domain.calculation.money import yuan
from domain.configuration import document, parameter
from domain.configuration.loan_product import LoanKind
from domain.finance.remark import remark
from domain.kernel import paging
from domain.kernel.clock import hold_day
from domain.kernel.command import command, lock, query
from domain.kernel.feed import Json
from domain.kernel.numbering import numbered
from domain.kernel.paging import Order, Page, Window
from domain.kernel.refusals import AllowanceInsufficient, InvalidInput, InvalidState, NotLossClass
from domain.kernel.scope import Reach, Through, scope
from domain.kernel.table import Keyed, MoneyColumn, choice
from domain.ledger import account, journal
from domain.ledger.account import Account
from domain.lending import interest_waiver, settlement
from domain.lending import loan as loans
from domain.lending.loan import EventType, Loan, LoanState, figures
from domain.lending.loan_contract import LoanContract
from domain.organization.department import check_text
from domain.workflow import instance
from domain.workflow.instance import WorkflowInstance
from domain.workflow.terms import ApprovedTerms

if TYPE_CHECKING:
    from domain.kernel.context import Context

PURPOSE = "WRITE_OFF"
REVERSAL = "WRITE_OFF_REVERSAL"
LONGEST_FINDING = 2000
MOST_EVIDENCE = 50
IN_THE_BOOKS = (LoanState.ACTIVE, LoanState.OVERDUE, LoanState.NON_ACCRUAL)


class WriteOffState(StrEnum):
    """核销状态 · REVERSED: undone by an opposite entry, so it never was."""

    IN_REVIEW = "IN_REVIEW"
    """审批中 Waits for a decision."""
    APPROVED = "APPROVED"
    """已核销 Given up in the books, still claimed."""
    REJECTED = "REJECTED"
    """已拒绝 Not granted."""
    WITHDRAWN = "WITHDRAWN"
    """已撤回 Taken back by who asked."""
    REVERSED = "REVERSED"
    """已撤销 Undone by an opposite entry."""


class WriteOffCondition(StrEnum):
    """核销条件 · What makes a claim hopeless enough to be written off."""

    BANKRUPTCY_ENDED = "BANKRUPTCY_ENDED"
    """破产终结 The debtor's bankruptcy has ended."""
    DEATH_WITHOUT_ESTATE = "DEATH_WITHOUT_ESTATE"
    """死亡无遗产 The debtor died or is missing, and left nothing to pay from."""
    ENFORCEMENT_ENDED = "ENFORCEMENT_ENDED"
    """终结执行 A court has ended the enforcement without result."""
    OVERDUE_FOR_YEARS = "OVERDUE_FOR_YEARS"
    """长期逾期 Pursued in vain for as many years as the parameter says."""
    FRAUD_CLOSED = "FRAUD_CLOSED"
    """诈骗结案 A fraud whose case is closed."""
    ENTERPRISE_CLOSED = "ENTERPRISE_CLOSED"
    """关闭吊销 The enterprise was closed or lost its licence, and nothing is left."""
    DISASTER = "DISASTER"
    """灾害事故 A disaster or accident took what it could have been paid from."""


class WriteOff(Keyed):
    """One request. The four figures are what the loan owed at the request, then when it was written off; `event_id` is its loan
    event, `reversal_id` the running workflow that undoes it."""

    __tablename__ = "write_offs"
    __table_args__ = (
        Index("uq_write_offs_living", "loan_id", unique=True, postgresql_where="state in ('IN_REVIEW', 'APPROVED')"),
        Index("ix_write_offs_loan_id", "loan_id"),
    )
    reach: ClassVar[Reach] = Through("loan_id", "loans")

    number: Mapped[str] = mapped_column(String(20), unique=True)
    state: Mapped[WriteOffState] = mapped_column(choice(WriteOffState), default=WriteOffState.IN_REVIEW)
    loan_id: Mapped[UUID] = mapped_column(ForeignKey("loans.id"))
    customer_id: Mapped[UUID] = mapped_column(ForeignKey("customers.id"))
    principal: Mapped[Decimal] = mapped_column(MoneyColumn)
    on_balance_interest: Mapped[Decimal] = mapped_column(MoneyColumn)
    off_balance_interest: Mapped[Decimal] = mapped_column(MoneyColumn)
    fees: Mapped[Decimal] = mapped_column(MoneyColumn)
    condition: Mapped[WriteOffCondition] = mapped_column(choice(WriteOffCondition))
    evidence: Mapped[list[str]] = mapped_column(Json)
    responsibility: Mapped[str] = mapped_column(Text)
    requested_by: Mapped[UUID] = mapped_column(ForeignKey("employees.id"))
    decided_by: Mapped[UUID | None] = mapped_column(ForeignKey("employees.id"))
    decided_at: Mapped[datetime | None]
    effective_on: Mapped[date | None]
    event_id: Mapped[UUID | None]
    reversal_id: Mapped[UUID | None]
    comment: Mapped[str | None] = mapped_column(String(500))


@dataclass(frozen=True, slots=True, kw_only=True)
class Grounds:
    """认定材料 · Why it may be written off: condition, the papers that prove it (at least one), who answers for the loss.

    `attachment_ids` are own uploads."""

    condition: WriteOffCondition
    evidence: Sequence[str]
    responsibility: str
    attachment_ids: Sequence[UUID] = ()


# ---------------------------------------------------------------- rules


def check_in_the_books(field: str, loan: Loan) -> None:
    """A loan of the lender's own that still stands in the books. Raises InvalidState, InvalidInput (entrusted money)."""
    if loan.state not in IN_THE_BOOKS:
        raise InvalidState(field, state=loan.state)
    if loan.kind is LoanKind.ENTRUSTED:
        raise InvalidInput(
            field, zh="委托贷款由委托人承担损失，不予核销。", en="The loss of an entrusted loan is the entrustor's."
        )


def check_class(field: str, five_class: FiveClass) -> None:
    """Only what is classified LOSS. Raises NotLossClass."""
    if five_class is not FiveClass.LOSS:
        raise NotLossClass(field, five_class=five_class)


def check_years(condition: WriteOffCondition, overdue_since: date | None, years: int, today: date) -> None:
    """ "For years" means for as many as the parameter says. Raises InvalidInput with the day from which it may be said."""
    if condition is not WriteOffCondition.OVERDUE_FOR_YEARS:
        return
    if overdue_since is None or add_months(overdue_since, 12 * years) > today:
        raise InvalidInput(
            "condition",
            zh="逾期未满 {years} 年（逾期起始日 {since}）。",
            en="It is not overdue for {years} years yet (since {since}).",
            years=years,
            since=overdue_since,
        )


def check_allowance(field: str, principal: Decimal, allowance: Decimal) -> None:
    """The principal is taken from the allowance, which is topped up first. Raises AllowanceInsufficient with both figures."""
    if principal > allowance:
        raise AllowanceInsufficient(
            field,
            zh="贷款损失准备不足：余额 {allowance}，需要 {principal}。",
            en="The allowance holds {allowance}, {principal} is needed.",
            allowance=allowance,
            principal=principal,
        )


def plain_evidence(evidence: Sequence[str]) -> list[str]:
    """The papers by name. Raises InvalidInput for none, too many, or an empty one."""
    if not 1 <= len(evidence) <= MOST_EVIDENCE:
        raise InvalidInput("evidence", zh="请列明核销证据。", en="Name the papers that prove it, at least one.")
    return [check_text("evidence", item, 200) for item in evidence]


# ---------------------------------------------------------------- commands


@command("post_loan.write_off.request")
async def request(ctx: Context, *, loan_id: UUID, grounds: Grounds) -> WriteOff:
    """Asks that a loan is written off and starts its workflow.

    Raises NOT_FOUND, INVALID_STATE (not in the books, or asked for already), NOT_LOSS_CLASS, ALLOWANCE_INSUFFICIENT,
    INVALID_INPUT (entrusted, condition, evidence, responsibility)."""
    loan = await lock(ctx, Loan, loan_id, "loanId")
    check_in_the_books("loanId", loan)
    owed = await _owed(ctx, loan)
    check_class("loanId", owed.five_class)
    years = await parameter.value(ctx, "write_off_overdue_years")
    check_years(grounds.condition, owed.overdue_since, years, ctx.today)
    check_allowance("loanId", yuan(owed.principal_outstanding), await allowance(ctx))
    asked = select(WriteOff.id).where(WriteOff.loan_id == loan.id, WriteOff.state == WriteOffState.IN_REVIEW)
    if (await ctx.connection.execute(asked)).first() is not None:
        raise InvalidState("loanId", zh="核销正在审批。", en="A write-off is being decided.", state=loan.state)
    row = ctx.add(
        WriteOff(
            number=await numbered(ctx, "HX"),
            state=WriteOffState.IN_REVIEW,
            loan_id=loan.id,
            customer_id=loan.customer_id,
            condition=grounds.condition,
            evidence=plain_evidence(grounds.evidence),
            responsibility=check_text("responsibility", grounds.responsibility, LONGEST_FINDING),
            requested_by=ctx.actor.id,
        )
    )
    _note(row, owed)
    await ctx.session.flush()
    contract = await ctx.session.get_one(LoanContract, loan.contract_id)
    await document.attach(ctx, grounds.attachment_ids, row, application_id=contract.application_id)
    await instance.start(
        ctx,
        purpose=PURPOSE,
        subject=row,
        title=f"核销 Write-off {row.number}",
        amount=row.principal,
        customer_id=loan.customer_id,
    )
    ctx.announce("post_loan.write_off.requested", row, loan_id=loan.id)
    return row


async def _owed(ctx: Context, loan: Loan) -> Figures:
    return (await figures.positions(ctx, [loan.id]))[loan.id]


def _note(row: WriteOff, owed: Figures) -> None:
    row.principal, row.fees = yuan(owed.principal_outstanding), yuan(owed.fees)
    row.on_balance_interest = yuan(owed.on_balance_interest)
    row.off_balance_interest = yuan(owed.off_balance_interest)


async def allowance(ctx: Context) -> Decimal:
    """贷款损失准备 · What is left of the allowance (1304, a credit), in CNY."""
    return -await journal.balance(ctx, account.ALLOWANCE)


@command("post_loan.write_off.withdraw")
async def withdraw(ctx: Context, *, write_off_id: UUID) -> WriteOff:
    """Takes a request back before it is decided. Raises NOT_FOUND, INVALID_STATE."""
    row = await lock(ctx, WriteOff, write_off_id, "writeOffId")
    if row.state is not WriteOffState.IN_REVIEW:
        raise InvalidState("writeOffId", state=row.state)
    row.state = WriteOffState.WITHDRAWN
    await instance.stop(ctx, row)
    ctx.announce("post_loan.write_off.withdrawn", row, loan_id=row.loan_id)
    return row


@instance.outcome(PURPOSE)
async def decided(ctx: Context, running: WorkflowInstance, approved: bool, _terms: ApprovedTerms) -> None:
    """The workflow has ended: the loan leaves the books today, or nothing happens.

    Raises what the request does, as things stand now: INVALID_STATE, NOT_LOSS_CLASS, ALLOWANCE_INSUFFICIENT."""
    row = await ctx.session.get_one(WriteOff, running.subject_id)
    row.decided_by, row.decided_at = ctx.actor.employee_id, ctx.now
    if not approved:
        row.state = WriteOffState.REJECTED
        ctx.announce("post_loan.write_off.rejected", row, loan_id=row.loan_id)
        return
    await hold_day(ctx)  # before the loan, as whoever posts and end of day do
    loan = await ctx.session.get_one(Loan, row.loan_id, with_for_update=True)
    check_in_the_books("taskId", loan)
    owed = await _owed(ctx, loan)
    check_class("taskId", owed.five_class)
    # Two write-offs at once must not share one allowance: the second one waits here and sees what the first has left.
    await ctx.connection.execute(select(Account.code).where(Account.code == account.ALLOWANCE).with_for_update())
    check_allowance("taskId", yuan(owed.principal_outstanding), await allowance(ctx))
    _note(row, owed)
    event = await loans.record(ctx, loan, type=EventType.WRITE_OFF, value_date=ctx.today, payload={}, reference=row)
    if loan.state is not LoanState.WRITTEN_OFF:  # kept money has paid all of it
        raise InvalidState("taskId", state=loan.state)
    row.state, row.event_id, row.effective_on = WriteOffState.APPROVED, event.id, ctx.today
    ctx.announce("post_loan.write_off.approved", row, loan_id=loan.id, customer_id=loan.customer_id)


async def _as_a_whole(_ctx: Context, _running: WorkflowInstance, _terms: ApprovedTerms) -> None:
    """A loan is written off, and its write-off undone, as a whole. Raises INVALID_INPUT for any terms."""
    raise InvalidInput("terms", zh="核销只能整笔进行。", en="A loan is written off as a whole.")


instance.terms_check(PURPOSE)(_as_a_whole)


# ---------------------------------------------------------------- undone


@command("post_loan.write_off.request_reversal")
async def request_reversal(ctx: Context, *, write_off_id: UUID, comment: str | None = None) -> WriteOff:
    """撤销核销 · Asks others to undo a write-off; it stands until then. What was recovered becomes what was paid, on its own days.

    Raises NOT_FOUND, INVALID_STATE (not written off, or asked for already), INVALID_INPUT (no comment)."""
    row = await lock(ctx, WriteOff, write_off_id, "writeOffId")
    if row.state is not WriteOffState.APPROVED:
        raise InvalidState("writeOffId", state=row.state)
    if row.reversal_id is not None:
        raise InvalidState("writeOffId", zh="撤销正在审批。", en="A reversal is being decided.", state=row.state)
    row.comment = remark(comment)
    if row.comment is None:
        raise InvalidInput("comment", zh="请填写理由。", en="Give a reason.")
    running = await instance.start(
        ctx,
        purpose=REVERSAL,
        subject=row,
        title=f"撤销核销 Undo the write-off {row.number}",
        amount=row.principal,
        customer_id=row.customer_id,
        makers={row.requested_by},
    )
    row.reversal_id = running.id
    ctx.announce("post_loan.write_off.reversal_requested", row, loan_id=row.loan_id)
    return row


@instance.outcome(REVERSAL)
async def reversal_decided(ctx: Context, running: WorkflowInstance, approved: bool, _terms: ApprovedTerms) -> None:
    """Undoes the write-off by an opposite event, or leaves it as it is."""
    row = await ctx.session.get_one(WriteOff, running.subject_id)
    row.reversal_id = None
    if not approved:
        return
    assert row.effective_on is not None
    await hold_day(ctx)
    loan = await ctx.session.get_one(Loan, row.loan_id)
    await loans.record(
        ctx,
        loan,
        type=EventType.REVERSAL,
        value_date=row.effective_on,
        payload={"target_event_id": row.event_id},
        reference=row,
    )
    row.state = WriteOffState.REVERSED
    await interest_waiver.restate(ctx, loan.id)
    await settlement.follow_loans(ctx, [loan.contract_id])
    ctx.announce("post_loan.write_off.reversed", row, loan_id=loan.id, customer_id=loan.customer_id)


instance.terms_check(REVERSAL)(_as_a_whole)


# ---------------------------------------------------------------- queries


@query("post_loan.write_off.read")
async def page(
    ctx: Context,
    *,
    columns: Sequence[Any],
    window: Window,
    states: Sequence[WriteOffState] | None = None,
    loan_id: UUID | None = None,
    customer_id: UUID | None = None,
) -> Page:
    """The write-offs that the actor may see, newest first."""
    table = WriteOff.__table__.c
    statement = select(*columns).where(scope(ctx, WriteOff))
    if states is not None:
        statement = statement.where(table.state.in_(states))
    if loan_id is not None:
        statement = statement.where(table.loan_id == loan_id)
    if customer_id is not None:
        statement = statement.where(table.customer_id == customer_id)
    return await paging.page(ctx, statement, [Order(table.id, descending=True)], window)
