"""到期提醒 · Tasks that come with a date (F01): three days before an installment is due, its account manager is reminded.

The task goes when the due day closes, or when the loan is settled before.
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import or_, select

from domain.home import pending_task
from domain.home.pending_task import Matter, Task, TaskState
from domain.kernel.clock import SHANGHAI
from domain.lending.loan.tables import Loan, LoanState

if TYPE_CHECKING:
    from domain.kernel.context import Context

TYPE = "INSTALLMENT_DUE"
DAYS_BEFORE = 3


async def remind(ctx: Context, day: date) -> int:
    """A step of end of day: the morning after `day`, loans in order whose next installment is due in three days. Reminders
    whose day has come are done. Answers how many tasks were opened."""
    await _close_old(ctx, day)
    due = day + timedelta(days=1 + DAYS_BEFORE)
    # What happens next to a loan that owes nothing overdue is its next due day.
    upcoming = select(Loan).where(
        Loan.next_action_on == due, Loan.state == LoanState.ACTIVE, Loan.manager_id.is_not(None)
    )
    loans = (await ctx.session.execute(upcoming.order_by(Loan.id))).scalars()
    end = datetime.combine(due + timedelta(days=1), time(0), SHANGHAI)
    opened = await pending_task.open_each(
        ctx,
        [
            (
                loan,
                loan.manager_id,
                Matter(
                    type=TYPE,
                    title=f"还款提醒 {loan.number} is due on {due}",
                    amount=loan.principal_outstanding,
                    customer_id=loan.customer_id,
                    due_at=end,
                ),
            )
            for loan in loans
            if loan.manager_id is not None
        ],
    )
    return len(opened)


async def _close_old(ctx: Context, day: date) -> None:
    closing = datetime.combine(day + timedelta(days=1), time(0), SHANGHAI)
    settled = select(Loan.id).where(Loan.state == LoanState.SETTLED)
    old = select(Task).where(
        Task.type == TYPE,
        Task.state == TaskState.OPEN,
        or_(Task.due_at <= closing, Task.subject_id.in_(settled)),
    )
    for task in (await ctx.session.execute(old.order_by(Task.id).with_for_update())).scalars():
        pending_task.finish(ctx, task)
