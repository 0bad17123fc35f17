"""还款 · Receipt: money that came in on a loan. Keyed by one person (F19), checked and posted by another (F20).

What a receipt pays is never typed in: it is what the loan's fold makes of it. Until it is posted that is a proposal, folded
without being written; afterwards it is read from the stored allocations, which are restated whenever the loan is folded
again. A reversed receipt keeps the lines it had.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING, Any, ClassVar
from uuid import UUID

from sqlalchemy import ForeignKey, Index, String, or_, select
from sqlalchemy.orm import Mapped, mapped_column

from domain.calculation.allocation import ClaimComponent, Component, InvalidAmount
from domain.calculation.loan.events import PrepaymentMode
from domain.calculation.money import fen, yuan
from domain.calculation.schedule import PlanError
from domain.kernel import paging
from domain.kernel.command import query
from domain.kernel.paging import Order, Page, Window
from domain.kernel.paging_by_parent import pages_by_parent
from domain.kernel.refusals import BadInput
from domain.kernel.scope import Reach, Through, scope
from domain.kernel.table import Keyed, MoneyColumn, choice, uuid7
from domain.ledger.journal import ZERO
from domain.lending.loan import EventType, Loan, refold
from domain.lending.loan.refold import Book
from domain.lending.loan.tables import AllocationRow

if TYPE_CHECKING:
    from domain.kernel.context import Context

LIVING = "state in ('ENTERED', 'REGISTERED')"


class ReceiptState(StrEnum):
    """还款状态 · ENTERED waits for the accountant; REGISTERED is posted; REVERSED is undone by an opposite entry."""

    ENTERED = "ENTERED"
    """已录入 Waits for the accountant."""
    REGISTERED = "REGISTERED"
    """已入账 Posted."""
    REJECTED = "REJECTED"
    """已拒绝 Not posted."""
    REVERSED = "REVERSED"
    """已冲正 Undone by an opposite entry."""


class ReceiptMethod(StrEnum):
    """还款方式 · Transfer, withholding (代扣), at the counter, offset, by a guarantor, proceeds of collateral."""

    TRANSFER = "TRANSFER"
    """转账 Bank transfer."""
    WITHHOLDING = "WITHHOLDING"
    """代扣 Drawn from the customer's account."""
    COUNTER = "COUNTER"
    """柜台 Paid at the counter."""
    OFFSET = "OFFSET"
    """抵扣 Set off against money owed to the customer."""
    GUARANTOR = "GUARANTOR"
    """担保人代偿 Paid by a guarantor."""
    COLLATERAL_PROCEEDS = "COLLATERAL_PROCEEDS"
    """押品处置款 From the sale of collateral."""


class Receipt(Keyed):
    """One amount that came in. `event_id` is the loan event that posted it, `reversal_id` the workflow that undoes it,
    `refund_id` the refund of other money of the customer's out of which it was set off."""

    __tablename__ = "receipts"
    __table_args__ = (
        # A bank names each credit once: the same one is never keyed twice on an account, unless it was rejected or undone.
        Index(
            "uq_receipts_bank_reference", "company_account_id", "bank_reference", unique=True, postgresql_where=LIVING
        ),
        Index("ix_receipts_loan_id", "loan_id", "id"),
        Index("ix_receipts_entered", "id", postgresql_where="state = 'ENTERED'"),
    )
    reach: ClassVar[Reach] = Through("loan_id", "loans")

    number: Mapped[str] = mapped_column(String(20), unique=True)
    state: Mapped[ReceiptState] = mapped_column(choice(ReceiptState), default=ReceiptState.ENTERED)
    loan_id: Mapped[UUID] = mapped_column(ForeignKey("loans.id"))
    customer_id: Mapped[UUID] = mapped_column(ForeignKey("customers.id"))
    amount: Mapped[Decimal] = mapped_column(MoneyColumn)
    value_date: Mapped[date]
    company_account_id: Mapped[UUID] = mapped_column(ForeignKey("company_accounts.id"))
    payer_name: Mapped[str] = mapped_column(String(100))
    bank_reference: Mapped[str] = mapped_column(String(100))
    method: Mapped[ReceiptMethod] = mapped_column(choice(ReceiptMethod))
    prepayment: Mapped[PrepaymentMode | None] = mapped_column(choice(PrepaymentMode))
    entered_by: Mapped[UUID] = mapped_column(ForeignKey("employees.id"))
    decided_by: Mapped[UUID | None] = mapped_column(ForeignKey("employees.id"))
    decided_at: Mapped[datetime | None]
    comment: Mapped[str | None] = mapped_column(String(500))
    event_id: Mapped[UUID | None]
    reversal_id: Mapped[UUID | None]
    refund_id: Mapped[UUID | None]


# ---------------------------------------------------------------- what a receipt pays


@dataclass(frozen=True, slots=True)
class Line:
    """分配 · What one component of one installment gets, in CNY; `seq` is None for a prepayment and its fee."""

    seq: int | None
    component: Component | ClaimComponent
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Allocation:
    """What a receipt pays, and what of it stays kept (暂收); `event_id` once it is posted."""

    lines: tuple[Line, ...]
    unapplied: Decimal
    event_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Money:
    """A receipt that is not posted: as much of a loan event as the fold looks at."""

    id: UUID
    value_date: date
    payload: dict[str, Any]
    type: EventType = EventType.RECEIPT


def money(amount: Decimal, value_date: date, prepayment: PrepaymentMode | None, bank_reference: str = "") -> Money:
    """The event that a receipt would be."""
    return Money(
        uuid7(), value_date, {"amount": str(amount), "prepayment": prepayment, "bank_reference": bank_reference}
    )


def propose(book: Book, coming: Money, today: date) -> Allocation:
    """What the money would pay, if it were posted now. Raises PlanError where no plan comes of it."""
    fold = Book(book.loan, book.terms, [*book.events, coming]).fold(today)
    lines = tuple(Line(line.seq, line.component, yuan(line.amount)) for line in fold.allocations[str(coming.id)])
    paid = sum(line.amount for line in fold.allocations[str(coming.id)])
    return Allocation(lines, yuan(fen(coming.payload["amount"]) - paid))


async def allocations(ctx: Context, receipt_ids: Sequence[UUID]) -> dict[UUID, Allocation]:
    """What each receipt paid, or would pay if it were posted now; nothing for a rejected one. A fixed number of statements."""
    table = Receipt.__table__
    rows = (await ctx.connection.execute(select(table).where(table.c.id.in_(receipt_ids)))).all()
    found = {row.id: Allocation((), ZERO) for row in rows}
    waiting = [row for row in rows if row.state is ReceiptState.ENTERED]
    if waiting:
        found |= await _proposed(ctx, waiting)
    posted = {row.event_id: row for row in rows if row.event_id is not None}
    lines: dict[UUID, list[Line]] = {event_id: [] for event_id in posted}
    stored = select(AllocationRow.__table__).where(AllocationRow.event_id.in_(posted))
    for line in (await ctx.connection.execute(stored.order_by(AllocationRow.event_id, AllocationRow.line))).all():
        lines[line.event_id].append(Line(line.seq, line.component, line.amount))
    for event_id, row in posted.items():
        paid = sum((line.amount for line in lines[event_id]), ZERO)
        found[row.id] = Allocation(tuple(lines[event_id]), row.amount - paid, event_id)
    return found


async def _proposed(ctx: Context, rows: Sequence[Any]) -> dict[UUID, Allocation]:
    loans = select(Loan.__table__).where(Loan.id.in_({row.loan_id for row in rows}))
    found = await refold.books(ctx, (await ctx.connection.execute(loans)).all())
    books = {book.loan.id: book for book in found}
    proposed: dict[UUID, Allocation] = {}
    for row in rows:
        coming = money(row.amount, row.value_date, row.prepayment, row.bank_reference)
        try:
            proposed[row.id] = propose(books[row.loan_id], coming, ctx.today)
        except (PlanError, InvalidAmount):  # its loan has changed since it was keyed: it can only be rejected
            proposed[row.id] = Allocation((), row.amount)
    return proposed


# ---------------------------------------------------------------- queries


@query("finance.receipt.read")
async def preview(
    ctx: Context, *, loan_id: UUID, amount: Decimal, value_date: date, prepayment: PrepaymentMode | None = None
) -> Allocation | None:
    """试算 · What money would pay; None for a loan that the actor may not see.

    Raises BadInput for an amount of nothing, a day on which the loan does not run or that is not open yet, and a prepayment
    that its method has no plan for."""
    table = Loan.__table__
    seen = await ctx.connection.execute(select(table).where(table.c.id == loan_id, scope(ctx, Loan)))
    loan = seen.one_or_none()
    if loan is None:
        return None
    if amount <= 0 or not loan.value_date <= value_date <= ctx.today:
        raise BadInput("an amount above zero, and a day from the loan's value date to today")
    (book,) = await refold.books(ctx, [loan])
    try:
        return propose(book, money(amount, value_date, prepayment), ctx.today)
    except PlanError as error:
        raise BadInput("this loan has no term to shorten") from error
    except InvalidAmount as error:  # it would use up what was refunded since
        raise BadInput("money of that day was refunded") from error


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which receipts: those that meet all that is given. `search` is a number or a bank reference, or how one begins."""

    search: str | None = None
    states: Sequence[ReceiptState] | None = None
    loan_id: UUID | None = None
    customer_id: UUID | None = None
    first_day: date | None = None
    last_day: date | None = None


@query("finance.receipt.read")
async def page(ctx: Context, *, columns: Sequence[Any], window: Window, wanted: Wanted) -> Page:
    """The receipts that the actor may see, newest first."""
    table = Receipt.__table__.c
    statement = select(*columns).where(scope(ctx, Receipt))
    if wanted.search:
        begins = (column.startswith(wanted.search, autoescape=True) for column in (table.number, table.bank_reference))
        statement = statement.where(or_(*begins))
    if wanted.states is not None:
        statement = statement.where(table.state.in_(wanted.states))
    if wanted.loan_id is not None:
        statement = statement.where(table.loan_id == wanted.loan_id)
    if wanted.customer_id is not None:
        statement = statement.where(table.customer_id == wanted.customer_id)
    if wanted.first_day is not None:
        statement = statement.where(table.value_date >= wanted.first_day)
    if wanted.last_day is not None:
        statement = statement.where(table.value_date <= wanted.last_day)
    return await paging.page(ctx, statement, [Order(table.id, descending=True)], window)


async def pages_by_loan(
    ctx: Context, loan_ids: Sequence[UUID], columns: Sequence[Any], window: Window
) -> dict[UUID, Page]:
    """The receipts of each loan in the order in which they were keyed."""
    table = Receipt.__table__.c
    return await pages_by_parent(ctx, select(*columns), table.loan_id, loan_ids, [Order(table.id)], window)
