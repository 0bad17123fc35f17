"""待办事项 · To-do tasks (F01): what waits for one person, or for whoever of a role takes it.

Other functions open and close tasks in their own transaction. A task is offered to people and roles; who takes it (claims)
has it alone. Whoever was excluded (the maker, whoever decided another node) never sees it as pending. An offer is kept for
good, so a task stays readable to everyone it was once offered to.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING, Any, ClassVar
from uuid import UUID

from sqlalchemy import ARRAY, ColumnElement, ForeignKey, Index, String, Uuid, all_, and_, func, literal, or_, select
from sqlalchemy.orm import Mapped, mapped_column

from domain.kernel import paging
from domain.kernel.command import command, query
from domain.kernel.paging import Order, Page, Window
from domain.kernel.refusals import Denied, InvalidState, NotFound, SamePerson
from domain.kernel.scope import Managed, Reach, offered_to, scope
from domain.kernel.table import Keyed, MoneyColumn, TenantTable, choice

if TYPE_CHECKING:
    from domain.kernel.context import Context

DUE_SOON = timedelta(hours=24)


class TaskState(StrEnum):
    """A task is open until it is done, or cancelled because its cause went away."""

    OPEN = "OPEN"
    """待办 Waits to be done."""
    DONE = "DONE"
    """已办 Done."""
    CANCELLED = "CANCELLED"
    """已取消 Its cause went away."""


class TaskUrgency(StrEnum):
    """By the time left: within a day it is due soon, after it overdue."""

    NORMAL = "NORMAL"
    """普通 More than a day is left."""
    DUE_SOON = "DUE_SOON"
    """即将到期 Due within a day."""
    OVERDUE = "OVERDUE"
    """已超时 Past its time."""


class Task(Keyed):
    """One thing to do about a subject. `excluded` are people who may not do it (four eyes)."""

    __tablename__ = "tasks"
    __table_args__ = (
        Index("ix_tasks_open", "assignee_id", "arrived_at", postgresql_where="state = 'OPEN'"),
        Index("ix_tasks_newest", "arrived_at", "id", postgresql_where="state = 'OPEN'"),
        Index("ix_tasks_subject", "subject_id"),
        Index("ix_tasks_instance", "instance_id"),
        Index("ix_tasks_done", "closed_by", "id"),
    )
    reach: ClassVar[Reach] = Managed(people=("assignee_id",), offered=True, offered_by="task_id")

    type: Mapped[str] = mapped_column(String(60))
    title: Mapped[str] = mapped_column(String(200))
    state: Mapped[TaskState] = mapped_column(choice(TaskState), default=TaskState.OPEN)
    subject_table: Mapped[str] = mapped_column(String(63))
    subject_id: Mapped[UUID]
    customer_id: Mapped[UUID | None] = mapped_column(ForeignKey("customers.id"))
    amount: Mapped[Decimal | None] = mapped_column(MoneyColumn)
    assignee_id: Mapped[UUID | None] = mapped_column(ForeignKey("employees.id"))
    candidate_role_id: Mapped[UUID | None] = mapped_column(ForeignKey("roles.id"))
    excluded: Mapped[list[UUID]] = mapped_column(ARRAY(Uuid()), default=list)
    department_id: Mapped[UUID | None] = mapped_column(ForeignKey("departments.id"))
    instance_id: Mapped[UUID | None] = mapped_column(ForeignKey("workflow_instances.id"))
    node: Mapped[str | None] = mapped_column(String(40))
    arrived_at: Mapped[datetime]
    due_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]
    closed_by: Mapped[UUID | None]


class TaskOffer(Keyed):
    """To whom a task was offered: a person or a role. It also lets them see the task's subject."""

    __tablename__ = "task_offers"
    __table_args__ = (
        Index("ix_task_offers_employee", "employee_id", "task_id"),
        Index("ix_task_offers_role", "role_id", "task_id"),
        Index("ix_task_offers_subject", "subject_id"),
    )
    grants: ClassVar[str] = "append"

    task_id: Mapped[UUID] = mapped_column(ForeignKey("tasks.id"))
    subject_table: Mapped[str] = mapped_column(String(63))
    subject_id: Mapped[UUID]
    employee_id: Mapped[UUID | None] = mapped_column(ForeignKey("employees.id"))
    role_id: Mapped[UUID | None] = mapped_column(ForeignKey("roles.id"))


@dataclass(frozen=True, slots=True)
class Step:
    """The node of a workflow instance that a task decides."""

    instance_id: UUID
    node: str


# ---------------------------------------------------------------- rules


def urgency(due_at: datetime | None, now: datetime) -> TaskUrgency:
    """How urgent a task is at a moment."""
    if due_at is None or due_at - now > DUE_SOON:
        return TaskUrgency.NORMAL
    return TaskUrgency.OVERDUE if due_at < now else TaskUrgency.DUE_SOON


def of_urgency(wanted: Iterable[TaskUrgency], now: datetime) -> ColumnElement[bool]:
    """The same rule as a predicate."""
    due = Task.due_at
    ways: dict[TaskUrgency, ColumnElement[bool]] = {
        TaskUrgency.NORMAL: or_(due.is_(None), due > now + DUE_SOON),
        TaskUrgency.DUE_SOON: and_(due >= now, due <= now + DUE_SOON),
        TaskUrgency.OVERDUE: due < now,
    }
    return or_(*(ways[one] for one in wanted))


def pending_for(ctx: Context) -> ColumnElement[bool]:
    """The tasks waiting for the actor: assigned to him, or to be claimed by him; never one he is excluded from."""
    offers = TaskOffer.__table__.c
    claimable = and_(Task.assignee_id.is_(None), Task.id.in_(select(offers.task_id).where(offered_to(ctx, offers))))
    allowed = literal(ctx.actor.id, Uuid()) != all_(Task.excluded)
    return and_(Task.state == TaskState.OPEN, or_(Task.assignee_id == ctx.actor.id, claimable), allowed)


# ---------------------------------------------------------------- for other functions: open and close


@dataclass(frozen=True, slots=True, kw_only=True)
class Matter:
    """What a task is about beside its subject. `title` carries numbers, never names; `exclude`: who may not do it."""

    type: str
    title: str
    exclude: Iterable[UUID] = ()
    amount: Decimal | None = None
    customer_id: UUID | None = None
    due_at: datetime | None = None
    step: Step | None = None


async def open(
    ctx: Context,
    *,
    subject: Keyed,
    roles: Sequence[str] = (),
    employees: Sequence[UUID] = (),
    **about: Any,
) -> Task:
    """Opens a task about a row; `about` are the fields of `Matter`. One person and no role: it is his at once; else whoever
    claims or does it first.

    Raises ValueError for an unknown role: the program or a definition is wrong."""
    role_ids = await _role_ids(ctx, roles)
    alone = employees[0] if len(employees) == 1 and not roles else None
    task = _drafted(ctx, subject, Matter(**about), alone)
    task.candidate_role_id = role_ids[0] if role_ids else None
    await ctx.session.flush()
    for employee_id in employees:
        offer(ctx, task, employee_id=employee_id)
    for role_id in role_ids:
        offer(ctx, task, role_id=role_id)
    return task


def _drafted(ctx: Context, subject: Keyed, matter: Matter, assignee_id: UUID | None) -> Task:
    task = ctx.add(
        Task(
            type=matter.type,
            title=matter.title,
            state=TaskState.OPEN,
            subject_table=subject.__tablename__,
            subject_id=subject.id,
            customer_id=matter.customer_id,
            amount=matter.amount,
            assignee_id=assignee_id,
            excluded=sorted(set(matter.exclude)),
            department_id=getattr(subject, "department_id", None) or ctx.actor.department_id,
            instance_id=matter.step.instance_id if matter.step else None,
            node=matter.step.node if matter.step else None,
            arrived_at=ctx.now,
            due_at=matter.due_at,
        )
    )
    ctx.announce("home.pending_task.added", task, type=matter.type)
    return task


def offer(ctx: Context, task: Task, *, employee_id: UUID | None = None, role_id: UUID | None = None) -> None:
    """Offers a task to one more person or role."""
    ctx.add(
        TaskOffer(
            task_id=task.id,
            subject_table=task.subject_table,
            subject_id=task.subject_id,
            employee_id=employee_id,
            role_id=role_id,
        )
    )


async def close(ctx: Context, subject: Keyed, type: str | None = None) -> list[Task]:
    """Closes the open tasks about a row (of one type): they are done, and gone for everybody they were offered to."""
    wanted = select(Task).where(Task.subject_id == subject.id, Task.state == TaskState.OPEN)
    if type is not None:
        wanted = wanted.where(Task.type == type)
    tasks = list((await ctx.session.execute(wanted.order_by(Task.id).with_for_update())).scalars())
    for task in tasks:
        finish(ctx, task)
    return tasks


def finish(ctx: Context, task: Task, state: TaskState = TaskState.DONE) -> None:
    """Closes one task that is locked already."""
    task.state = state
    task.closed_at = ctx.now
    task.closed_by = ctx.actor.id
    ctx.announce("home.pending_task.removed", task, type=task.type, was_with=task.assignee_id)


async def _role_ids(ctx: Context, codes: Sequence[str]) -> list[UUID]:
    if not codes:
        return []
    roles = TenantTable.metadata.tables["roles"].c
    found = await ctx.connection.execute(select(roles.code, roles.id).where(roles.code.in_(codes)))
    ids = {row.code: row.id for row in found}
    if unknown := set(codes) - ids.keys():
        raise ValueError(f"no such roles: {sorted(unknown)}")
    return [ids[code] for code in codes]


# ---------------------------------------------------------------- commands


@command("home.pending_task.claim")
async def claim(ctx: Context, *, task_id: UUID) -> Task:
    """Takes a task that was offered to the actor, so that he alone has it.

    Raises NOT_FOUND, INVALID_STATE (closed, or another person has it), SAME_PERSON, and Denied where it was not offered."""
    task = await take(ctx, task_id)
    if task.assignee_id is None:
        hand_to(ctx, task, ctx.actor.id)
    return task


def hand_to(ctx: Context, task: Task, employee_id: UUID) -> None:
    """The task is this person's alone from here on."""
    ctx.announce("home.pending_task.changed", task, type=task.type, was_with=task.assignee_id, assignee_id=employee_id)
    task.assignee_id = employee_id


async def take(ctx: Context, task_id: UUID, field: str = "taskId") -> Task:
    """The open task under a lock, if the actor may do it. Four eyes comes first, so that it is named to whom it stops."""
    statement = select(Task).where(Task.id == task_id).with_for_update()
    task = (await ctx.session.execute(statement.execution_options(populate_existing=True))).scalar_one_or_none()
    if task is None:
        raise NotFound(field)
    if ctx.actor.id in task.excluded:
        raise SamePerson(field)
    if not await _visible(ctx, task_id):
        raise NotFound(field)
    if task.state is not TaskState.OPEN:
        raise InvalidState(field, state=task.state)
    if task.assignee_id == ctx.actor.id:
        return task
    if not await _offered(ctx, task_id):
        raise Denied(ctx.bound.permission)
    if task.assignee_id is not None:
        raise InvalidState(field, zh="该待办已由他人领取。", en="Another person has taken this task.", state=task.state)
    return task


async def _visible(ctx: Context, task_id: UUID) -> bool:
    seen = select(Task.id).where(Task.id == task_id, scope(ctx, Task))
    return (await ctx.connection.execute(seen)).first() is not None


async def _offered(ctx: Context, task_id: UUID) -> bool:
    offers = TaskOffer.__table__.c
    named = select(offers.id).where(offers.task_id == task_id, offered_to(ctx, offers)).limit(1)
    return (await ctx.connection.execute(named)).first() is not None


# ---------------------------------------------------------------- queries


@query("home.pending_task.read")
async def page(
    ctx: Context,
    *,
    columns: Sequence[Any],
    window: Window,
    types: Sequence[str] | None = None,
    urgencies: Sequence[TaskUrgency] | None = None,
) -> Page:
    """What waits for the actor, newest first."""
    statement = select(*columns).where(pending_for(ctx))
    if types is not None:
        statement = statement.where(Task.type.in_(types))
    if urgencies is not None:
        statement = statement.where(of_urgency(urgencies, ctx.now))
    table = Task.__table__.c
    return await paging.page(ctx, statement, [Order(table.arrived_at, True), Order(table.id, True)], window)


@query("home.pending_task.read")
async def done_page(ctx: Context, *, columns: Sequence[Any], window: Window) -> Page:
    """已办 · What the actor has done, newest first."""
    table = Task.__table__.c
    statement = select(*columns).where(table.closed_by == ctx.actor.id, table.state == TaskState.DONE)
    return await paging.page(ctx, statement, [Order(table.id, True)], window)


async def urgencies(ctx: Context, task_ids: Sequence[UUID]) -> dict[UUID, TaskUrgency]:
    """How urgent each task is at the lender's moment."""
    table = Task.__table__.c
    rows = await ctx.connection.execute(select(table.id, table.due_at).where(table.id.in_(task_ids)))
    return {row.id: urgency(row.due_at, ctx.now) for row in rows}


async def subjects(ctx: Context, task_ids: Sequence[UUID]) -> dict[UUID, tuple[str, UUID]]:
    """What each task is about: table and key."""
    table = Task.__table__.c
    wanted = select(table.id, table.subject_table, table.subject_id).where(table.id.in_(task_ids))
    return {row.id: (row.subject_table, row.subject_id) for row in await ctx.connection.execute(wanted)}


@query("home.pending_task.read")
async def counts(ctx: Context) -> list[tuple[str, int, int]]:
    """What waits for the actor by type: how many, and how many of them are overdue."""
    late = func.count().filter(of_urgency([TaskUrgency.OVERDUE], ctx.now))
    grouped = select(Task.type, func.count(), late).where(pending_for(ctx)).group_by(Task.type).order_by(Task.type)
    return [(row[0], row[1], row[2]) for row in (await ctx.connection.execute(grouped)).all()]


async def pending_count(ctx: Context) -> int:
    """How many tasks wait for the actor."""
    counted = select(func.count()).select_from(Task).where(pending_for(ctx))
    return int((await ctx.connection.execute(counted)).scalar_one())


async def open_by_instance(ctx: Context, instance_ids: Sequence[UUID], columns: Sequence[Any]) -> dict[UUID, list[Any]]:
    """The open tasks of workflow instances, oldest first; whoever sees the instance sees them."""
    table = Task.__table__.c
    statement = select(*columns, table.instance_id.label("__instance")).where(
        table.instance_id.in_(instance_ids), table.state == TaskState.OPEN
    )
    found: dict[UUID, list[Any]] = {key: [] for key in instance_ids}
    for row in (await ctx.connection.execute(statement.order_by(table.id))).all():
        found[row._mapping["__instance"]].append(row)
    return found
