"""到期提醒 · Tasks that come with a date (F01): three days before an installment is due, its account manager is reminded.

The task goes when the due day closes, or when the loan is settled before.
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import ColumnElement, DateTime, and_, cast, func, or_, select

from domain.home import task_batches
from domain.home.pending_task import Matter, Task, TaskState
from domain.kernel import portion
from domain.kernel.clock import CLOSING_DAY, SHANGHAI
from domain.kernel.portion import Portion
from domain.lending.loan.tables import Loan, LoanState

if TYPE_CHECKING:
    from domain.kernel.context import Context

TYPE = "INSTALLMENT_DUE"
DAYS_BEFORE = 3


def _is_old(end: datetime | ColumnElement[datetime]) -> ColumnElement[bool]:
    settled = select(Loan.id).where(Loan.id == Task.subject_id, Loan.state == LoanState.SETTLED).exists()
    return and_(Task.type == TYPE, or_(Task.due_at <= end, settled))


def _is_due(due: date | ColumnElement[date]) -> ColumnElement[bool]:
    # What happens next to a loan that owes nothing overdue is its next due day.
    return and_(Loan.next_action_on == due, Loan.state == LoanState.ACTIVE, Loan.manager_id.is_not(None))


_END_OF_DAY = func.timezone(SHANGHAI.key, cast(CLOSING_DAY + 1, DateTime))
OLD_REMINDERS = select(Task.id).where(Task.state == TaskState.OPEN, _is_old(_END_OF_DAY)).exists()
"""Whether `close_old` finds a reminder."""
REMINDERS_TO_SEND = select(Loan.id).where(_is_due(CLOSING_DAY + 1 + DAYS_BEFORE)).exists()
"""Whether `remind` finds a loan."""


async def close_old(ctx: Context, day: date, after: UUID | None) -> Portion:
    """A step of end of day, in parts: reminders whose day is over, and those of loans that are settled, are done."""
    end = datetime.combine(day + timedelta(days=1), time(0), SHANGHAI)
    return Portion.of(await task_batches.finish_some(ctx, _is_old(end), portion.MOST))


async def remind(ctx: Context, day: date, after: UUID | None) -> Portion:
    """A step of end of day, in parts: the morning after `day`, loans in order whose next installment is due in three days."""
    due = day + timedelta(days=1 + DAYS_BEFORE)
    loan = Loan.__table__.c
    upcoming = select(
        loan.id, loan.number, loan.manager_id, loan.department_id, loan.customer_id, loan.principal_outstanding
    )
    upcoming = upcoming.where(_is_due(due))
    if after is not None:
        upcoming = upcoming.where(loan.id > after)
    loans = (await ctx.connection.execute(upcoming.order_by(loan.id).limit(portion.MOST))).all()
    end = datetime.combine(due + timedelta(days=1), time(0), SHANGHAI)
    await task_batches.open_each(
        ctx, Loan.__tablename__, [(row, row.manager_id, _matter(row, due, end)) for row in loans]
    )
    return Portion.of([row.id for row in loans])


def _matter(loan: Any, due: date, end: datetime) -> Matter:
    return Matter(
        type=TYPE,
        title=f"还款提醒 {loan.number} is due on {due}",
        amount=loan.principal_outstanding,
        customer_id=loan.customer_id,
        due_at=end,
    )
