"""审批 · Deciding a task of a workflow: agree, refuse, give back, hand over, ask one more.

Four eyes is by person: makers, and whoever gave a voice at another node of the instance, are refused SAME_PERSON. A node is
done when every task of it is; asking one more (加签) adds a task, so both must agree.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import select

from domain.home import pending_task
from domain.home.pending_task import Task
from domain.kernel.command import command
from domain.kernel.refusals import (
    ApprovalLimitExceeded,
    InvalidAmount,
    InvalidInput,
    InvalidState,
    NotFound,
    SamePerson,
    plain,
)
from domain.kernel.scope import entity_of
from domain.kernel.table import Keyed, TenantTable
from domain.workflow.definition import Node, codes_before, next_node
from domain.workflow.instance import (
    PURPOSES,
    Decision,
    WorkflowAction,
    WorkflowInstance,
    WorkflowState,
    end,
    enter,
    excluded,
    nodes_of,
    open_tasks,
)
from domain.workflow.terms import ApprovedTerms

if TYPE_CHECKING:
    from domain.kernel.context import Context

LONGEST_OPINION = 2000
TO_MAKER = "MAKER"
NEEDS_REASON = (Decision.REJECT, Decision.RETURN)


@dataclass(frozen=True, slots=True)
class Act:
    """One decision in the making: the task in hand, its instance and subject (both locked), and what the person says."""

    task: Task
    instance: WorkflowInstance
    subject: Keyed
    nodes: tuple[Node, ...]
    opinion: str

    @property
    def node(self) -> Node:
        return next(node for node in self.nodes if node.code == self.task.node)


# ---------------------------------------------------------------- rules


def check_opinion(decision: Decision, opinion: str) -> None:
    """An opinion has at most 2,000 characters; refusing and giving back need one."""
    if len(opinion) > LONGEST_OPINION:
        raise InvalidInput("opinion", zh="意见不超过 2000 字。", en="An opinion has at most 2,000 characters.")
    if decision in NEEDS_REASON and not opinion.strip():
        raise InvalidInput("opinion", zh="请填写理由。", en="Give a reason.")


def check_amount(asked: Decimal | None, approved: Decimal | None) -> None:
    """Approval lowers an amount, it never raises it."""
    if approved is None:
        return
    if asked is None or not 0 < approved <= asked:
        raise InvalidAmount(
            ("terms", "amount"),
            zh="审批金额 {amount} 须大于零且不超过申请金额 {asked}。",
            en="An approved amount {amount} is above zero and not above the {asked} asked for.",
            amount=approved,
            asked=asked,
        )


def check_limit(limit: Decimal | None, amount: Decimal | None) -> None:
    """审批权限 · Whoever gives the last word must have the authority for the amount (None: no limit)."""
    if limit is not None and amount is not None and amount > limit:
        raise ApprovalLimitExceeded("taskId", limit=limit, amount=amount)


async def check_grown(ctx: Context, instance: WorkflowInstance, amount: Decimal) -> None:
    """What takes effect may have grown since it was asked for (a ratio of what is due): it needs the same last word, and
    everybody who decides amounts like it must have decided. Raises APPROVAL_LIMIT_EXCEEDED."""
    check_limit(ctx.actor.approval_limit, amount)
    grown = {**instance.facts, "amount": str(amount)}
    if any(node.applies(grown) and not node.applies(instance.facts) for node in await nodes_of(ctx, instance)):
        raise ApprovalLimitExceeded(
            "taskId",
            zh="金额已增至 {amount}，须由更高权限审批；请确定不超过 {limit} 的金额，或重新申请。",
            en="It has grown to {amount}, which others decide: set an amount of at most {limit}, or ask anew.",
            limit=instance.amount,
            amount=amount,
        )


# ---------------------------------------------------------------- command


@command("home.pending_task.decide")
async def decide(
    ctx: Context,
    *,
    task_id: UUID,
    decision: Decision,
    opinion: str,
    terms: ApprovedTerms | None = None,
    return_to: str | None = None,
    transfer_to_id: UUID | None = None,
) -> Task:
    """Acts on one approval task. Approving may lower or change the terms; RETURN goes to the maker unless `return_to` names
    an earlier node; TRANSFER and ADD_APPROVER need `transfer_to_id`.

    Raises SAME_PERSON, APPROVAL_LIMIT_EXCEEDED, INVALID_STATE, INVALID_INPUT, INVALID_AMOUNT, NOT_FOUND, Denied where the
    task was not offered to the actor, and whatever the business function refuses."""
    check_opinion(decision, opinion)
    if terms is not None and decision is not Decision.APPROVE and terms.given():
        raise InvalidInput("terms", zh="只有同意时可调整条件。", en="Terms go with an approval only.")
    act = await _begin(ctx, task_id, opinion)
    match decision:
        case Decision.APPROVE:
            await _approve(ctx, act, terms or ApprovedTerms())
        case Decision.REJECT:
            _log(ctx, act, decision)
            pending_task.finish(ctx, act.task)
            await end(ctx, act.instance, WorkflowState.REJECTED)
        case Decision.RETURN:
            await _return(ctx, act, return_to or TO_MAKER)
        case Decision.TRANSFER:
            await _transfer(ctx, act, transfer_to_id)
        case Decision.ADD_APPROVER:
            await _add_approver(ctx, act, transfer_to_id)
    return act.task


async def _begin(ctx: Context, task_id: UUID, opinion: str) -> Act:
    """Locks subject, then task, then instance: the same order as the subject's own commands, so nobody waits in a circle."""
    named = select(Task.subject_table, Task.subject_id, Task.instance_id).where(Task.id == task_id)
    about = (await ctx.connection.execute(named)).one_or_none()
    if about is None:
        raise NotFound("taskId")
    subject = await _locked(ctx, entity_of(about.subject_table), about.subject_id)
    task = await pending_task.take(ctx, task_id)
    if task.instance_id is None:
        raise InvalidInput(
            "taskId", zh="该待办不是审批。", en="This task is no approval; it has an operation of its own."
        )
    instance = await _locked(ctx, WorkflowInstance, task.instance_id)
    if instance.state is not WorkflowState.RUNNING:
        raise InvalidState("taskId", state=instance.state)
    return Act(task, instance, subject, await nodes_of(ctx, instance), opinion)


async def _locked(ctx: Context, entity: Any, key: UUID) -> Any:
    statement = select(entity).where(entity.id == key).with_for_update(of=entity)
    return (await ctx.session.execute(statement.execution_options(populate_existing=True))).scalar_one()


async def _approve(ctx: Context, act: Act, terms: ApprovedTerms) -> None:
    instance = act.instance
    agreed = terms.over(ApprovedTerms.read(instance.terms))
    if terms.given():
        check_amount(instance.amount, terms.amount)
        await PURPOSES[instance.purpose].check_terms(ctx, instance, agreed)
        instance.terms = agreed.stored()
        instance.facts = {**instance.facts, **plain(agreed.given())}
    others = [task for task in await open_tasks(ctx, instance) if task.id != act.task.id]
    following = None if others else next_node(act.nodes, act.node.code, instance.facts)
    if not others and following is None:
        check_limit(ctx.actor.approval_limit, agreed.amount or instance.amount)
    _log(ctx, act, Decision.APPROVE, terms=terms)
    pending_task.finish(ctx, act.task)
    await ctx.session.flush()
    if others:
        return
    if following is None:
        await end(ctx, instance, WorkflowState.APPROVED)
    else:
        await _go_to(ctx, act, following)


async def _return(ctx: Context, act: Act, target: str) -> None:
    earlier = codes_before(act.nodes, act.node.code)
    if target != TO_MAKER and target not in earlier:
        raise InvalidInput(
            "returnTo",
            zh="可退回至：{allowed}。",
            en="It can be given back to: {allowed}.",
            allowed=[TO_MAKER, *earlier],
        )
    _log(ctx, act, Decision.RETURN)
    pending_task.finish(ctx, act.task)
    if target == TO_MAKER:
        await end(ctx, act.instance, WorkflowState.RETURNED)
        return
    for other in await open_tasks(ctx, act.instance):
        pending_task.finish(ctx, other, pending_task.TaskState.CANCELLED)
    await ctx.session.flush()
    await _go_to(ctx, act, next(node for node in act.nodes if node.code == target))


async def _go_to(ctx: Context, act: Act, node: Node) -> None:
    await enter(ctx, act.instance, act.subject, node)
    await PURPOSES[act.instance.purpose].advanced(ctx, act.instance)


async def _transfer(ctx: Context, act: Act, to: UUID | None) -> None:
    """转办 · The task goes to one colleague who holds a role of the node; all others lose it."""
    colleague = await _colleague(ctx, act, to, act.node.roles)
    _log(ctx, act, Decision.TRANSFER, to=colleague)
    pending_task.offer(ctx, act.task, employee_id=colleague)
    pending_task.hand_to(ctx, act.task, colleague)


async def _add_approver(ctx: Context, act: Act, to: UUID | None) -> None:
    """加签 · One more person is asked at this node; the task in hand stays with who asked."""
    colleague = await _colleague(ctx, act, to)
    _log(ctx, act, Decision.ADD_APPROVER, to=colleague)
    if act.task.assignee_id is None:
        pending_task.hand_to(ctx, act.task, ctx.actor.id)
    await pending_task.open(
        ctx,
        type=act.task.type,
        title=act.task.title,
        subject=act.subject,
        employees=[colleague],
        exclude=act.task.excluded,
        amount=act.task.amount,
        customer_id=act.task.customer_id,
        due_at=act.task.due_at,
        step=pending_task.Step(act.instance.id, act.node.code),
    )


async def _colleague(ctx: Context, act: Act, to: UUID | None, roles: tuple[str, ...] = ()) -> UUID:
    """The person named, if at work (and of one of the roles) and not stopped by four eyes."""
    if to is None:
        raise InvalidInput("transferToId", zh="请指定人员。", en="Name a person.")
    tables = TenantTable.metadata.tables
    employees, held, known = tables["employees"].c, tables["employee_roles"].c, tables["roles"].c
    wanted = select(employees.id).where(employees.id == to, employees.status == "ACTIVE")
    if roles:
        having = select(held.employee_id).where(held.role_id.in_(select(known.id).where(known.code.in_(roles))))
        wanted = wanted.where(employees.id.in_(having))
    if (await ctx.connection.execute(wanted)).first() is None:
        raise NotFound("transferToId", zh="没有这样的在岗人员。", en="There is no such person at work for this node.")
    if to == ctx.actor.id or to in await excluded(ctx, act.instance, act.node.code):
        raise SamePerson("transferToId")
    if any(task.assignee_id == to for task in await open_tasks(ctx, act.instance)):
        raise InvalidState("transferToId", zh="此人已在审批。", en="This person is asked already.", state="OPEN")
    return to


def _log(
    ctx: Context, act: Act, decision: Decision, *, terms: ApprovedTerms | None = None, to: UUID | None = None
) -> None:
    ctx.session.add(
        WorkflowAction(
            instance_id=act.instance.id,
            task_id=act.task.id,
            node=act.node.code,
            actor_id=ctx.actor.id,
            decision=decision,
            opinion=act.opinion,
            terms=terms.stored() if terms else {},
            to_id=to,
            at=ctx.now,
        )
    )
