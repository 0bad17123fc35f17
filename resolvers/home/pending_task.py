"""待办事项 · To-do tasks (F01)."""

from __future__ import annotations

from uuid import UUID

import strawberry

from domain.home import pending_task
from domain.kernel.context import Context
from domain.kernel.paging import Window
from resolvers.kernel import Info, answers, answers_by_key, by_subject, key, mutation, reads
from schema.customers.customer import Customer
from schema.home.pending_task import ClaimTaskInput, Task, TaskConnection, TaskFilter, TaskPayload, TaskUrgency
from schema.kernel import Node
from schema.organization.employee import Employee
from schema.organization.role import Role


@strawberry.type
class PendingTaskQueries:
    @reads(pending_task.page)
    async def pending_tasks(
        self,
        info: Info,
        filter: TaskFilter | None = None,
        first: int | None = None,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
    ) -> TaskConnection:
        """待办 Mine, and those that any of my roles may claim; newest first."""
        wanted = filter or TaskFilter()
        page = await pending_task.page(
            await info.context.reading(),
            columns=Task.columns(),
            window=Window(first, after, last, before),
            types=wanted.types,
            urgencies=wanted.urgency,
        )
        return TaskConnection.of(Task, page)

    @reads(pending_task.done_page)
    async def done_tasks(
        self,
        info: Info,
        first: int | None = None,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
    ) -> TaskConnection:
        """已办 What I have done, newest first."""
        window = Window(first, after, last, before)
        page = await pending_task.done_page(await info.context.reading(), columns=Task.columns(), window=window)
        return TaskConnection.of(Task, page)


@strawberry.type
class PendingTaskMutations:
    @mutation(pending_task.claim)
    async def claim_task(self, info: Info, input: ClaimTaskInput) -> TaskPayload:
        """领取待办 Take a task offered to my role, so that I alone have it."""
        task = await pending_task.claim(info.context.ctx, task_id=key(input.task_id, "Task"))
        return TaskPayload(task=Task.of(task))


answers_by_key("Task.assignee", Employee)
answers_by_key("Task.candidate_role", Role)
answers_by_key("Task.customer", Customer)


@answers("Task.urgency")
async def urgency(ctx: Context, task_ids: list[UUID]) -> dict[UUID, TaskUrgency]:
    return await pending_task.urgencies(ctx, task_ids)


@answers("Task.subject")
async def subject(ctx: Context, task_ids: list[UUID]) -> dict[UUID, Node]:
    about = await pending_task.subjects(ctx, task_ids)
    found = await by_subject(ctx, about.values())
    return {task_id: found[place] for task_id, place in about.items() if place in found}
