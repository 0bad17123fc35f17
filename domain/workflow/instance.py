"""审批流实例 · A running workflow: at which node it stands, what was decided, and what happens when it ends.

The engine knows no business function. A function starts an instance on its row and says with `@outcome` what happens on
approved or rejected, with `@advanced` what happens when a further node is reached, with `@terms_check` which terms an
approver may set. These run inside the deciding transaction: what they refuse, the decision is refused.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING, Any, ClassVar
from uuid import UUID

from sqlalchemy import ARRAY, ForeignKey, Index, String, Text, Uuid, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Mapped, mapped_column

from domain.home import pending_task
from domain.kernel.feed import Json
from domain.kernel.refusals import InvalidInput, plain
from domain.kernel.scope import Managed, Reach
from domain.kernel.table import Keyed, MoneyColumn, TenantTable, choice, uuid7
from domain.workflow import definition
from domain.workflow.definition import Node, WorkflowDefinition, codes_before, next_node, read_nodes
from domain.workflow.terms import ApprovedTerms

if TYPE_CHECKING:
    from domain.kernel.context import Context

TASK_TYPE = "APPROVAL"


class WorkflowState(StrEnum):
    """An instance runs until it is decided, given back, withdrawn by its maker, or ended with its cause."""

    RUNNING = "RUNNING"
    """进行中 Waits for a decision."""
    APPROVED = "APPROVED"
    """已通过 Agreed to by all nodes."""
    REJECTED = "REJECTED"
    """已拒绝 Refused."""
    RETURNED = "RETURNED"
    """已退回 Given back to who made it."""
    WITHDRAWN = "WITHDRAWN"
    """已撤回 Taken back by who made it."""
    TERMINATED = "TERMINATED"
    """已终止 Ended because its cause went away."""


class Decision(StrEnum):
    """What a person does with a task: agree, refuse, give back, hand to another (转办), ask one more (加签)."""

    APPROVE = "APPROVE"
    """同意 Agrees."""
    REJECT = "REJECT"
    """拒绝 Refuses for good."""
    RETURN = "RETURN"
    """退回 Gives back to who made it."""
    TRANSFER = "TRANSFER"
    """转办 Hands the task to another."""
    ADD_APPROVER = "ADD_APPROVER"
    """加签 Asks one more person."""


VOICES = (Decision.APPROVE, Decision.REJECT, Decision.RETURN)


class WorkflowInstance(Keyed):
    """One run about a subject. `amount` is what was asked; `facts` are what conditions look at, terms included."""

    __tablename__ = "workflow_instances"
    __table_args__ = (Index("ix_workflow_instances_subject", "subject_id"),)
    reach: ClassVar[Reach] = Managed(people=("started_by",))

    definition_id: Mapped[UUID] = mapped_column(ForeignKey("workflow_definitions.id"))
    definition_code: Mapped[str] = mapped_column(String(40))
    definition_version: Mapped[int]
    purpose: Mapped[str] = mapped_column(String(40))
    title: Mapped[str] = mapped_column(String(200))
    subject_table: Mapped[str] = mapped_column(String(63))
    subject_id: Mapped[UUID]
    customer_id: Mapped[UUID | None] = mapped_column(ForeignKey("customers.id"))
    department_id: Mapped[UUID | None] = mapped_column(ForeignKey("departments.id"))
    started_by: Mapped[UUID]
    makers: Mapped[list[UUID]] = mapped_column(ARRAY(Uuid()))
    amount: Mapped[Decimal | None] = mapped_column(MoneyColumn)
    facts: Mapped[dict[str, Any]] = mapped_column(Json)
    terms: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)
    state: Mapped[WorkflowState] = mapped_column(choice(WorkflowState), default=WorkflowState.RUNNING)
    node: Mapped[str | None] = mapped_column(String(40))
    ended_at: Mapped[datetime | None]


class WorkflowAction(TenantTable):
    """One decision of one person: never changed, never deleted."""

    __tablename__ = "workflow_actions"
    __table_args__ = (Index("ix_workflow_actions_instance", "instance_id", "id"),)
    grants: ClassVar[str] = "append"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    instance_id: Mapped[UUID] = mapped_column(ForeignKey("workflow_instances.id"))
    task_id: Mapped[UUID] = mapped_column(ForeignKey("tasks.id"))
    node: Mapped[str] = mapped_column(String(40))
    actor_id: Mapped[UUID] = mapped_column(ForeignKey("employees.id"))
    decision: Mapped[Decision] = mapped_column(choice(Decision))
    opinion: Mapped[str] = mapped_column(Text)
    terms: Mapped[dict[str, Any]] = mapped_column(Json)
    to_id: Mapped[UUID | None]
    at: Mapped[datetime]


# ---------------------------------------------------------------- what business functions say

Decided = Callable[["Context", WorkflowInstance, bool, ApprovedTerms], Awaitable[None]]
Advanced = Callable[["Context", WorkflowInstance], Awaitable[None]]
TermsCheck = Callable[["Context", WorkflowInstance, ApprovedTerms], Awaitable[None]]


async def _nothing(_ctx: Context, _instance: WorkflowInstance) -> None:
    """Most subjects do not care which node they are at."""


async def _only_amount(_ctx: Context, _instance: WorkflowInstance, terms: ApprovedTerms) -> None:
    """Where nothing else is said, approvers may lower the amount and no more."""
    if terms.given().keys() - {"amount"}:
        raise InvalidInput("terms", zh="此事项只能调整金额。", en="Only the amount can be changed here.")


@dataclass(slots=True)
class Purpose:
    """What a business function does with its instances."""

    decided: Decided
    advanced: Advanced = _nothing
    check_terms: TermsCheck = _only_amount


PURPOSES: dict[str, Purpose] = {}


def outcome(purpose: str) -> Callable[[Decided], Decided]:
    """Registers what happens when an instance ends by decision: `decided(ctx, instance, approved, terms)`.

    Given back to the maker counts as not approved; `instance.state` tells RETURNED from REJECTED."""

    def register(decided: Decided) -> Decided:
        if purpose in PURPOSES:
            raise ValueError(f"two outcomes for {purpose}")
        PURPOSES[purpose] = Purpose(decided)
        return decided

    return register


def advanced(purpose: str) -> Callable[[Advanced], Advanced]:
    """Registers what happens when an instance reaches a further node (also after a return)."""

    def register(handler: Advanced) -> Advanced:
        PURPOSES[purpose].advanced = handler
        return handler

    return register


def terms_check(purpose: str) -> Callable[[TermsCheck], TermsCheck]:
    """Registers which terms approvers may set: the handler gets all terms in force and refuses what may not be."""

    def register(check: TermsCheck) -> TermsCheck:
        PURPOSES[purpose].check_terms = check
        return check

    return register


# ---------------------------------------------------------------- the run


async def start(
    ctx: Context,
    *,
    purpose: str,
    subject: Keyed,
    title: str,
    amount: Decimal | None = None,
    customer_id: UUID | None = None,
    makers: Iterable[UUID] = (),
    facts: Mapping[str, Any] | None = None,
    code: str | None = None,
) -> WorkflowInstance:
    """Starts the workflow of a purpose on a row and opens the task of its first node.

    `makers` may decide nothing of it; the person starting it is one. `code` chooses another definition than the default.
    Raises NOT_FOUND for a code without definition."""
    if purpose not in PURPOSES:
        raise ValueError(f"nobody says what happens after {purpose}")
    chosen = await definition.current(ctx, purpose, code)
    instance = ctx.add(
        WorkflowInstance(
            definition_id=chosen.id,
            definition_code=chosen.code,
            definition_version=chosen.version,
            purpose=purpose,
            title=title,
            subject_table=subject.__tablename__,
            subject_id=subject.id,
            customer_id=customer_id,
            department_id=getattr(subject, "department_id", None) or ctx.actor.department_id,
            started_by=ctx.actor.id,
            makers=sorted({*makers, ctx.actor.id}),
            amount=amount,
            facts=plain({**(facts or {}), "amount": amount}),
            terms={},
            state=WorkflowState.RUNNING,
        )
    )
    await ctx.session.flush()
    first = next_node(read_nodes(chosen.nodes), None, instance.facts)
    assert first is not None, "a definition has a node without condition"
    await enter(ctx, instance, subject, first)
    return instance


async def enter(ctx: Context, instance: WorkflowInstance, subject: Keyed, node: Node) -> None:
    """The instance reaches a node: its task is offered to the roles of the node, except to whom four eyes excludes."""
    instance.node = node.code
    terms = ApprovedTerms.read(instance.terms)
    await pending_task.open(
        ctx,
        type=TASK_TYPE,
        title=instance.title,
        subject=subject,
        roles=node.roles,
        exclude=await excluded(ctx, instance, node.code),
        amount=terms.amount or instance.amount,
        customer_id=instance.customer_id,
        due_at=ctx.now + timedelta(hours=node.hours),
        step=pending_task.Step(instance.id, node.code),
    )


async def nodes_of(ctx: Context, instance: WorkflowInstance) -> tuple[Node, ...]:
    """The nodes of the version that the instance keeps."""
    kept = await ctx.session.get_one(WorkflowDefinition, instance.definition_id)
    return read_nodes(kept.nodes)


async def excluded(ctx: Context, instance: WorkflowInstance, node: str) -> set[UUID]:
    """四眼 · Who may not decide at a node: the makers, and whoever gave a voice at another node of this instance."""
    actions = WorkflowAction.__table__.c
    voices = select(actions.actor_id).where(
        actions.instance_id == instance.id, actions.node != node, actions.decision.in_(VOICES)
    )
    return {*instance.makers, *(await ctx.connection.execute(voices)).scalars()}


async def end(ctx: Context, instance: WorkflowInstance, state: WorkflowState) -> None:
    """Ends an instance: open tasks are cancelled, and the business function hears of a decision."""
    await _cancel_tasks(ctx, instance)
    instance.state = state
    instance.node = None
    instance.ended_at = ctx.now
    if state in (WorkflowState.APPROVED, WorkflowState.REJECTED, WorkflowState.RETURNED):
        terms = ApprovedTerms.read(instance.terms)
        await PURPOSES[instance.purpose].decided(ctx, instance, state is WorkflowState.APPROVED, terms)


async def stop(ctx: Context, subject: Keyed, state: WorkflowState = WorkflowState.WITHDRAWN) -> None:
    """Ends the running instance on a row because its maker withdrew it or its cause is gone."""
    running = select(WorkflowInstance).where(
        WorkflowInstance.subject_id == subject.id, WorkflowInstance.state == WorkflowState.RUNNING
    )
    for instance in (await ctx.session.execute(running.with_for_update())).scalars():
        await end(ctx, instance, state)


async def open_tasks(ctx: Context, instance: WorkflowInstance) -> list[pending_task.Task]:
    """The tasks of the instance that still wait, under a lock."""
    task = pending_task.Task
    waiting = select(task).where(task.instance_id == instance.id, task.state == pending_task.TaskState.OPEN)
    return list((await ctx.session.execute(waiting.order_by(task.id).with_for_update())).scalars())


async def _cancel_tasks(ctx: Context, instance: WorkflowInstance) -> None:
    for task in await open_tasks(ctx, instance):
        pending_task.finish(ctx, task, pending_task.TaskState.CANCELLED)


# ---------------------------------------------------------------- queries


async def latest_by_subject(ctx: Context, subject_ids: Sequence[UUID], columns: Sequence[Any]) -> dict[UUID, Any]:
    """The newest instance on each row."""
    table = WorkflowInstance.__table__.c
    statement = select(*columns, table.subject_id.label("__subject")).where(table.subject_id.in_(subject_ids))
    rows = await ctx.connection.execute(
        statement.ext(distinct_on(table.subject_id)).order_by(table.subject_id, table.id.desc())
    )
    return {row._mapping["__subject"]: row for row in rows}


async def nodes_behind(ctx: Context, instance_ids: Sequence[UUID]) -> dict[UUID, list[str]]:
    """To which earlier nodes each running instance can be given back from where it stands."""
    runs, kept = WorkflowInstance.__table__.c, WorkflowDefinition.__table__.c
    statement = select(runs.id, runs.node, kept.nodes).join(WorkflowDefinition.__table__, kept.id == runs.definition_id)
    rows = await ctx.connection.execute(statement.where(runs.id.in_(instance_ids), runs.node.is_not(None)))
    return {row.id: codes_before(read_nodes(row.nodes), row.node) for row in rows}


async def log_by_instance(ctx: Context, instance_ids: Sequence[UUID], columns: Sequence[Any]) -> dict[UUID, list[Any]]:
    """What was decided on each instance, in order."""
    table = WorkflowAction.__table__.c
    statement = select(*columns, table.instance_id.label("__instance")).where(table.instance_id.in_(instance_ids))
    found: dict[UUID, list[Any]] = {key: [] for key in instance_ids}
    for row in (await ctx.connection.execute(statement.order_by(table.id))).all():
        found[row._mapping["__instance"]].append(row)
    return found
