"""利息减免 · Interest waiver (F14): fee, penalty, compound or interest given up on a loan, never principal.

Asked for by one person, decided by others through the workflow, effective on the business date of the approval. A conditional
one lapses when anything is still due at the close of its date: the amount returns the day after (the loan's fold does that;
here the state follows). A ratio is taken of what is outstanding at the approval and is an amount from then on (golden S40).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, ForeignKey, Index, String, Text, and_, select
from sqlalchemy.orm import Mapped, mapped_column

from domain.calculation.allocation import Component
from domain.calculation.money import fen, half_up, yuan
from domain.kernel import paging
from domain.kernel.clock import CLOSING_DAY, hold_day
from domain.kernel.command import command, find, lock, query
from domain.kernel.numbering import numbered
from domain.kernel.paging import Order, Page, Window
from domain.kernel.refusals import AmountExceedsDue, Denied, InvalidAmount, InvalidInput, InvalidState
from domain.kernel.scope import Reach, Through, scope
from domain.kernel.table import Keyed, MoneyColumn, RateColumn, choice
from domain.lending import loan as loans
from domain.lending import settlement
from domain.lending.loan import EventType, Loan, figures
from domain.organization.department import check_text
from domain.workflow import instance
from domain.workflow.decision import check_grown
from domain.workflow.instance import WorkflowInstance
from domain.workflow.terms import ApprovedTerms

if TYPE_CHECKING:
    from domain.kernel.context import Context

PURPOSE = "INTEREST_WAIVER"
LONGEST_REASON = 500


class WaiverComponent(StrEnum):
    """减免项目 · What may be given up; principal is written off or restructured instead."""

    FEE = "FEE"
    """费用 Fees."""
    PENALTY = "PENALTY"
    """罚息 Penalty interest."""
    COMPOUND = "COMPOUND"
    """复利 Compound interest."""
    INTEREST = "INTEREST"
    """利息 Interest."""


class WaiverState(StrEnum):
    """减免状态 · LAPSED: the condition was not met, so the amount is due again."""

    IN_REVIEW = "IN_REVIEW"
    """审批中 Waits for a decision."""
    APPROVED = "APPROVED"
    """已批准 Granted."""
    REJECTED = "REJECTED"
    """已拒绝 Refused."""
    LAPSED = "LAPSED"
    """已失效 Its condition was not met: the amount is due again."""
    WITHDRAWN = "WITHDRAWN"
    """已撤回 Taken back by who asked."""


class InterestWaiver(Keyed):
    """One request. `amount` is what was asked until the approval, then what was given up; `event_id` is its loan event."""

    __tablename__ = "interest_waivers"
    __table_args__ = (
        Index("ix_interest_waivers_loan_id", "loan_id"),
        Index("ix_interest_waivers_conditional", "void_unless_paid_by", postgresql_where="state = 'APPROVED'"),
    )
    reach: ClassVar[Reach] = Through("loan_id", "loans")

    number: Mapped[str] = mapped_column(String(20), unique=True)
    state: Mapped[WaiverState] = mapped_column(choice(WaiverState), default=WaiverState.IN_REVIEW)
    loan_id: Mapped[UUID] = mapped_column(ForeignKey("loans.id"))
    customer_id: Mapped[UUID] = mapped_column(ForeignKey("customers.id"))
    component: Mapped[WaiverComponent] = mapped_column(choice(WaiverComponent))
    installment_seq: Mapped[int | None]
    amount: Mapped[Decimal] = mapped_column(MoneyColumn)
    ratio: Mapped[Decimal | None] = mapped_column(RateColumn)
    reason: Mapped[str] = mapped_column(Text)
    void_unless_paid_by: Mapped[date | None]
    requested_by: Mapped[UUID] = mapped_column(ForeignKey("employees.id"))
    effective_on: Mapped[date | None]
    decided_at: Mapped[datetime | None]
    event_id: Mapped[UUID | None]


# ---------------------------------------------------------------- rules


def check_condition(void_unless_paid_by: date | None, today: date) -> None:
    """The date of a condition is not over yet."""
    if void_unless_paid_by is not None and void_unless_paid_by < today:
        raise InvalidInput(
            "voidUnlessPaidBy",
            zh="条件日期不得早于 {today}。",
            en="The date of the condition is not before {today}.",
            today=today,
        )


def asked_amount(amount: Decimal | None, ratio: Decimal | None, due: Decimal) -> Decimal:
    """What is to be given up in CNY: the amount, or the share of what is due, half up.

    Raises InvalidInput unless exactly one is given or the ratio is in (0, 1], InvalidAmount, AmountExceedsDue."""
    if (amount is None) is (ratio is None):
        raise InvalidInput("amount", zh="请填写金额或比例之一。", en="Give an amount or a ratio, one of them.")
    if ratio is not None:
        if not 0 < ratio <= 1:
            raise InvalidInput("ratio", zh="比例应大于 0 且不超过 1。", en="A ratio is above 0 and at most 1.")
        amount = yuan(half_up(Fraction(ratio) * fen(due)))
    assert amount is not None
    field = "amount" if ratio is None else "ratio"
    if due <= 0:
        raise AmountExceedsDue(
            field, zh="没有可减免的金额。", en="Nothing of it is outstanding.", asked=amount, due=due
        )
    if amount > due:
        raise AmountExceedsDue(field, asked=amount, due=due)
    if amount <= 0:
        raise InvalidAmount(field, amount=amount)
    return amount


def granted_amount(row: InterestWaiver, approved: Decimal | None, due: Decimal) -> Decimal:
    """What an approval gives up: what the approvers set, or what was asked, at most what is outstanding by now.

    Raises AmountExceedsDue when nothing is."""
    if approved is None and row.ratio is not None:
        granted = yuan(half_up(Fraction(row.ratio) * fen(due)))
    else:
        granted = min(row.amount if approved is None else approved, due)
    if granted <= 0:
        raise AmountExceedsDue("taskId", asked=row.amount, due=due)
    return granted


# ---------------------------------------------------------------- commands


@command("lending.interest_waiver.request")
async def request(
    ctx: Context,
    *,
    loan_id: UUID,
    component: WaiverComponent,
    reason: str,
    installment_seq: int | None = None,
    amount: Decimal | None = None,
    ratio: Decimal | None = None,
    void_unless_paid_by: date | None = None,
) -> InterestWaiver:
    """Asks for a waiver and starts its workflow. Without `installment_seq` it is about what is due by now.

    Raises NOT_FOUND, INVALID_INPUT, INVALID_AMOUNT, AMOUNT_EXCEEDS_DUE."""
    loan = await find(ctx, Loan, loan_id, "loanId")
    plain_reason = check_text("reason", reason, LONGEST_REASON)
    check_condition(void_unless_paid_by, ctx.today)
    due = await loans.due(ctx, loan.id, Component(component), installment_seq)
    asked = asked_amount(amount, ratio, due)
    row = ctx.add(
        InterestWaiver(
            number=await numbered(ctx, "JM"),
            state=WaiverState.IN_REVIEW,
            loan_id=loan.id,
            customer_id=loan.customer_id,
            component=component,
            installment_seq=installment_seq,
            amount=asked,
            ratio=ratio,
            reason=plain_reason,
            void_unless_paid_by=void_unless_paid_by,
            requested_by=ctx.actor.id,
        )
    )
    await ctx.session.flush()
    await instance.start(
        ctx,
        purpose=PURPOSE,
        subject=row,
        title=f"利息减免 Waiver {row.number}",
        amount=asked,
        customer_id=loan.customer_id,
        facts={"component": component},
    )
    ctx.announce("lending.interest_waiver.requested", row, loan_id=loan.id)
    return row


@command("lending.interest_waiver.withdraw")
async def withdraw(ctx: Context, *, waiver_id: UUID) -> InterestWaiver:
    """Takes an own request back before it is decided. Raises NOT_FOUND, INVALID_STATE, Denied (another's request)."""
    row = await lock(ctx, InterestWaiver, waiver_id, "waiverId")
    if row.requested_by != ctx.actor.id:
        raise Denied("lending.interest_waiver.withdraw")
    if row.state is not WaiverState.IN_REVIEW:
        raise InvalidState("waiverId", state=row.state)
    row.state = WaiverState.WITHDRAWN
    await instance.stop(ctx, row)
    ctx.announce("lending.interest_waiver.withdrawn", row, loan_id=row.loan_id)
    return row


@instance.outcome(PURPOSE)
async def decided(ctx: Context, running: WorkflowInstance, approved: bool, terms: ApprovedTerms) -> None:
    """The workflow has ended: the waiver takes effect today, or not at all.

    Raises AMOUNT_EXCEEDS_DUE (nothing is outstanding any more), INVALID_STATE (its condition's date is over),
    APPROVAL_LIMIT_EXCEEDED (a ratio is more by now than these people may give up)."""
    row = await ctx.session.get_one(InterestWaiver, running.subject_id)
    row.decided_at = ctx.now
    if not approved:
        row.state = WaiverState.REJECTED
        ctx.announce("lending.interest_waiver.rejected", row, loan_id=row.loan_id)
        return
    if row.void_unless_paid_by is not None and row.void_unless_paid_by < ctx.today:
        raise InvalidState(
            "taskId", zh="减免条件日期已过。", en="The date of the waiver's condition is over.", state=row.state
        )
    await hold_day(ctx)  # before the loan, as whoever posts and end of day do
    loan = await ctx.session.get_one(Loan, row.loan_id, with_for_update=True)
    due = await loans.due(ctx, loan.id, Component(row.component), row.installment_seq)
    row.amount = granted_amount(row, terms.amount, due)
    await check_grown(ctx, running, row.amount)
    event = await loans.record(
        ctx,
        loan,
        type=EventType.WAIVER,
        value_date=ctx.today,
        payload={
            "component": row.component,
            "installment_seq": row.installment_seq,
            "amount": row.amount,
            "void_unless_paid_by": row.void_unless_paid_by,
            "waiver_id": row.id,
        },
        reference=row,
    )
    row.state, row.event_id, row.effective_on = WaiverState.APPROVED, event.id, ctx.today
    await settlement.follow_loans(ctx, [loan.contract_id])
    ctx.announce("lending.interest_waiver.approved", row, loan_id=loan.id)


# ---------------------------------------------------------------- conditions


def _promised_by(day: date | ColumnElement[date]) -> ColumnElement[bool]:
    return and_(InterestWaiver.void_unless_paid_by == day, InterestWaiver.state == WaiverState.APPROVED)


WAIVERS_TO_LAPSE = select(InterestWaiver.id).where(_promised_by(CLOSING_DAY)).exists()
"""Whether any waiver's condition was to be met by the day that closes."""


async def lapse(ctx: Context, day: date) -> int:
    """减免失效 · The step of end of day: waivers whose condition was to be met by `day`; answers how many lapse."""
    wanted = select(InterestWaiver).where(_promised_by(day)).order_by(InterestWaiver.id).with_for_update()
    rows = list((await ctx.session.execute(wanted)).scalars())
    return await _follow_condition(ctx, rows)


async def restate(ctx: Context, loan_id: UUID) -> int:
    """After the past of a loan has changed: conditions that are over may have been met, or missed, after all."""
    over = InterestWaiver.void_unless_paid_by < ctx.today
    decided_ones = InterestWaiver.state.in_((WaiverState.APPROVED, WaiverState.LAPSED))
    wanted = select(InterestWaiver).where(InterestWaiver.loan_id == loan_id, over, decided_ones)
    return await _follow_condition(ctx, list((await ctx.session.execute(wanted.with_for_update())).scalars()))


async def _follow_condition(ctx: Context, rows: Sequence[InterestWaiver]) -> int:
    """Brings each state to what its loan says: was anything still due at the close of the condition's date?

    All loans are read at once; the fold to the last of the dates tells the earlier ones."""
    dates = [row.void_unless_paid_by for row in rows if row.void_unless_paid_by is not None]
    if not dates:
        return 0
    folds = await figures.folds(ctx, [row.loan_id for row in rows], max(dates))
    changed = 0
    for row, day in zip(rows, dates, strict=True):
        then = folds[row.loan_id].on(day).state
        missed = then.unsettled or then.claim is not None  # written off by then: what was given up is claimed, too
        state = WaiverState.LAPSED if missed else WaiverState.APPROVED
        if state is not row.state:
            row.state, changed = state, changed + 1
            kind = "lapsed" if state is WaiverState.LAPSED else "restored"
            ctx.announce(f"lending.interest_waiver.{kind}", row, loan_id=row.loan_id)
    return changed


# ---------------------------------------------------------------- queries


class Lapse(NamedTuple):
    """From which day on the amount given up (CNY) counts again."""

    on: date
    amount: Decimal


async def lapses(ctx: Context, event_ids: Sequence[UUID]) -> dict[UUID, Lapse | None]:
    """Of each event of a loan that is a waiver which lapsed, how it did, as known now; else None. One statement for all."""
    table: Any = InterestWaiver.__table__.c
    wanted = select(table.event_id, table.void_unless_paid_by, table.amount).where(
        table.event_id.in_(event_ids), table.state == WaiverState.LAPSED
    )
    found: dict[UUID, Lapse | None] = dict.fromkeys(event_ids)
    for row in (await ctx.connection.execute(wanted)).all():
        found[row.event_id] = Lapse(row.void_unless_paid_by + timedelta(days=1), row.amount)
    return found


@query("lending.interest_waiver.read")
async def page(
    ctx: Context,
    *,
    columns: Sequence[Any],
    window: Window,
    states: Sequence[WaiverState] | None = None,
    loan_id: UUID | None = None,
) -> Page:
    """The waivers that the actor may see, newest first."""
    table = InterestWaiver.__table__.c
    statement = select(*columns).where(scope(ctx, InterestWaiver))
    if states is not None:
        statement = statement.where(table.state.in_(states))
    if loan_id is not None:
        statement = statement.where(table.loan_id == loan_id)
    return await paging.page(ctx, statement, [Order(table.id, descending=True)], window)
