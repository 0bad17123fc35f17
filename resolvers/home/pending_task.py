"""待办事项 · To-do tasks (F01)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from uuid import UUID

import strawberry

from domain.home import pending_task, pending_task_feed
from domain.kernel.context import Context
from domain.kernel.feed_reading import Happened
from domain.kernel.paging import Window
from resolvers.kernel import Info, answers, answers_by_key, by_subject, key, mutation, reads
from resolvers.kernel.subscribing import cursor_at, follow, subscription
from schema.customers.customer import Customer
from schema.home.pending_task import (
    ClaimTaskInput,
    Task,
    TaskConnection,
    TaskCount,
    TaskEvent,
    TaskFilter,
    TaskPayload,
    TaskUrgency,
)
from schema.kernel import Cursor, Node
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

    @reads(pending_task.counts)
    async def task_counts(self, info: Info) -> list[TaskCount]:
        """待办计数 What waits for me, by type."""
        found = await pending_task.counts(await info.context.reading())
        return [TaskCount(type=type, count=count, overdue=overdue) for type, count, overdue in found]

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


@strawberry.type
class PendingTaskSubscriptions:
    @subscription(pending_task.page)
    def pending_task_changed(self, info: Info, after: Cursor | None = None) -> AsyncIterator[TaskEvent]:
        """待办变化 Added to, changed in or gone from my pending tasks."""
        return follow(info.context, pending_task_feed.KINDS, after, _task_events)


async def _task_events(ctx: Context, rows: list[Happened]) -> list[TaskEvent]:
    tasks = await pending_task_feed.offered(ctx, [row.subject_id for row in rows], Task.columns())
    told = [(row, pending_task_feed.change_for(ctx.actor.id, row)) for row in rows if row.subject_id in tasks]
    count = await pending_task.pending_count(ctx) if told else 0
    return [
        TaskEvent(
            cursor=cursor_at(ctx, row.place), change=change, task=Task.of(tasks[row.subject_id]), pending_count=count
        )
        for row, change in told
        if change is not None
    ]


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
