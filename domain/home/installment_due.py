"""到期提醒 · Tasks that come with a date (F01): three days before an installment is due, its account manager is reminded.

The task goes when the due day closes, or when the loan is settled before.
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import and_, or_, select

from domain.home import task_batches
from domain.home.pending_task import Matter, Task
from domain.kernel import portion
from domain.kernel.clock import SHANGHAI
from domain.kernel.portion import Portion
from domain.lending.loan.tables import Loan, LoanState

if TYPE_CHECKING:
    from domain.kernel.context import Context

TYPE = "INSTALLMENT_DUE"
DAYS_BEFORE = 3


async def close_old(ctx: Context, day: date, after: UUID | None) -> Portion:
    """A step of end of day, in parts: reminders whose day is over, and those of loans that are settled, are done."""
    over = Task.due_at <= datetime.combine(day + timedelta(days=1), time(0), SHANGHAI)
    settled = select(Loan.id).where(Loan.id == Task.subject_id, Loan.state == LoanState.SETTLED).exists()
    return Portion.of(await task_batches.finish_some(ctx, and_(Task.type == TYPE, or_(over, settled)), portion.MOST))


async def remind(ctx: Context, day: date, after: UUID | None) -> Portion:
    """A step of end of day, in parts: the morning after `day`, loans in order whose next installment is due in three days."""
    due = day + timedelta(days=1 + DAYS_BEFORE)
    loan = Loan.__table__.c
    # What happens next to a loan that owes nothing overdue is its next due day.
    upcoming = select(
        loan.id, loan.number, loan.manager_id, loan.department_id, loan.customer_id, loan.principal_outstanding
    )
    upcoming = upcoming.where(loan.next_action_on == due, loan.state == LoanState.ACTIVE, loan.manager_id.is_not(None))
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
