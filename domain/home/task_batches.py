"""成批待办 · Tasks that end of day opens and closes by the thousand, a statement for all of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast
from uuid import UUID

from sqlalchemy import ColumnElement, Table, select, update

from domain.home.pending_task import Matter, Task, TaskOffer, TaskState
from domain.kernel import bulk
from domain.kernel.table import uuid7

if TYPE_CHECKING:
    from domain.kernel.context import Context

TASKS, OFFERS = cast(Table, Task.__table__), cast(Table, TaskOffer.__table__)


async def open_each(ctx: Context, subject_table: str, given: Sequence[tuple[Any, UUID, Matter]]) -> int:
    """Opens a task for one person each, about many rows of one table at once: (row, person, matter). Answers how many.

    Of a row only `id` and `department_id` are needed. Nobody is excluded from these tasks."""
    tasks, offers = [], []
    for subject, employee_id, matter in given:
        task = {
            "id": uuid7(), "type": matter.type, "title": matter.title, "subject_id": subject.id,
            "customer_id": matter.customer_id, "amount": matter.amount, "assignee_id": employee_id,
            "department_id": subject.department_id, "due_at": matter.due_at,
        }  # fmt: skip
        tasks.append(task)
        offers.append(
            {
                "id": uuid7(),
                "task_id": task["id"],
                "subject_id": subject.id,
                "employee_id": employee_id,
                "role_id": None,
            }
        )
        ctx.announce("home.pending_task.added", Task(id=task["id"]), type=matter.type)
    shared = {"created_at": ctx.now, "subject_table": subject_table}
    await bulk.insert(ctx, TASKS, tasks, **shared, state=TaskState.OPEN, excluded=[], arrived_at=ctx.now)
    await bulk.insert(ctx, OFFERS, offers, **shared)
    return len(tasks)


async def finish_some(ctx: Context, wanted: ColumnElement[bool], most: int) -> list[UUID]:
    """Closes at most so many open tasks that fit; they are done. Answers which, in order."""
    found = select(Task.id).where(Task.state == TaskState.OPEN, wanted).order_by(Task.id).limit(most).with_for_update()
    done = update(Task).where(Task.id.in_(found))
    done = done.values(state=TaskState.DONE, closed_at=ctx.now, closed_by=ctx.actor.id)
    rows = (await ctx.connection.execute(done.returning(Task.id, Task.type, Task.assignee_id))).all()
    for row in sorted(rows, key=lambda row: row.id):
        ctx.announce("home.pending_task.removed", Task(id=row.id), type=row.type, was_with=row.assignee_id)
    return sorted(row.id for row in rows)
