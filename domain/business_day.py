"""营业日 · The business days of a lender: what closing each of them brought, and how far a close under way has come."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any, ClassVar
from uuid import UUID

from sqlalchemy import ForeignKey, String, UniqueConstraint, select
from sqlalchemy.orm import Mapped, mapped_column

from domain.kernel.command import query
from domain.kernel.feed import Json
from domain.kernel.paging import Order, Page, Window, page
from domain.kernel.scope import Everyone, Reach, scope
from domain.kernel.table import Keyed, TenantTable, choice
from domain.lending.loan import accrual, book
from domain.lending.loan.tables import QuarantinedLoan

if TYPE_CHECKING:
    from domain.kernel.context import Context

Day = date
TURN = "turn"
"""The step that opens the next day; behind it only loans are left to be carried."""
READ = "end_of_day.day.read"


class BusinessDayState(StrEnum):
    """OPEN takes postings; CLOSING is being closed; FAILED stopped on the way and goes on with the next run."""

    OPEN = "OPEN"
    """营业中 Takes postings."""
    CLOSING = "CLOSING"
    """日终处理中 Is being closed."""
    CLOSED = "CLOSED"
    """已关账 Takes no more postings."""
    FAILED = "FAILED"
    """失败 Stopped on the way; the next run goes on."""


class BusinessDay(Keyed):
    """营业日 · One day of a lender and what closing it brought."""

    __tablename__ = "business_days"
    __table_args__ = (UniqueConstraint("date"),)
    reach: ClassVar[Reach] = Everyone()

    date: Mapped[Day]
    state: Mapped[BusinessDayState] = mapped_column(choice(BusinessDayState))
    loans_advanced: Mapped[int] = mapped_column(default=0)
    loans_set_aside: Mapped[int] = mapped_column(default=0)
    became_overdue: Mapped[int] = mapped_column(default=0)
    alerts_raised: Mapped[int] = mapped_column(default=0)
    ledger_balanced: Mapped[bool] = mapped_column(default=False)
    failure: Mapped[str | None] = mapped_column(String(500))
    started_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]


class DayStep(TenantTable):
    """A step of a day: what it answered, and when it was done. One in parts says how far it came (`reached`)."""

    __tablename__ = "day_steps"

    day_id: Mapped[UUID] = mapped_column(ForeignKey("business_days.id"), primary_key=True)
    step: Mapped[str] = mapped_column(String(60), primary_key=True)
    result: Mapped[Any] = mapped_column(Json, nullable=True)
    reached: Mapped[UUID | None]
    finished_at: Mapped[datetime | None]


# --------------------------------------------------------------------------- progress


@dataclass(frozen=True, kw_only=True)
class Progress:
    """日终进度 · How far the close of a day has come. `step` is what is done next, null when nothing is under way; behind the last
    step of the list loans are carried into the next day, and only then `loans_done` grows."""

    date: Day
    state: BusinessDayState
    step: str | None
    steps_done: int
    steps: int
    loans_done: int
    loans: int


async def progress_of(ctx: Context, steps: Sequence[str]) -> Progress:
    """Of the day that is being closed, or else of the open one; `steps` are the names of all, in order."""
    days = BusinessDay.__table__.c
    unclosed = select(days.id, days.date, days.state).where(days.state != BusinessDayState.CLOSED)
    row = (await ctx.connection.execute(unclosed.order_by(days.date).limit(1))).one()
    finished = select(DayStep.step).where(DayStep.day_id == row.id, DayStep.finished_at.is_not(None))
    done = set((await ctx.connection.execute(finished)).scalars())
    left = [name for name in steps if name not in done]
    alive = await accrual.loans_alive(ctx)
    return Progress(
        date=row.date,
        state=row.state,
        step=left[0] if left and row.state is not BusinessDayState.OPEN else None,
        steps_done=len(steps) - len(left),
        steps=len(steps),
        loans_done=alive - await book.waiting_count(ctx) if TURN in done else 0,
        loans=alive,
    )


# --------------------------------------------------------------------------- queries


@query(READ)
async def days(ctx: Context, *, columns: list[Any], window: Window) -> Page:
    """Business days, the latest first."""
    table = BusinessDay.__table__.c
    return await page(ctx, select(*columns), [Order(table.date, descending=True), Order(table.id)], window)


async def days_between(ctx: Context, first: Day, last: Day) -> list[Any]:
    """The rows of business days from one day to another, in order."""
    table = BusinessDay.__table__
    statement = select(table).where(table.c.date.between(first, last)).order_by(table.c.date)
    return list((await ctx.connection.execute(statement)).all())


async def set_aside(ctx: Context, dates: Sequence[Day], columns: Sequence[Any]) -> dict[Day, list[Any]]:
    """The loans of the actor's that were not carried into the day after each of these."""
    table = QuarantinedLoan.__table__.c
    into = {day + timedelta(days=1): day for day in dates}
    statement = select(*columns, table.on).where(table.on.in_(into), scope(ctx, QuarantinedLoan)).order_by(table.id)
    found: dict[Day, list[Any]] = {day: [] for day in dates}
    for row in (await ctx.connection.execute(statement)).all():
        found[into[row.on]].append(row)
    return found
