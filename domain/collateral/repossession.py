"""抵押担保 · Taking collateral over for the debt (以物抵债; action `disposeCollateral` of F24).

The owner and the lender agree on a value after the debt fell due – agreed before, it would only be a right to be paid first out
of the asset (Civil Code 401). Asked for by one person, approved by others through the workflow, it pays the loan as a receipt of
that value does, with the asset (1441) where the money would be (decision 0039). The mortgage ends with it. It is undone by an
opposite entry, through its own workflow, and the mortgage stands again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING, Any, ClassVar
from uuid import UUID

from sqlalchemy import ForeignKey, Index, String, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, mapped_column

from domain.calculation.money import yuan
from domain.collateral import mortgage
from domain.collateral.mortgage import Mortgage, MortgageState
from domain.configuration.loan_product import LoanKind
from domain.finance.receipt import Line
from domain.finance.remark import remark
from domain.kernel import paging
from domain.kernel.clock import hold_day
from domain.kernel.command import command, find, lock, query
from domain.kernel.numbering import numbered
from domain.kernel.paging import Order, Page, Window
from domain.kernel.refusals import AmountExceedsDue, Duplicate, InvalidAmount, InvalidInput, InvalidState
from domain.kernel.scope import Reach, Through, scope
from domain.kernel.table import Keyed, MoneyColumn, choice
from domain.lending import interest_waiver, settlement
from domain.lending import loan as loans
from domain.lending.loan import EventType, Loan, LoanState, figures, plans
from domain.lending.loan.tables import AllocationRow
from domain.organization.department import check_text
from domain.workflow import instance
from domain.workflow.instance import WorkflowInstance
from domain.workflow.terms import ApprovedTerms

if TYPE_CHECKING:
    from domain.kernel.context import Context

PURPOSE = "REPOSSESSION"
REVERSAL = "REPOSSESSION_REVERSAL"
IN_THE_BOOKS = (LoanState.ACTIVE, LoanState.OVERDUE, LoanState.NON_ACCRUAL)


class RepossessionState(StrEnum):
    """抵债状态 · HELD: the asset stands in the balance sheet (1441)."""

    IN_REVIEW = "IN_REVIEW"
    """审批中 Waits for a decision."""
    HELD = "HELD"
    """持有 The asset was taken over."""
    REJECTED = "REJECTED"
    """已拒绝 Not agreed to."""
    WITHDRAWN = "WITHDRAWN"
    """已撤回 Taken back by who asked."""
    REVERSED = "REVERSED"
    """已撤销 Undone by an opposite entry."""


class RepossessedAsset(Keyed):
    """抵债资产 · One asset taken over, or asked to be. `amount` is the agreed value, `event_id` the loan event that it paid,
    `reversal_id` the running workflow that undoes it."""

    __tablename__ = "repossessed_assets"
    __table_args__ = (
        Index(
            "uq_repossessed_assets_living",
            "mortgage_id",
            unique=True,
            postgresql_where="state in ('IN_REVIEW', 'HELD')",
        ),
    )
    reach: ClassVar[Reach] = Through("loan_id", "loans")

    number: Mapped[str] = mapped_column(String(20), unique=True)
    state: Mapped[RepossessionState] = mapped_column(choice(RepossessionState), default=RepossessionState.IN_REVIEW)
    mortgage_id: Mapped[UUID] = mapped_column(ForeignKey("mortgages.id"))
    loan_id: Mapped[UUID] = mapped_column(ForeignKey("loans.id"), index=True)
    customer_id: Mapped[UUID] = mapped_column(ForeignKey("customers.id"))
    amount: Mapped[Decimal] = mapped_column(MoneyColumn)
    agreed_on: Mapped[date]
    agreement_number: Mapped[str] = mapped_column(String(100))
    requested_by: Mapped[UUID] = mapped_column(ForeignKey("employees.id"))
    decided_by: Mapped[UUID | None] = mapped_column(ForeignKey("employees.id"))
    decided_at: Mapped[datetime | None]
    effective_on: Mapped[date | None]
    event_id: Mapped[UUID | None] = mapped_column(index=True)
    reversal_id: Mapped[UUID | None]
    comment: Mapped[str | None] = mapped_column(String(500))


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """以物抵债协议 · What was agreed: the value in CNY, the day, and the number of the paper."""

    amount: Decimal
    agreed_on: date
    agreement_number: str


@dataclass(frozen=True, slots=True)
class Paid:
    """What an asset paid: the lines as the loan is folded now, in their order, and the event they are of."""

    event_id: UUID
    lines: tuple[Line, ...]


# ---------------------------------------------------------------- rules


def check_agreed_on(agreed_on: date, matured_on: date, today: date) -> None:
    """After the last due date and not in the future (Civil Code 401). Raises InvalidInput with both days."""
    if not matured_on < agreed_on <= today:
        raise InvalidInput(
            "agreedOn",
            zh="以物抵债协议应在债务到期日 {matured_on} 之后签订，且不晚于 {today}。",
            en="It is agreed after the debt fell due on {matured_on}, and not after {today}.",
            matured_on=matured_on,
            today=today,
        )


def check_value(amount: Decimal, owed: Decimal) -> None:
    """Above zero, and no more than is owed: the rest would be money of the owner's. Raises InvalidAmount, AmountExceedsDue."""
    if amount <= 0:
        raise InvalidAmount("amount", amount=amount)
    if amount > owed:
        raise AmountExceedsDue("amount", asked=amount, due=owed)


def check_loan(field: str, loan: Loan, secured_by: Mortgage) -> None:
    """A loan of the lender's own in the books, under the contract that the mortgage secures. Raises InvalidState, InvalidInput."""
    if loan.contract_id != secured_by.contract_id:
        raise InvalidInput(field, zh="该抵押不担保此借据。", en="This mortgage does not secure the loan.")
    if loan.kind is LoanKind.ENTRUSTED:
        raise InvalidInput(
            field, zh="委托贷款的抵债资产归委托人。", en="What is taken for entrusted money is the entrustor's."
        )
    if loan.state not in IN_THE_BOOKS:
        raise InvalidState(field, state=loan.state)


async def _check(ctx: Context, row: RepossessedAsset, secured_by: Mortgage, loan: Loan, where: tuple[str, str]) -> None:
    """All of it, as things stand now. `where`: the fields of the mortgage and of the loan."""
    if secured_by.state is not MortgageState.EFFECTIVE:
        raise InvalidState(where[0], state=secured_by.state)
    rank = (await mortgage.standing(ctx, [secured_by.id]))[secured_by.id].rank
    if rank > 1:
        raise InvalidInput(
            where[0], zh="顺位为第 {rank}，不能抵债。", en="Its rank is {rank}; others come first.", rank=rank
        )
    check_loan(where[1], loan, secured_by)
    fold = (await figures.folds(ctx, [loan.id]))[loan.id]
    check_agreed_on(row.agreed_on, plans.maturity(fold), ctx.today)
    now = fold.position_on(ctx.today)
    check_value(row.amount, yuan(now.principal_outstanding + now.uncollected_interest + now.fees))


# ---------------------------------------------------------------- asked for


@command("collateral.repossession.request")
async def request(ctx: Context, *, mortgage_id: UUID, loan_id: UUID, agreement: Agreement) -> RepossessedAsset:
    """Asks that a mortgaged asset is taken over for what a loan owes, and starts the workflow.

    Raises NOT_FOUND, INVALID_STATE (mortgage not effective, or asked for already; loan not in the books), INVALID_INPUT (loan of
    another contract or of entrusted money, rank, day, paper), INVALID_AMOUNT, AMOUNT_EXCEEDS_DUE."""
    secured_by = await lock(ctx, Mortgage, mortgage_id, "mortgageId")
    loan = await find(ctx, Loan, loan_id, "loanId")
    row = RepossessedAsset(
        state=RepossessionState.IN_REVIEW,
        mortgage_id=secured_by.id,
        loan_id=loan.id,
        customer_id=loan.customer_id,
        amount=agreement.amount,
        agreed_on=agreement.agreed_on,
        agreement_number=check_text("agreementNumber", agreement.agreement_number),
        requested_by=ctx.actor.id,
    )
    await _check(ctx, row, secured_by, loan, ("mortgageId", "loanId"))
    waiting = select(RepossessedAsset.id).where(
        RepossessedAsset.mortgage_id == secured_by.id, RepossessedAsset.state == RepossessionState.IN_REVIEW
    )
    if (await ctx.connection.execute(waiting)).first() is not None:
        raise InvalidState("mortgageId", zh="抵债正在审批。", en="It is being decided already.", state=secured_by.state)
    row.number = await numbered(ctx, "DZ")
    ctx.add(row)
    await ctx.session.flush()
    await instance.start(
        ctx,
        purpose=PURPOSE,
        subject=row,
        title=f"以物抵债 Taking over {row.number}",
        amount=row.amount,
        customer_id=row.customer_id,
    )
    ctx.announce("collateral.repossession.requested", row, loan_id=loan.id)
    return row


@command("collateral.repossession.withdraw")
async def withdraw(ctx: Context, *, asset_id: UUID) -> RepossessedAsset:
    """Takes a request back before it is decided. Raises NOT_FOUND, INVALID_STATE."""
    row = await lock(ctx, RepossessedAsset, asset_id, "assetId")
    if row.state is not RepossessionState.IN_REVIEW:
        raise InvalidState("assetId", state=row.state)
    row.state = RepossessionState.WITHDRAWN
    await instance.stop(ctx, row)
    ctx.announce("collateral.repossession.withdrawn", row, loan_id=row.loan_id)
    return row


@instance.outcome(PURPOSE)
async def decided(ctx: Context, running: WorkflowInstance, approved: bool, _terms: ApprovedTerms) -> None:
    """The workflow has ended: the asset is taken over today, or nothing happens.

    Vouchers: Dr 1441 / Cr what the loan owed, and the mortgage leaves the register (Dr 9999 / Cr 9004). Raises what the request
    does, as things stand now."""
    row = await ctx.session.get_one(RepossessedAsset, running.subject_id)
    row.decided_by, row.decided_at = ctx.actor.employee_id, ctx.now
    if not approved:
        row.state = RepossessionState.REJECTED
        ctx.announce("collateral.repossession.rejected", row, loan_id=row.loan_id)
        return
    await hold_day(ctx)  # before the rows, as whoever posts and end of day do
    secured_by = await ctx.session.get_one(Mortgage, row.mortgage_id, with_for_update=True)
    loan = await ctx.session.get_one(Loan, row.loan_id, with_for_update=True)
    await _check(ctx, row, secured_by, loan, ("taskId", "taskId"))
    event = await loans.record(
        ctx,
        loan,
        type=EventType.RECEIPT,
        value_date=ctx.today,
        payload={"amount": row.amount, "prepayment": None, "bank_reference": row.number, "asset_id": row.id},
        asset_id=row.id,
        reference=row,
    )
    row.state, row.event_id, row.effective_on = RepossessionState.HELD, event.id, ctx.today
    secured_by.state = MortgageState.REPOSSESSED
    await mortgage.give_out(ctx, secured_by, "MORTGAGE_REPOSSESSED", "抵押物转抵债")
    await _see_to_the_rest(ctx, loan)
    ctx.announce("collateral.repossession.approved", row, loan_id=loan.id, customer_id=loan.customer_id)


async def _see_to_the_rest(ctx: Context, loan: Loan) -> None:
    """What hangs on a loan that was paid, or whose past has changed: promises, and the contract."""
    await interest_waiver.restate(ctx, loan.id)
    await settlement.follow_loans(ctx, [loan.contract_id])


async def _as_a_whole(_ctx: Context, _running: WorkflowInstance, _terms: ApprovedTerms) -> None:
    """The value is agreed with the owner: approvers take it or leave it. Raises INVALID_INPUT for any terms."""
    raise InvalidInput(
        "terms", zh="抵债金额以协议为准，不能调整。", en="The value is as agreed and is not changed here."
    )


instance.terms_check(PURPOSE)(_as_a_whole)


# ---------------------------------------------------------------- undone


@command("collateral.repossession.request_reversal")
async def request_reversal(ctx: Context, *, asset_id: UUID, comment: str | None = None) -> RepossessedAsset:
    """撤销抵债 · Asks others to undo a taking over, as if it had never been; it stands until then.

    Raises NOT_FOUND, INVALID_STATE (not held, or asked for already), INVALID_INPUT (no comment)."""
    row = await lock(ctx, RepossessedAsset, asset_id, "assetId")
    if row.state is not RepossessionState.HELD:
        raise InvalidState("assetId", state=row.state)
    if row.reversal_id is not None:
        raise InvalidState("assetId", zh="撤销正在审批。", en="A reversal is being decided.", state=row.state)
    row.comment = remark(comment)
    if row.comment is None:
        raise InvalidInput("comment", zh="请填写理由。", en="Give a reason.")
    running = await instance.start(
        ctx,
        purpose=REVERSAL,
        subject=row,
        title=f"撤销抵债 Undo the taking over {row.number}",
        amount=row.amount,
        customer_id=row.customer_id,
        makers={row.requested_by},
    )
    row.reversal_id = running.id
    ctx.announce("collateral.repossession.reversal_requested", row, loan_id=row.loan_id)
    return row


@instance.outcome(REVERSAL)
async def reversal_decided(ctx: Context, running: WorkflowInstance, approved: bool, _terms: ApprovedTerms) -> None:
    """Undoes it by opposite entries and lets the mortgage stand again, or leaves it as it is.

    Raises DUPLICATE where the asset secures the contract, or the registration another one, anew by now."""
    row = await ctx.session.get_one(RepossessedAsset, running.subject_id)
    row.reversal_id = None
    if not approved:
        return
    assert row.effective_on is not None
    await hold_day(ctx)
    secured_by = await ctx.session.get_one(Mortgage, row.mortgage_id, with_for_update=True)
    loan = await ctx.session.get_one(Loan, row.loan_id)
    await loans.record(
        ctx,
        loan,
        type=EventType.REVERSAL,
        value_date=row.effective_on,
        payload={"target_event_id": row.event_id},
        asset_id=row.id,
        reference=row,
    )
    certificate = secured_by.certificate_number
    row.state, secured_by.state, secured_by.ended_on = RepossessionState.REVERSED, MortgageState.EFFECTIVE, None
    try:
        await ctx.session.flush()
    except IntegrityError as error:
        raise Duplicate("taskId", value=certificate) from error
    await mortgage.take_in(ctx, secured_by, "MORTGAGE_RESTORED", "抵押物恢复")
    await _see_to_the_rest(ctx, loan)
    ctx.announce("collateral.repossession.reversed", row, loan_id=loan.id, customer_id=loan.customer_id)


instance.terms_check(REVERSAL)(_as_a_whole)


# ---------------------------------------------------------------- queries


@query("collateral.repossession.read")
async def page(
    ctx: Context,
    *,
    columns: Sequence[Any],
    window: Window,
    states: Sequence[RepossessionState] | None = None,
    loan_id: UUID | None = None,
) -> Page:
    """The assets that the actor may see, newest first."""
    table = RepossessedAsset.__table__.c
    statement = select(*columns).where(scope(ctx, RepossessedAsset))
    if states is not None:
        statement = statement.where(table.state.in_(states))
    if loan_id is not None:
        statement = statement.where(table.loan_id == loan_id)
    return await paging.page(ctx, statement, [Order(table.id, descending=True)], window)


async def paid(ctx: Context, asset_ids: Sequence[UUID]) -> dict[UUID, Paid]:
    """What each asset paid; nothing of one that was not taken over. One statement for all."""
    table: Any = RepossessedAsset.__table__.c
    statement = (
        select(table.id, table.event_id, AllocationRow.seq, AllocationRow.component, AllocationRow.amount)
        .join(AllocationRow.__table__, AllocationRow.event_id == table.event_id)
        .where(table.id.in_(asset_ids))
        .order_by(table.id, AllocationRow.line)
    )
    found: dict[UUID, Paid] = {}
    for key, event_id, *line in (await ctx.connection.execute(statement)).all():
        before = found[key].lines if key in found else ()
        found[key] = Paid(event_id, (*before, Line(*line)))
    return found
